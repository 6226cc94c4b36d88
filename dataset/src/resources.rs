//! The table `resources`: what each server, the prober and the node used and were denied while a launch lasted.

use std::ops::{Index, IndexMut};
use std::path::Path;

use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::record::{Field, Row};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::schema::FileHeader;
use crate::table::{Kind, put, put_optional, read_rows, text, write_rows};

/// Version of the table; a reader refuses any other.
pub const RESOURCES_VERSION: u32 = 1;

const RESOURCES: Kind = Kind {
    name: "hook-latency-resources",
    version: RESOURCES_VERSION,
    message: "message resources {
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

/// Columns before the measures.
const FIRST_MEASURE: usize = 5;

/// One column of the table. But for memory, descriptors and threads, the values count from the subject's beginning, so
/// that two samples are to be subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Measure {
    /// CPU time used.
    CpuNs,
    /// Periods of the CPU quota in which there was something to run.
    Periods,
    /// Those in which the quota was used up.
    ThrottledPeriods,
    /// Time for which the quota kept it from running.
    ThrottledNs,
    /// Memory in use.
    MemoryBytes,
    /// The most that it may use.
    MemoryLimitBytes,
    /// How often it wanted more than that.
    MemoryLimitHits,
    /// Processes killed for want of memory.
    OomKills,
    /// Time for which something waited for a CPU (PSI, some).
    CpuPressureNs,
    /// Time for which something waited for memory (PSI, some).
    MemoryPressureNs,
    /// Time for which something waited for a disk (PSI, some).
    IoPressureNs,
    /// Time that threads spent ready to run without a CPU.
    RunQueueWaitNs,
    /// Context switches, all.
    ContextSwitches,
    /// Those against the thread's will.
    InvoluntarySwitches,
    /// Time that the machine below took away.
    StealNs,
    /// Segments sent again, in the network namespace.
    TcpRetransmits,
    /// Packets that TCP dropped for want of room, in the network namespace.
    TcpDrops,
    /// Open descriptors.
    FileDescriptors,
    /// The most that may be open.
    FileDescriptorLimit,
    /// Threads.
    Threads,
}

impl Measure {
    /// All, in the order of the columns.
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

    /// The column's name.
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

/// What was found of one subject at one time; `None` where no source tells.
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

/// Whose resources they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A server, by its arm's name.
    Arm(String),
    /// The prober.
    Loadgen,
    /// What an experiment lets work beside them.
    Neighbour,
    /// The machine; where there are several, by name.
    Node(String),
}

impl Subject {
    /// `arm`, `loadgen`, `neighbour` or `node`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Arm(_) => "arm",
            Self::Loadgen => "loadgen",
            Self::Neighbour => "neighbour",
            Self::Node(_) => "node",
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Arm(name) | Self::Node(name) => name,
            Self::Loadgen | Self::Neighbour => self.kind(),
        }
    }

    fn of(kind: &str, name: &str) -> Result<Self, ParquetError> {
        match kind {
            "arm" => Ok(Self::Arm(name.to_owned())),
            "loadgen" => Ok(Self::Loadgen),
            "neighbour" => Ok(Self::Neighbour),
            "node" => Ok(Self::Node(name.to_owned())),
            _ => Err(ParquetError::General(format!("unknown kind {kind}"))),
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceSample {
    /// When, by the clock of the user stamps.
    pub time_ns: i64,
    /// Of whom.
    pub subject: Subject,
    /// What was found.
    pub usage: Usage,
}

/// Writes one launch's samples.
///
/// # Errors
/// When the disk is full; nothing is left then.
pub fn write_resources(path: &Path, header: &FileHeader, samples: &[ResourceSample]) -> Result<(), Error> {
    let (condition, launch) = (text(&header.condition), header.launch.cast_signed());
    write_rows(path, RESOURCES, header, samples, |index, to, rows| match index {
        0 => put::<ByteArrayType, _>(to, rows, |_| condition.clone()),
        1 => put::<Int32Type, _>(to, rows, |_| launch),
        2 => put::<Int64Type, _>(to, rows, |row| row.time_ns),
        3 => put::<ByteArrayType, _>(to, rows, |row| text(row.subject.kind())),
        4 => put::<ByteArrayType, _>(to, rows, |row| text(row.subject.name())),
        _ => put_optional(to, rows, |row| row.usage.0[index - FIRST_MEASURE]),
    })
}

/// Reads one launch's samples.
///
/// # Errors
/// When it is no such table of this version.
pub fn read_resources(path: &Path) -> Result<Vec<ResourceSample>, Error> {
    read_rows(path, RESOURCES, sample)
}

fn sample(row: &Row) -> Result<ResourceSample, ParquetError> {
    let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
    let [
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
