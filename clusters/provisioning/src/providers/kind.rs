//! A kind cluster.

use std::path::{Path, PathBuf};

use super::{Announcement, Provider};
use crate::config::{Config as _, Kind};
use crate::error::ProvisioningError;
use engines::kubernetes::ImageLoader;
use engines::{CommandLine, CommandRunner, EngineError};

/// A kind cluster by its config.
#[derive(Clone, Debug)]
pub struct KindCluster {
    config: PathBuf,
    kubeconfig: PathBuf,
    name: String,
}

impl KindCluster {
    /// From `cluster.yaml`; the kubeconfig is where kind will write one.
    ///
    /// # Errors
    /// When the config is not what it should be.
    pub fn new(config: &Path, kubeconfig: &Path) -> Result<Self, ProvisioningError> {
        Ok(Self {
            name: Kind::read(config)?.name,
            config: config.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
        })
    }
}

/// Loads the image into all nodes.
impl ImageLoader for KindCluster {
    fn load(&self, commands: &CommandRunner, archive: &Path, _: &str) -> Result<Option<String>, EngineError> {
        commands.run(
            &CommandLine::new(["kind", "load", "image-archive"])
                .arg(archive)
                .arg("--name")
                .arg(&self.name),
        )?;
        Ok(None)
    }
}

impl Provider for KindCluster {
    fn announcement(&self) -> Announcement {
        Announcement {
            what: vec![format!("kind cluster {}, two nodes, on this machine", self.name)],
            usd_per_hour: None,
            up_minutes: 2,
            down_minutes: 1,
        }
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["cluster"]
    }

    fn create(&self, commands: &CommandRunner) -> Result<(), EngineError> {
        commands.run(
            &CommandLine::new(["kind", "create", "cluster", "--name", &self.name])
                .arg("--config")
                .arg(&self.config)
                .arg("--kubeconfig")
                .arg(&self.kubeconfig)
                .arg("--wait")
                .arg("180s"),
        )
    }

    fn find(&self, commands: &CommandRunner, _: &'static str) -> Result<Vec<String>, EngineError> {
        let all = commands.insist(&CommandLine::new(["kind", "get", "clusters"]))?;
        Ok(super::words(&all)
            .into_iter()
            .filter(|name| *name == self.name)
            .collect())
    }

    fn delete(&self, commands: &CommandRunner, _: &'static str, names: &[String]) -> Result<(), EngineError> {
        for name in names {
            let line = CommandLine::new(["kind", "delete", "cluster", "--name", name])
                .arg("--kubeconfig")
                .arg(&self.kubeconfig);
            commands.insist(&line)?;
        }
        super::forget(&self.kubeconfig)
    }
}
