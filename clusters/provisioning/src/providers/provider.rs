//! The interface of all providers, and the steps that they share.

use engines::kubernetes::ImageLoader;
use engines::{CommandRunner, EngineError};

use crate::error::ProvisioningError;

/// The resources to be created, their cost and the time that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct CostAnnouncement {
    /// A line for each resource.
    pub resources: Vec<String>,
    /// Approximate cost, US dollars an hour; `None` without a cost.
    pub usd_per_hour: Option<f64>,
    /// Approximate time to create the cluster, minutes.
    pub up_minutes: u32,
    /// Approximate time to delete the cluster, minutes.
    pub down_minutes: u32,
}

/// A resource of a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundResource {
    /// Its kind, such as `placement group`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// A provider of clusters.
pub trait Provider: ImageLoader {
    /// Returns the resources to be created and their cost.
    fn announcement(&self) -> CostAnnouncement;

    /// Returns the kinds of resources, in the order in which they can be deleted.
    fn kinds(&self) -> &'static [&'static str];

    /// Creates all resources.
    ///
    /// # Errors
    /// At the first step that fails. Resources of earlier steps remain.
    fn create(&self, commands: &CommandRunner) -> Result<(), EngineError>;

    /// Returns the names of the existing resources of a kind.
    ///
    /// # Errors
    /// When the tool fails.
    fn find(&self, commands: &CommandRunner, kind: &'static str) -> Result<Vec<String>, EngineError>;

    /// Deletes resources and waits until they do not exist any more.
    ///
    /// # Errors
    /// When the tool fails.
    fn delete(&self, commands: &CommandRunner, kind: &'static str, names: &[String]) -> Result<(), EngineError>;
}

/// Returns all existing resources.
///
/// # Errors
/// When a tool fails.
pub fn status(provider: &dyn Provider, commands: &CommandRunner) -> Result<Vec<FoundResource>, ProvisioningError> {
    let mut all = Vec::new();
    for &kind in provider.kinds() {
        let names = provider.find(commands, kind)?;
        all.extend(names.into_iter().map(|name| FoundResource { kind, name }));
    }
    Ok(all)
}

/// Creates the cluster. After a failure or a signal, deletes the resources that were created.
///
/// # Errors
/// When a resource exists already, or the cluster cannot be created. The error also names the resources that could not
/// be deleted.
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
    eprintln!("{first}\ndeleting the resources that were created");
    match down(provider, commands) {
        Ok(()) => Err(first.into()),
        Err(deletion) => Err(ProvisioningError::LeftBehind {
            creation: Box::new(first.into()),
            deletion: Box::new(deletion),
        }),
    }
}

/// Deletes all existing resources, even if one of them cannot be deleted. No signal interrupts it.
///
/// # Errors
/// When a resource remains, or a tool fails.
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
    // A failed deletion is no error if the resources do not exist any more.
    let left = provider.find(commands, kind)?;
    if left.is_empty() {
        return Ok(());
    }
    deleted?;
    Err(ProvisioningError::NotDeleted {
        resources: format!("{} still exist", left.join(", ")),
    })
}

/// Returns the words in the output of a tool.
pub(super) fn words(text: &str) -> Vec<String> {
    // The AWS tool prints `None` for an empty list.
    let words = text.split_whitespace().filter(|word| *word != "None");
    words.map(str::to_owned).collect()
}

/// Removes the kubeconfig of a deleted cluster.
pub(super) fn remove_kubeconfig(kubeconfig: &std::path::Path) -> Result<(), EngineError> {
    match std::fs::remove_file(kubeconfig) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EngineError::file(kubeconfig)(error)),
        _ => Ok(()),
    }
}
