//! The network of a launch: topologies made of namespaces and virtual links.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use model::{IsolationLevel, Topology};

use crate::error::IsolationError;
use crate::links::{self, Cable};
use crate::namespaces::NetworkNamespace;
use crate::service_address;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 3);
/// The bridge's address when its namespace is a node.
const NODE: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 1);
/// The addresses of the server's node and of the client's node. Packets of the overlay network pass between them.
const NODES: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 24, 0, 2), Ipv4Addr::new(10, 24, 0, 3)];

/// The network of a launch. To start a process in it, the calling thread first enters the end at which the process
/// belongs.
#[derive(Debug)]
pub struct LaunchNetwork {
    /// `None` when client and servers share this process's namespace.
    ends: Option<NetworkEnds>,
}

#[derive(Debug)]
struct NetworkEnds {
    server: NetworkNamespace,
    client: NetworkNamespace,
    /// The address of the service, which the client uses instead of the servers' address.
    service: Option<Ipv4Addr>,
    /// The namespaces between the two ends; nodes come first. No process runs in them, so these handles keep the
    /// namespaces and their links in existence.
    intermediate: Vec<NetworkNamespace>,
}

impl LaunchNetwork {
    /// Makes the links and addresses of a topology in the namespace of this thread, and in further namespaces. Call it in a
    /// child of the process that called [`crate::enter_namespaces`], before that child starts threads.
    ///
    /// # Errors
    /// When the isolation level cannot have the topology, or the kernel refuses.
    pub fn build(topology: Topology, level: IsolationLevel) -> Result<Self, IsolationError> {
        let ends = match (topology, level) {
            (Topology::LocalPod, IsolationLevel::Loopback) => None,
            (_, IsolationLevel::Loopback) => {
                return Err(IsolationError::Unavailable {
                    topology: topology.name(),
                    level: level.name(),
                });
            }
            (Topology::LocalPod, _) => {
                links::switch_loopback_on()?;
                None
            }
            (Topology::LocalBridge, _) => Some(bridge()?),
            (Topology::LocalNodes, _) => Some(nodes()?),
            (Topology::LocalService, _) => Some(service()?),
        };
        Ok(Self { ends })
    }

    /// Returns the address on which servers listen.
    #[must_use]
    pub const fn server_address(&self) -> IpAddr {
        match self.ends {
            Some(_) => IpAddr::V4(SERVER),
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
        }
    }

    /// Returns the address to which a client connects to reach a server that listens on `server`.
    #[must_use]
    pub fn target_address(&self, server: SocketAddr) -> SocketAddr {
        match self.ends.as_ref().and_then(|ends| ends.service) {
            Some(service) => SocketAddr::from((service, server.port())),
            None => server,
        }
    }

    /// Moves this thread, and the processes that it starts later, to the servers' end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn enter_server_end(&self) -> Result<(), IsolationError> {
        self.ends.as_ref().map_or(Ok(()), |ends| ends.server.enter())
    }

    /// Moves this thread, and the processes that it starts later, to the client's end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn enter_client_end(&self) -> Result<(), IsolationError> {
        self.ends.as_ref().map_or(Ok(()), |ends| ends.client.enter())
    }
}

/// Creates a bridge in this thread's network namespace, and a namespace each for server and client, which the bridge
/// connects. The packet filter of a container engine is in another namespace and cannot change the traffic.
fn bridge() -> Result<NetworkEnds, IsolationError> {
    let middle = NetworkNamespace::current()?;
    let (server, client) = (NetworkNamespace::create()?, NetworkNamespace::create()?);
    let cables = [("to-server", &server), ("to-client", &client)];
    links::add_bridge(&middle, cables.map(|(port, to)| Cable { port, peer: "eth0", to }))?;
    links::add_address(&server, "eth0", SERVER)?;
    links::add_address(&client, "eth0", CLIENT)?;
    Ok(NetworkEnds {
        server,
        client,
        service: None,
        intermediate: vec![middle],
    })
}

/// Creates the network of [`bridge`]. The bridge's namespace is also a node that translates the service's address to
/// the servers' address.
fn service() -> Result<NetworkEnds, IsolationError> {
    let ends = bridge()?;
    links::add_address(&ends.intermediate[0], "bridge", NODE)?;
    service_address::translate("bridge", SERVER)?;
    links::add_route(&ends.client, service_address::ADDRESS, NODE)?;
    Ok(NetworkEnds {
        service: Some(service_address::ADDRESS),
        ..ends
    })
}

