//! `cluster inject`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use model::WorkloadName;
use provisioning::injection::{self, Injection, Workloads};
use serde_json::Value;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// deployment/NAME, statefulset/NAME or daemonset/NAME
    target: WorkloadName,
    /// Context of the kubeconfig [default: its current one]
    #[arg(long)]
    context: Option<String>,
    /// Namespace [default: the context's]
    #[arg(long)]
    namespace: Option<String>,
    /// Take the hook out again
    #[arg(long)]
    remove: bool,
    /// Print the patch and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The workload's manifest, instead of asking a cluster
    #[arg(long, requires = "dry_run")]
    file: Option<PathBuf>,
    /// Only these containers
    #[arg(long, value_delimiter = ',')]
    containers: Vec<String>,
    /// What the hook does: READHOOK_MODE
    #[arg(long, default_value = "scan", value_parser = ["forward", "track", "scan", "log", "block", "off"])]
    mode: String,
    /// Where the hook logs hits in the container: READHOOK_LOG
    #[arg(long)]
    log: Option<String>,
    /// The image with the hook, as the nodes know it
    #[arg(long, required_unless_present = "remove")]
    image: Option<String>,
    /// When nodes pull it; Never for an image that was loaded into them
    #[arg(long, default_value = "IfNotPresent", value_parser = ["Never", "IfNotPresent", "Always"])]
    pull_policy: String,
}

impl Arguments {
    fn injection(&self) -> Injection {
        let mut variables = BTreeMap::from([("READHOOK_MODE".to_owned(), self.mode.clone())]);
        if let Some(log) = &self.log {
            variables.insert("READHOOK_LOG".to_owned(), log.clone());
        }
        Injection {
            image: self.image.clone().unwrap_or_default(),
            pull_policy: self.pull_policy.clone(),
            containers: self.containers.clone(),
            variables,
        }
    }
}

/// Puts the hook in, takes it out, or shows how.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let stop = super::stop()?;
    let target = &arguments.target;
    let connect = || Workloads::connect(arguments.context.as_deref(), arguments.namespace.as_deref(), stop);
    let compute = |workload: &Value| {
        if arguments.remove {
            injection::remove(workload)
        } else {
            injection::inject(workload, &arguments.injection())
        }
    };
    if arguments.dry_run {
        let workload = match &arguments.file {
            Some(path) => injection::read_workload(target, path)?,
            None => connect()?.get(target)?,
        };
        let patch = compute(&workload)
            .map_err(|reason| anyhow!(reason))
            .with_context(|| target.to_string())?;
        println!("{}", serde_json::to_string_pretty(&patch)?);
        return Ok(());
    }
    let cluster = connect()?;
    cluster.change(target, compute)?;
    cluster.rolled_out(target)?;
    let done = if arguments.remove { "is out of" } else { "is in" };
    eprintln!("the hook {done} {target}");
    Ok(())
}
