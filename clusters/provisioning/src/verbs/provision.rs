//! `cluster up`, `cluster down`, `cluster status`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use engines::CommandRunner;
use provisioning::ProvisioningError;
use provisioning::providers::{self, CostAnnouncement, EksCluster, KindCluster, Provider};

/// A cluster and the folders of its files.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ProvisioningOptions {
    /// The provider of the cluster
    #[arg(value_enum)]
    provider: ProviderName,
    /// Folder with kind/cluster.yaml and eks/cluster.yaml
    #[arg(long, default_value = "clusters")]
    configs: PathBuf,
    /// Folder for kubeconfigs
    #[arg(long, default_value = "data/clusters")]
    state: PathBuf,
    /// Seconds between attempts of a deletion that fails
    #[arg(long, default_value_t = 5.0, hide = true)]
    pause: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ProviderName {
    /// A cluster on this machine, made by kind
    Kind,
    /// A cluster on AWS, made by eksctl; billed
    Eks,
}

/// The options of `cluster up`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UpOptions {
    #[command(flatten)]
    cluster: ProvisioningOptions,
    /// Do not ask before a cluster that costs money
    #[arg(long)]
    yes: bool,
    /// Load an image from this archive, which `docker save` wrote
    #[arg(long, requires = "reference")]
    archive: Option<PathBuf>,
    /// The image's name in the archive
    #[arg(long, requires = "archive")]
    reference: Option<String>,
}

/// Returns the provider of the cluster, with its configuration.
fn provider(options: &ProvisioningOptions) -> Result<Box<dyn Provider>, ProvisioningError> {
    let name = match options.provider {
        ProviderName::Kind => "kind",
        ProviderName::Eks => "eks",
    };
    let config = options.configs.join(name).join("cluster.yaml");
    let kubeconfig = options.state.join(format!("{name}.kubeconfig"));
    Ok(match options.provider {
        ProviderName::Kind => Box::new(KindCluster::new(&config, &kubeconfig)?),
        ProviderName::Eks => Box::new(EksCluster::new(&config, &kubeconfig)?),
    })
}

/// Returns a runner of programs that Ctrl-C and SIGTERM stop.
fn commands(options: &ProvisioningOptions) -> Result<CommandRunner> {
    let stop = super::signals::stop()?;
    let pause = Duration::try_from_secs_f64(options.pause).context("--pause")?;
    Ok(CommandRunner::new(stop).with_pause(pause))
}

/// Creates a cluster.
pub(crate) fn up(arguments: &UpOptions) -> Result<()> {
    let provider = provider(&arguments.cluster)?;
    let announcement = provider.announcement();
    announce(&announcement);
    if announcement.usd_per_hour.is_some() && !arguments.yes {
        ask()?;
    }
    let state = &arguments.cluster.state;
    std::fs::create_dir_all(state).with_context(|| format!("cannot make the folder {}", state.display()))?;
    let commands = commands(&arguments.cluster)?;
    providers::up(&*provider, &commands)?;
    if let (Some(archive), Some(reference)) = (&arguments.archive, &arguments.reference) {
        match provider.load(&commands, archive, reference) {
            Ok(pushed) => pushed.iter().for_each(|reference| println!("{reference}")),
            Err(error) => {
                eprintln!("{error}\ndeleting the cluster");
                providers::down(&*provider, &commands)?;
                return Err(error.into());
            }
        }
    }
    eprintln!("the cluster is up; `cargo xtask cluster down` deletes it");
    Ok(())
}

fn announce(announcement: &CostAnnouncement) {
    eprintln!("this creates:");
    for line in &announcement.resources {
        eprintln!("  {line}");
    }
    let CostAnnouncement {
        up_minutes,
        down_minutes,
        ..
    } = announcement;
    eprintln!("it takes about {up_minutes} min to create it and {down_minutes} min to delete it");
    if let Some(usd) = announcement.usd_per_hour {
        let least = usd * f64::from(up_minutes + down_minutes) / 60.0;
        eprintln!("it costs about {usd:.2} USD an hour until it has been deleted: at least {least:.2} USD");
    }
}

fn ask() -> Result<()> {
    ensure!(
        std::io::stdin().is_terminal(),
        "the cluster costs money, and there is no terminal to ask on; add --yes"
    );
    eprint!("create it? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        bail!("nothing was created");
    }
    Ok(())
}

/// Deletes a cluster.
pub(crate) fn down(options: &ProvisioningOptions) -> Result<()> {
    providers::down(&*provider(options)?, &commands(options)?)?;
    eprintln!("no resource is left");
    Ok(())
}

/// Prints the existing resources of a cluster.
pub(crate) fn status(options: &ProvisioningOptions) -> Result<()> {
    let found = providers::status(&*provider(options)?, &commands(options)?)?;
    if found.is_empty() {
        println!("no resource exists");
    }
    for found in found {
        println!("{}: {}", found.kind, found.name);
    }
    Ok(())
}
