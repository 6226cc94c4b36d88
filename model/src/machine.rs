//! The machine on which a run was recorded: the properties that identify it, and other influences on latency.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What identifies a machine. Runs of different machines are never pooled. A field is `None` where the kernel does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Vendor of the processor, in lower case, such as `amd`, `intel`, `arm`.
    pub vendor: Option<String>,
    /// Name of the processor as its vendor writes it, such as `AMD EPYC 7R13`. ARM processors have none.
    pub name: Option<String>,
    /// Family of the processor. On ARM: version of the architecture.
    pub family: Option<u32>,
    /// Model within the family. On ARM: part number.
    pub model: Option<u32>,
    /// Revision of the model. On ARM: variant × 16 + revision.
    pub stepping: Option<u32>,
    /// Vector instructions that the hook and libc can use, by the kernel's names: `avx2`, `avx512f`, `asimd`, `sve` and so on.
    pub vector_features: BTreeSet<String>,
    /// Hypervisor below the kernel, such as `kvm`; `unknown` where the processor reports one without a name; `None` on bare
    /// metal.
    pub hypervisor: Option<String>,
    /// Logical processors that are online.
    pub processors: usize,
}

/// Vector instruction sets on x86, from the oldest to the newest, as /proc/cpuinfo names them.
const X86_VECTOR_FEATURES: [&str; 22] = [
    "sse2",
    "ssse3",
    "sse4_1",
    "sse4_2",
    "avx",
    "avx2",
    "avx_vnni",
    "avx512f",
    "avx512dq",
    "avx512cd",
    "avx512bw",
    "avx512vl",
    "avx512ifma",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_vnni",
    "avx512_bitalg",
    "avx512_vpopcntdq",
    "avx512_bf16",
    "avx512_fp16",
    "avx512_vp2intersect",
    "amx_tile",
];
/// Vector instruction sets on ARM; `neon` is the name of `asimd` on 32-bit ARM.
const ARM_VECTOR_FEATURES: [&str; 4] = ["neon", "asimd", "sve", "sve2"];
/// Names of ARM's implementers, by `CPU implementer` in /proc/cpuinfo.
const ARM_IMPLEMENTERS: [(u32, &str); 9] = [
    (0x41, "arm"),
    (0x42, "broadcom"),
    (0x43, "cavium"),
    (0x46, "fujitsu"),
    (0x48, "hisilicon"),
    (0x4e, "nvidia"),
    (0x51, "qualcomm"),
    (0x61, "apple"),
    (0xc0, "ampere"),
];
/// Words of a processor's name that say nothing about which processor it is.
const GENERIC_WORDS: [&str; 4] = ["processor", "cpu", "genuine", "virtual"];

impl Machine {
    /// Reads the text of /proc/cpuinfo on x86 or ARM. `hypervisor` is its name where something else than this text told it.
    /// The first processor stands for all.
    #[must_use]
    pub fn from_cpuinfo(text: &str, hypervisor: Option<&str>) -> Self {
        let processors = text
            .lines()
            .filter(|line| field_of(line, "processor").is_some())
            .count();
        let first = |name: &str| text.lines().find_map(|line| field_of(line, name));
        let on_arm = first("CPU implementer").is_some();
        let features = if on_arm { first("Features") } else { first("flags") };
        let features: BTreeSet<&str> = features.unwrap_or_default().split_whitespace().collect();
        let known: &[&str] = if on_arm {
            &ARM_VECTOR_FEATURES
        } else {
            &X86_VECTOR_FEATURES
        };
        let hypervisor = hypervisor
            .map(str::to_lowercase)
            .or_else(|| features.contains("hypervisor").then(|| "unknown".to_owned()));
        let machine = Self {
            vector_features: known
                .iter()
                .filter(|name| features.contains(*name))
                .map(|name| (*name).to_owned())
                .collect(),
            hypervisor,
            processors,
            ..Self::default()
        };
        if on_arm {
            let number = |name: &str| first(name).and_then(parse_number);
            Self {
                vendor: number("CPU implementer").map(arm_implementer),
                family: number("CPU architecture"),
                model: number("CPU part"),
                stepping: number("CPU variant")
                    .zip(number("CPU revision"))
                    .map(|(variant, revision)| variant * 16 + revision),
                ..machine
            }
        } else {
            let number = |name: &str| first(name).and_then(parse_number);
            Self {
                vendor: first("vendor_id").map(x86_vendor),
                name: first("model name").map(str::to_owned),
                family: number("cpu family"),
                model: number("model"),
                stepping: number("stepping"),
                ..machine
            }
        }
    }

