//! Links and addresses of a place.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd;

use nix::sched::{CloneFlags, setns, unshare};
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth};

use crate::error::Error;
use crate::place::{Level, Place};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 23, 0, 3);
const PREFIX: u8 = 24;

/// A place's network. Processes are put into it by moving the calling thread before it starts them.
#[derive(Debug)]
pub struct Network {
    ends: Option<Ends>,
}

#[derive(Debug)]
struct Ends {
    server: File,
    client: File,
}

impl Network {
    /// Sets up links and addresses in the namespace that this thread is in, and in further ones where the place has
    /// more. Call it from a process that [`crate::enter`]'s caller has started, before it starts threads.
    ///
    /// # Errors
    /// When the level has no such place, or the kernel refuses.
    pub fn build(place: Place, level: Level) -> Result<Self, Error> {
        match (place, level) {
            (Place::LocalPod, Level::Loopback) => Ok(Self { ends: None }),
            (Place::LocalBridge, Level::Loopback) => Err(Error::Unavailable {
                place: place.name(),
                level: level.name(),
            }),
            (Place::LocalPod, _) => {
                configure(async |handle| up(&handle, "lo").await)?;
                Ok(Self { ends: None })
            }
            (Place::LocalBridge, _) => bridge().map(|ends| Self { ends: Some(ends) }),
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

    /// Moves this thread, and with it the processes that it will start, to the servers' end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn go_to_server(&self) -> Result<(), Error> {
        self.ends.as_ref().map_or(Ok(()), |ends| go_to(&ends.server))
    }

    /// Moves this thread, and with it the processes that it will start, to the client's end.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn go_to_client(&self) -> Result<(), Error> {
        self.ends.as_ref().map_or(Ok(()), |ends| go_to(&ends.client))
    }
}

/// The present namespace becomes the bridge's; it is no container engine's, whose packet filter could interfere.
fn bridge() -> Result<Ends, Error> {
    let middle = present()?;
    let server = new_namespace()?;
    let client = new_namespace()?;
    go_to(&middle)?;
    configure(async |handle| {
        let add = handle.link().add(LinkBridge::new("bridge").build());
        add.execute().await.map_err(netlink("create a bridge"))?;
        up(&handle, "bridge").await?;
        let bridge = index(&handle, "bridge").await?;
        for (port, peer, end) in [("to-server", "server", &server), ("to-client", "client", &client)] {
            let pair = handle.link().add(LinkVeth::new(port, peer).build());
            pair.execute()
                .await
                .map_err(netlink("create a pair of virtual links"))?;
            let moved = LinkUnspec::new_with_name(peer).setns_by_fd(end.as_raw_fd()).build();
            set(&handle, moved, "move a link").await?;
            let port = LinkUnspec::new_with_name(port).controller(bridge).up().build();
            set(&handle, port, "join a link to the bridge").await?;
        }
        Ok(())
    })?;
    for (end, link, address) in [(&server, "server", SERVER), (&client, "client", CLIENT)] {
        go_to(end)?;
        configure(async |handle| {
            up(&handle, "lo").await?;
            let add = handle
                .address()
                .add(index(&handle, link).await?, IpAddr::V4(address), PREFIX);
            add.execute().await.map_err(netlink("give a link its address"))?;
            up(&handle, link).await
        })?;
    }
    Ok(Ends { server, client })
}

fn present() -> Result<File, Error> {
    let path = "/proc/thread-self/ns/net";
    File::open(path).map_err(Error::file(path))
}

fn new_namespace() -> Result<File, Error> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(Error::system("make a network namespace"))?;
    present()
}

fn go_to(namespace: &File) -> Result<(), Error> {
    setns(namespace, CloneFlags::CLONE_NEWNET).map_err(Error::system("enter a network namespace"))
}

/// Runs `change` with a netlink socket of the namespace that this thread is in.
fn configure(change: impl AsyncFnOnce(Handle) -> Result<(), Error>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, handle, _messages) = rtnetlink::new_connection()?;
        let connection = tokio::spawn(connection);
        let result = change(handle).await;
        connection.abort();
        result
    })
}

async fn up(handle: &Handle, name: &str) -> Result<(), Error> {
    set(handle, LinkUnspec::new_with_name(name).up().build(), "switch a link on").await
}

async fn set(
    handle: &Handle,
    message: rtnetlink::packet_route::link::LinkMessage,
    action: &'static str,
) -> Result<(), Error> {
    handle.link().set(message).execute().await.map_err(netlink(action))
}

async fn index(handle: &Handle, name: &str) -> Result<u32, Error> {
    use futures_util::TryStreamExt;
    let mut links = handle.link().get().match_name(name.to_owned()).execute();
    let link = links.try_next().await.map_err(netlink("find a link"))?;
    // The kernel answers with an error for a name that is not there.
    Ok(link.map_or(0, |link| link.header.index))
}

fn netlink(action: &'static str) -> impl FnOnce(rtnetlink::Error) -> Error {
    move |source| Error::Netlink {
        action: action.to_owned(),
        source: Box::new(source),
    }
}
