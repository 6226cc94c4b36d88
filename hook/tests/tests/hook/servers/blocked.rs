//! Mode `block` in real servers: the server treats a client that sends a word like a client that closes its side.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use anyhow::{Result, ensure};
use hook_tests::{built, telemetry_file};
use tempfile::TempDir;

use super::process::{Kind, Server};
use super::protocol::{Protocol, WORD};
use super::telemetry::counters;

/// Number of connections. Each sends some ordinary requests and then its ending.
const CONNECTIONS: usize = 100;
// No request asks for a missing page, because some servers close the connection after such a request.
const ORDINARY: [usize; 4] = [1, 2, 4, 5];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The client closes its side.
    Closed,
    /// The client sends a word and leaves its side open.
    Word,
    /// The client sends a word in two parts.
    DividedWord,
}

/// Bytes that a client receives: an answer to each ordinary request, and all bytes after the ending until the server
/// closes.
type Answers = Vec<Vec<u8>>;

fn connection(protocol: Protocol, server: &Server, ending: Ending) -> Result<Answers> {
    let mut stream = server.connect()?;
    let mut seen = Vec::new();
    for number in ORDINARY {
        stream.write_all(protocol.request(number).as_bytes())?;
        seen.push(protocol.lasting(&protocol.answer(&stream)?));
    }
    let bad = protocol.request(10);
    let cut = bad.find(WORD).map_or(0, |at| at + 3);
    match ending {
        Ending::Closed => stream.shutdown(Shutdown::Write)?,
        Ending::Word => stream.write_all(bad.as_bytes())?,
        Ending::DividedWord => {
            stream.write_all(&bad.as_bytes()[..cut])?;
            std::thread::sleep(std::time::Duration::from_millis(5));
            stream.write_all(&bad.as_bytes()[cut..])?;
        }
    }
    seen.push(protocol.lasting(&until_closed(&mut stream)?));
    Ok(seen)
}

/// Reads until the server closes. A reset ends the stream too: the server may close before it has read all bytes.
fn until_closed(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error.into()),
        Ok(_) | Err(_) => Ok(rest),
    }
}

pub(crate) fn compare(kind: Kind) -> Result<()> {
    if let Some(missing) = kind.missing() {
        println!("SKIPPED: blocking in {kind:?}: {missing}");
        return Ok(());
    }
    let directory = TempDir::new()?;
    let bare = Server::start(kind, directory.path(), &[])?;
    let closed = connection(kind.protocol(), &bare, Ending::Closed)?;
    drop(bare);

    telemetry_file(&directory.path().join("telemetry"), 0)?;
    let environment = [
        ("LD_PRELOAD", built().hook.display().to_string()),
        ("READHOOK_MODE", "block".to_owned()),
        (
            "READHOOK_TELEMETRY",
            directory.path().join("telemetry").display().to_string(),
        ),
    ];
    let server = Server::start(kind, directory.path(), &environment)?;
    for number in 0..CONNECTIONS {
        // Connections that close and connections that are blocked alternate, and none disturbs another.
        let ending = [Ending::Word, Ending::Closed, Ending::Word, Ending::DividedWord][number % 4];
        let seen = connection(kind.protocol(), &server, ending)?;
        if ending == Ending::DividedWord {
            // The server may have received the first part alone and answered it; the ordinary answers are unchanged.
            ensure!(seen[..ORDINARY.len()] == closed[..ORDINARY.len()], "{kind:?}: {number}");
            continue;
        }
        ensure!(
            seen == closed,
            "{kind:?}: connection {number}:\n{}\nclosed by its client:\n{}",
            String::from_utf8_lossy(&seen.concat()),
            String::from_utf8_lossy(&closed.concat())
        );
    }
    drop(server);
    let counters = counters(directory.path())?;
    let words = (CONNECTIONS - CONNECTIONS / 4) as u64;
    ensure!(
        counters.hits == words && counters.blocked >= words,
        "{kind:?}: {counters:?}"
    );
    Ok(())
}
