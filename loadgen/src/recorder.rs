//! Holds rows until there is time to write them.

use std::collections::BTreeMap;

use dataset::{FileHeader, Observation, ObservationWriter, Status};

use crate::connection::Outcome;
use crate::error::Error;
use crate::plan::Plan;
use crate::summary::Tally;
use crate::sys;

/// Rows held in memory before they are written between two rounds.
const BUFFER_ROWS: u64 = 131_072;

const BLANK: Observation = Observation {
    round: 0,
    position: 0,
    arm: 0,
    sequence: 0,
    connection: 0,
    request: 0,
    intended_send_ns: 0,
    user_send_ns: 0,
    kernel_tx_ns: None,
    kernel_rx_ns: None,
    user_receive_ns: 0,
    status: Status::Ok,
    http_status: 0,
    bytes: 0,
    warm_up: true,
};

/// Which request it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) round: u32,
    pub(crate) position: u16,
    pub(crate) arm: u16,
    pub(crate) sequence: u32,
    pub(crate) connection: u16,
    pub(crate) request: u16,
    pub(crate) warm_up: bool,
}

/// The rows that are not written yet.
pub(crate) struct Recorder {
    writer: ObservationWriter,
    rows: Vec<Observation>,
    capacity: usize,
    pub(crate) tally: Tally,
    pub(crate) writing_ns: i64,
    /// Requests that failed.
    pub(crate) errors: u64,
    /// The first reason for each failure of each arm.
    reasons: BTreeMap<(u16, Status), &'static str>,
}

impl Recorder {
    pub(crate) fn new(plan: &Plan, kernel_minus_user_ns: i64) -> Result<Self, Error> {
        let names = plan.arms.iter().map(|target| target.arm.clone()).collect();
        let header = FileHeader {
            condition: plan.condition.clone(),
            launch: plan.launch,
            arms: names,
        };
        let writer = ObservationWriter::create(&plan.output, header)?;
        let needed = (plan.rounds * plan.arms.len() as u64).min(BUFFER_ROWS);
        let capacity = usize::try_from(needed).unwrap_or(0).max(plan.arms.len());
        // Written once, so that no page of it is missing when it is filled.
        let mut rows = vec![BLANK; capacity];
        rows.clear();
        Ok(Self {
            writer,
            rows,
            capacity,
            tally: Tally::new(kernel_minus_user_ns),
            writing_ns: 0,
            errors: 0,
            reasons: BTreeMap::new(),
        })
    }

    pub(crate) fn has_room(&self, rows: usize) -> bool {
        self.rows.len() + rows <= self.capacity
    }

    pub(crate) fn record(&mut self, place: Place, outcome: &Outcome) {
        if let Some(why) = outcome.why {
            self.reasons.entry((place.arm, outcome.status)).or_insert(why);
        }
        self.errors += u64::from(outcome.status != Status::Ok);
        self.rows.push(Observation {
            round: place.round,
            position: place.position,
            arm: place.arm,
            sequence: place.sequence,
            connection: place.connection,
            request: place.request,
            intended_send_ns: outcome.intended_send_ns,
            user_send_ns: outcome.user_send_ns,
            kernel_tx_ns: outcome.kernel_tx_ns,
            kernel_rx_ns: outcome.kernel_rx_ns,
            user_receive_ns: outcome.user_receive_ns,
            status: outcome.status,
            http_status: outcome.http_status,
            bytes: outcome.bytes,
            warm_up: place.warm_up || outcome.fresh,
        });
    }

    /// Writes what is held; gives how long that took, ns.
    pub(crate) fn flush(&mut self) -> Result<i64, Error> {
        let start_ns = sys::monotonic_ns();
        self.tally.add(&self.rows);
        self.writer.write(&self.rows)?;
        self.rows.clear();
        let took_ns = sys::monotonic_ns() - start_ns;
        self.writing_ns += took_ns;
        Ok(took_ns)
    }

    /// Completes the file; gives the sums, and for each arm and status with failures why the first of them failed.
    pub(crate) fn finish(mut self, plan: &Plan) -> Result<(Tally, Vec<String>), Error> {
        self.flush()?;
        self.writer.finish()?;
        let reasons = self.reasons.iter().map(|((arm, status), why)| {
            let arm = &plan.arms[usize::from(*arm)].arm;
            format!("arm `{arm}` had requests that ended as `{}`: {why}", status.text())
        });
        Ok((self.tally, reasons.collect()))
    }
}
