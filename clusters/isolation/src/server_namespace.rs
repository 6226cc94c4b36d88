//! A network namespace for one server: it has only a loopback device, so that every port is free.

use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use crate::error::IsolationError;
use crate::links::switch_loopback_on;
use crate::namespaces::NetworkNamespace;
use crate::processes::outer_pid;

/// The network namespace of one server. It exists as long as this value or a process in it.
#[derive(Debug)]
pub struct ServerNamespace {
    namespace: NetworkNamespace,
    /// The path at which other processes can open the namespace while this value lives.
    pub path: PathBuf,
    /// The namespace's inode, by which its processes are identified.
    pub inode: u64,
}

impl ServerNamespace {
    /// Makes the namespace; this thread stays in its own.
    ///
    /// # Errors
    /// When the kernel does not allow it. It does where [`crate::enter_namespaces`] succeeded.
    pub fn create() -> Result<Self, IsolationError> {
        let home = NetworkNamespace::current()?;
        let namespace = NetworkNamespace::create()?;
        let configured = switch_loopback_on();
        home.enter()?;
        configured?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", outer_pid()?, namespace.as_raw_fd()));
        let inode = namespace.inode()?;
        Ok(Self { namespace, path, inode })
    }

    /// Calls `act`, which may start a process, in the namespace.
    ///
    /// # Errors
    /// When the kernel does not let this thread enter the namespace, or return.
    pub fn within<T>(&self, act: impl FnOnce() -> T) -> Result<T, IsolationError> {
        let home = NetworkNamespace::current()?;
        self.namespace.enter()?;
        let result = act();
        home.enter()?;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    #[test]
    fn two_servers_have_the_same_port() {
        // On a thread of its own, because a namespace belongs to a thread.
        let test = thread::spawn(|| {
            let (one, other) = match (ServerNamespace::create(), ServerNamespace::create()) {
                (Ok(one), Ok(other)) => (one, other),
                (Err(error), _) | (_, Err(error)) => return Some(error.to_string()),
            };
            assert_ne!(one.inode, other.inode);
            let listen = |namespace: &ServerNamespace| {
                namespace
                    .within(|| TcpListener::bind("127.0.0.1:18000"))
                    .unwrap()
                    .unwrap()
            };
            let listeners = [listen(&one), listen(&other)];
            let connect =
                |namespace: &ServerNamespace| namespace.within(|| TcpStream::connect("127.0.0.1:18000")).unwrap();
            let streams = [connect(&one).unwrap(), connect(&other).unwrap()];
            for (listener, stream) in listeners.iter().zip(&streams) {
                assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
            }
            None
        });
        if let Some(reason) = test.join().unwrap() {
            println!("SKIPPED: two servers have the same port: {reason}");
        }
    }
}
