//! Configurations of clusters: the checked-in ones are valid; invalid ones are refused with file, line and key.

use std::fs;
use std::path::{Path, PathBuf};

use provisioning::config::{ConfigFile, EksConfig, KindConfig};

fn checked_in(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name)
        .join("cluster.yaml")
}

/// Returns the error of the configuration with `from` replaced, once, by `to`.
fn refused<C: ConfigFile>(name: &str, from: &str, to: &str) -> String {
    let text = fs::read_to_string(checked_in(name)).unwrap();
    assert!(text.contains(from), "{name} has no `{from}` to replace");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edited.yaml");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let Err(error) = C::read(&path) else {
        panic!("{name}: `{to}` in place of `{from}` was taken")
    };
    let error = error.to_string();
    assert!(error.contains("edited.yaml"), "the error names the file: {error}");
    error
}

#[test]
fn the_checked_in_configurations_are_valid() {
    let kind = KindConfig::read(&checked_in("kind")).unwrap();
    assert_eq!(kind.name, "hook-latency");
    let eks = EksConfig::read(&checked_in("eks")).unwrap();
    assert_eq!((eks.name(), eks.nodes()), ("hook-latency", 2));
    assert!(eks.usd_per_hour() > 0.1);
}

#[test]
fn an_unknown_field_a_wrong_type_and_a_missing_field_are_named_with_their_place() {
    for (from, to, key) in [
        ("    image:", "    imagee:", "imagee"),
        ("name: hook-latency", "name: [hook-latency]", "line 5"),
        ("name: hook-latency\n", "", "name"),
        ("role: worker", "role: labourer", "labourer"),
        (
            "apiVersion: kind.x-k8s.io/v1alpha4",
            "apiVersion: kind.x-k8s.io/v1",
            "apiVersion",
        ),
        ("  - role: worker", "  - role: control-plane", "nodes"),
        ("@sha256:44e2", "@sha256:XX", "nodes[0].image"),
    ] {
        let error = refused::<KindConfig>("kind", from, to);
        assert!(error.contains(key), "`{to}`: expected {key} in: {error}");
    }
    for (from, to, key) in [
        ("    spot: false", "    spott: false", "spott"),
        ("    minSize: 2", "    minSize: two", "minSize"),
        ("    maxSize: 2\n", "", "maxSize"),
        ("    maxSize: 2", "    maxSize: 3", "maxSize"),
        ("    spot: false", "    spot: true", "managedNodeGroups[nodes].spot"),
        ("gateway: Disable", "gateway: Single", "vpc.nat.gateway"),
        ("groupName: hook-latency", "groupName: other", "placement.groupName"),
        (
            "availabilityZones: [us-east-1a]",
            "availabilityZones: [us-east-1c]",
            "availabilityZones",
        ),
        ("cpuManagerPolicy: static", "cpuManagerPolicy: none", "cpuManagerPolicy"),
        (
            "cpuManagerPolicy: static",
            "cpuManagerPolicyy: static",
            "cpuManagerPolicyy",
        ),
        (
            "node-usd-per-hour: \"0.35\"",
            "node-usd-per-hour: cheap",
            "node-usd-per-hour",
        ),
        ("    project: hook-latency", "    project: other", "metadata.tags"),
    ] {
        let error = refused::<EksConfig>("eks", from, to);
        assert!(error.contains(key), "`{to}`: expected {key} in: {error}");
    }
}
