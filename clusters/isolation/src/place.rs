//! Names of places and of the levels of isolation at which they can be had.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a launch happens. Serialised by name, such as `local-pod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Client and servers in one network namespace, as two containers of a pod are: packets pass the loopback device.
    LocalPod,
    /// Client and servers in a network namespace each, joined by a bridge in a third: the topology of two containers on
    /// one container network.
    LocalBridge,
    /// Client and servers in pods on different nodes: two namespaces more, for the nodes, joined by VXLAN as an overlay
    /// network joins the nodes of a cluster.
    LocalNodes,
    /// As [`Place::LocalBridge`], but the client addresses a service, whose address the bridge's namespace translates to the
    /// servers', as a Kubernetes node does.
    LocalService,
}

impl Place {
    /// All places.
    pub const ALL: [Self; 4] = [Self::LocalPod, Self::LocalBridge, Self::LocalNodes, Self::LocalService];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalPod => "local-pod",
            Self::LocalBridge => "local-bridge",
            Self::LocalNodes => "local-nodes",
            Self::LocalService => "local-service",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|place| place.name() == text)
            .ok_or_else(|| format!("no place `{text}`; expected local-pod, local-bridge, local-nodes or local-service"))
    }
}

/// How well a launch is kept apart from the rest of the machine. Serialised by name, such as `user-namespaces`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Its own network and process namespaces, made with the rights that the runner has.
    Namespaces,
    /// The same, inside of an unprivileged user namespace.
    UserNamespaces,
    /// Nothing of its own: the machine's loopback device, shared with whatever else runs.
    Loopback,
}

impl Level {
    /// All levels, the best first.
    pub const ALL: [Self; 3] = [Self::Namespaces, Self::UserNamespaces, Self::Loopback];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::UserNamespaces => "user-namespaces",
            Self::Loopback => "loopback",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| format!("no level `{text}`; expected namespaces, user-namespaces or loopback"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for place in Place::ALL {
            assert_eq!(place.name().parse(), Ok(place));
        }
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        assert!("docker".parse::<Place>().is_err());
        assert!("root".parse::<Level>().is_err());
    }
}
