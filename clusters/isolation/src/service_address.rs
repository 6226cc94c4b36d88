//! Translation of a service's address by the packet filter of this thread's namespace.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use crate::error::IsolationError;

/// The service's address, from the default range of Kubernetes for services.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// The chain that packets from other namespaces pass first.
const CHAIN: &str = "PREROUTING";

/// Forwards packets for the service to `server`, which the same link reaches. The sender's address is translated too:
/// otherwise the server's answers would pass the bridge only, without the reverse translation.
pub(crate) fn translate(link: &str, server: Ipv4Addr) -> Result<(), IsolationError> {
    for (setting, value) in [
        ("ip_forward".to_owned(), "1"),
        // No redirects to clients, which would then avoid the translation.
        ("conf/all/send_redirects".to_owned(), "0"),
        (format!("conf/{link}/send_redirects"), "0"),
    ] {
        let path = format!("/proc/sys/net/ipv4/{setting}");
        fs::write(&path, value).map_err(IsolationError::file(path))?;
    }
    let rules = format!(
        "*nat\n\
         -A {CHAIN} -d {ADDRESS} -p tcp -j DNAT --to-destination {server}\n\
         -A POSTROUTING -o {link} -d {server} -p tcp -j MASQUERADE\n\
         COMMIT\n"
    );
    // One process for all rules: a process namespace without an init cannot have a second one.
    run("iptables-restore", &["-w", "--noflush"], &rules).map(drop)
}

/// Returns the number of translated connections to the service.
#[cfg(test)]
pub(crate) fn connections() -> Result<u64, IsolationError> {
    let text = run("iptables", &["-w", "-t", "nat", "-L", CHAIN, "-v", "-x", "-n"], "")?;
    let rule = text.lines().find(|line| line.contains("DNAT")).unwrap_or_default();
    let packets = rule.split_whitespace().next().unwrap_or_default();
    packets.parse().map_err(|_| IsolationError::PacketFilter {
        program: "iptables",
        reason: format!("expected a rule DNAT with a number of packets, got: {text}"),
    })
}

/// Runs a program with this standard input and returns its standard output.
fn run(program: &'static str, arguments: &[&str], input: &str) -> Result<String, IsolationError> {
    let failed = |reason| IsolationError::PacketFilter { program, reason };
    let started = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.map_err(|error| match error.kind() {
        ErrorKind::NotFound => failed("it is not installed; apt-get install iptables".to_owned()),
        _ => failed(error.to_string()),
    })?;
    if let Some(mut pipe) = child.stdin.take() {
        // A program that ends before it has read all prints the reason.
        _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
