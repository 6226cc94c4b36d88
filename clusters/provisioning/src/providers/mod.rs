//! Clusters brought up and taken down by their own tools: thin sequences of command lines.
//!
//! Nothing is remembered of what was created: it is found by name and tag, so that any later `down`, on any machine,
//! deletes what a crash left.

mod ecr;
mod eks;
mod kind;

use engines::{CommandRunner, EngineError};

use crate::error::ProvisioningError;

pub use eks::EksCluster;
pub use kind::KindCluster;

/// What is about to be created, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Announcement {
    /// What, a thing a line.
    pub what: Vec<String>,
    /// About what it costs while it is there, US dollars an hour; none for what costs nothing.
    pub usd_per_hour: Option<f64>,
    /// About how long coming up takes, minutes.
    pub up_minutes: u32,
    /// About how long going away takes, minutes.
    pub down_minutes: u32,
}

/// A thing that a provider creates, by what kind of thing it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Such as `placement group`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// Brings up one sort of cluster.
pub trait Provider {
    /// What it will create.
    fn announcement(&self) -> Announcement;

    /// Kinds of things that it creates, in the order in which they can be deleted.
    fn kinds(&self) -> &'static [&'static str];

    /// Creates everything.
    ///
    /// # Errors
    /// At the first step that fails; whatever has been created until then is there.
    fn create(&self, commands: &CommandRunner) -> Result<(), EngineError>;

    /// What there is of a kind.
    ///
    /// # Errors
    /// When the tool does not say.
    fn find(&self, commands: &CommandRunner, kind: &'static str) -> Result<Vec<String>, EngineError>;

    /// Deletes these and waits until they have gone.
    ///
    /// # Errors
    /// When the tool refuses.
    fn delete(&self, commands: &CommandRunner, kind: &'static str, names: &[String]) -> Result<(), EngineError>;
}

/// Everything that is there.
///
/// # Errors
/// When a tool does not say.
pub fn status(provider: &dyn Provider, commands: &CommandRunner) -> Result<Vec<Found>, ProvisioningError> {
    let mut all = Vec::new();
    for &kind in provider.kinds() {
        let names = provider.find(commands, kind)?;
        all.extend(names.into_iter().map(|name| Found { kind, name }));
    }
    Ok(all)
}

/// Creates the cluster; when that fails or a signal comes, deletes whatever was created.
///
/// # Errors
/// When something of it is there already, or it cannot be created; then with what could not be deleted.
pub fn up(provider: &dyn Provider, commands: &CommandRunner) -> Result<(), ProvisioningError> {
    if let Some(found) = status(provider, commands)?.first() {
        return Err(ProvisioningError::Exists {
            kind: found.kind,
            name: found.name.clone(),
        });
    }
    let Err(first) = provider.create(commands) else {
        return Ok(());
    };
    eprintln!("{first}\ndeleting what was created");
    match down(provider, commands) {
        Ok(()) => Err(first.into()),
        Err(deletion) => Err(ProvisioningError::LeftBehind {
            creation: Box::new(first.into()),
            deletion: Box::new(deletion),
        }),
    }
}

/// Deletes everything that is there; no signal interrupts it. What cannot be deleted does not keep the rest.
///
/// # Errors
/// When something is left, or it cannot be found out.
pub fn down(provider: &dyn Provider, commands: &CommandRunner) -> Result<(), ProvisioningError> {
    let commands = commands.for_cleaning_up();
    let mut left = Vec::new();
    for &kind in provider.kinds() {
        if let Err(reason) = delete_all(provider, &commands, kind) {
            left.push(format!("{kind}: {reason}"));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    Err(ProvisioningError::NotDeleted {
        resources: left.join("; "),
    })
}

fn delete_all(provider: &dyn Provider, commands: &CommandRunner, kind: &'static str) -> Result<(), ProvisioningError> {
    let names = provider.find(commands, kind)?;
    if names.is_empty() {
        return Ok(());
    }
    let deleted = provider.delete(commands, kind, &names);
    // What counts is what is there.
    let left = provider.find(commands, kind)?;
    if left.is_empty() {
        return Ok(());
    }
    deleted?;
    Err(ProvisioningError::NotDeleted {
        resources: format!("{} still there", left.join(", ")),
    })
}

/// The words that a tool printed as text.
fn words(text: &str) -> Vec<String> {
    // What the AWS tool prints for nothing.
    let words = text.split_whitespace().filter(|word| *word != "None");
    words.map(str::to_owned).collect()
}

/// Removes a kubeconfig of a cluster that has gone.
fn forget(kubeconfig: &std::path::Path) -> Result<(), EngineError> {
    match std::fs::remove_file(kubeconfig) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EngineError::file(kubeconfig)(error)),
        _ => Ok(()),
    }
}
