//! Definitions of applications: the checked-in ones are valid; invalid ones, and manifests that differ from their definition,
//! are refused.

use std::fs;
use std::path::{Path, PathBuf};

use model::ApplicationDefinition;
use provisioning::application::read_objects;
use provisioning::config::ConfigFile as _;

fn definition(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../macro/{name}.yaml"))
}

#[test]
fn the_checked_in_definitions_are_valid() {
    for name in ["teastore", "deathstarbench", "unguard"] {
        let application = ApplicationDefinition::read(&definition(name)).unwrap();
        assert_eq!(application.name, name);
        assert!(application.checkout_command().contains(&application.source.revision));
        // A run records the content of the file.
        let recorded = serde_json::to_string(&application).unwrap();
        assert_eq!(
            serde_json::from_str::<ApplicationDefinition>(&recorded).unwrap(),
            application
        );
    }
}

#[test]
fn an_invalid_definition_is_refused_with_its_key() {
    let text = fs::read_to_string(definition("deathstarbench")).unwrap();
    for (from, to, key) in [
        ("version: ", "versoin: ", "versoin"),
        ("hook: true", "hook: yes please", "line 1"),
        ("revision: 6", "revision: main6", "source.revision"),
        (
            "front: { workload: deployment/nginx-thrift",
            "front: { workload: deployment/ngnix",
            "front.workload",
        ),
        ("name: deployment/jaeger", "name: jaeger", "deployment/NAME"),
        (
            ", why: \"a Go program, which calls the kernel without libc\"",
            "",
            "workloads[deployment/jaeger].why",
        ),
        (
            "name: deployment/user-service",
            "name: deployment/jaeger",
            "workloads[deployment/jaeger]",
        ),
        ("manifests: [manifests.yaml]", "manifests: []", "source.manifests"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = ApplicationDefinition::parse(&text.replacen(from, to, 1)).unwrap_err();
        assert!(error.contains(key), "`{to}`: expected {key} in: {error}");
    }
}

const SHOP: &str = "
name: shop
version: 1
source: { repository: nowhere, revision: 0000000000000000000000000000000000000000, manifests: [all] }
front: { workload: deployment/web, port: 80 }
request: { method: GET, path: / }
workloads: [{ name: deployment/web, hook: true }]
";

#[test]
fn manifests_that_differ_from_the_definition_are_refused() {
    let application = ApplicationDefinition::parse(SHOP).unwrap();
    let checkout = tempfile::tempdir().unwrap();
    let error = read_objects(&application, checkout.path()).unwrap_err().to_string();
    assert!(error.contains("git clone nowhere"), "{error}");
    fs::create_dir(checkout.path().join("all")).unwrap();
    let objects = |text: &str| {
        fs::write(checkout.path().join("all/shop.yaml"), text).unwrap();
        read_objects(&application, checkout.path()).map_err(|error| error.to_string())
    };
    let web = "kind: Deployment\nmetadata: { name: web, namespace: other }\n";
    let found = objects(&format!("{web}---\n---\nkind: Service\nmetadata: {{ name: web }}\n")).unwrap();
    assert_eq!(found.len(), 2);
    assert!(found[0]["metadata"]["namespace"].is_null(), "each copy has its own");
    for (more, expected) in [
        (
            "kind: CronJob\nmetadata: { name: users }\n",
            "CronJob users is not among the workloads",
        ),
        (
            "kind: PersistentVolume\nmetadata: { name: disk }\n",
            "would outlive the namespace",
        ),
    ] {
        let error = objects(&format!("{web}---\n{more}")).unwrap_err();
        assert!(error.contains(expected) && error.contains("shop.yaml"), "{error}");
    }
    let error = objects("kind: Service\nmetadata: { name: web }\n").unwrap_err();
    assert!(
        error.contains("deployment/web of shop is in none of source.manifests"),
        "{error}"
    );
}
