//! The share of a node for a container without limits in the experiment.
//!
//! Guaranteed quality of service needs limits for every container. A limit that is too small throttles; the launch records it.

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::container::{ContainerRole, ContainerSpec};

/// Limit of the load generator, thousandths of a processor: a whole processor, exclusive where the node's CPU manager is
/// static.
const LOADGEN_MILLICORES: u64 = 1000;
/// Reserve for other processes of a node, thousandths of a processor.
const RESERVE_MILLICORES: u64 = 300;
/// Limit of an arm when this user may not list nodes, thousandths of a processor.
const ARM_MILLICORES: u64 = 200;
/// Largest limit of an arm, thousandths of a processor. A whole processor would be exclusive, and arms share processors.
const MOST_MILLICORES: u64 = 990;
/// Largest limit of memory, bytes: enough for any server, a JVM included, and for the observations.
const MOST_MEMORY: u64 = 1 << 30;
/// Limit of memory when this user may not list nodes, bytes.
const MEMORY: u64 = 256 << 20;

/// The share of a container in the smallest node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeShare {
    arm_millicores: u64,
    memory_bytes: u64,
}

impl Default for NodeShare {
    /// Returns the share when this user may not list nodes.
    fn default() -> Self {
        Self {
            arm_millicores: ARM_MILLICORES,
            memory_bytes: MEMORY,
        }
    }
}

impl NodeShare {
    /// Computes the share for this many arms and other containers, and a load generator, on the smallest of these nodes.
    pub(super) fn of(nodes: &[Node], arms: usize) -> Self {
        let least = |resource: &str, amount: fn(&str) -> Option<u64>| {
            let allocatable = nodes
                .iter()
                .filter_map(|node| node.status.as_ref()?.allocatable.as_ref());
            allocatable
                .filter_map(|resources| amount(&resources.get(resource)?.0))
                .min()
        };
        let arms = arms.max(1) as u64;
        let default = Self::default();
        Self {
            arm_millicores: least("cpu", millicores).map_or(default.arm_millicores, |all| {
                let room = all.saturating_sub(LOADGEN_MILLICORES + RESERVE_MILLICORES) / arms;
                (room / 10 * 10).clamp(10, MOST_MILLICORES)
            }),
            memory_bytes: least("memory", bytes).map_or(default.memory_bytes, |all| {
                let room = all / 10 * 7 / (arms + 1);
                (room >> 20 << 20).min(MOST_MEMORY)
            }),
        }
    }

    /// Returns the limit of a container, thousandths of a processor.
    pub(super) fn millicores(self, spec: &ContainerSpec) -> u64 {
        let stated = spec.limits.millicores.map(u64::from);
        match spec.role {
            // A whole number of processors would be exclusive where the node's CPU manager is static.
            ContainerRole::Arm | ContainerRole::Unconfined => stated.map_or(self.arm_millicores, |stated| {
                stated - u64::from(stated.is_multiple_of(1000) && stated > 0)
            }),
            ContainerRole::LoadGenerator => stated.unwrap_or(LOADGEN_MILLICORES),
        }
    }

    /// Returns the limit of a container's memory, bytes.
    pub(super) fn memory_bytes(self, spec: &ContainerSpec) -> u64 {
        spec.limits.memory_bytes.unwrap_or(self.memory_bytes)
    }

    /// Returns the limits of a container as quantities: processor time and memory.
    pub(super) fn quantities(self, spec: &ContainerSpec) -> (Quantity, Quantity) {
        (
            Quantity(format!("{}m", self.millicores(spec))),
            Quantity(self.memory_bytes(spec).to_string()),
        )
    }
}

/// Parses an amount of processors such as `2` or `1930m`, and returns thousandths of a processor.
fn millicores(text: &str) -> Option<u64> {
    match text.strip_suffix('m') {
        Some(number) => number.parse().ok(),
        None => text.parse::<u64>().ok().map(|cores| cores * 1000),
    }
}

/// Parses an amount of memory such as `1024` or `16375468Ki`, and returns bytes.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "k" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::ContainerLimits;
    use std::collections::BTreeMap;

    fn node(cpu: &str, memory: &str) -> Node {
        serde_json::from_value(serde_json::json!({ "status": { "allocatable": { "cpu": cpu, "memory": memory } } }))
            .unwrap()
    }

    #[test]
    fn the_smallest_node_is_shared() {
        let share = NodeShare::of(&[node("8", "16Gi"), node("3920m", "2097152Ki")], 4);
        assert_eq!(share.arm_millicores, 650);
        assert_eq!(share.memory_bytes, (((2 << 30) / 10 * 7 / 5) >> 20) << 20);
        assert_eq!(
            NodeShare::of(&[node("64", "1Ti")], 1).arm_millicores,
            990,
            "never a whole processor"
        );
        assert_eq!(NodeShare::of(&[], 3), NodeShare::default());
    }

    #[test]
    fn stated_limits_stay_except_whole_processors_of_arms() {
        let spec = |role, millicores| ContainerSpec {
            name: "one".into(),
            role,
            command: Vec::new(),
            environment: BTreeMap::new(),
            limits: ContainerLimits {
                millicores,
                memory_bytes: Some(5),
            },
        };
        for (role, stated, millicores) in [
            (ContainerRole::LoadGenerator, None, 1000),
            (ContainerRole::LoadGenerator, Some(2000), 2000),
            (ContainerRole::Arm, Some(70), 70),
            (ContainerRole::Arm, Some(2000), 1999),
            (ContainerRole::Unconfined, Some(1000), 999),
        ] {
            assert_eq!(NodeShare::default().millicores(&spec(role, stated)), millicores);
        }
        assert_eq!(NodeShare::default().memory_bytes(&spec(ContainerRole::Arm, None)), 5);
    }
}
