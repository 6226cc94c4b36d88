//! Applications of several workloads that other people wrote, such as TeaStore: what of them takes the hook, what cannot,
//! and by which request they are measured.
//!
//! `clusters/macro/` holds a definition for each. Their manifests stay where they are: a definition names repository and
//! revision, and whoever measures has a checkout.

mod copies;
mod manifests;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use copies::{Copies, Deployed};

use crate::config::{Config, expect};
use crate::injection::WorkloadName;

/// An application, as a file in `clusters/macro/` defines it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its name.
    pub name: String,
    /// Its version, as its authors count.
    pub version: String,
    /// Where its manifests come from.
    pub source: Source,
    /// What the prober asks.
    pub front: Front,
    /// By which request.
    pub request: Request,
    /// All its workloads: one that is in the manifests and not here is an error, so that none is overlooked.
    pub workloads: Vec<Workload>,
}

/// Where manifests come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// A git repository.
    pub repository: String,
    /// A commit of it.
    pub revision: String,
    /// A command that writes manifests into the checkout, such as `helm template`; for people, it is not run here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<String>,
    /// A word that stands in the manifests for the namespace, which each copy has its own of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Files and folders of manifests in the checkout.
    pub manifests: Vec<PathBuf>,
}

/// The workload that answers the prober.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// Which.
    pub workload: WorkloadName,
    /// On which port its pods listen.
    pub port: u16,
}

/// The request that is sent again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Such as `/`.
    pub path: String,
    /// Names and values.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Which.
    pub name: WorkloadName,
    /// Whether the hook is put in.
    pub hook: bool,
    /// Why it cannot be put in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// A command in its containers that prints the memory map of process 1; `cat /proc/1/maps` if not given.
    #[serde(default = "cat", skip_serializing_if = "is_cat")]
    pub evidence: Vec<String>,
}

fn cat() -> Vec<String> {
    ["cat", "/proc/1/maps"].map(str::to_owned).to_vec()
}

fn is_cat(command: &[String]) -> bool {
    command == cat()
}

impl Config for Application {
    fn check(&self) -> Result<(), String> {
        let revision = &self.source.revision;
        let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        expect("source.revision", revision, is_commit, "40 hexadecimal digits")?;
        let manifests = &self.source.manifests;
        expect("source.manifests", manifests, !manifests.is_empty(), "at least one")?;
        let relative = manifests.iter().all(|path| path.is_relative());
        expect("source.manifests", manifests, relative, "paths within the checkout")?;
        let front = &self.front.workload;
        let known = self.workloads.iter().any(|workload| workload.name == *front);
        expect("front.workload", front.to_string(), known, "one of the workloads")?;
        for (index, workload) in self.workloads.iter().enumerate() {
            let Workload {
                name,
                hook,
                why,
                evidence,
            } = workload;
            let key = format!("workloads[{name}]");
            let once = !self.workloads[..index].iter().any(|other| other.name == *name);
            expect(&key, "there twice", once, "each workload once")?;
            expect(
                &format!("{key}.why"),
                why,
                *hook == why.is_none(),
                "a reason where hook is false, and only there",
            )?;
            expect(&format!("{key}.evidence"), evidence, !evidence.is_empty(), "a command")?;
        }
        let hooked = self.workloads.iter().any(|workload| workload.hook);
        expect("workloads", "none with hook: true", hooked, "one that takes the hook")
    }
}

impl Application {
    /// How to get the manifests, as a person would type it.
    #[must_use]
    pub fn how_to_get(&self) -> String {
        let Source {
            repository,
            revision,
            prepare,
            ..
        } = &self.source;
        let prepare = prepare
            .as_ref()
            .map_or_else(String::new, |prepare| format!(" && {prepare}"));
        let name = &self.name;
        format!("git clone {repository} {name} && cd {name} && git checkout {revision}{prepare}")
    }
}