    /// A short name of the machine for folders, the same wherever the same processors, hypervisor and number of processors are:
    /// `amd-epyc-19h-01h-1-avx2-kvm-2cpu`. Unknown parts are left out.
    #[must_use]
    pub fn id(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.vendor.clone());
        parts.extend(self.product_line());
        parts.extend(self.family.map(|family| format!("{family:02x}h")));
        parts.extend(self.model.map(|model| format!("{model:02x}h")));
        parts.extend(self.stepping.map(|stepping| stepping.to_string()));
        parts.extend(self.widest_vectors().map(str::to_owned));
        parts.extend(self.hypervisor.clone());
        parts.push(format!("{}cpu", self.processors));
        parts.iter().map(|part| slug(part)).collect::<Vec<_>>().join("-")
    }

    /// The id with the processor's name: `amd-epyc-19h-01h-1-avx2-kvm-2cpu (AMD EPYC)`. All tables and figures name the machine by this
    /// text.
    #[must_use]
    pub fn described(&self) -> String {
        let id = self.id();
        self.name
            .as_ref()
            .map_or_else(|| id.clone(), |name| format!("{id} ({name})"))
    }

    /// The first word of the processor's name that is neither its vendor nor generic, such as `epyc` or `xeon`.
    fn product_line(&self) -> Option<String> {
        let name = self
            .name
            .as_deref()?
            .to_lowercase()
            .replace("(r)", " ")
            .replace("(tm)", " ");
        let vendor = self.vendor.as_deref().unwrap_or_default();
        let mut words = name.split_whitespace();
        words
            .find(|word| *word != vendor && !GENERIC_WORDS.contains(word))
            .map(str::to_owned)
    }

    /// The widest vector instructions: `avx512`, `avx2`, `avx`, `sse2`, `sve2`, `sve` or `neon`.
    fn widest_vectors(&self) -> Option<&'static str> {
        const WIDEST_FIRST: [(&str, &str); 8] = [
            ("avx512f", "avx512"),
            ("avx2", "avx2"),
            ("avx", "avx"),
            ("sse2", "sse2"),
            ("sve2", "sve2"),
            ("sve", "sve"),
            ("asimd", "neon"),
            ("neon", "neon"),
        ];
        let widest = WIDEST_FIRST
            .iter()
            .find(|(feature, _)| self.vector_features.contains(*feature));
        widest.map(|(_, name)| *name)
    }
}

/// The value of a line `NAME : VALUE`, if it has this name.
fn field_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (key, value) = line.split_once(':')?;
    (key.trim() == name).then(|| value.trim())
}

/// A decimal or `0x` hexadecimal number.
fn parse_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn x86_vendor(text: &str) -> String {
    match text {
        "AuthenticAMD" => "amd".to_owned(),
        "GenuineIntel" => "intel".to_owned(),
        "HygonGenuine" => "hygon".to_owned(),
        "CentaurHauls" => "centaur".to_owned(),
        other => other.trim().to_lowercase(),
    }
}

fn arm_implementer(number: u32) -> String {
    let known = ARM_IMPLEMENTERS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("arm-{number:02x}h"), |(_, name)| (*name).to_owned())
}

/// Lower-case letters, digits and single hyphens.
fn slug(text: &str) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join("-")
}

/// What does not identify a machine and can change a latency; `None` where the kernel does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Logical processors that the runner may use.
    pub usable_processors: usize,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Release of the kernel.
    pub kernel: Option<String>,
    /// Distribution.
    pub operating_system: Option<String>,
    /// Clock source of the kernel.
    pub clock_source: Option<String>,
    /// Frequency governor of the first processor.
    pub governor: Option<String>,
    /// Container runtime in which the runner seems to run.
    pub container: Option<String>,
    /// Vulnerabilities of the processor and the kernel's mitigations.
    pub mitigations: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::Machine;

    const EPYC: &str = "\
processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu sse sse2 ssse3 sse4_1 sse4_2 avx hypervisor avx2 erms

processor\t: 1
vendor_id\t: AuthenticAMD
flags\t\t: fpu sse sse2 avx hypervisor avx2
";

    const XEON: &str = "\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8488C
stepping\t: 8
flags\t\t: fpu sse2 avx avx2 avx512f avx512bw
";

    const NEOVERSE: &str = "\
processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd evtstrm aes sve
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd40
CPU revision\t: 1

processor\t: 1
Features\t: fp asimd evtstrm aes sve
CPU implementer\t: 0x41
";

    #[test]
    fn an_x86_guest_is_identified() {
        let machine = Machine::from_cpuinfo(EPYC, Some("KVM"));
        assert_eq!(machine.id(), "amd-epyc-19h-01h-1-avx2-kvm-2cpu");
        assert_eq!(machine.name.as_deref(), Some("AMD EPYC"));
        assert_eq!(machine.described(), "amd-epyc-19h-01h-1-avx2-kvm-2cpu (AMD EPYC)");
        let nameless = Machine::from_cpuinfo(EPYC, None);
        assert_eq!(nameless.hypervisor.as_deref(), Some("unknown"));
    }

    #[test]
    fn an_x86_machine_without_a_hypervisor_is_identified() {
        let machine = Machine::from_cpuinfo(XEON, None);
        assert_eq!(machine.id(), "intel-xeon-06h-8fh-8-avx512-1cpu");
        assert_eq!(machine.hypervisor, None);
        assert!(machine.vector_features.contains("avx512bw"));
    }

    #[test]
    fn an_arm_machine_is_identified() {
        let machine = Machine::from_cpuinfo(NEOVERSE, Some("kvm"));
        assert_eq!(machine.id(), "arm-08h-d40h-17-sve-kvm-2cpu");
        assert_eq!(machine.vector_features.iter().collect::<Vec<_>>(), ["asimd", "sve"]);
    }

    #[test]
    fn an_unknown_processor_still_has_an_id() {
        assert_eq!(Machine::from_cpuinfo("", None).id(), "0cpu");
        assert_eq!(Machine::from_cpuinfo("", None).described(), "0cpu");
        assert_eq!(
            Machine::from_cpuinfo("processor : 0\nhart : 0\nisa : rv64", None).id(),
            "1cpu"
        );
    }
}
