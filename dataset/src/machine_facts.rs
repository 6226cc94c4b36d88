//! Reads the facts about this machine that identify it or can change a latency.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::{Host, Machine};

/// Reads the facts that identify this machine.
#[must_use]
pub fn this_machine() -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    Machine::from_cpuinfo(&cpuinfo, hypervisor().as_deref())
}

/// Reads the facts about this machine that can change a latency but do not identify it.
#[must_use]
pub fn this_host() -> Host {
    Host {
        usable_processors: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: memory_bytes(),
        kernel: line("/proc/sys/kernel/osrelease"),
        operating_system: fs::read_to_string("/etc/os-release").ok().and_then(|text| {
            let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
            Some(name.trim_matches('"').to_owned())
        }),
        clock_source: line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        container: container(),
        mitigations: mitigations(),
    }
}

/// Returns the hypervisor's name from the processor, which reports it in the registers of CPUID leaf 0x40000000.
#[cfg(target_arch = "x86_64")]
fn hypervisor() -> Option<String> {
    use std::arch::x86_64::__cpuid;

    const FEATURES: u32 = 1;
    const HYPERVISOR_PRESENT: u32 = 1 << 31;
    const HYPERVISOR_SIGNATURE: u32 = 0x4000_0000;
    if __cpuid(FEATURES).ecx & HYPERVISOR_PRESENT == 0 {
        return None;
    }
    let found = __cpuid(HYPERVISOR_SIGNATURE);
    let bytes = [found.ebx, found.ecx, found.edx].map(u32::to_le_bytes).concat();
    Some(hypervisor_of(&bytes).to_owned())
}

/// Returns the hypervisor's name from the firmware's tables.
#[cfg(not(target_arch = "x86_64"))]
fn hypervisor() -> Option<String> {
    let vendor = line("/sys/class/dmi/id/sys_vendor")?;
    match vendor.as_str() {
        "QEMU" | "Amazon EC2" | "Google" | "Red Hat" | "OpenStack Foundation" => Some("kvm".to_owned()),
        "VMware, Inc." => Some("vmware".to_owned()),
        "Xen" => Some("xen".to_owned()),
        "Microsoft Corporation" => Some("hyper-v".to_owned()),
        _ => None,
    }
}

/// Returns the name that belongs to a signature of CPUID leaf 0x40000000.
#[cfg(target_arch = "x86_64")]
fn hypervisor_of(signature: &[u8]) -> &'static str {
    match signature {
        b"KVMKVMKVM\0\0\0" => "kvm",
        b"VMwareVMware" => "vmware",
        b"Microsoft Hv" => "hyper-v",
        b"XenVMMXenVMM" => "xen",
        b"TCGTCGTCGTCG" => "qemu",
        b"bhyve bhyve " => "bhyve",
        b" lrpepyh  vr" => "parallels",
        b"VBoxVBoxVBox" => "virtualbox",
        _ => "unknown",
    }
}

/// Returns the content of a file without white space at its ends.
fn line(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = total.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

fn container() -> Option<String> {
    if Path::new("/.dockerenv").exists() {
        return Some("docker".to_owned());
    }
    if Path::new("/run/.containerenv").exists() {
        return Some("podman".to_owned());
    }
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    ["kubepods", "containerd", "docker", "lxc"]
        .into_iter()
        .find(|name| groups.contains(name))
        .map(str::to_owned)
}

fn mitigations() -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.path()).ok()?;
            Some((entry.file_name().to_string_lossy().into_owned(), text.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_machine_has_processors_and_an_id() {
        let machine = super::this_machine();
        assert!(machine.processors > 0, "{machine:?}");
        assert!(machine.id().ends_with("cpu"), "{}", machine.id());
    }
}
