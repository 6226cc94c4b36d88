//! What a launch observed, read back from its file.

use std::path::Path;

use analysis::{ArmSamples, LaunchSamples, OrderSamples, Times, Turn};
use anyhow::Result;
use dataset::{ObservationReader, RequestOutcome};
use model::LaunchRecord;

/// The samples of all arms, and the order of one.
pub(crate) struct Observed {
    pub(crate) samples: LaunchSamples,
    /// Wire times of the subject by their place in the round; empty without a subject.
    pub(crate) order: OrderSamples,
}

impl Observed {
    /// Reads a file of observations; `subject` is the arm whose order matters.
    pub(crate) fn read(file: &Path, launch: &LaunchRecord, subject: Option<&str>) -> Result<Self> {
        let reader = ObservationReader::open(file)?;
        let names = reader.header().arms.clone();
        let mut arms: Vec<ArmSamples> = names.iter().map(|_| ArmSamples::default()).collect();
        let mut order = OrderSamples::default();
        reader.for_each(|row| {
            if row.outcome != RequestOutcome::Answered || row.warm_up {
                return;
            }
            let arm = usize::from(row.arm);
            arms[arm].answered(Times {
                rtt_ns: row.rtt_ns(),
                wire_ns: row.wire_ns(),
                send_path_ns: None,
            });
            if let Some(wire_ns) = row.wire_ns().filter(|_| Some(names[arm].as_str()) == subject) {
                let turn = match usize::from(row.position) {
                    0 => Turn::First,
                    position if position + 1 == names.len() => Turn::Last,
                    _ => Turn::Middle,
                };
                order.add("", turn, wire_ns);
            }
        })?;
        Ok(Self {
            samples: LaunchSamples {
                condition: launch.condition.clone(),
                launch: launch.launch,
                arms: names.into_iter().zip(arms).collect(),
            },
            order,
        })
    }
}
