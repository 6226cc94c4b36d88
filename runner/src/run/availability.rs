//! `bench places`: which conditions can be had here, at which level, and what would help.

use std::collections::BTreeMap;

use anyhow::Result;
use engines::Stop;
use model::{Condition, IsolationLevel, Topology};
use serde::Serialize;

use crate::launch::container::{Engines, Ready};
use crate::launch::local::child;
use crate::launch::local::control_groups;

/// One condition, for `cargo xtask doctor`.
#[derive(Debug, Serialize)]
struct Availability {
    name: &'static str,
    level: Option<String>,
    available: bool,
    reason: Option<String>,
    fix: Option<&'static str>,
}

/// Where the conditions of a run are had, or why one is not.
pub(crate) type Levels = BTreeMap<Condition, Result<Access, String>>;

/// How a condition is had.
pub(crate) enum Access {
    /// In namespaces, at the best level that works, with why no better one does.
    Local(Topology, IsolationLevel, Option<String>),
    /// In containers.
    Engine(Ready),
}

impl Access {
    /// As recorded.
    pub(crate) const fn level(&self) -> &'static str {
        match self {
            Self::Local(_, level, _) => level.name(),
            Self::Engine(_) => "containers",
        }
    }
}

/// How a condition can be had, or why not.
pub(crate) fn best(condition: Condition, engines: &Engines, stop: &Stop) -> Result<Access, String> {
    match condition {
        Condition::Local(place) => best_level(place).map(|(level, missing)| Access::Local(place, level, missing)),
        _ => engines
            .find(condition, stop)
            .map(Access::Engine)
            .map_err(|error| format!("{error:#}")),
    }
}

/// The best level at which a place can be had, with what a better one lacks, or why none.
pub(crate) fn best_level(place: Topology) -> Result<(IsolationLevel, Option<String>), String> {
    let mut reasons = Vec::new();
    for level in IsolationLevel::ALL {
        match child::try_place(place, level) {
            Ok(()) => return Ok((level, (!reasons.is_empty()).then(|| reasons.join("; ")))),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}

/// Prints all conditions as JSON.
pub(crate) fn print(engines: &Engines) -> Result<()> {
    let limits = match control_groups::available() {
        Ok(enforcement) => format!("limits by {}", enforcement.name()),
        Err(reason) => format!("no limits ({reason})"),
    };
    let places: Vec<Availability> = Condition::ALL
        .into_iter()
        .map(|condition| availability(condition, engines, &limits))
        .collect();
    println!("{}", serde_json::to_string_pretty(&places)?);
    Ok(())
}

fn availability(condition: Condition, engines: &Engines, limits: &str) -> Availability {
    let best = best(condition, engines, &Stop::default());
    Availability {
        name: condition.name(),
        level: best.as_ref().ok().map(|access| match access {
            Access::Local(_, level, _) => format!("{level}, {limits}"),
            Access::Engine(ready) => ready.facts.get("engine").cloned().unwrap_or_default(),
        }),
        available: best.is_ok(),
        fix: match (condition, &best) {
            (
                _,
                Ok(
                    Access::Local(_, IsolationLevel::Namespaces | IsolationLevel::UserNamespaces, _)
                    | Access::Engine(_),
                ),
            ) => None,
            (Condition::Local(Topology::LocalService), _) => Some(
                "install iptables, and let the kernel have the modules nf_nat and nft_nat or iptable_nat; run as root, or allow unprivileged user namespaces",
            ),
            (Condition::Local(_), _) => Some("run as root, or allow unprivileged user namespaces"),
            (Condition::Kind, _) => Some("cargo xtask cluster up kind; it needs kind and Docker"),
            (Condition::EksPod | Condition::EksNodes, _) => Some(
                "cargo xtask cluster up eks; it needs eksctl, aws and docker, and costs money, of which it says how much",
            ),
            (Condition::KubernetesPod | Condition::KubernetesNode | Condition::KubernetesNodes, _) => {
                Some("set KUBECONFIG to a cluster's, and see that `kubectl get pods` works")
            }
            // The engine's own error says it.
            _ => Some("start a container engine, and see that this user may use its socket"),
        },
        reason: best.err(),
    }
}
