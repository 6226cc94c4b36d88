//! A run as an RO-Crate (<https://w3id.org/ro/crate/1.1>), the metadata format of research-data catalogues. It is derived from
//! the manifest.

use std::time::{Duration, UNIX_EPOCH};

use model::Manifest;
use serde_json::{Value, json};

/// File of the RO-Crate in a run's folder.
pub const RO_CRATE: &str = "ro-crate-metadata.json";

/// Returns the RO-Crate. Its root dataset is the run. It lists every file with length and checksum, and the action
/// that made the files.
#[must_use]
pub fn ro_crate(manifest: &Manifest) -> Value {
    let files: Vec<Value> = manifest.files.iter().map(|file| json!({ "@id": file.path })).collect();
    let parts: Vec<Value> = std::iter::once(json!({ "@id": "manifest.json" }))
        .chain(files.clone())
        .collect();
    let mut graph = vec![
        json!({
            "@id": RO_CRATE,
            "@type": "CreativeWork",
            "conformsTo": { "@id": "https://w3id.org/ro/crate/1.1" },
            "about": { "@id": "./" },
        }),
        json!({
            "@id": "./",
            "@type": "Dataset",
            "name": format!("Function hook latency: run {}", manifest.run_id),
            "description": format!(
                "Experiment {}; conditions {}; {} launches",
                manifest.experiment,
                manifest.conditions.iter().map(|condition| condition.name.as_str()).collect::<Vec<_>>().join(", "),
                manifest.launches.len()
            ),
            "datePublished": date(manifest.finished_unix_ns),
            "license": { "@id": "https://spdx.org/licenses/Apache-2.0" },
            "hasPart": parts,
            "mentions": { "@id": "#measurement" },
        }),
        json!({
            "@id": "#measurement",
            "@type": "CreateAction",
            "name": manifest.command_line.join(" "),
            "startTime": date(manifest.started_unix_ns),
            "endTime": date(manifest.finished_unix_ns),
            "instrument": { "@id": "#tools" },
            "object": { "@id": "plan.json" },
            "result": files,
        }),
        json!({
            "@id": "#tools",
            "@type": "SoftwareApplication",
            "name": "Function hook latency: a research artifact",
            "version": manifest.revision.as_ref().map(|revision| &revision.commit).or_else(|| manifest.tools.get("runner")),
        }),
        json!({
            "@id": "manifest.json",
            "@type": "File",
            "name": "Run manifest: plan, machine, launches, checksums",
            "encodingFormat": "application/json",
        }),
    ];
    graph.extend(manifest.files.iter().map(|file| {
        json!({
            "@id": file.path,
            "@type": "File",
            "contentSize": file.bytes.to_string(),
            "sha256": file.sha256,
            "encodingFormat": if file.path.ends_with(".parquet") {
                "application/vnd.apache.parquet"
            } else {
                "application/json"
            },
        })
    }));
    json!({ "@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph })
}

/// Returns a time as ISO 8601 in UTC, in whole seconds.
fn date(unix_ns: i64) -> String {
    let since_1970 = Duration::from_nanos(unix_ns.unsigned_abs());
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_1970).to_string()
}
