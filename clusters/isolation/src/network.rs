//! Links and addresses of a place.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::sched::{CloneFlags, setns, unshare};
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth, LinkVxlan, RouteMessageBuilder};

use crate::error::IsolationError;
use crate::service;
use model::{IsolationLevel, Topology};

pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 3);
const PREFIX: u8 = 24;
/// The bridge's own address, where it is a node's.
const NODE: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 1);
/// The nodes' own addresses, between which the overlay's packets travel: the server's node, the client's node.
const NODES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 24, 0, 2), Ipv4Addr::new(10, 24, 0, 3)];
/// Port for VXLAN; DOI 10.17487/RFC7348, section 8.
const VXLAN_PORT: u16 = 4789;
/// Largest packet within the overlay, bytes: 1500 without the outer IPv4, UDP, VXLAN and inner Ethernet headers.
const OVERLAY_MTU: u32 = 1450;

/// A place's network. Processes are put into it by moving the calling thread before it starts them.
#[derive(Debug)]
pub struct Network {
    ends: Option<Ends>,
}

#[derive(Debug)]
struct Ends {
    server: File,
    client: File,
    /// What the client addresses instead of the servers.
    service: Option<Ipv4Addr>,
    /// The namespaces between the two, where there are nodes theirs first. Nothing runs in them: they, and the links in
    /// them, live as long as they are held here.
    between: Vec<File>,
}

/// A link from a bridge to another namespace.
struct Cable<'a> {
    /// The link's name at the bridge.
    port: &'static str,
    /// Its name at the other end.
    peer: &'static str,
    /// The other end.
    to: &'a File,
}

impl Network {
    /// Sets up links and addresses in the namespace that this thread is in, and in further ones where the place has
    /// more. Call it from a process that [`crate::enter`]'s caller has started, before it starts threads.
    ///
    /// # Errors
    /// When the level has no such place, or the kernel refuses.
    pub fn build(place: Topology, level: IsolationLevel) -> Result<Self, IsolationError> {
        match (place, level) {
            (Topology::LocalPod, IsolationLevel::Loopback) => Ok(Self { ends: None }),
            (Topology::LocalBridge | Topology::LocalNodes | Topology::LocalService, IsolationLevel::Loopback) => {
                Err(IsolationError::Unavailable {
                    topology: place.name(),
                    level: level.name(),
                })
            }
            (Topology::LocalPod, _) => {
                bring_loopback_up()?;
                Ok(Self { ends: None })
            }
            (Topology::LocalBridge, _) => bridge().map(|ends| Self { ends: Some(ends) }),
            (Topology::LocalNodes, _) => nodes().map(|ends| Self { ends: Some(ends) }),
            (Topology::LocalService, _) => translated().map(|ends| Self { ends: Some(ends) }),
        }
    }

    /// Where servers are to listen.
    #[must_use]
    pub const fn server_address(&self) -> IpAddr {
        match self.ends {
            Some(_) => IpAddr::V4(SERVER),
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// What a client connects to, to reach a server that listens at this address.
    #[must_use]
    pub fn reached_at(&self, server: SocketAddr) -> SocketAddr {
        match self.ends.as_ref().and_then(|ends| ends.service) {
            Some(service) => SocketAddr::from((service, server.port())),
            None => server,
        }
    }

    /// Moves this thread, and with it the processes that it will start, to the servers' end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn go_to_server(&self) -> Result<(), IsolationError> {
        self.ends.as_ref().map_or(Ok(()), |ends| go_to(&ends.server))
    }

    /// Moves this thread, and with it the processes that it will start, to the client's end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn go_to_client(&self) -> Result<(), IsolationError> {
        self.ends.as_ref().map_or(Ok(()), |ends| go_to(&ends.client))
    }
}

/// The present namespace becomes the bridge's; it is no container engine's, whose packet filter could interfere.
fn bridge() -> Result<Ends, IsolationError> {
    let middle = present()?;
    let (server, client) = (new_namespace()?, new_namespace()?);
    let cables = [("to-server", &server), ("to-client", &client)];
    switch(&middle, cables.map(|(port, to)| Cable { port, peer: "eth0", to }))?;
    address(&server, "eth0", SERVER)?;
    address(&client, "eth0", CLIENT)?;
    Ok(Ends {
        server,
        client,
        service: None,
        between: vec![middle],
    })
}

/// The same with the bridge's namespace as a node, which translates a service's address to the servers'.
fn translated() -> Result<Ends, IsolationError> {
    let ends = bridge()?;
    address(&ends.between[0], "bridge", NODE)?;
    service::translate("bridge", SERVER)?;
    go_to(&ends.client)?;
    configure(async |handle| {
        let route = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(service::ADDRESS, 32)
            .gateway(NODE);
        let add = handle.route().add(route.build());
        add.execute().await.map_err(netlink("add a route to the service"))
    })?;
    Ok(Ends {
        service: Some(service::ADDRESS),
        ..ends
    })
}

