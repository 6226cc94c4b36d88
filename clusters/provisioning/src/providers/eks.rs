//! An EKS cluster, its placement group and its image repository.
//!
//! The AWS tools find the credentials by themselves. This program does not read, store or print them.

use std::path::{Path, PathBuf};

use super::ecr;
use super::provider::{CostAnnouncement, Provider, remove_kubeconfig, words};
use crate::config::{ConfigFile as _, EksConfig, TAG};
use crate::error::ProvisioningError;
use engines::kubernetes::ImageLoader;
use engines::{CommandLine, CommandRunner, EngineError};

const STACK: &str = "CloudFormation stack";
const PLACEMENT_GROUP: &str = "placement group";
const REPOSITORY: &str = "ECR repository";

/// An EKS cluster and its configuration.
#[derive(Clone, Debug)]
pub struct EksCluster {
    config: PathBuf,
    kubeconfig: PathBuf,
    eks: EksConfig,
}

impl EksCluster {
    /// Reads `cluster.yaml`. `kubeconfig` is the path at which eksctl writes the kubeconfig.
    ///
    /// # Errors
    /// When the configuration is not valid.
    pub fn new(config: &Path, kubeconfig: &Path) -> Result<Self, ProvisioningError> {
        Ok(Self {
            eks: EksConfig::read(config)?,
            config: config.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
        })
    }

    fn repository(&self) -> String {
        format!("{}/image", self.eks.name())
    }

    fn aws(&self, service: &str, operation: &str) -> CommandLine {
        CommandLine::new(["aws", service, operation, "--region", self.eks.region()])
    }

    fn query(&self, commands: &CommandRunner, line: CommandLine, query: &str) -> Result<Vec<String>, EngineError> {
        let text = commands.output_with_retries(&line.arg("--query").arg(query).arg("--output").arg("text"))?;
        Ok(words(&text))
    }

    fn stacks(&self, commands: &CommandRunner) -> Result<Vec<String>, EngineError> {
        // By eksctl's own tag: a prefix of the name would find stacks of other clusters too.
        let query = format!(
            "Stacks[?Tags[?Key=='alpha.eksctl.io/cluster-name' && Value=='{}']].StackName",
            self.eks.name()
        );
        let mut stacks = self.query(commands, self.aws("cloudformation", "describe-stacks"), &query)?;
        // The stack of the nodes before the stack of the cluster, on which it depends.
        stacks.sort_by_key(|name| name.ends_with("-cluster"));
        Ok(stacks)
    }

    fn delete_stacks(&self, commands: &CommandRunner) -> Result<(), EngineError> {
        let (name, region) = (self.eks.name(), self.eks.region());
        let eksctl = CommandLine::new(["eksctl", "delete", "cluster", "--name", name, "--region", region])
            .arg("--wait")
            .arg("--disable-nodegroup-eviction");
        if let Err(error) = commands.output(&eksctl) {
            eprintln!("{error}; deleting its stacks one after the other");
        }
        for stack in self.stacks(commands)? {
            let delete = self.aws("cloudformation", "delete-stack");
            commands.output_with_retries(&delete.arg("--stack-name").arg(&stack))?;
            let wait = CommandLine::new([
                "aws",
                "cloudformation",
                "wait",
                "stack-delete-complete",
                "--region",
                region,
            ]);
            commands.output_with_retries(&wait.arg("--stack-name").arg(&stack))?;
        }
        remove_kubeconfig(&self.kubeconfig)
    }
}

/// Pushes the image to the cluster's own repository.
impl ImageLoader for EksCluster {
    fn load(&self, commands: &CommandRunner, archive: &Path, reference: &str) -> Result<Option<String>, EngineError> {
        ecr::push(commands, self.eks.region(), &self.repository(), archive, reference).map(Some)
    }
}

impl Provider for EksCluster {
    fn announcement(&self) -> CostAnnouncement {
        let (name, region) = (self.eks.name(), self.eks.region());
        CostAnnouncement {
            resources: vec![
                format!(
                    "EKS cluster {name} in {region}: a control plane, {}",
                    self.eks.describe_nodes()
                ),
                format!("placement group {name}"),
                format!("ECR repository {}", self.repository()),
            ],
            usd_per_hour: Some(self.eks.usd_per_hour()),
            up_minutes: 20,
            down_minutes: 15,
        }
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[STACK, PLACEMENT_GROUP, REPOSITORY]
    }

    fn create(&self, commands: &CommandRunner) -> Result<(), EngineError> {
        let (key, value) = TAG;
        let placement = self.aws("ec2", "create-placement-group");
        commands.output(
            &placement
                .arg("--group-name")
                .arg(self.eks.name())
                .arg("--strategy")
                .arg("cluster")
                .arg("--tag-specifications")
                .arg(format!(
                    "ResourceType=placement-group,Tags=[{{Key={key},Value={value}}}]"
                )),
        )?;
        let repository = self.aws("ecr", "create-repository");
        commands.output(
            &repository
                .arg("--repository-name")
                .arg(self.repository())
                .arg("--tags")
                .arg(format!("Key={key},Value={value}")),
        )?;
        commands.run(
            &CommandLine::new(["eksctl", "create", "cluster", "--config-file"])
                .arg(&self.config)
                .arg("--kubeconfig")
                .arg(&self.kubeconfig),
        )
    }

    fn find(&self, commands: &CommandRunner, kind: &'static str) -> Result<Vec<String>, EngineError> {
        match kind {
            STACK => self.stacks(commands),
            PLACEMENT_GROUP => {
                let line = self.aws("ec2", "describe-placement-groups");
                let filter = format!("Name=group-name,Values={}", self.eks.name());
                // A group that is being deleted stays in the list for a while.
                let query = "PlacementGroups[?State!='deleting' && State!='deleted'].GroupName";
                self.query(commands, line.arg("--filters").arg(filter), query)
            }
            _ => {
                let line = self.aws("ecr", "describe-repositories");
                let query = format!(
                    "repositories[?starts_with(repositoryName, '{}/')].repositoryName",
                    self.eks.name()
                );
                self.query(commands, line, &query)
            }
        }
    }

    fn delete(&self, commands: &CommandRunner, kind: &'static str, names: &[String]) -> Result<(), EngineError> {
        if kind == STACK {
            return self.delete_stacks(commands);
        }
        for name in names {
            let line = match kind {
                PLACEMENT_GROUP => self.aws("ec2", "delete-placement-group").arg("--group-name").arg(name),
                // `--force` deletes the images in it too.
                _ => self
                    .aws("ecr", "delete-repository")
                    .arg("--repository-name")
                    .arg(name)
                    .arg("--force"),
            };
            commands.output_with_retries(&line)?;
        }
        Ok(())
    }
}
