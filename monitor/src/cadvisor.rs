//! What Kubernetes tells of containers and nodes: cAdvisor's metrics in Prometheus's text format, as the API server gives
//! them at `/api/v1/nodes/NODE/proxy/metrics/cadvisor`.
//!
//! The kubelet looks at its containers every ten seconds or so: counts that two samples differ by are right, and a sample
//! may be as old as that. The crates that parse this format split labels at commas within quotes, or want tokio; the few
//! lines that are needed stand here.

use dataset::Measure;

use crate::source::Reading;

/// Of whom metrics are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// A container of a pod.
    Container {
        /// The pod's namespace.
        namespace: String,
        /// The pod.
        pod: String,
        /// The container's name in the pod. Empty for the pod as a whole, where cAdvisor knows no containers.
        container: String,
    },
    /// The node itself.
    Node,
}

impl Which {
    fn is(&self, sample: &Sample<'_>) -> bool {
        match self {
            Self::Container {
                namespace,
                pod,
                container,
            } => {
                sample.label("namespace") == Some(namespace)
                    && sample.label("pod") == Some(pod)
                    && sample.label("container") == Some(container)
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

/// Takes one container's or the node's values from a scrape.
pub fn read(text: &str, which: &Which, reading: &mut Reading) {
    for line in text.lines() {
        let Some(sample) = Sample::parse(line) else { continue };
        let Some((name, measure, unit)) = METRICS.iter().find(|(name, ..)| *name == sample.name) else {
            continue;
        };
        let of_machine = *which == Which::Node && *name == "machine_memory_bytes";
        // A limit of 0 is none, and a node's own group has none.
        let no_limit = *name == "container_spec_memory_limit_bytes" && (sample.value == 0.0 || *which == Which::Node);
        if no_limit || !(of_machine || which.is(&sample)) {
            continue;
        }
        // By processor, where there are several lines.
        let before = reading.usage[*measure].filter(|_| sample.label("cpu").is_some_and(|cpu| cpu != "total"));
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a count or a time, whole in the column's unit"
        )]
        let value = (sample.value * unit).round() as i64;
        reading.set(*measure, before.unwrap_or(0) + value);
    }
    reading.lack(&Measure::ALL, "the cluster's cAdvisor does not offer it");
}

/// A line of the text format.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
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
        let value = rest.split_whitespace().next()?.parse().ok()?;
        Some(Self { name, labels, value })
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
        assert_eq!((sample.name, sample.value), ("a", 1500.0));
        assert_eq!((sample.label("b"), sample.label("e")), (Some(r#"c,d="}\"#), Some("")));
        assert_eq!(Sample::parse("up 1").expect("a sample").value.to_bits(), 1f64.to_bits());
        for line in ["", "# HELP a b", "a{b=\"c} 1", "a{b} 1", "a x", "{} 1"] {
            assert_eq!(Sample::parse(line), None, "{line}");
        }
    }
}
