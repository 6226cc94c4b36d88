//! Applications: systems of several Kubernetes workloads that other people wrote, such as TeaStore.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ModelError;
use crate::invalid_value::require;

/// An application, as a file of `clusters/macro/` defines it. The file names a revision of the application's
/// manifests. A measurement needs a checkout of this revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationDefinition {
    /// The application's name.
    pub name: String,
    /// The version that its authors gave it.
    pub version: String,
    /// The origin of its manifests.
    pub source: ManifestSource,
    /// The workload that receives the requests.
    pub front: ApplicationFront,
    /// The request that is sent.
    pub request: ApplicationRequest,
    /// All workloads. A workload of the manifests that is missing here is an error, so that none is overlooked.
    pub workloads: Vec<Workload>,
}

/// The origin of an application's manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestSource {
    /// Address of a git repository.
    pub repository: String,
    /// Commit, 40 hexadecimal digits.
    pub revision: String,
    /// A command that writes manifests into the checkout, such as `helm template`. It is shown to the user and not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<String>,
    /// The word in the manifests that stands for the namespace. Each copy of the application has its own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Files and folders of manifests in the checkout.
    pub manifests: Vec<PathBuf>,
}

/// The workload that receives the requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationFront {
    /// The workload.
    pub workload: WorkloadName,
    /// The port on which its pods listen.
    pub port: u16,
}

/// The HTTP request that is sent to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationRequest {
    /// Method, such as `GET`.
    pub method: String,
    /// Path, such as `/`.
    pub path: String,
    /// Names and values of headers.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
}

/// One workload of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Kind and name.
    pub name: WorkloadName,
    /// Whether its servers load the hook.
    pub hook: bool,
    /// The reason why its servers cannot load the hook; none where they can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// A command that prints the memory map of process 1 in its containers; `cat /proc/1/maps` by default.
    #[serde(default = "cat", skip_serializing_if = "is_cat")]
    pub evidence: Vec<String>,
}

fn cat() -> Vec<String> {
    ["cat", "/proc/1/maps"].map(str::to_owned).to_vec()
}

fn is_cat(command: &[String]) -> bool {
    command == cat()
}

/// Kind and name of a workload. Written as `deployment/NAME`, `statefulset/NAME` or `daemonset/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct WorkloadName {
    kind: WorkloadKind,
    name: String,
}

/// The kinds of workloads that can take the hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

impl WorkloadName {
    /// Returns the kind, as Kubernetes spells it, such as `Deployment`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.kind {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::StatefulSet => "StatefulSet",
            WorkloadKind::DaemonSet => "DaemonSet",
        }
    }

    /// Returns the name without the kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for WorkloadName {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let expected = "deployment/NAME, statefulset/NAME or daemonset/NAME";
        let (kind, name) = text.split_once('/').unwrap_or(("", ""));
        let kind = match kind.to_lowercase().as_str() {
            "deployment" | "deployments" | "deploy" => WorkloadKind::Deployment,
            "statefulset" | "statefulsets" | "sts" => WorkloadKind::StatefulSet,
            "daemonset" | "daemonsets" | "ds" => WorkloadKind::DaemonSet,
            _ => return Err(ModelError::value("workload", text, expected)),
        };
        if name.is_empty() || name.contains('/') {
            return Err(ModelError::value("workload", text, expected));
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for WorkloadName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind().to_lowercase(), self.name)
    }
}

impl From<WorkloadName> for String {
    fn from(name: WorkloadName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for WorkloadName {
    type Error = ModelError;

    fn try_from(text: String) -> Result<Self, ModelError> {
        text.parse()
    }
}

impl ApplicationDefinition {
    /// Checks the origin of the manifests, the front and the workloads.
    ///
    /// # Errors
    /// Names the first key whose value is not accepted.
    pub fn validate(&self) -> Result<(), ModelError> {
        let revision = &self.source.revision;
        let is_hash = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
        require(is_hash, "source.revision", revision, "40 hexadecimal digits")?;
        let manifests = &self.source.manifests;
        require(!manifests.is_empty(), "source.manifests", "none", "at least one")?;
        for path in manifests {
            require(
                path.is_relative(),
                "source.manifests",
                path.display(),
                "a path within the checkout",
            )?;
        }
        let front = &self.front.workload;
        let has_front = self.workloads.iter().any(|workload| workload.name == *front);
        require(has_front, "front.workload", front, "one of the workloads")?;
        for (index, workload) in self.workloads.iter().enumerate() {
            let key = format!("workloads[{}]", workload.name);
            let is_new = self.workloads[..index].iter().all(|other| other.name != workload.name);
            require(is_new, &key, "given twice", "each workload once")?;
            let reason = workload.why.as_deref().unwrap_or("missing");
            let expected = "a reason where hook is false, and only there";
            require(
                workload.hook == workload.why.is_none(),
                &format!("{key}.why"),
                reason,
                expected,
            )?;
            require(
                !workload.evidence.is_empty(),
                &format!("{key}.evidence"),
                "empty",
                "a command",
            )?;
        }
        let has_hook = self.workloads.iter().any(|workload| workload.hook);
        require(
            has_hook,
            "workloads",
            "none with hook: true",
            "at least one workload with hook: true",
        )?;
        Ok(())
    }

    /// Returns the shell command that makes a checkout of the manifests.
    #[must_use]
    pub fn checkout_command(&self) -> String {
        let ManifestSource {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workload_names_are_read_with_the_kinds_that_kubectl_takes() {
        for (text, kind) in [
            ("deployment/a", "Deployment"),
            ("sts/a", "StatefulSet"),
            ("DaemonSet/a", "DaemonSet"),
        ] {
            assert_eq!(text.parse::<WorkloadName>().map(|name| name.kind()), Ok(kind));
        }
        for text in ["a", "pod/a", "deployment/", "deployment/a/b"] {
            let error = text.parse::<WorkloadName>().unwrap_err().to_string();
            assert!(error.contains("expected deployment/NAME"), "{error}");
        }
    }
}
