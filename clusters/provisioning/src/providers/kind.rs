//! A kind cluster.

use std::path::{Path, PathBuf};

use super::provider::{CostAnnouncement, Provider, remove_kubeconfig, words};
use crate::config::{ConfigFile as _, KindConfig};
use crate::error::ProvisioningError;
use engines::kubernetes::ImageLoader;
use engines::{CommandLine, CommandRunner, EngineError};

/// A kind cluster and its configuration.
#[derive(Clone, Debug)]
pub struct KindCluster {
    config: PathBuf,
    kubeconfig: PathBuf,
    name: String,
}

impl KindCluster {
    /// Reads `cluster.yaml`. `kubeconfig` is the path at which kind writes the kubeconfig.
    ///
    /// # Errors
    /// When the configuration is not valid.
    pub fn new(config: &Path, kubeconfig: &Path) -> Result<Self, ProvisioningError> {
        Ok(Self {
            name: KindConfig::read(config)?.name,
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
    fn announcement(&self) -> CostAnnouncement {
        CostAnnouncement {
            resources: vec![format!("kind cluster {}, two nodes, on this machine", self.name)],
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
        let all = commands.output_with_retries(&CommandLine::new(["kind", "get", "clusters"]))?;
        Ok(words(&all).into_iter().filter(|name| *name == self.name).collect())
    }

    fn delete(&self, commands: &CommandRunner, _: &'static str, names: &[String]) -> Result<(), EngineError> {
        for name in names {
            let line = CommandLine::new(["kind", "delete", "cluster", "--name", name])
                .arg("--kubeconfig")
                .arg(&self.kubeconfig);
            commands.output_with_retries(&line)?;
        }
        remove_kubeconfig(&self.kubeconfig)
    }
}
