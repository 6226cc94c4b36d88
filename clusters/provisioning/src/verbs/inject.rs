//! `cluster inject`: puts the hook into a workload or takes it out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use model::WorkloadName;
use provisioning::injection::{self, Injection, Workloads};
use serde_json::Value;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InjectOptions {
    /// deployment/NAME, statefulset/NAME or daemonset/NAME
    workload: WorkloadName,
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
    /// Read the workload from this manifest instead of a cluster
    #[arg(long, requires = "dry_run")]
    file: Option<PathBuf>,
    /// Only these containers
    #[arg(long, value_delimiter = ',')]
    containers: Vec<String>,
    /// Mode of the hook: READHOOK_MODE
    #[arg(long, default_value = "scan", value_parser = ["forward", "track", "scan", "log", "block", "off"])]
    mode: String,
    /// File in the container in which the hook logs hits: READHOOK_LOG
    #[arg(long)]
    log: Option<String>,
    /// The image with the hook, as the nodes know it
    #[arg(long, required_unless_present = "remove")]
    image: Option<String>,
    /// When nodes pull the image; Never for an image that was loaded into them
    #[arg(long, default_value = "IfNotPresent", value_parser = ["Never", "IfNotPresent", "Always"])]
    pull_policy: String,
}

impl InjectOptions {
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

/// Changes the workload, or prints the patch.
pub(crate) fn run(options: &InjectOptions) -> Result<()> {
    let stop = super::signals::stop()?;
    let name = &options.workload;
    let connect = || Workloads::connect(options.context.as_deref(), options.namespace.as_deref(), stop);
    let compute = |workload: &Value| {
        if options.remove {
            injection::remove(workload)
        } else {
            injection::inject(workload, &options.injection())
        }
    };
    if options.dry_run {
        let workload = match &options.file {
            Some(path) => injection::read_workload(path, name)?,
            None => connect()?.get(name)?,
        };
        let patch = compute(&workload)
            .map_err(|reason| anyhow!(reason))
            .with_context(|| name.to_string())?;
        println!("{}", serde_json::to_string_pretty(&patch)?);
        return Ok(());
    }
    let cluster = connect()?;
    cluster.change(name, compute)?;
    cluster.wait_for_rollout(name)?;
    let done = if options.remove {
        "was removed from"
    } else {
        "was put into"
    };
    eprintln!("the hook {done} {name}");
    Ok(())
}
