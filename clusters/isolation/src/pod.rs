//! A network namespace for one server: nothing in it but a loopback device, so that any port is free.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use crate::error::IsolationError;
use crate::network::{bring_loopback_up, go_to, new_namespace, present};
use crate::processes::outer_pid;

/// The namespace, which lives as long as this value or a process in it.
#[derive(Debug)]
pub struct Pod {
    namespace: File,
    /// Where other processes find the namespace, while this value lives.
    pub path: PathBuf,
    /// The namespace's number, by which its processes are known.
    pub inode: u64,
}

impl Pod {
    /// Makes the namespace; this thread stays where it is.
    ///
    /// # Errors
    /// When the kernel does not allow it: call this where [`crate::enter`] has given namespaces.
    pub fn new() -> Result<Self, IsolationError> {
        let home = present()?;
        let namespace = new_namespace()?;
        let made = bring_loopback_up();
        go_to(&home)?;
        made?;
        let path = PathBuf::from(format!("/proc/{}/fd/{}", outer_pid()?, namespace.as_raw_fd()));
        let inode = namespace.metadata().map_err(IsolationError::file(&path))?.ino();
        Ok(Self { namespace, path, inode })
    }

    /// Does something, such as starting a process, from within the namespace.
    ///
    /// # Errors
    /// When the kernel does not let this thread in, or back.
    pub fn within<T>(&self, act: impl FnOnce() -> T) -> Result<T, IsolationError> {
        let home = present()?;
        go_to(&self.namespace)?;
        let result = act();
        go_to(&home)?;
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
        // A thread's namespaces are its own, so that the other tests stay where they are.
        let tried = thread::spawn(|| {
            let (one, other) = match (Pod::new(), Pod::new()) {
                (Ok(one), Ok(other)) => (one, other),
                (Err(error), _) | (_, Err(error)) => return Some(error.to_string()),
            };
            assert_ne!(one.inode, other.inode);
            let listen = |pod: &Pod| pod.within(|| TcpListener::bind("127.0.0.1:18000")).unwrap().unwrap();
            let listeners = [listen(&one), listen(&other)];
            let connect = |pod: &Pod| pod.within(|| TcpStream::connect("127.0.0.1:18000")).unwrap();
            let streams = [connect(&one).unwrap(), connect(&other).unwrap()];
            for (listener, stream) in listeners.iter().zip(&streams) {
                assert_eq!(listener.accept().unwrap().1, stream.local_addr().unwrap());
            }
            None
        });
        if let Some(reason) = tried.join().unwrap() {
            println!("SKIPPED: two servers have the same port: {reason}");
        }
    }
}
