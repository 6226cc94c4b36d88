//! `cluster up`, `cluster down`, `cluster status`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use engines::CommandRunner;
use engines::kubernetes::ImageLoader;
use provisioning::ProvisioningError;
use provisioning::providers::{self, Announcement, EksCluster, KindCluster, Provider};

/// Which cluster, and where its files are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Which {
    /// Which cluster
    #[arg(value_enum)]
    cluster: Sort,
    /// Folder with kind/cluster.yaml and eks/cluster.yaml
    #[arg(long, default_value = "clusters")]
    configs: PathBuf,
    /// Folder for kubeconfigs
    #[arg(long, default_value = "data/clusters")]
    state: PathBuf,
    /// Seconds between tries of a deletion that fails
    #[arg(long, default_value_t = 5.0, hide = true)]
    pause: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    /// On this machine, made by kind
    Kind,
    /// On AWS, made by eksctl; billed
    Eks,
}

/// `cluster up`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Up {
    #[command(flatten)]
    which: Which,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// An image to bring in, as `docker save` writes it
    #[arg(long, requires = "reference")]
    archive: Option<PathBuf>,
    /// The image's name in the archive
    #[arg(long, requires = "archive")]
    reference: Option<String>,
}

/// `cluster status`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    which: Which,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

enum Cluster {
    Kind(KindCluster),
    Eks(Box<EksCluster>),
}

impl Cluster {
    fn of(which: &Which) -> Result<Self, ProvisioningError> {
        let name = match which.cluster {
            Sort::Kind => "kind",
            Sort::Eks => "eks",
        };
        let config = which.configs.join(name).join("cluster.yaml");
        let kubeconfig = which.state.join(format!("{name}.kubeconfig"));
        Ok(match which.cluster {
            Sort::Kind => Self::Kind(KindCluster::new(&config, &kubeconfig)?),
            Sort::Eks => Self::Eks(Box::new(EksCluster::new(&config, &kubeconfig)?)),
        })
    }

    fn provider(&self) -> &dyn Provider {
        match self {
            Self::Kind(cluster) => cluster,
            Self::Eks(cluster) => cluster.as_ref(),
        }
    }

    fn loader(&self) -> &dyn ImageLoader {
        match self {
            Self::Kind(cluster) => cluster,
            Self::Eks(cluster) => cluster.as_ref(),
        }
    }
}

/// CommandRunner that Ctrl-C and SIGTERM stop.
fn commands(which: &Which) -> Result<CommandRunner> {
    let stop = super::stop()?;
    let pause = Duration::try_from_secs_f64(which.pause).context("--pause")?;
    Ok(CommandRunner::new(stop).with_pause(pause))
}

/// Creates a cluster.
pub(crate) fn up(arguments: &Up) -> Result<()> {
    let cluster = Cluster::of(&arguments.which)?;
    let announcement = cluster.provider().announcement();
    announce(&announcement);
    if announcement.usd_per_hour.is_some() && !arguments.yes {
        ask()?;
    }
    let state = &arguments.which.state;
    std::fs::create_dir_all(state).with_context(|| format!("cannot make the folder {}", state.display()))?;
    let commands = commands(&arguments.which)?;
    providers::up(cluster.provider(), &commands)?;
    if let (Some(archive), Some(reference)) = (&arguments.archive, &arguments.reference) {
        match cluster.loader().load(&commands, archive, reference) {
            Ok(pushed) => pushed.iter().for_each(|reference| println!("{reference}")),
            Err(error) => {
                eprintln!(
                    "{error}
deleting the cluster"
                );
                providers::down(cluster.provider(), &commands)?;
                return Err(error.into());
            }
        }
    }
    eprintln!("it is up; `cargo xtask cluster down` deletes it");
    Ok(())
}

fn announce(announcement: &Announcement) {
    eprintln!("this creates:");
    for line in &announcement.what {
        eprintln!("  {line}");
    }
    let Announcement {
        up_minutes,
        down_minutes,
        ..
    } = announcement;
    eprintln!("coming up takes about {up_minutes} min, going away {down_minutes} min");
    if let Some(usd) = announcement.usd_per_hour {
        let least = usd * f64::from(up_minutes + down_minutes) / 60.0;
        eprintln!("it costs about {usd:.2} USD an hour until it has been deleted: at least {least:.2} USD");
    }
}

fn ask() -> Result<()> {
    ensure!(
        std::io::stdin().is_terminal(),
        "this costs money and there is nobody to ask; say --yes"
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
pub(crate) fn down(which: &Which) -> Result<()> {
    providers::down(Cluster::of(which)?.provider(), &commands(which)?)?;
    eprintln!("nothing is left");
    Ok(())
}

/// Says what there is of a cluster.
pub(crate) fn status(arguments: &Status) -> Result<()> {
    let cluster = Cluster::of(&arguments.which)?;
    let found = providers::status(cluster.provider(), &commands(&arguments.which)?)?;
    if arguments.format == Format::Json {
        let values: Vec<_> = found
            .iter()
            .map(|found| serde_json::json!({ "kind": found.kind, "name": found.name }))
            .collect();
        println!("{}", serde_json::to_string_pretty(&values)?);
        return Ok(());
    }
    if found.is_empty() {
        println!("nothing is there");
    }
    for found in found {
        println!("{}: {}", found.kind, found.name);
    }
    Ok(())
}
