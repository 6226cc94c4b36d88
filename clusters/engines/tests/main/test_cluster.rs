//! A real cluster for a test: a namespace of its own, the image in every node, and a proxy that cuts streams.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use engines::kubernetes::{ClusterSettings, ImageDelivery, Kubernetes, PodPlacement};
use engines::{Engine, Image, ImageContents, Stop};

/// Tests run one after the other: a small cluster has no room for more.
static ALONE: Mutex<()> = Mutex::new(());

/// A namespace on the cluster that `KUBECONFIG` names.
pub(crate) struct TestCluster {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) namespace: String,
    pub(crate) image: Image,
    _alone: MutexGuard<'static, ()>,
}

impl TestCluster {
    /// Makes the namespace. Returns `None` and prints the reason when there is no cluster.
    pub(crate) fn create(test: &str) -> Option<Self> {
        let (Some(kubeconfig), Ok(load)) = (std::env::var_os("KUBECONFIG"), std::env::var("KUBE_LOAD_WITH")) else {
            println!(
                "SKIPPED: {test}: no cluster: set KUBECONFIG, and KUBE_LOAD_WITH to the command that loads an archive \
                 of images into all nodes"
            );
            return None;
        };
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let cluster = Self {
            kubeconfig: kubeconfig.into(),
            namespace: format!("hook-latency-{test}-{}", std::process::id()).replace('_', "-"),
            image: image(),
            _alone: alone,
        };
        cluster.kubectl(&["create", "namespace", &cluster.namespace]);
        let words = load.split_whitespace().map(str::to_owned).collect();
        let loader = cluster.engine_by(
            PodPlacement::Pod,
            ImageDelivery::Command(words),
            &cluster.kubeconfig,
            Stop::default(),
        );
        loader.load(&cluster.image).unwrap();
        Some(cluster)
    }

    pub(crate) fn engine(&self, placement: PodPlacement) -> Kubernetes {
        self.engine_by(placement, ImageDelivery::Loaded, &self.kubeconfig, Stop::default())
    }

    pub(crate) fn engine_by(
        &self,
        placement: PodPlacement,
        delivery: ImageDelivery,
        kubeconfig: &Path,
        stop: Stop,
    ) -> Kubernetes {
        Kubernetes::connect(ClusterSettings {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            namespace: Some(self.namespace.clone()),
            placement,
            delivery,
            stop,
        })
        .unwrap()
    }

    /// Runs kubectl and returns its output; panics when it fails.
    pub(crate) fn kubectl(&self, words: &[&str]) -> String {
        let output = Command::new("kubectl")
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(words)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "kubectl {words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Returns the names of all pods.
    pub(crate) fn pods(&self) -> String {
        self.kubectl(&["get", "pods", "--namespace", &self.namespace, "--output", "name"])
    }

    /// Writes a kubeconfig for connections through `proxy`.
    pub(crate) fn kubeconfig_through(&self, proxy: &CuttingProxy, folder: &Path) -> PathBuf {
        let text = std::fs::read_to_string(&self.kubeconfig).unwrap();
        let path = folder.join("kubeconfig");
        let server = server(&text);
        std::fs::write(
            &path,
            text.replace(&format!("https://{server}"), &format!("https://{}", proxy.address)),
        )
        .unwrap();
        path
    }

    /// Returns the address and port of the API server.
    pub(crate) fn server(&self) -> String {
        server(&std::fs::read_to_string(&self.kubeconfig).unwrap()).to_owned()
    }
}

fn server(kubeconfig: &str) -> &str {
    let (_, rest) = kubeconfig.split_once("https://").unwrap();
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !".:-".contains(letter));
    &rest[..end.unwrap_or(rest.len())]
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

/// Makes the image of the programs beside this test.
fn image() -> Image {
    // Tests run as target/PROFILE/deps/TEST.
    let test = std::env::current_exe().unwrap();
    let binaries = test.ancestors().nth(2).unwrap();
    let hook = binaries.join("../hook/libreadhook.so");
    for file in [
        &binaries.join("agent"),
        &binaries.join("sut"),
        &binaries.join("loadgen"),
        &hook,
    ] {
        assert!(file.exists(), "{} is not there: cargo xtask build", file.display());
    }
    ImageContents::new(binaries, &hook).unwrap().image().unwrap()
}

/// A proxy that forwards connections and can cut them.
pub(crate) struct CuttingProxy {
    pub(crate) address: String,
    open: Arc<Mutex<Vec<TcpStream>>>,
    refusing: Arc<AtomicBool>,
}

impl CuttingProxy {
    pub(crate) fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap().to_string(),
            open: Arc::default(),
            refusing: Arc::default(),
        };
        let (open, refusing) = (Arc::clone(&proxy.open), Arc::clone(&proxy.refusing));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if refusing.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(far) = TcpStream::connect(&server) else { continue };
                open.lock()
                    .unwrap()
                    .extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                for (mut from, mut to) in [(near.try_clone().unwrap(), far.try_clone().unwrap()), (far, near)] {
                    thread::spawn(move || {
                        let mut buffer = [0; 1 << 14];
                        while let Ok(count @ 1..) = from.read(&mut buffer) {
                            if to.write_all(&buffer[..count]).is_err() {
                                break;
                            }
                        }
                        _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        proxy
    }

    /// Cuts all connections. With `refuse`, new connections are refused too, as by a server that restarts.
    pub(crate) fn cut(&self, refuse: bool) {
        self.refusing.store(refuse, Ordering::Relaxed);
        for stream in self.open.lock().unwrap().drain(..) {
            _ = stream.shutdown(Shutdown::Both);
        }
    }
}