/// The present namespace becomes the switch between two nodes. Each node has a bridge for its pods, which the overlay
/// joins to the other node's: a packet passes pod, bridge, VXLAN, the nodes' own network, and the same upwards.
fn nodes() -> Result<Ends, IsolationError> {
    let middle = present()?;
    let nodes = [new_namespace()?, new_namespace()?];
    let (server, client) = (new_namespace()?, new_namespace()?);
    let cables = [("to-server-node", &nodes[0]), ("to-client-node", &nodes[1])];
    switch(&middle, cables.map(|(port, to)| Cable { port, peer: "node", to }))?;
    for (index, (pod, pod_address)) in [(&server, SERVER), (&client, CLIENT)].into_iter().enumerate() {
        let node = &nodes[index];
        address(node, "node", NODES[index])?;
        let cable = Cable {
            port: "to-pod",
            peer: "eth0",
            to: pod,
        };
        switch(node, [cable])?;
        overlay(node, NODES[index], NODES[1 - index])?;
        shrink(pod, "eth0")?;
        address(pod, "eth0", pod_address)?;
    }
    let [first, second] = nodes;
    Ok(Ends {
        server,
        client,
        service: None,
        between: vec![first, second, middle],
    })
}

/// Makes a bridge in a namespace, and a link from it to each of the others.
fn switch<const N: usize>(namespace: &File, cables: [Cable<'_>; N]) -> Result<(), IsolationError> {
    go_to(namespace)?;
    configure(async |handle| {
        let add = handle.link().add(LinkBridge::new("bridge").build());
        add.execute().await.map_err(netlink("create a bridge"))?;
        up(&handle, "bridge").await?;
        let bridge = index(&handle, "bridge").await?;
        for Cable { port, peer, to } in cables {
            let pair = handle.link().add(LinkVeth::new(port, peer).build());
            pair.execute()
                .await
                .map_err(netlink("create a pair of virtual links"))?;
            let moved = LinkUnspec::new_with_name(peer).setns_by_fd(to.as_raw_fd()).build();
            set(&handle, moved, "move a link").await?;
            let port = LinkUnspec::new_with_name(port).controller(bridge).up().build();
            set(&handle, port, "join a link to the bridge").await?;
        }
        Ok(())
    })
}

/// Joins a node's bridge to that of the node at `remote`.
fn overlay(node: &File, local: Ipv4Addr, remote: Ipv4Addr) -> Result<(), IsolationError> {
    go_to(node)?;
    configure(async |handle| {
        let link = LinkVxlan::new("overlay", 1)
            .dev(index(&handle, "node").await?)
            .local(local)
            .remote(remote)
            .port(VXLAN_PORT)
            .controller(index(&handle, "bridge").await?)
            .up();
        let add = handle.link().add(link.build());
        add.execute().await.map_err(netlink("create a VXLAN link"))
    })
}

/// Leaves room for the overlay's headers in a pod's packets.
fn shrink(pod: &File, link: &str) -> Result<(), IsolationError> {
    go_to(pod)?;
    configure(async |handle| {
        let smaller = LinkUnspec::new_with_name(link).mtu(OVERLAY_MTU).build();
        set(&handle, smaller, "limit a link's packets").await
    })
}

/// Gives a link its address and switches it on.
fn address(namespace: &File, link: &str, address: Ipv4Addr) -> Result<(), IsolationError> {
    go_to(namespace)?;
    configure(async |handle| {
        up(&handle, "lo").await?;
        let index = index(&handle, link).await?;
        let add = handle.address().add(index, IpAddr::V4(address), PREFIX);
        add.execute().await.map_err(netlink("give a link its address"))?;
        up(&handle, link).await
    })
}

/// Switches the loopback device of this thread's namespace on.
pub(crate) fn bring_loopback_up() -> Result<(), IsolationError> {
    configure(async |handle| up(&handle, "lo").await)
}

pub(crate) fn present() -> Result<File, IsolationError> {
    let path = "/proc/thread-self/ns/net";
    File::open(path).map_err(IsolationError::file(path))
}

pub(crate) fn new_namespace() -> Result<File, IsolationError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(IsolationError::system("make a network namespace"))?;
    present()
}

pub(crate) fn go_to(namespace: &File) -> Result<(), IsolationError> {
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(IsolationError::system("enter a network namespace"))
}

/// Runs `change` with a netlink socket of the namespace that this thread is in.
fn configure(change: impl AsyncFnOnce(Handle) -> Result<(), IsolationError>) -> Result<(), IsolationError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, handle, _messages) = rtnetlink::new_connection()?;
        let connection = tokio::spawn(connection);
        let result = change(handle).await;
        connection.abort();
        result
    })
}

