//! From a container as the launch wants it to one as the engine makes it.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, SystemInfo};

use crate::container::{ContainerLimits, ContainerRole, ContainerSpec, Owner};
use crate::image::Image;

/// Millionths of a thousandth: processor time is told in billionths of a processor.
const NANOS: i64 = 1_000_000;

/// Controls that the engine says it has not: rootless Podman lacks them where systemd does not delegate them.
pub(super) fn missing(info: &SystemInfo) -> Vec<&'static str> {
    [
        ("choice of processors", info.cpu_set),
        ("limits of processor time", info.cpu_cfs_quota),
        ("limits of memory", info.memory_limit),
    ]
    .into_iter()
    .filter(|(_, has)| *has == Some(false))
    .map(|(name, _)| name)
    .collect()
}

/// All that the engine is told of a container.
pub(super) fn body(info: &SystemInfo, owner: &Owner, image: &Image, spec: &ContainerSpec) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.reference.clone()),
        // Instead of the image's, so that the command is all that stands there.
        entrypoint: Some(spec.command.clone()),
        cmd: Some(Vec::new()),
        env: Some(
            spec.environment
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        ),
        labels: Some(owner.labels().into_iter().collect()),
        user: Some(format!("{0}:{0}", Image::USER)),
        host_config: Some(host(info, owner, spec)),
        ..Default::default()
    }
}

fn host(info: &SystemInfo, owner: &Owner, spec: &ContainerSpec) -> HostConfig {
    let ContainerLimits {
        millicores,
        memory_bytes,
    } = spec.limits;
    let memory = memory_bytes.and_then(|bytes| i64::try_from(bytes).ok());
    let limits_memory = info.memory_limit != Some(false);
    HostConfig {
        network_mode: Some(owner.name()),
        cpuset_cpus: processor(info, spec.role),
        nano_cpus: millicores
            .filter(|_| info.cpu_cfs_quota != Some(false))
            .map(|millicores| i64::from(millicores) * NANOS),
        memory: memory.filter(|_| limits_memory),
        // No swap: a server that swaps is slow where it should be seen to be out of memory.
        memory_swap: memory.filter(|_| limits_memory && info.swap_limit != Some(false)),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        readonly_rootfs: Some(true),
        tmpfs: Some(HashMap::from([(
            Image::WORK.to_owned(),
            "rw,nosuid,nodev,noexec,mode=1777".to_owned(),
        )])),
        ..Default::default()
    }
}

/// The first processor for arms, the last for the prober, any for others.
fn processor(info: &SystemInfo, role: ContainerRole) -> Option<String> {
    let number = info.ncpu.filter(|_| info.cpu_set != Some(false))?;
    match role {
        ContainerRole::Arm => Some("0".to_owned()),
        ContainerRole::LoadGenerator => Some((number - 1).max(0).to_string()),
        ContainerRole::Unconfined => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn made(info: &SystemInfo, role: ContainerRole) -> HostConfig {
        let spec = ContainerSpec {
            name: "arm-0".to_owned(),
            role,
            command: vec![Image::AGENT.to_owned()],
            environment: BTreeMap::new(),
            limits: ContainerLimits {
                millicores: Some(250),
                memory_bytes: Some(1 << 25),
            },
        };
        let owner = Owner {
            run: "r".to_owned(),
            launch: 3,
        };
        let image = Image {
            reference: "hook-latency:0".to_owned(),
            archive: Vec::new(),
        };
        body(info, &owner, &image, &spec).host_config.expect("host's part")
    }

    #[test]
    fn limits_and_processors_are_asked_for_and_rights_are_not() {
        let info = SystemInfo {
            ncpu: Some(4),
            ..Default::default()
        };
        let arm = made(&info, ContainerRole::Arm);
        assert_eq!(arm.nano_cpus, Some(250_000_000));
        assert_eq!((arm.memory, arm.memory_swap), (Some(1 << 25), Some(1 << 25)));
        assert_eq!(arm.cpuset_cpus.as_deref(), Some("0"));
        assert_eq!(
            made(&info, ContainerRole::LoadGenerator).cpuset_cpus.as_deref(),
            Some("3")
        );
        assert_eq!(made(&info, ContainerRole::Unconfined).cpuset_cpus, None);
        assert_eq!(arm.cap_drop, Some(vec!["ALL".to_owned()]));
        assert_eq!((arm.readonly_rootfs, arm.privileged), (Some(true), None));
    }

    #[test]
    fn what_the_engine_has_not_is_not_asked_for_and_told() {
        let info = SystemInfo {
            ncpu: Some(4),
            cpu_set: Some(false),
            cpu_cfs_quota: Some(false),
            memory_limit: Some(false),
            ..Default::default()
        };
        let arm = made(&info, ContainerRole::Arm);
        assert_eq!((arm.cpuset_cpus, arm.nano_cpus, arm.memory), (None, None, None));
        assert_eq!(missing(&info).len(), 3);
    }
}
