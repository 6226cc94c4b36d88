//! The counterpart of `programs/sequences.c` in Rust. It reads call sequences from standard input and executes them
//! through the standard library, which selects the libc functions. It prints one hash for each sequence, or with the
//! argument `show` the result of each call, and at the end the number of payload receives.
#![forbid(unsafe_code)]

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, IoSliceMut, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

const TEXTS: [&[u8]; 10] = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /.git/config",
    b"/.e",
    b"nv",
    b".gi",
    b"t",
    b"x",
    b"wget http://",
    b"; cat /etc/passwd",
    b"<script>",
];

/// One end of a connection.
struct End {
    stream: UnixStream,
    accepted: bool,
}

struct Player {
    listener: UnixListener,
    address: SocketAddr,
    ends: Vec<End>,
    hash: DefaultHasher,
    show: bool,
    payloads: u64,
    bytes: u64,
}

impl Player {
    fn note(&mut self, what: &str, result: &io::Result<impl Debug>) {
        let text = match result {
            Ok(value) => format!("{value:?}"),
            Err(error) => format!("errno {:?}", error.raw_os_error()),
        };
        if self.show {
            println!("{what}: {text}");
        }
        text.hash(&mut self.hash);
    }

    fn took(&mut self, what: &str, accepted: bool, result: &io::Result<usize>, buffer: &[u8]) {
        if let Ok(taken @ 1..) = result
            && accepted
        {
            self.payloads += 1;
            self.bytes += *taken as u64;
        }
        buffer.hash(&mut self.hash);
        self.note(what, result);
    }

    fn connect(&mut self) -> io::Result<()> {
        let stream = UnixStream::connect_addr(&self.address)?;
        stream.set_nonblocking(true)?;
        self.ends.push(End {
            stream,
            accepted: false,
        });
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        let (stream, _) = self.listener.accept()?;
        stream.set_nonblocking(true)?;
        self.ends.push(End { stream, accepted: true });
        Ok(())
    }

    fn play(&mut self, [kind, a, b, c, d]: [u8; 5]) -> io::Result<()> {
        match kind % 12 {
            0 => {
                let connected = self.connect();
                self.note("connect", &connected);
            }
            1 => {
                let accepted = self.accept();
                self.note("accept", &accepted);
            }
            _ if self.ends.is_empty() => {}
            kind => {
                let index = usize::from(a) % self.ends.len();
                self.play_on(index, [kind, b, c, d])?;
            }
        }
        Ok(())
    }

    fn play_on(&mut self, index: usize, [kind, b, c, d]: [u8; 4]) -> io::Result<()> {
        let End { stream, accepted } = &self.ends[index];
        let (mut stream, accepted) = (stream, *accepted);
        let mut buffer = vec![b'#'; [512, 64, 16, 5, 1, 0][usize::from(b) % 6]];
        match kind {
            2..=4 => {
                let sent = stream.write(TEXTS[usize::from(b) % TEXTS.len()]);
                self.note("write", &sent);
            }
            5 | 6 => {
                let result = stream.read(&mut buffer);
                self.took("read", accepted, &result, &buffer);
            }
            7 => {
                let cut = (usize::from(c) % 40).min(buffer.len());
                let (first, second) = buffer.split_at_mut(cut);
                let result = stream.read_vectored(&mut [IoSliceMut::new(first), IoSliceMut::new(second)]);
                self.took("read_vectored", accepted, &result, &buffer);
            }
            8 => {
                let copy = stream.try_clone();
                self.note(
                    "try_clone",
                    &copy.as_ref().map_err(|error| io::Error::from(error.kind())).map(|_| ()),
                );
                self.ends.push(End {
                    stream: copy?,
                    accepted,
                });
            }
            9 => {
                // The standard library may read a file by another function than a stream.
                let mut file = std::fs::File::from(stream.as_fd().try_clone_to_owned()?);
                let result = file.read(&mut buffer);
                self.took("file", accepted, &result, &buffer);
            }
            10 if d % 4 == 0 => {
                let result = stream.shutdown([Shutdown::Read, Shutdown::Write, Shutdown::Both][usize::from(b) % 3]);
                self.note("shutdown", &result);
            }
            10 => {
                let result = std::thread::scope(|scope| scope.spawn(|| (&*stream).read(&mut buffer)).join());
                let result = result.expect("a reading thread does not panic");
                self.took("in a thread", accepted, &result, &buffer);
            }
            _ => drop(self.ends.swap_remove(index)),
        }
        Ok(())
    }
}

fn main() -> io::Result<()> {
    let address = SocketAddr::from_abstract_name(format!("sequences-rust-{}", std::process::id()))?;
    let listener = UnixListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    let mut player = Player {
        listener,
        address,
        ends: Vec::new(),
        hash: DefaultHasher::new(),
        show: std::env::args().nth(1).as_deref() == Some("show"),
        payloads: 0,
        bytes: 0,
    };
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let mut rest = &input[..];
    while let Some((&calls, more)) = rest.split_first() {
        let (sequence, more) = more.split_at(5 * usize::from(calls));
        rest = more;
        player.hash = DefaultHasher::new();
        player.connect()?;
        player.accept()?;
        for call in sequence.as_chunks().0 {
            player.play(*call)?;
        }
        player.ends.clear();
        while player.listener.accept().is_ok() {}
        println!("{:016x}", player.hash.finish());
    }
    println!("payloads {} bytes {}", player.payloads, player.bytes);
    Ok(())
}
