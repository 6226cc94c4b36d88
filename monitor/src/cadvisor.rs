//! What Kubernetes tells of pods and nodes: cAdvisor's metrics in Prometheus's text format, as the API server gives them at
//! `/api/v1/nodes/NODE/proxy/metrics/cadvisor`.
//!
//! The kubelet looks at its containers every ten seconds or so: counts that two looks differ by are right, and what is told
//! may be as old as that. The crates that parse this format split labels at commas within quotes, or want tokio; the few
//! lines that are needed stand here.

use std::collections::BTreeMap;

use dataset::{Measure, ResourceSample, Subject, Usage};
use model::MissingColumns;

use crate::sampler::Watching;

/// Of whom metrics are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All pods of a namespace, together.
    Namespace(String),
    /// The node itself.
    Node,
}

impl Which {
    /// Whether a line is about it. A pause container's is not: what it uses is among its pod's.
    fn is(&self, sample: &Sample<'_>) -> bool {
        match self {
            Self::Namespace(namespace) => {
                sample.label("namespace") == Some(namespace) && sample.label("container") != Some("POD")
            }
            Self::Node => sample.label("id") == Some("/"),
        }
    }
}

/// A metric, the column that it becomes, and the column's unit by the metric's.
const METRICS: [(&str, Measure, f64); 15] = [
    ("container_cpu_usage_seconds_total", Measure::CpuNs, 1e9),
    ("container_cpu_cfs_periods_total", Measure::Periods, 1.0),
    (
        "container_cpu_cfs_throttled_periods_total",
        Measure::ThrottledPeriods,
        1.0,
    ),
    ("container_cpu_cfs_throttled_seconds_total", Measure::ThrottledNs, 1e9),
    ("container_memory_usage_bytes", Measure::MemoryBytes, 1.0),
    ("container_spec_memory_limit_bytes", Measure::MemoryLimitBytes, 1.0),
    ("container_memory_failcnt", Measure::MemoryLimitHits, 1.0),
    ("container_oom_events_total", Measure::OomKills, 1.0),
    (
        "container_pressure_cpu_waiting_seconds_total",
        Measure::CpuPressureNs,
        1e9,
    ),
    (
        "container_pressure_memory_waiting_seconds_total",
        Measure::MemoryPressureNs,
        1e9,
    ),
    (
        "container_pressure_io_waiting_seconds_total",
        Measure::IoPressureNs,
        1e9,
    ),
    (
        "container_cpu_schedstat_runqueue_seconds_total",
        Measure::RunQueueWaitNs,
        1e9,
    ),
    ("container_file_descriptors", Measure::FileDescriptors, 1.0),
    ("container_threads", Measure::Threads, 1.0),
    ("machine_memory_bytes", Measure::MemoryLimitBytes, 1.0),
];

/// What one scrape tells of these subjects. Times are when the kubelet looked, since the epoch by the node's clock; of
/// several containers, the earliest.
#[must_use]
pub fn watched(text: &str, subjects: &[(Subject, Which)]) -> Watching {
    let mut watching = Watching {
        rounds: 1,
        ..Watching::default()
    };
    let mut lacking: BTreeMap<&str, Vec<Measure>> = BTreeMap::new();
    for (subject, which) in subjects {
        let Look { time_ms, usage } = look(text, which);
        let lacks = Measure::ALL.into_iter().filter(|measure| usage[*measure].is_none());
        let lacks: Vec<Measure> = lacks.collect();
        lacking
            .entry(subject.kind())
            .and_modify(|before| before.retain(|measure| lacks.contains(measure)))
            .or_insert(lacks);
        if let Some(time_ms) = time_ms {
            watching.samples.push(ResourceSample {
                time_ns: time_ms * 1_000_000,
                subject: subject.clone(),
                usage,
            });
        }
    }
    watching.missing = lacking
        .into_iter()
        .filter(|(_, lacks)| !lacks.is_empty())
        .map(|(kind, lacks)| MissingColumns {
            kind: kind.to_owned(),
            columns: lacks.iter().map(|measure| measure.column().to_owned()).collect(),
            reason: "the cluster's cAdvisor does not offer it".to_owned(),
        })
        .collect();
    watching
}

