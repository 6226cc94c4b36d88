//! Resources: the measures that a launch samples of servers, load generator, neighbour, helpers and machine.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// A measure of a subject, which is a column of the table `resources`. Memory, descriptors and threads are values at
/// the time of the sample. All other columns are totals since the start of the subject. The difference of two samples
/// is the amount between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
#[repr(usize)]
pub enum Measure {
    /// CPU time used.
    CpuNs,
    /// Periods of the CPU quota in which a thread was runnable.
    Periods,
    /// Periods in which the quota was used up.
    ThrottledPeriods,
    /// Time for which the quota kept threads from running.
    ThrottledNs,
    /// Memory in use.
    MemoryBytes,
    /// Limit of the memory.
    MemoryLimitBytes,
    /// Number of allocations that reached the limit of the memory.
    MemoryLimitHits,
    /// Processes that the kernel killed because of the memory limit.
    OomKills,
    /// Time for which a thread waited for a CPU (pressure stall information, `some`).
    CpuPressureNs,
    /// Time for which a thread waited for memory (pressure stall information, `some`).
    MemoryPressureNs,
    /// Time for which a thread waited for a disk (pressure stall information, `some`).
    IoPressureNs,
    /// Time for which threads were runnable without a CPU.
    RunQueueWaitNs,
    /// Context switches.
    ContextSwitches,
    /// Involuntary context switches.
    InvoluntarySwitches,
    /// Time that the hypervisor withheld.
    StealNs,
    /// TCP segments that were sent again in the network namespace.
    TcpRetransmits,
    /// Packets that TCP dropped in the network namespace because a buffer was full.
    TcpDrops,
    /// Open descriptors.
    FileDescriptors,
    /// Limit of open descriptors.
    FileDescriptorLimit,
    /// Threads.
    Threads,
}

impl Measure {
    /// All measures, in the order of the columns.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Returns the column's name.
    #[must_use]
    pub fn column(self) -> &'static str {
        self.into()
    }
}

/// The measures of one subject at one time; `None` where no source has the measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage([Option<i64>; Measure::ALL.len()]);

impl Index<Measure> for Usage {
    type Output = Option<i64>;

    fn index(&self, measure: Measure) -> &Option<i64> {
        &self.0[measure as usize]
    }
}

impl IndexMut<Measure> for Usage {
    fn index_mut(&mut self, measure: Measure) -> &mut Option<i64> {
        &mut self.0[measure as usize]
    }
}

/// The subject of a sample.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceSubject {
    /// A server, by its arm's name.
    Arm(String),
    /// The load generator.
    Loadgen,
    /// The neighbour: a program that the experiment runs beside the servers.
    Neighbour,
    /// A process that helps the treatment of an arm, such as a tracer, by its name.
    Helper(String),
    /// The machine, by name.
    Node(String),
}

impl ResourceSubject {
    /// Returns `arm`, `loadgen`, `neighbour`, `helper` or `node`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Arm(_) => "arm",
            Self::Loadgen => "loadgen",
            Self::Neighbour => "neighbour",
            Self::Helper(_) => "helper",
            Self::Node(_) => "node",
        }
    }

    /// Returns the subject's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Arm(name) | Self::Helper(name) | Self::Node(name) => name,
            Self::Loadgen | Self::Neighbour => self.kind(),
        }
    }
}

/// The measures of one subject at one time, which is a row of the table `resources`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSample {
    /// Time of the sample by the clock of the user stamps, ns.
    pub time_ns: i64,
    /// The subject.
    pub subject: ResourceSubject,
    /// The measures.
    pub usage: Usage,
}
