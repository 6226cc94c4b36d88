//! Programs, data and properties of the machine that a verb or a condition needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::prerequisite::Prerequisite;
use crate::programs::{Program, find};
use crate::{notebooks, paths, python};

/// The purpose of a program, and the fix where it is missing from PATH.
#[derive(serde::Deserialize)]
struct WantedProgram {
    purpose: String,
    fix: String,
}

/// All prerequisites: the machine first, then programs, then data.
pub(super) fn all() -> Vec<Prerequisite> {
    let mut findings = vec![processors(), clock(), awake()];
    findings.extend(programs());
    findings.extend([jdk(), tomcat(), python()]);
    findings.extend(notebooks::tools().map(|(name, path)| notebook_tool(name, path)));
    findings.push(study());
    findings
}

fn programs() -> impl Iterator<Item = Prerequisite> {
    let wanted: BTreeMap<String, WantedProgram> =
        toml::from_str(include_str!("programs.toml")).expect("the file is a part of this program, and a test reads it");
    wanted.into_iter().map(|(name, WantedProgram { purpose, fix })| {
        let path = find(&name);
        Prerequisite {
            name,
            purpose,
            found: path.is_some(),
            detail: path.map_or_else(|| "not in PATH".into(), |path| path.display().to_string()),
            fix: Some(fix),
        }
    })
}

/// The load generator and the systems under test must not share a core.
fn processors() -> Prerequisite {
    let number = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Prerequisite {
        name: "two processors".into(),
        purpose: "one for the load generator, the rest for the systems under test".into(),
        found: number >= 2,
        detail: format!("this process may use {number}"),
        fix: Some("give this machine or container a second processor".into()),
    }
}

/// The time to wake from an idle state differs from launch to launch.
fn awake() -> Prerequisite {
    let path = "/dev/cpu_dma_latency";
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    Prerequisite {
        name: "processors kept awake".into(),
        purpose: "equal launches: no idle states between requests".into(),
        found: opened.is_ok(),
        detail: opened.map_or_else(|error| format!("{path}: {error}"), |_| format!("{path} is writable")),
        fix: Some("run as root, or give this user write access to that file".into()),
    }
}

/// Some clock sources need a system call for each time stamp.
fn clock() -> Prerequisite {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    Prerequisite {
        name: "fast clock".into(),
        purpose: "time stamps without a system call".into(),
        found: ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"].contains(&source.as_str()),
        detail: if source.is_empty() {
            format!("{path} cannot be read")
        } else {
            format!("clock source {source}")
        },
        fix: Some("boot with clocksource=tsc where the machine's time stamp counter is stable".into()),
    }
}

/// The jars of Debian's packages, or those that TOMCAT_CLASSPATH names.
pub(super) fn tomcat() -> Prerequisite {
    let named = std::env::var("TOMCAT_CLASSPATH").ok();
    let jars = named.unwrap_or_else(|| {
        "/usr/share/java/tomcat10-embed-core.jar:/usr/share/java/jakarta-annotation-api.jar".to_owned()
    });
    // An asterisk stands for all jars of a folder, as for java.
    let there = |jar: &str| Path::new(jar.strip_suffix("/*").unwrap_or(jar)).exists();
    let missing: Vec<&str> = jars.split(':').filter(|jar| !there(jar)).collect();
    Prerequisite {
        name: "Tomcat".into(),
        purpose: "the 2023 study's application as a system under test".into(),
        found: missing.is_empty(),
        detail: if missing.is_empty() {
            jars.clone()
        } else {
            format!("missing: {}", missing.join(", "))
        },
        fix: Some(
            "apt-get install libtomcat10-embed-java libjakarta-annotation-api-java, or name the jars by TOMCAT_CLASSPATH"
                .into(),
        ),
    }
}

/// `java` alone may be a runtime, which cannot compile the application's source file.
pub(super) fn jdk() -> Prerequisite {
    let modules = find("java").and_then(|_| Program::new("java").arg("--list-modules").output().ok());
    let found = modules.as_ref().is_some_and(|modules| modules.contains("jdk.compiler"));
    Prerequisite {
        name: "JDK".into(),
        purpose: "java compiles and runs a source file".into(),
        found,
        detail: match (&modules, found) {
            (_, true) => "java has module jdk.compiler".into(),
            (Some(_), _) => "java is a runtime without the module jdk.compiler".into(),
            (None, _) => "java is not in PATH".into(),
        },
        fix: Some("apt-get install default-jdk-headless".into()),
    }
}

fn python() -> Prerequisite {
    let version = python::version();
    Prerequisite {
        name: "python3 with venv".into(),
        purpose: "nbconvert, which executes the notebooks".into(),
        found: version.is_some(),
        detail: version.unwrap_or_else(|| "python3 or its module ensurepip is missing".into()),
        fix: Some("apt-get install python3-venv".into()),
    }
}

fn notebook_tool(name: &str, path: anyhow::Result<Option<PathBuf>>) -> Prerequisite {
    let (found, detail) = match path {
        Ok(Some(path)) => (true, path.display().to_string()),
        Ok(None) => (false, "not installed yet".to_owned()),
        Err(error) => (false, format!("{error:#}")),
    };
    Prerequisite {
        name: name.into(),
        purpose: "the notebooks".into(),
        found,
        detail,
        fix: Some("cargo xtask notebooks installs it in your cache folder".into()),
    }
}

fn study() -> Prerequisite {
    Prerequisite {
        name: "2023 study".into(),
        purpose: "the recomputed table, the notebooks".into(),
        found: paths::study_is_there(),
        detail: Path::new(paths::STUDY).display().to_string(),
        fix: Some("cargo xtask import ssp2023".into()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_program_has_a_purpose_and_a_fix() {
        assert!(super::programs().count() > 10);
    }
}
