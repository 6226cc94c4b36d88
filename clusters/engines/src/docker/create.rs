//! The request to the engine for a container of a launch.

use std::collections::HashMap;

use bollard::models::{ContainerCreateBody, HostConfig, SystemInfo};

use crate::container::{ContainerLimits, ContainerRole, ContainerSpec, Owner};
use crate::image::Image;

/// Billionths of a processor in a thousandth of a processor.
const NANOS_PER_MILLICORE: i64 = 1_000_000;

/// Returns the controls that the engine lacks, such as rootless Podman without delegation by systemd.
pub(super) fn missing_controls(info: &SystemInfo) -> Vec<&'static str> {
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

/// Returns the request for a container.
pub(super) fn request(info: &SystemInfo, owner: &Owner, image: &Image, spec: &ContainerSpec) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.reference.clone()),
        // Replaces the image's entry point, so that only this command runs.
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
            .map(|millicores| i64::from(millicores) * NANOS_PER_MILLICORE),
        memory: memory.filter(|_| limits_memory),
        // No swap: a server that needs more memory must fail visibly instead of becoming slow.
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

/// Returns the first processor for arms, the last one for the load generator, and none for others.
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
        request(info, &owner, &image, &spec)
            .host_config
            .expect("a host configuration")
    }

    #[test]
    fn a_request_has_limits_and_processors_and_no_rights() {
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
    fn a_request_leaves_out_the_controls_that_the_engine_lacks() {
        let info = SystemInfo {
            ncpu: Some(4),
            cpu_set: Some(false),
            cpu_cfs_quota: Some(false),
            memory_limit: Some(false),
            ..Default::default()
        };
        let arm = made(&info, ContainerRole::Arm);
        assert_eq!((arm.cpuset_cpus, arm.nano_cpus, arm.memory), (None, None, None));
        assert_eq!(missing_controls(&info).len(), 3);
    }
}
