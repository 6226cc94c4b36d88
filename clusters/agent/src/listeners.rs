//! Sockets that listen, from the kernel's tables of this network namespace.

use std::collections::BTreeSet;

use procfs::net::TcpState;
use procfs::process::{FDTarget, all_processes};

/// Returns the inodes of the sockets that listen on a port.
fn sockets(port: u16) -> BTreeSet<u64> {
    let sockets = [procfs::net::tcp(), procfs::net::tcp6()];
    let sockets = sockets.into_iter().flatten().flatten();
    let listening = sockets.filter(|socket| socket.state == TcpState::Listen && socket.local_address.port() == port);
    listening.map(|socket| socket.inode).collect()
}

/// Returns true when a socket listens on a port. In a pod, it may belong to another container.
pub(crate) fn is_listening(port: u16) -> bool {
    !sockets(port).is_empty()
}

/// Returns the processes of this container that hold a socket which listens on a port.
pub(crate) fn processes(port: u16) -> Vec<i32> {
    let sockets = sockets(port);
    let holds = |process: &procfs::process::Process| {
        let mut descriptors = process.fd().into_iter().flatten().flatten();
        descriptors.any(|descriptor| matches!(descriptor.target, FDTarget::Socket(inode) if sockets.contains(&inode)))
    };
    let processes = all_processes().into_iter().flatten().flatten();
    processes.filter(holds).map(|process| process.pid).collect()
}