async fn up(handle: &Handle, name: &str) -> Result<(), IsolationError> {
    set(handle, LinkUnspec::new_with_name(name).up().build(), "switch a link on").await
}

async fn set(
    handle: &Handle,
    message: rtnetlink::packet_route::link::LinkMessage,
    action: &'static str,
) -> Result<(), IsolationError> {
    handle.link().set(message).execute().await.map_err(netlink(action))
}

async fn index(handle: &Handle, name: &str) -> Result<u32, IsolationError> {
    use futures_util::TryStreamExt;
    let mut links = handle.link().get().match_name(name.to_owned()).execute();
    let link = links.try_next().await.map_err(netlink("find a link"))?;
    // The kernel answers with an error for a name that is not there.
    Ok(link.map_or(0, |link| link.header.index))
}

fn netlink(action: &'static str) -> impl FnOnce(rtnetlink::Error) -> IsolationError {
    move |source| IsolationError::Netlink {
        action: action.to_owned(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Packets that a link of this thread's namespace has received and sent.
    fn packets(link: &str) -> (u64, u64) {
        let text = fs::read_to_string("/proc/thread-self/net/dev").expect("the kernel lists the links");
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(link)?.strip_prefix(':'));
        let fields: Vec<u64> = line
            .expect("the link is there")
            .split_whitespace()
            .map(|field| field.parse().expect("a number"))
            .collect();
        (fields[1], fields[9])
    }

    #[test]
    fn what_two_pods_say_to_each_other_passes_the_overlay() {
        // On a thread of its own, since namespaces belong to threads.
        let tried = thread::spawn(|| {
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
                println!("SKIPPED: local-nodes: no network namespace can be made here ({error}); run as root");
                return;
            }
            let network = Network::build(Topology::LocalNodes, IsolationLevel::Namespaces).expect("two nodes");
            network.go_to_server().expect("the server's pod");
            let listener = TcpListener::bind((network.server_address(), 0)).expect("it listens");
            let address = listener.local_addr().expect("its address");
            network.go_to_client().expect("the client's pod");
            let mut client = TcpStream::connect(address).expect("the pods reach each other");
            // Many packets of full size: one that is too large for the overlay would be lost.
            let said = vec![7; 300_000];
            let copy = said.clone();
            let sender = thread::spawn(move || client.write_all(&copy).expect("all is sent"));
            let mut heard = Vec::new();
            let (mut server, _) = listener.accept().expect("the client is there");
            server
                .set_read_timeout(Some(Duration::from_secs(60)))
                .expect("a time limit");
            server.read_to_end(&mut heard).expect("all is received");
            sender.join().expect("the sender ends");
            assert_eq!(heard, said);
            for node in &network.ends.as_ref().expect("ends").between[..2] {
                go_to(node).expect("the node");
                let (received, sent) = packets("overlay");
                assert!(received > 5 && sent > 5, "{received} received, {sent} sent");
            }
        });
        tried.join().expect("the thread ends");
    }

    #[test]
    fn what_is_said_to_a_service_is_translated() {
        let tried = thread::spawn(|| {
            if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
                println!("SKIPPED: local-service: no network namespace can be made here ({error}); run as root");
                return;
            }
            let network = match Network::build(Topology::LocalService, IsolationLevel::Namespaces) {
                Ok(network) => network,
                Err(error) => {
                    println!("SKIPPED: local-service: {error}");
                    return;
                }
            };
            network.go_to_server().expect("the server's end");
            let listener = TcpListener::bind((network.server_address(), 0)).expect("it listens");
            let address = listener.local_addr().expect("its address");
            network.go_to_client().expect("the client's end");
            let service = network.reached_at(address);
            assert!(
                service.ip() != address.ip() && service.port() == address.port(),
                "{service}"
            );
            for _ in 0..3 {
                let mut client = TcpStream::connect(service).expect("the service is reached");
                assert_eq!(client.peer_addr().expect("connected"), service);
                let (mut server, _) = listener.accept().expect("the client is there");
                // The kernel tells the server the address that the rule has put in.
                assert_eq!(server.local_addr().expect("connected"), address);
                client.write_all(b"ping").expect("sent");
                let mut heard = [0; 4];
                server.read_exact(&mut heard).expect("received");
                server.write_all(&heard).expect("answered");
                client.read_exact(&mut heard).expect("the answer comes back");
                assert_eq!(&heard, b"ping");
            }
            go_to(&network.ends.as_ref().expect("ends").between[0]).expect("the node");
            // The first packet of each connection decides for all of it.
            assert_eq!(service::connections().expect("the rule's counter"), 3);
        });
        tried.join().expect("the thread ends");
    }
}
