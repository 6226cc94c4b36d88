//! System calls on the connections of a client, from the output of strace.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use dataset::PayloadCount;

use super::probe_result::ProbeResult;
use crate::blind_spots::BlindSpot;

/// The option of strace that names the traced calls: accept, receive and send calls, and the call that opens an io_uring, which
/// can receive without calls.
const TRACED: &str = "trace=accept,accept4,read,readv,recvfrom,recvmsg,recvmmsg,preadv2,splice,\
                      write,writev,sendto,sendmsg,sendmmsg,pwritev2,sendfile,io_uring_setup";
const RECEIVING: [&str; 7] = ["read", "readv", "recvfrom", "recvmsg", "recvmmsg", "preadv2", "splice"];

/// Returns the reason why strace does not work on this machine; `None` if it works.
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

/// Returns a command that runs another command and writes its trace into a file.
pub(super) fn command(to: &Path, command: &[String]) -> Vec<String> {
    let options = "strace -f --seccomp-bpf -qq -yy -s 0 -e signal=none -e".split(' ');
    let mut words: Vec<String> = options.chain([TRACED, "-o"]).map(str::to_owned).collect();
    words.push(to.to_string_lossy().into_owned());
    words.extend_from_slice(command);
    words
}

/// Adds to an observation the calls of a trace on the connections between the server's port and the client's ports.
pub(super) fn read(text: &str, server: u16, clients: &[u16], result: &mut ProbeResult) {
    let is_ours = |decorated: &str| {
        clients
            .iter()
            .any(|client| decorated.contains(&format!(":{server}->")) && decorated.contains(&format!(":{client}]")))
    };
    // strace writes a call in two parts if another thread makes a call meanwhile.
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
        let Some((call, returned)) = whole.rsplit_once(" = ") else {
            continue;
        };
        if name == "io_uring_setup" && !returned.starts_with('-') {
            result.blind_spots.insert(BlindSpot::IoUring("the server".to_owned()));
        } else if name.starts_with("accept") {
            if is_ours(returned) {
                *result.passed.accepts.entry(name.to_owned()).or_default() += 1;
            }
        } else if is_ours(call) {
            // The result of a call with several messages is the number of messages.
            let bytes = if name.ends_with("mmsg") {
                lengths(call)
            } else {
                number(returned)
            };
            let to = if RECEIVING.contains(&name) {
                &mut result.passed.received
            } else {
                &mut result.passed.sent
            };
            if let Some(bytes @ 1..) = bytes {
                let carried: &mut PayloadCount = to.entry(name.to_owned()).or_default();
                carried.calls += 1;
                carried.bytes += bytes;
            }
        }
    }
}

fn number(returned: &str) -> Option<u64> {
    returned.split_whitespace().next()?.parse().ok()
}

/// Returns the sum of `msg_len` over all messages of a call.
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
        let mut result = ProbeResult::default();
        read(TRACE, 80, &[5000, 5001], &mut result);
        assert_eq!(result.passed.accepts, BTreeMap::from([("accept4".to_owned(), 1)]));
        let carried = |calls, bytes| PayloadCount { calls, bytes };
        assert_eq!(
            result.passed.received,
            BTreeMap::from([
                ("read".to_owned(), carried(1, 60)),
                ("recvfrom".to_owned(), carried(1, 59)),
                ("recvmmsg".to_owned(), carried(1, 12)),
            ])
        );
        assert_eq!(
            result.passed.sent,
            BTreeMap::from([("writev".to_owned(), carried(1, 154))])
        );
        assert_eq!(result.blind_spots.len(), 1);
    }
}
