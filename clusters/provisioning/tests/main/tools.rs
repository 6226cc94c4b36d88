//! The binary `cluster`, with stand-ins for the tools that it runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder in which the stand-ins are the only tools.
pub(crate) struct FakeTools {
    directory: TempDir,
}

impl FakeTools {
    pub(crate) fn new() -> Self {
        let fakes = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let tool = cluster().parent().unwrap().join("examples/fake_tool");
        assert!(
            tool.exists(),
            "{} is not there: cargo build -p provisioning --examples",
            tool.display()
        );
        for folder in ["bin", "state"] {
            fs::create_dir(fakes.path(folder)).unwrap();
        }
        for name in ["kind", "eksctl", "aws", "docker"] {
            symlink(&tool, fakes.path("bin").join(name)).unwrap();
        }
        fs::write(fakes.path("image.tar"), "an image").unwrap();
        fakes
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `cluster`, with faults in the stand-ins. The word `image.tar` stands for the image in this folder.
    pub(crate) fn run(&self, words: &[&str], faults: &[(&str, &str)]) -> Output {
        let image = self.path("image.tar");
        let words = words.iter().map(|&word| {
            if word == "image.tar" {
                image.as_os_str()
            } else {
                word.as_ref()
            }
        });
        Command::new(cluster())
            .args(words)
            .args(["--pause", "0"])
            .arg("--configs")
            .arg(configs())
            .arg("--state")
            .arg(self.path("kubeconfigs"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.path("bin").display()))
            .env("FAKE_STATE", self.path("state"))
            .envs(faults.iter().copied())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    /// Returns the command lines until now, without the folders of this test.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("state/calls")).unwrap_or_default();
        let lines = text.lines().map(|line| {
            line.replace(&format!("{}/", self.directory.path().display()), "")
                .replace(&format!("{}/", configs().display()), "")
        });
        lines.collect()
    }

    pub(crate) fn forget_calls(&self) {
        fs::remove_file(self.path("state/calls")).unwrap();
    }

    /// Returns the existing resources as `kind name`; panics when a stand-in has refused a command line.
    pub(crate) fn exists(&self) -> Vec<String> {
        if let Ok(refused) = fs::read_to_string(self.path("state/refused")) {
            panic!("a tool would have refused {refused}");
        }
        let mut all = Vec::new();
        for kind in ["cluster", "stack", "placement", "repository", "image", "local"] {
            for entry in fs::read_dir(self.path("state").join(kind))
                .into_iter()
                .flatten()
                .flatten()
            {
                all.push(format!(
                    "{kind} {}",
                    entry.file_name().to_string_lossy().replace('%', "/")
                ));
            }
        }
        for entry in fs::read_dir(self.path("kubeconfigs")).into_iter().flatten().flatten() {
            all.push(format!("kubeconfig {}", entry.file_name().to_string_lossy()));
        }
        all.sort();
        all
    }
}

/// The folder with the configurations of clusters.
fn configs() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Returns the path of the binary.
fn cluster() -> &'static Path {
    assert_cmd::cargo::cargo_bin!("cluster")
}

/// Returns the standard error of a program.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