/// Makes this thread's namespace the switch between two nodes. Each node has a bridge for its pods, and the overlay
/// joins the bridges: a packet passes pod, bridge, VXLAN and the network of the nodes, and then VXLAN, bridge and pod
/// of the other node.
fn nodes() -> Result<NetworkEnds, IsolationError> {
    let middle = NetworkNamespace::current()?;
    let nodes = [NetworkNamespace::create()?, NetworkNamespace::create()?];
    let (server, client) = (NetworkNamespace::create()?, NetworkNamespace::create()?);
    let cables = [("to-server-node", &nodes[0]), ("to-client-node", &nodes[1])];
    links::add_bridge(&middle, cables.map(|(port, to)| Cable { port, peer: "node", to }))?;
    for (index, (pod, pod_address)) in [(&server, SERVER), (&client, CLIENT)].into_iter().enumerate() {
        let node = &nodes[index];
        links::add_address(node, "node", NODES[index])?;
        let cable = Cable {
            port: "to-pod",
            peer: "eth0",
            to: pod,
        };
        links::add_bridge(node, [cable])?;
        links::add_overlay(node, NODES[index], NODES[1 - index])?;
        links::limit_packets(pod, "eth0")?;
        links::add_address(pod, "eth0", pod_address)?;
    }
    let [first, second] = nodes;
    Ok(NetworkEnds {
        server,
        client,
        service: None,
        intermediate: vec![first, second, middle],
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Returns the numbers of packets that a link of this thread's namespace has received and sent.
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

    /// Builds a topology on this thread. Returns `None`, and prints the reason, where the machine cannot have it: no network namespace
    /// can be made, or the address of a service cannot be translated. Any other error fails the test.
    fn network(topology: Topology) -> Option<LaunchNetwork> {
        if let Err(error) = NetworkNamespace::create() {
            println!("SKIPPED: {topology}: no network namespace can be made here ({error}); run as root");
            return None;
        }
        match LaunchNetwork::build(topology, IsolationLevel::Namespaces) {
            Err(error) if topology == Topology::LocalService => {
                println!("SKIPPED: {topology}: {error}");
                None
            }
            built => Some(built.expect("the topology")),
        }
    }

    #[test]
    fn a_client_reaches_its_server_in_every_topology() {
        for &topology in Topology::ALL {
            // On a thread of its own, because a namespace belongs to a thread.
            let test = thread::spawn(move || {
                let Some(network) = network(topology) else { return };
                network.enter_server_end().expect("the server's end");
                let listener = TcpListener::bind((network.server_address(), 0)).expect("it listens");
                let address = listener.local_addr().expect("its address");
                network.enter_client_end().expect("the client's end");
                let mut client = TcpStream::connect(network.target_address(address)).expect("the server is reached");
                client.write_all(b"ping").expect("sent");
                let mut message = [0; 4];
                let (mut server, _) = listener.accept().expect("the client is there");
                server.read_exact(&mut message).expect("received");
                assert_eq!(&message, b"ping");
            });
            test.join().expect("the thread ends");
        }
    }

    #[test]
    fn packets_between_two_pods_pass_the_overlay() {
        // On a thread of its own, because a namespace belongs to a thread.
        let test = thread::spawn(|| {
            let Some(network) = network(Topology::LocalNodes) else {
                return;
            };
            network.enter_server_end().expect("the server's pod");
            let listener = TcpListener::bind((network.server_address(), 0)).expect("it listens");
            let address = listener.local_addr().expect("its address");
            network.enter_client_end().expect("the client's pod");
            let mut client = TcpStream::connect(address).expect("the pods reach each other");
            // Many packets of full size: a packet that is too large for the overlay would be lost.
            let sent = vec![7; 300_000];
            let copy = sent.clone();
            let sender = thread::spawn(move || client.write_all(&copy).expect("all is sent"));
            let mut received = Vec::new();
            let (mut server, _) = listener.accept().expect("the client is there");
            server
                .set_read_timeout(Some(Duration::from_secs(60)))
                .expect("a time limit");
            server.read_to_end(&mut received).expect("all is received");
            sender.join().expect("the sender ends");
            assert_eq!(received, sent);
            for node in &network.ends.as_ref().expect("ends").intermediate[..2] {
                node.enter().expect("the node");
                let (received, sent) = packets("overlay");
                assert!(received > 5 && sent > 5, "{received} received, {sent} sent");
            }
        });
        test.join().expect("the thread ends");
    }

    #[test]
    fn connections_to_the_service_are_translated() {
        let test = thread::spawn(|| {
            let Some(network) = network(Topology::LocalService) else {
                return;
            };
            network.enter_server_end().expect("the server's end");
            let listener = TcpListener::bind((network.server_address(), 0)).expect("it listens");
            let address = listener.local_addr().expect("its address");
            network.enter_client_end().expect("the client's end");
            let service = network.target_address(address);
            assert!(
                service.ip() != address.ip() && service.port() == address.port(),
                "{service}"
            );
            for _ in 0..3 {
                let mut client = TcpStream::connect(service).expect("the service is reached");
                assert_eq!(client.peer_addr().expect("connected"), service);
                let (mut server, _) = listener.accept().expect("the client is there");
                // The server's end has the address that the rule has put in.
                assert_eq!(server.local_addr().expect("connected"), address);
                client.write_all(b"ping").expect("sent");
                let mut message = [0; 4];
                server.read_exact(&mut message).expect("received");
                server.write_all(&message).expect("answered");
                client.read_exact(&mut message).expect("the answer comes back");
                assert_eq!(&message, b"ping");
            }
            let node = &network.ends.as_ref().expect("ends").intermediate[0];
            node.enter().expect("the node");
            // The rule counts the first packet of each connection.
            assert_eq!(service_address::connections().expect("the rule's counter"), 3);
        });
        test.join().expect("the thread ends");
    }
}
