//! The experiment in manifests of version 5.

use model::{ExhibitKind, Experiment};
use serde_json::Value;

/// Parses the plan of a manifest. Returns `None` for the plan of an import, which has no arms.
///
/// # Errors
/// Names the key that is missing, unknown or of another type.
pub(super) fn parse_experiment(mut plan: Value) -> Result<Option<Experiment>, serde_json::Error> {
    let Some(keys) = plan.as_object_mut().filter(|keys| keys.contains_key("arms")) else {
        return Ok(None);
    };
    if let Some(Value::Array(hops)) = keys.remove("hops") {
        let proxies = hops.into_iter().map(proxy).collect();
        keys.insert("proxies".to_owned(), Value::Array(proxies));
    }
    let mut experiment: Experiment = serde_json::from_value(plan)?;
    if experiment.exhibit.is_none() {
        experiment.exhibit = exhibit(&experiment.name);
    }
    Ok(Some(experiment))
}

/// Returns today's form of a proxy. A proxy program was called `proxy`, the delays of a relay were called `jitter`.
fn proxy(hop: Value) -> Value {
    let Value::Object(keys) = hop else { return hop };
    let renamed = keys.into_iter().map(|(key, value)| match key.as_str() {
        "proxy" => ("program".to_owned(), value),
        "jitter" => ("delays".to_owned(), value),
        _ => (key, value),
    });
    Value::Object(renamed.collect())
}

/// Returns the exhibit of an experiment, by its name: definitions did not name their exhibits.
fn exhibit(experiment: &str) -> Option<ExhibitKind> {
    Some(match experiment {
        "r01" => ExhibitKind::Topology,
        "r02" => ExhibitKind::Delays,
        "r03" => ExhibitKind::Proxies,
        "r04" => ExhibitKind::Neighbours,
        "r05" => ExhibitKind::Observers,
        "r06" => ExhibitKind::Isolation,
        "r07" => ExhibitKind::Positions,
        "r08" => ExhibitKind::Quotas,
        "r09" => ExhibitKind::Power,
        "r10" => ExhibitKind::Environments,
        "idle" => ExhibitKind::Idle,
        _ => return None,
    })
}
