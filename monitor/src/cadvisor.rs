//! The resources of pods and nodes in Kubernetes: the metrics of cAdvisor in Prometheus's text format, which the API server
//! returns at `/api/v1/nodes/NODE/proxy/metrics/cadvisor`.
//!
//! The kubelet reads its containers about every ten seconds, and a metric may be that old. The difference between two
//! readings of the kubelet is exact. This module parses the format itself: the crates for it split labels at commas within
//! quotes, or need tokio.

use std::collections::BTreeMap;

use model::{Measure, MissingColumns, ResourceSample, ResourceSubject, Usage};

use crate::recording::ResourceRecording;

/// The objects whose metrics are summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetricScope {
    /// All pods of a namespace.
    Namespace(String),
    /// The node itself.
    Node,
}

impl MetricScope {
    /// Returns true for the metrics of these objects. Those of a pause container are left out, because its pod's metrics
    /// include them.
    fn contains(&self, line: &MetricLine<'_>) -> bool {
        match self {
            Self::Namespace(namespace) => {
                line.label("namespace") == Some(namespace) && line.label("container") != Some("POD")
            }
            Self::Node => line.label("id") == Some("/"),
        }
    }
}

/// The name of a metric, its column, and the number of the column's units in one unit of the metric.
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

/// Parses one scrape into a sample for each subject. The time of a sample is the time at which the kubelet read the
/// containers, ns since the epoch by the node's clock; of several containers, the earliest.
#[must_use]
pub fn parse(text: &str, subjects: &[(ResourceSubject, MetricScope)]) -> ResourceRecording {
    let mut recording = ResourceRecording {
        rounds: 1,
        ..ResourceRecording::default()
    };
    let mut missing: BTreeMap<&str, Vec<Measure>> = BTreeMap::new();
    for (subject, scope) in subjects {
        let ScopeReading { time_ms, usage } = sum(text, scope);
        let absent = Measure::ALL.iter().copied().filter(|measure| usage[*measure].is_none());
        let absent: Vec<Measure> = absent.collect();
        missing
            .entry(subject.kind())
            .and_modify(|before| before.retain(|measure| absent.contains(measure)))
            .or_insert(absent);
        if let Some(time_ms) = time_ms {
            recording.samples.push(ResourceSample {
                time_ns: time_ms * 1_000_000,
                subject: subject.clone(),
                usage,
            });
        }
    }
    recording.missing = missing
        .into_iter()
        .filter(|(_, absent)| !absent.is_empty())
        .map(|(kind, absent)| MissingColumns {
            kind: kind.to_owned(),
            columns: absent.iter().map(|measure| measure.column().to_owned()).collect(),
            reason: "the cluster's cAdvisor does not offer it".to_owned(),
        })
        .collect();
    recording
}

/// Returns the time of the latest reading in one scrape of the objects of a scope, ns since the epoch. The kubelet reads each
/// container and each pod at a time of its own.
#[must_use]
pub fn latest_reading_ns(text: &str, scope: &MetricScope) -> Option<i64> {
    let lines = text.lines().filter_map(MetricLine::parse);
    let times_ms = lines
        .filter(|line| scope.contains(line))
        .filter_map(|line| line.time_ms);
    times_ms.max().map(|time_ms| time_ms * 1_000_000)
}

/// The sums over the objects of a scope.
#[derive(Debug, Default)]
struct ScopeReading {
    /// `None` when no metric has a time.
    time_ms: Option<i64>,
    usage: Usage,
}

fn sum(text: &str, scope: &MetricScope) -> ScopeReading {
    let mut reading = ScopeReading::default();
    // Apart for pods and containers: a kubelet returns the metrics of one of them or of both.
    let mut sums: BTreeMap<(Measure, bool), i64> = BTreeMap::new();
    let mut unlimited = false;
    for line in text.lines() {
        let Some(sample) = MetricLine::parse(line) else {
            continue;
        };
        let Some((name, measure, unit)) = METRICS.iter().find(|(name, ..)| *name == sample.name) else {
            continue;
        };
        let of_machine = *scope == MetricScope::Node && *name == "machine_memory_bytes";
        if !(of_machine || scope.contains(&sample)) {
            continue;
        }
        reading.time_ms = reading.time_ms.into_iter().chain(sample.time_ms).min();
        if *name == "container_spec_memory_limit_bytes" && (sample.value == 0.0 || *scope == MetricScope::Node) {
            // 0 means that there is no limit. One pod without a limit leaves the whole namespace without one. The group of a
            // node has no limit.
            unlimited |= *scope != MetricScope::Node;
            continue;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a count or a time, an integer in the column's unit"
        )]
        let value = (sample.value * unit).round() as i64;
        let of_container = sample.label("container").is_some_and(|name| !name.is_empty());
        *sums.entry((*measure, of_container)).or_default() += value;
    }
    for ((measure, _), sum) in sums {
        // A pod uses at least as much as its containers; some metrics, such as kills, exist for containers only.
        reading.usage[measure] = reading.usage[measure].max(Some(sum));
    }
    if unlimited {
        reading.usage[Measure::MemoryLimitBytes] = None;
    }
    reading
}

/// A line of the text format.
#[derive(Debug, PartialEq)]
struct MetricLine<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
    /// Milliseconds since the epoch.
    time_ms: Option<i64>,
}

impl<'a> MetricLine<'a> {
    /// Parses `name{label="value",…} number [time]`. Returns `None` for comments and other lines.
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

/// Returns the text up to the closing quote, and the rest after it.
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
    fn a_quoted_label_may_hold_any_character() {
        let sample = MetricLine::parse(r#"a{b="c,d=\"}\\",e=""} 1.5e+03 1605"#).expect("a sample");
        assert_eq!((sample.name, sample.value, sample.time_ms), ("a", 1500.0, Some(1605)));
        assert_eq!((sample.label("b"), sample.label("e")), (Some(r#"c,d="}\"#), Some("")));
        assert_eq!(
            MetricLine::parse("up 1").expect("a sample").value.to_bits(),
            1f64.to_bits()
        );
        for line in ["", "# HELP a b", "a{b=\"c} 1", "a{b} 1", "a x", "{} 1"] {
            assert_eq!(MetricLine::parse(line), None, "{line}");
        }
    }
}
