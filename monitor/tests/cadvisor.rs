//! The metrics of cAdvisor that a kubelet (1.20, containerd) returned through the API server, reduced to the metrics that are
//! read.

use model::{Measure, ResourceSample, ResourceSubject, Usage};
use monitor::ResourceRecording;
use monitor::cadvisor::{MetricScope, latest_reading_ns, parse};

const RECORDED: &str = include_str!("cadvisor.txt");

/// The pods of the recorded namespace, and their node.
fn parsed(text: &str) -> ResourceRecording {
    let pods = (
        ResourceSubject::Arm("scan".to_owned()),
        MetricScope::Namespace("limits-sample".to_owned()),
    );
    parse(
        text,
        &[pods, (ResourceSubject::Node("node".to_owned()), MetricScope::Node)],
    )
}

fn usages(text: &str) -> Vec<Usage> {
    parsed(text).samples.into_iter().map(|sample| sample.usage).collect()
}

#[test]
fn a_recorded_pod_and_its_node() {
    let recording = parsed(RECORDED);
    let [pod, node] = &recording.samples[..] else {
        panic!("{recording:?}")
    };
    let ResourceSample {
        time_ns,
        subject,
        usage,
    } = pod;
    assert_eq!(subject, &ResourceSubject::Arm("scan".to_owned()));
    assert_eq!(time_ns % 1_000_000, 0);
    assert!(*time_ns > 1_700_000_000_000_000_000, "{time_ns}");
    assert_eq!(usage[Measure::CpuNs], Some(53_260_836));
    assert_eq!(usage[Measure::MemoryBytes], Some(1_265_664));
    assert_eq!(usage[Measure::MemoryLimitHits], Some(0));
    assert_eq!(usage[Measure::Threads], Some(3));
    // Zero stands for no limit, and there is no quota.
    assert_eq!(
        (usage[Measure::MemoryLimitBytes], usage[Measure::Periods]),
        (None, None)
    );
    assert_eq!(node.usage[Measure::MemoryLimitBytes], Some(25_276_502_016));
    assert!(node.usage[Measure::CpuNs] > usage[Measure::CpuNs]);
    let lacking = recording.missing.iter().find(|missing| missing.kind == "arm").unwrap();
    assert!(lacking.columns.contains(&"periods".to_owned()), "{lacking:?}");
    assert!(!lacking.columns.contains(&"cpu_ns".to_owned()), "{lacking:?}");
}

/// A sample has the time of its earliest reading, so that a later sample is newer than all readings of an earlier answer.
#[test]
fn the_latest_reading_is_not_before_the_sample() {
    let scope = MetricScope::Namespace("limits-sample".to_owned());
    let latest_ns = latest_reading_ns(RECORDED, &scope).unwrap();
    assert!(latest_ns >= parsed(RECORDED).samples[0].time_ns);
    let time_ms = (latest_ns / 1_000_000).to_string();
    let one_later = RECORDED.replacen(&time_ms, &(latest_ns / 1_000_000 + 5_000).to_string(), 1);
    assert_eq!(latest_reading_ns(&one_later, &scope), Some(latest_ns + 5_000_000_000));
    assert!(parsed(&one_later).samples[0].time_ns <= latest_ns);
    assert_eq!(latest_reading_ns("", &scope), None);
}

#[test]
fn a_namespace_without_metrics_has_no_sample() {
    let other = (
        ResourceSubject::Arm("scan".to_owned()),
        MetricScope::Namespace("other".to_owned()),
    );
    let recording = parse(RECORDED, &[other]);
    assert_eq!(recording.samples, []);
    assert_eq!(recording.missing[0].columns.len(), Measure::ALL.len());
}

/// The recorded pod's lines once more, as those of another pod, and as those of a container of either, with a quota.
#[test]
fn pods_are_added_up_and_their_containers_are_not_added_to_them() {
    let second = RECORDED
        .replace("pod=\"launch-0003\"", "pod=\"launch-0004\"")
        .replace("0.053260836", "1.5");
    let containers = RECORDED.replace("container=\"\"", "container=\"scan\"");
    let pause = RECORDED
        .replace("container=\"\"", "container=\"POD\"")
        .replace("0.053260836", "99");
    let labels = "{container=\"scan\",namespace=\"limits-sample\",pod=\"launch-0003\"}";
    let text = format!(
        "{RECORDED}{second}{containers}{pause}container_cpu_cfs_periods_total{labels} 4 1795560687066\n\
         container_cpu_cfs_throttled_periods_total{labels} 3\n\
         container_cpu_cfs_throttled_seconds_total{labels} 0.25\n\
         container_oom_events_total{labels} 1\n"
    );
    let usage = &usages(&text)[0];
    assert_eq!(usage[Measure::CpuNs], Some(1_553_260_836));
    assert_eq!(usage[Measure::Threads], Some(6));
    assert_eq!(
        (usage[Measure::Periods], usage[Measure::ThrottledPeriods]),
        (Some(4), Some(3))
    );
    assert_eq!(usage[Measure::ThrottledNs], Some(250_000_000));
    assert_eq!(usage[Measure::OomKills], Some(1));
}

#[test]
fn memory_is_limited_where_every_pod_is() {
    let limit = |pod: &str, bytes: &str| {
        format!(
            "container_spec_memory_limit_bytes{{container=\"\",namespace=\"limits-sample\",pod=\"{pod}\"}} {bytes} 1\n"
        )
    };
    let both = limit("a", "1.6777216e+07") + &limit("b", "1.6777216e+07");
    assert_eq!(usages(&both)[0][Measure::MemoryLimitBytes], Some(32 << 20));
    let one = limit("a", "1.6777216e+07") + &limit("b", "0");
    assert_eq!(usages(&one)[0][Measure::MemoryLimitBytes], None);
}
