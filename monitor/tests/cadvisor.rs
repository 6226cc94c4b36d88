//! cAdvisor's metrics as a kubelet (1.20, containerd) gave them through the API server, cut down to the metrics that are read.

use dataset::{Measure, Usage};
use monitor::Reading;
use monitor::cadvisor::{Which, read};

const RECORDED: &str = include_str!("cadvisor.txt");

fn of(text: &str, which: &Which) -> Usage {
    let mut reading = Reading::default();
    read(text, which, &mut reading);
    reading.usage
}

fn container(container: &str) -> Which {
    Which::Container {
        namespace: "limits-sample".to_owned(),
        pod: "launch-0003".to_owned(),
        container: container.to_owned(),
    }
}

#[test]
fn a_recorded_pod_and_its_node() {
    let pod = of(RECORDED, &container(""));
    assert_eq!(pod[Measure::CpuNs], Some(53_260_836));
    assert_eq!(pod[Measure::MemoryBytes], Some(1_265_664));
    assert_eq!(pod[Measure::MemoryLimitHits], Some(0));
    assert_eq!(pod[Measure::Threads], Some(3));
    // Zero stands for no limit, and there is no quota.
    assert_eq!((pod[Measure::MemoryLimitBytes], pod[Measure::Periods]), (None, None));
    let node = of(RECORDED, &Which::Node);
    assert_eq!(node[Measure::MemoryLimitBytes], Some(25_276_502_016));
    assert!(node[Measure::CpuNs] > pod[Measure::CpuNs]);
    // This kubelet knows no containers.
    assert_eq!(of(RECORDED, &container("scan")), Usage::default());
}

/// The recorded pod's lines, as a kubelet that knows containers would give them, with a quota.
#[test]
fn a_container_is_told_from_its_pod() {
    let other = RECORDED
        .replace("container=\"\"", "container=\"scan\"")
        .replace("0.053260836", "1.5");
    let labels = "{container=\"scan\",namespace=\"limits-sample\",pod=\"launch-0003\"}";
    let text = format!(
        "{RECORDED}{other}container_cpu_cfs_periods_total{labels} 4 1795560687066\n\
         container_cpu_cfs_throttled_periods_total{labels} 3\n\
         container_cpu_cfs_throttled_seconds_total{labels} 0.25\n\
         container_spec_memory_limit_bytes{labels} 1.6777216e+07\n\
         container_oom_events_total{labels} 1\n"
    );
    let scan = of(&text, &container("scan"));
    assert_eq!(scan[Measure::CpuNs], Some(1_500_000_000));
    assert_eq!(
        (scan[Measure::Periods], scan[Measure::ThrottledPeriods]),
        (Some(4), Some(3))
    );
    assert_eq!(scan[Measure::ThrottledNs], Some(250_000_000));
    assert_eq!(
        (scan[Measure::MemoryLimitBytes], scan[Measure::OomKills]),
        (Some(16 << 20), Some(1))
    );
    assert_eq!(of(&text, &container(""))[Measure::CpuNs], Some(53_260_836));
}
