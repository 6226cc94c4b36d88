//! Options of the conditions in containers, which the runner takes as they are.

use crate::programs::Program;

/// The engine, and the way in which images reach it.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct ContainerOptions {
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

impl ContainerOptions {
    /// Adds the options to a command line of the runner.
    pub(crate) fn given(&self, runner: Program) -> Program {
        runner
            .options("--docker-host", &self.docker_host)
            .options("--context", &self.context)
            .options("--namespace", &self.namespace)
            .options("--load-with", &self.load_with)
            .options("--image", &self.image)
    }
}
