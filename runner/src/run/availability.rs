//! `runner places`: lists the conditions that are available on this machine with their isolation levels, and for the
//! other conditions the remedies.

use std::collections::BTreeMap;

use anyhow::Result;
use engines::Stop;
use model::{Condition, IsolationLevel, Topology};
use serde::Serialize;

use crate::launch::container::{EngineOptions, ReadyEngine};
use crate::launch::local::child;
use crate::launch::local::control_groups;

/// The availability of one condition, for `cargo xtask doctor`.
#[derive(Debug, Serialize)]
struct Availability {
    name: &'static str,
    level: Option<String>,
    available: bool,
    reason: Option<String>,
    fix: Option<&'static str>,
}

/// The access to each condition of a run, or the reason why it is not available.
pub(crate) type ConditionAccesses = BTreeMap<Condition, Result<ConditionAccess, String>>;

/// The access to an available condition.
pub(crate) enum ConditionAccess {
    /// In namespaces, at the best isolation level that works. The text is the reason why no better level works.
    Local(Topology, IsolationLevel, Option<String>),
    /// In containers.
    Engine(ReadyEngine),
}

impl ConditionAccess {
    /// Returns the name of the isolation level, as in the manifest.
    pub(crate) fn level(&self) -> &'static str {
        match self {
            Self::Local(_, level, _) => level.name(),
            Self::Engine(_) => "containers",
        }
    }
}

/// Returns the access to a condition, or the reason why it is not available.
pub(crate) fn best(condition: Condition, engines: &EngineOptions, stop: &Stop) -> Result<ConditionAccess, String> {
    match condition {
        Condition::Local(place) => {
            best_level(place).map(|(level, missing)| ConditionAccess::Local(place, level, missing))
        }
        _ => engines
            .find(condition, stop)
            .map(ConditionAccess::Engine)
            .map_err(|error| format!("{error:#}")),
    }
}

/// Returns the best isolation level of a topology, and the reason why no better level works. The error is the reason
/// why no level works.
pub(crate) fn best_level(place: Topology) -> Result<(IsolationLevel, Option<String>), String> {
    let mut reasons = Vec::new();
    for &level in IsolationLevel::ALL {
        match child::try_place(place, level) {
            Ok(()) => return Ok((level, (!reasons.is_empty()).then(|| reasons.join("; ")))),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}

/// Prints all conditions as JSON.
pub(crate) fn print(engines: &EngineOptions) -> Result<()> {
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

fn availability(condition: Condition, engines: &EngineOptions, limits: &str) -> Availability {
    let best = best(condition, engines, &Stop::default());
    Availability {
        name: condition.name(),
        level: best.as_ref().ok().map(|access| match access {
            ConditionAccess::Local(_, level, _) => format!("{level}, {limits}"),
            ConditionAccess::Engine(ready) => ready.facts.get("engine").cloned().unwrap_or_default(),
        }),
        available: best.is_ok(),
        fix: match (condition, &best) {
            (
                _,
                Ok(
                    ConditionAccess::Local(_, IsolationLevel::Namespaces | IsolationLevel::UserNamespaces, _)
                    | ConditionAccess::Engine(_),
                ),
            ) => None,
            (Condition::Local(Topology::LocalService), _) => Some(
                "install iptables, and let the kernel have the modules nf_nat and nft_nat or iptable_nat; run as root, or allow unprivileged user namespaces",
            ),
            (Condition::Local(_), _) => Some("run as root, or allow unprivileged user namespaces"),
            (Condition::Kind, _) => Some("cargo xtask cluster up kind; it needs kind and Docker"),
            (Condition::EksPod | Condition::EksNodes, _) => Some(
                "cargo xtask cluster up eks; it needs eksctl, aws and docker, and prints its price before it starts",
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
