//! The table `resources`: samples of the resources that servers, load generator, neighbour, helpers and node use during a
//! launch, and of the resources that they are denied.

use std::ops::{Index, IndexMut};
use std::path::Path;

use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Field, Row};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::file_header::FileHeader;
use crate::table::{TableKind, put, put_optional, read_rows, text, write_rows};

/// Version of the table. A reader refuses any other.
pub const RESOURCES_VERSION: u32 = 2;

const RESOURCES: TableKind = TableKind {
    name: "hook-latency-resources",
    version: RESOURCES_VERSION,
    message: "message resources {
        required binary run (STRING);
        required binary condition (STRING);
        required int32 launch (INTEGER(32, false));
        required int64 time_ns;
        required binary kind (STRING);
        required binary subject (STRING);
        optional int64 cpu_ns;
        optional int64 periods;
        optional int64 throttled_periods;
        optional int64 throttled_ns;
        optional int64 memory_bytes;
        optional int64 memory_limit_bytes;
        optional int64 memory_limit_hits;
        optional int64 oom_kills;
        optional int64 cpu_pressure_ns;
        optional int64 memory_pressure_ns;
        optional int64 io_pressure_ns;
        optional int64 run_queue_wait_ns;
        optional int64 context_switches;
        optional int64 involuntary_switches;
        optional int64 steal_ns;
        optional int64 tcp_retransmits;
        optional int64 tcp_drops;
        optional int64 file_descriptors;
        optional int64 file_descriptor_limit;
        optional int64 threads;
    }",
};

/// Number of columns before the measures.
const FIRST_MEASURE: usize = 6;

/// One column of the table. Memory, descriptors and threads are values at the time of the sample. All other columns count from
/// the subject's beginning: subtract two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub const ALL: [Self; 20] = [
        Self::CpuNs,
        Self::Periods,
        Self::ThrottledPeriods,
        Self::ThrottledNs,
        Self::MemoryBytes,
        Self::MemoryLimitBytes,
        Self::MemoryLimitHits,
        Self::OomKills,
        Self::CpuPressureNs,
        Self::MemoryPressureNs,
        Self::IoPressureNs,
        Self::RunQueueWaitNs,
        Self::ContextSwitches,
        Self::InvoluntarySwitches,
        Self::StealNs,
        Self::TcpRetransmits,
        Self::TcpDrops,
        Self::FileDescriptors,
        Self::FileDescriptorLimit,
        Self::Threads,
    ];

    /// Returns the column's name.
    #[must_use]
    pub const fn column(self) -> &'static str {
        match self {
            Self::CpuNs => "cpu_ns",
            Self::Periods => "periods",
            Self::ThrottledPeriods => "throttled_periods",
            Self::ThrottledNs => "throttled_ns",
            Self::MemoryBytes => "memory_bytes",
            Self::MemoryLimitBytes => "memory_limit_bytes",
            Self::MemoryLimitHits => "memory_limit_hits",
            Self::OomKills => "oom_kills",
            Self::CpuPressureNs => "cpu_pressure_ns",
            Self::MemoryPressureNs => "memory_pressure_ns",
            Self::IoPressureNs => "io_pressure_ns",
            Self::RunQueueWaitNs => "run_queue_wait_ns",
            Self::ContextSwitches => "context_switches",
            Self::InvoluntarySwitches => "involuntary_switches",
            Self::StealNs => "steal_ns",
            Self::TcpRetransmits => "tcp_retransmits",
            Self::TcpDrops => "tcp_drops",
            Self::FileDescriptors => "file_descriptors",
            Self::FileDescriptorLimit => "file_descriptor_limit",
            Self::Threads => "threads",
        }
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
pub enum Subject {
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

impl Subject {
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

    fn of(kind: &str, name: &str) -> Result<Self, ParquetError> {
        match kind {
            "arm" => Ok(Self::Arm(name.to_owned())),
            "loadgen" => Ok(Self::Loadgen),
            "neighbour" => Ok(Self::Neighbour),
            "helper" => Ok(Self::Helper(name.to_owned())),
            "node" => Ok(Self::Node(name.to_owned())),
            _ => Err(ParquetError::General(format!("unknown kind {kind}"))),
        }
    }
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSample {
    /// Time of the sample by the clock of the user stamps, ns.
    pub time_ns: i64,
    /// The subject.
    pub subject: Subject,
    /// The measures.
    pub usage: Usage,
}

/// Writes the samples of one launch.
///
/// # Errors
/// When the disk is full. No part of the file stays.
pub fn write_resources(path: &Path, header: &FileHeader, samples: &[ResourceSample]) -> Result<(), Error> {
    let (run, condition) = (text(&header.run), text(&header.condition));
    let launch = header.launch.cast_signed();
    write_rows(path, RESOURCES, header, samples, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| run.clone()),
        1 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        2 => put::<Int32Type, _>(to, rows, |_| launch),
        3 => put::<Int64Type, _>(to, rows, |row| row.time_ns),
        4 => put::<ByteArrayType, _>(to, rows, |row| text(row.subject.kind())),
        5 => put::<ByteArrayType, _>(to, rows, |row| text(row.subject.name())),
        _ => put_optional::<Int64Type, _>(to, rows, |row| row.usage.0[index - FIRST_MEASURE]),
    })
}

/// Reads the samples of one launch.
///
/// # Errors
/// When the file holds another table or version.
pub fn read_resources(path: &Path) -> Result<Vec<ResourceSample>, Error> {
    read_rows(path, RESOURCES, sample)
}

fn sample(row: &Row) -> Result<ResourceSample, ParquetError> {
    let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
    let [
        _,
        _,
        _,
        Field::Long(time_ns),
        Field::Str(kind),
        Field::Str(name),
        measures @ ..,
    ] = &fields[..]
    else {
        return Err(ParquetError::General("unexpected columns".to_owned()));
    };
    let mut usage = Usage::default();
    for (measure, field) in Measure::ALL.into_iter().zip(measures) {
        usage[measure] = match field {
            Field::Long(value) => Some(*value),
            _ => None,
        };
    }
    Ok(ResourceSample {
        time_ns: *time_ns,
        subject: Subject::of(kind, name)?,
        usage,
    })
}
