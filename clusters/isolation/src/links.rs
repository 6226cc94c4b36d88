//! Virtual links and their addresses, configured through netlink.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd as _;

use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth, LinkVxlan, RouteMessageBuilder};

use crate::error::IsolationError;
use crate::namespaces::NetworkNamespace;

/// Length of the prefix of all addresses, bits.
const PREFIX_BITS: u8 = 24;
/// Port for VXLAN; DOI 10.17487/RFC7348, section 8.
const VXLAN_PORT: u16 = 4789;
/// Largest packet in the overlay network, bytes: 1500 minus the outer IPv4, UDP, VXLAN and inner Ethernet headers.
const OVERLAY_MTU: u32 = 1450;

/// A link from a bridge to another namespace.
pub(crate) struct Cable<'a> {
    /// The link's name at the bridge.
    pub(crate) port: &'static str,
    /// Its name at the other end.
    pub(crate) peer: &'static str,
    /// The namespace at the other end.
    pub(crate) to: &'a NetworkNamespace,
}

/// Makes the link `bridge` in a namespace, and joins each other namespace to it by a cable.
pub(crate) fn add_bridge<const N: usize>(
    namespace: &NetworkNamespace,
    cables: [Cable<'_>; N],
) -> Result<(), IsolationError> {
    namespace.enter()?;
    configure(async |handle| {
        let add = handle.link().add(LinkBridge::new("bridge").build());
        add.execute().await.map_err(netlink("create a bridge"))?;
        switch_on(&handle, "bridge").await?;
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

/// Joins the bridge of a node to the bridge of the node at `remote`, through VXLAN on the link `node`.
pub(crate) fn add_overlay(node: &NetworkNamespace, local: Ipv4Addr, remote: Ipv4Addr) -> Result<(), IsolationError> {
    node.enter()?;
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

/// Limits the size of packets on a link, so that the headers of the overlay network fit.
pub(crate) fn limit_packets(namespace: &NetworkNamespace, link: &str) -> Result<(), IsolationError> {
    namespace.enter()?;
    configure(async |handle| {
        let smaller = LinkUnspec::new_with_name(link).mtu(OVERLAY_MTU).build();
        set(&handle, smaller, "limit a link's packets").await
    })
}

/// Gives a link its address and switches it and the loopback device on.
pub(crate) fn add_address(namespace: &NetworkNamespace, link: &str, address: Ipv4Addr) -> Result<(), IsolationError> {
    namespace.enter()?;
    configure(async |handle| {
        switch_on(&handle, "lo").await?;
        let index = index(&handle, link).await?;
        let add = handle.address().add(index, IpAddr::V4(address), PREFIX_BITS);
        add.execute().await.map_err(netlink("give a link its address"))?;
        switch_on(&handle, link).await
    })
}

/// Adds a route to one address through a gateway.
pub(crate) fn add_route(
    namespace: &NetworkNamespace,
    address: Ipv4Addr,
    gateway: Ipv4Addr,
) -> Result<(), IsolationError> {
    namespace.enter()?;
    configure(async |handle| {
        let route = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(address, 32)
            .gateway(gateway);
        let add = handle.route().add(route.build());
        add.execute().await.map_err(netlink("add a route"))
    })
}

/// Switches the loopback device of this thread's namespace on.
pub(crate) fn switch_loopback_on() -> Result<(), IsolationError> {
    configure(async |handle| switch_on(&handle, "lo").await)
}

/// Runs `change` with a netlink socket of this thread's namespace.
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

async fn switch_on(handle: &Handle, name: &str) -> Result<(), IsolationError> {
    let link = LinkUnspec::new_with_name(name).up().build();
    set(handle, link, "switch a link on").await
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
    // The kernel returns an error for an unknown name.
    Ok(link.map_or(0, |link| link.header.index))
}

fn netlink(action: &'static str) -> impl FnOnce(rtnetlink::Error) -> IsolationError {
    move |source| IsolationError::Netlink {
        action: action.to_owned(),
        source: Box::new(source),
    }
}
