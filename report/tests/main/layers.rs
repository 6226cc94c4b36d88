//! Made-up runs with effects at every layer, predictions of tight loops and observed servers, and their evidence.

use analysis::claims::{Evidence, Unit};
use dataset::{
    InstrumentAgreement, OBSERVED_FILE, OBSERVED_VERSION, ObservedServer, ObservedServers, Run, ServerKind, write_json,
};
use model::{ArmRecord, HookCoverage, ServerSummary, TightLoopSummary};
use report::layers::Layer;
use report::results::Results;
use report::{evidence, results};
use samples::run_samples;

use crate::made_up_run::{ARMS, write};
use crate::program::claim;

/// The made-up run, with what `change` adds to the records of each launch's arms.
fn of(change: impl Fn(u32, &mut ArmRecord)) -> (Results, Evidence) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &ARMS, true);
    let mut run = Run::open(folder.path()).unwrap();
    for launch in &mut run.manifest.launches {
        for arm in &mut launch.arms {
            change(launch.launch, arm);
        }
    }
    let samples = run_samples(&run).unwrap();
    let results = results::results(&run.manifest, &samples).unwrap();
    let evidence = evidence::of_run(&run.manifest, &samples, &results).unwrap();
    (results, evidence)
}

fn quantity(evidence: &Evidence, name: &str) -> Vec<(Unit, f64)> {
    let named = evidence
        .measured
        .iter()
        .filter(|measured| measured.quantity.to_string() == name);
    named.map(|measured| (measured.unit, measured.interval.value)).collect()
}

/// Sets the handler times of an arm. They differ between launches by half as much as the wire times.
fn stamp(launch: u32, arm: &mut ArmRecord) {
    let cost_ns = if arm.arm == "scan" { 600.0 } else { 0.0 };
    let index = ARMS.iter().position(|known| known.name == arm.arm).unwrap();
    let sign = if (launch as usize + index).is_multiple_of(2) {
        1.0
    } else {
        -1.0
    };
    arm.server = Some(ServerSummary {
        call_ns_median: 1_000.0 + cost_ns,
        handler_ns_median: 8_000.0 + cost_ns + 2.5 * sign,
        records: 100,
        dropped: 0,
    });
}

#[test]
fn each_layer_has_its_own_effect_and_spread() {
    let (results, evidence) = of(stamp);
    let of_scan: Vec<_> = results.conditions[0]
        .layers
        .iter()
        .filter(|row| row.contrast == "searching")
        .collect();
    // The hook left no records.
    let layers: Vec<Layer> = of_scan.iter().map(|row| row.layer).collect();
    assert_eq!(layers, [Layer::LibcCall, Layer::Handler, Layer::WireTime, Layer::Rtt]);
    let values: Vec<f64> = of_scan.iter().map(|row| row.effect.value).collect();
    assert_eq!(values, [600.0, 600.0, 700.0, 700.0]);
    // Without any difference between launches there is no ratio, and the fewest launches do.
    assert_eq!(
        (of_scan[0].signal_to_noise, of_scan[0].launches_needed),
        (None, Some(2))
    );
    // Without the hook's records its spread is unknown.
    let spread = quantity(&evidence, "spread of the effect at the RTT by its spread at the hook");
    assert!(spread.is_empty(), "{spread:?}");
}

#[test]
fn without_stamps_there_are_no_layers() {
    let (results, evidence) = of(|_, _| {});
    assert!(results.conditions[0].layers.is_empty() && results.conditions[0].isolated.is_empty());
    assert!(quantity(&evidence, "wire time spread by handler spread").is_empty());
}

#[test]
fn an_effect_stands_beside_what_the_loop_predicts() {
    let loops = |launch: u32, arm: &mut ArmRecord| {
        if arm.arm == "scan" {
            arm.hook_mapped = Some(true);
            arm.coverage = Some(HookCoverage {
                // Two calls for each request.
                payload_receives: 2 * arm.requests_sent,
                ..HookCoverage::default()
            });
            arm.tight_loop = Some(TightLoopSummary {
                bare_ns_median: 500.0,
                hooked_ns_median: if launch.is_multiple_of(2) { 674.0 } else { 676.0 },
                blocks: 100,
            });
        }
    };
    let (results, evidence) = of(loops);
    let [row] = &results.conditions[0].isolated[..] else {
        panic!("one effect: {:?}", results.conditions[0].isolated)
    };
    assert_eq!((row.contrast.as_str(), row.calls_per_request), ("searching", 2.0));
    assert_eq!((row.predicted.value, row.observed.value), (350.0, 700.0));
    let ratios = quantity(&evidence, "observed by predicted cost");
    assert!(ratios.len() == 1 && (ratios[0].1 - 2.0).abs() < 1e-9, "{ratios:?}");
}

fn observed(shares: &[(ServerKind, f64)]) -> ObservedServers {
    let servers = shares.iter().map(|&(kind, accept_and_read_share)| ObservedServer {
        server: format!("{kind:?}"),
        kind,
        version: None,
        requests: 100,
        sent_bytes: 4_000,
        libc: None,
        receive_calls: None,
        system_calls: None,
        accept_and_read_share,
        own_share: 1.0,
        agreement: InstrumentAgreement::All,
        reasons: Vec::new(),
    });
    ObservedServers {
        schema_version: OBSERVED_VERSION,
        run_id: "seen".to_owned(),
        experiment: "r07".to_owned(),
        condition: "local-pod".to_owned(),
        git_revision: None,
        finished_unix_ns: 1,
        servers: servers.collect(),
        not_found: Vec::new(),
    }
}

#[test]
fn servers_that_were_observed_are_evidence_and_other_shares_another_verdict() {
    use ServerKind::{Common, NegativeControl, Synthetic};
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    std::fs::create_dir(&seen).unwrap();
    let eight = |most: f64, other: f64| {
        let mut servers = vec![(Common, most); 7];
        servers.extend([(Common, other), (Synthetic, 1.0), (NegativeControl, 0.0)]);
        servers
    };
    for (rows, verdict, value) in [
        (&eight(0.0, 0.1)[..], "supported", 0.1 / 8.0),
        (&eight(1.0, 0.9), "not_supported", 7.9 / 8.0),
        (
            &[(Common, 1.0), (Common, 0.0), (Common, 0.0)],
            "inconclusive",
            1.0 / 3.0,
        ),
    ] {
        write_json(&seen.join(OBSERVED_FILE), &observed(rows)).unwrap();
        // Found in the folder of all runs.
        let found = claim(folder.path(), "r07-coverage");
        assert_eq!(found["exploratory"]["verdict"], verdict, "{found}");
        assert_eq!(found["rows"][0]["machine"], "machine not recorded");
        let interval = &found["rows"][0]["interval"];
        assert!((interval["value"].as_f64().unwrap() - value).abs() < 1e-12);
        let ends = (interval["low"].as_f64().unwrap(), interval["high"].as_f64().unwrap());
        assert!(ends.0 >= 0.0 && ends.1 <= 1.0, "{ends:?}");
    }
}