/// What is told of one subject.
#[derive(Debug, Default)]
struct Look {
    /// `None` where nothing is.
    time_ms: Option<i64>,
    usage: Usage,
}

fn look(text: &str, which: &Which) -> Look {
    let mut look = Look::default();
    // By pods and by containers, of which a kubelet tells one or both.
    let mut sums: BTreeMap<(Measure, bool), i64> = BTreeMap::new();
    let mut unlimited = false;
    for line in text.lines() {
        let Some(sample) = Sample::parse(line) else { continue };
        let Some((name, measure, unit)) = METRICS.iter().find(|(name, ..)| *name == sample.name) else {
            continue;
        };
        let of_machine = *which == Which::Node && *name == "machine_memory_bytes";
        if !(of_machine || which.is(&sample)) {
            continue;
        }
        look.time_ms = look.time_ms.into_iter().chain(sample.time_ms).min();
        if *name == "container_spec_memory_limit_bytes" && (sample.value == 0.0 || *which == Which::Node) {
            // A limit of 0 is none, a node's own group has none, and what some pods may have limits nothing together.
            unlimited |= *which != Which::Node;
            continue;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a count or a time, whole in the column's unit"
        )]
        let value = (sample.value * unit).round() as i64;
        let of_container = sample.label("container").is_some_and(|name| !name.is_empty());
        *sums.entry((*measure, of_container)).or_default() += value;
    }
    for ((measure, _), sum) in sums {
        // A pod uses no less than its containers; what only these are told of, such as kills, it does not know.
        look.usage[measure] = look.usage[measure].max(Some(sum));
    }
    if unlimited {
        look.usage[Measure::MemoryLimitBytes] = None;
    }
    look
}

/// A line of the text format.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
    /// Milliseconds since the epoch.
    time_ms: Option<i64>,
}

impl<'a> Sample<'a> {
    /// `name{label="value",…} number [time]`; `None` for comments and what is not understood.
    fn parse(line: &'a str) -> Option<Self> {
        let end = line.find(['{', ' '])?;
        let (name, mut rest) = line.split_at(end);
        if name.is_empty() || name.starts_with('#') {
            return None;
        }
        let mut labels = Vec::new();
        if let Some(within) = rest.strip_prefix('{') {
            rest = within;
            while !rest.starts_with('}') {
                let (label, after) = rest.split_once("=\"")?;
                let (value, after) = unquoted(after)?;
                labels.push((label.trim_start_matches([',', ' ']), value));
                rest = after.trim_start_matches([',', ' ']);
            }
            rest = &rest[1..];
        }
        let mut numbers = rest.split_whitespace();
        let value = numbers.next()?.parse().ok()?;
        let time_ms = numbers.next().and_then(|time| time.parse().ok());
        Some(Self {
            name,
            labels,
            value,
            time_ms,
        })
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(label, _)| *label == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            _ => value.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_anything() {
        let sample = Sample::parse(r#"a{b="c,d=\"}\\",e=""} 1.5e+03 1605"#).expect("a sample");
        assert_eq!((sample.name, sample.value, sample.time_ms), ("a", 1500.0, Some(1605)));
        assert_eq!((sample.label("b"), sample.label("e")), (Some(r#"c,d="}\"#), Some("")));
        assert_eq!(Sample::parse("up 1").expect("a sample").value.to_bits(), 1f64.to_bits());
        for line in ["", "# HELP a b", "a{b=\"c} 1", "a{b} 1", "a x", "{} 1"] {
            assert_eq!(Sample::parse(line), None, "{line}");
        }
    }
}
