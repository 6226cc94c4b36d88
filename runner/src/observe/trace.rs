//! System calls on the connections of a client, from what strace writes.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use dataset::PayloadCount;

use super::probe_result::ProbeResult;
use crate::blind_spots::BlindSpot;

/// What carries connections and payload, and what opens the ring that can do so without calls.
const TRACED: &str = "trace=accept,accept4,read,readv,recvfrom,recvmsg,recvmmsg,preadv2,splice,\
                      write,writev,sendto,sendmsg,sendmmsg,pwritev2,sendfile,io_uring_setup";
const RECEIVING: [&str; 7] = ["read", "readv", "recvfrom", "recvmsg", "recvmmsg", "preadv2", "splice"];

/// Why nothing can be traced here.
pub(super) fn missing() -> Option<String> {
    let tried = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=none", "true"])
        .stdin(Stdio::null())
        .output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!(
            "strace cannot trace here: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(_) => Some("strace is not installed; Debian and nixpkgs have it as strace".to_owned()),
    }
}

/// The command that runs another with a trace.
pub(super) fn command(to: &Path, command: &[String]) -> Vec<String> {
    let options = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-yy",
        "-s",
        "0",
        "-e",
        TRACED,
        "-e",
        "signal=none",
        "-o",
    ];
    let options = options.map(str::to_owned).into_iter();
    options
        .chain([to.to_string_lossy().into_owned()])
        .chain(command.iter().cloned())
        .collect()
}

/// Adds what a trace tells of the connections between the server's port and these of the client's.
pub(super) fn read(text: &str, server: u16, clients: &[u16], asked: &mut ProbeResult) {
    let is_ours = |decorated: &str| {
        clients
            .iter()
            .any(|client| decorated.contains(&format!(":{server}->")) && decorated.contains(&format!(":{client}]")))
    };
    // A call that another thread's interrupts in the trace is written in two parts.
    let mut begun: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let rest = rest.trim_start();
        let (name, whole) = if let Some(resumed) = rest.strip_prefix("<... ") {
            let Some((name, beginning)) = begun.remove(thread) else {
                continue;
            };
            (name, beginning + resumed)
        } else {
            let Some((name, _)) = rest.split_once('(') else {
                continue;
            };
            if let Some(beginning) = rest.strip_suffix("<unfinished ...>") {
                begun.insert(thread, (name, beginning.to_owned()));
                continue;
            }
            (name, rest.to_owned())
        };
        let Some((call, result)) = whole.rsplit_once(" = ") else {
            continue;
        };
        if name == "io_uring_setup" && !result.starts_with('-') {
            asked.blind_spots.insert(BlindSpot::IoUring("the server".to_owned()));
        } else if name.starts_with("accept") {
            if is_ours(result) {
                *asked.passed.accepts.entry(name.to_owned()).or_default() += 1;
            }
        } else if is_ours(call) {
            // Of several messages in one call, the result is their number.
            let bytes = if name.ends_with("mmsg") {
                lengths(call)
            } else {
                number(result)
            };
            let to = if RECEIVING.contains(&name) {
                &mut asked.passed.received
            } else {
                &mut asked.passed.sent
            };
            if let Some(bytes @ 1..) = bytes {
                let carried: &mut PayloadCount = to.entry(name.to_owned()).or_default();
                carried.calls += 1;
                carried.bytes += bytes;
            }
        }
    }
}

fn number(result: &str) -> Option<u64> {
    result.split_whitespace().next()?.parse().ok()
}

/// The sum of `msg_len` of all messages.
fn lengths(call: &str) -> Option<u64> {
    let numbers = call.split("msg_len=").skip(1);
    let lengths = numbers.filter_map(|rest| {
        rest.split(|letter: char| !letter.is_ascii_digit())
            .next()?
            .parse::<u64>()
            .ok()
    });
    Some(lengths.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "\
12 accept4(6<TCP:[127.0.0.1:80]>, {sa_family=AF_INET, sin_port=htons(5000)}, [112 => 16], SOCK_NONBLOCK) = 3<TCP:[127.0.0.1:80->127.0.0.1:5000]>
12 recvfrom(3<TCP:[127.0.0.1:80->127.0.0.1:5000]>, \"\"..., 1024, 0, NULL, NULL) = 59
12 recvfrom(3<TCP:[127.0.0.1:80->127.0.0.1:5000]>, 0x55, 1024, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)
12 recvfrom(3<TCP:[127.0.0.1:80->127.0.0.1:50001]>, \"\"..., 1024, 0, NULL, NULL) = 59
13 read(4<TCPv6:[[::1]:80->[::1]:5001]>,  <unfinished ...>
12 writev(3<TCP:[127.0.0.1:80->127.0.0.1:5000]>, [{iov_base=\"\"..., iov_len=141}], 2) = 154
13 <... read resumed>\"\"..., 16384) = 60
12 read(9</etc/passwd>, \"\"..., 4096) = 100
14 recvmmsg(3<TCP:[127.0.0.1:80->127.0.0.1:5000]>, [{msg_hdr={}, msg_len=7}, {msg_hdr={}, msg_len=5}], 2, 0, NULL) = 2
15 io_uring_setup(8, {flags=0}) = 5<anon_inode:[io_uring]>
";

    #[test]
    fn calls_are_counted_on_the_clients_connections_only() {
        let mut asked = ProbeResult::default();
        read(TRACE, 80, &[5000, 5001], &mut asked);
        assert_eq!(asked.passed.accepts, BTreeMap::from([("accept4".to_owned(), 1)]));
        let carried = |calls, bytes| PayloadCount { calls, bytes };
        assert_eq!(
            asked.passed.received,
            BTreeMap::from([
                ("read".to_owned(), carried(1, 60)),
                ("recvfrom".to_owned(), carried(1, 59)),
                ("recvmmsg".to_owned(), carried(1, 12)),
            ])
        );
        assert_eq!(
            asked.passed.sent,
            BTreeMap::from([("writev".to_owned(), carried(1, 154))])
        );
        assert_eq!(asked.blind_spots.len(), 1);
    }
}
