//! The registered plan, the machine and the commit of a recording.

use anyhow::{Result, bail, ensure};
use model::Revision;
use serde::{Deserialize, Serialize};

use crate::run::working_tree::WorkingTree;

/// The identity of a recording by the registered plan, in the `plan.json` of its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    /// SHA-256 of the registered plan.
    pub(crate) plan_sha256: String,
    /// Id of the machine.
    pub(crate) machine: String,
    /// The commit at which the recording began.
    pub(crate) commit: String,
}

/// A recording that runs now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActiveRegistration<'a> {
    pub(crate) registration: &'a Registration,
    pub(crate) tree: &'a WorkingTree,
}

impl Registration {
    /// Checks that a recording that began as `self` may go on as `now`.
    ///
    /// # Errors
    /// Names both machines, both plans or both commits.
    pub(crate) fn may_go_on_as(&self, now: &Self, tree: &WorkingTree) -> Result<()> {
        same_machine(&self.machine, &now.machine)?;
        same_plan(&self.plan_sha256, &now.plan_sha256)?;
        tree.same_but_for_recordings(&self.commit, &now.commit)
    }
}

/// Checks that a recording is of this machine.
///
/// # Errors
/// Names both machines.
pub(crate) fn same_machine(recorded: &str, here: &str) -> Result<()> {
    ensure!(
        recorded == here,
        "it is a recording of the machine {recorded}, and this machine is {here}; recordings of two machines are never joined"
    );
    Ok(())
}

/// Checks that a recording is by this plan.
///
/// # Errors
/// Names both plans.
pub(crate) fn same_plan(recorded: &str, now: &str) -> Result<()> {
    ensure!(
        recorded == now,
        "it is a recording by the plan {recorded}, and the plan is now {now}; give its folder another name, under which it is \
         an exploratory recording"
    );
    Ok(())
}

impl ActiveRegistration<'_> {
    /// Returns the revision for the manifest of a finished recording.
    ///
    /// # Errors
    /// If the tree or its commit changed during the recording.
    pub(crate) fn revision(&self) -> Result<Revision> {
        let commit = self.tree.clean_commit()?;
        if let Err(error) = self.tree.same_but_for_recordings(&self.registration.commit, &commit) {
            bail!("{error}");
        }
        Ok(Revision {
            commit,
            tree_clean: true,
        })
    }
}
