//! `cargo xtask record`: records the registered plan on this machine.

use std::path::PathBuf;

use anyhow::Result;

use crate::programs::Program;
use crate::{build, paths};

#[derive(clap::Args)]
pub(crate) struct RecordCommand {
    /// Run one launch of each cell and condition in a temporary folder, print how long the plan takes on this machine, and
    /// record nothing; fails if the plan is above its budget
    #[arg(long)]
    dry_run: bool,
    /// Copy hashes, lengths and levels of the definitions into the plan; recordings by the old plan become exploratory
    #[arg(long, conflicts_with = "dry_run")]
    refresh: bool,
    /// Record this run alone; may be given several times
    #[arg(long, conflicts_with = "refresh")]
    only: Vec<String>,
    /// Another plan, a file of the repository; its recordings have its hash [default: experiments/plan.toml]
    #[arg(long)]
    plan: Option<PathBuf>,
    #[command(flatten)]
    engines: EngineOptions,
}

/// Options of the conditions in containers.
#[derive(clap::Args)]
struct EngineOptions {
    /// Socket of Docker or Podman, as unix:///run/podman/podman.sock [default: DOCKER_HOST, or the socket that exists]
    #[arg(long)]
    docker_host: Option<String>,
    /// Context of the conditions kubernetes-* [default: the current one of KUBECONFIG or ~/.kube/config]
    #[arg(long)]
    context: Option<String>,
    /// Namespace in Kubernetes [default: the context's]
    #[arg(long)]
    namespace: Option<String>,
    /// For the conditions kubernetes-*: command that loads an archive of images into all nodes, as "k3s ctr images import"
    #[arg(long)]
    load_with: Option<String>,
    /// For the conditions kubernetes-*: image in a registry that the nodes reach, as REGISTRY/NAME@sha256:…
    #[arg(long, conflicts_with = "load_with")]
    image: Option<String>,
}

/// Builds the programs and records.
///
/// # Errors
/// When the build fails, or the runner refuses to record.
pub(crate) fn run(arguments: &RecordCommand) -> Result<()> {
    build::run()?;
    let engines = &arguments.engines;
    Program::new(paths::binary("runner"))
        .arg("record")
        .options("--plan", &arguments.plan)
        .options("--only", &arguments.only)
        .options("--hook", [paths::hook()])
        .options("--docker-host", &engines.docker_host)
        .options("--context", &engines.context)
        .options("--namespace", &engines.namespace)
        .options("--load-with", &engines.load_with)
        .options("--image", &engines.image)
        .flag("--dry-run", arguments.dry_run)
        .flag("--refresh", arguments.refresh)
        .run()
}
