//! One launch: fresh processes for all arms, measured, checked and recorded.

mod active_arm;
pub(crate) mod backend;
pub(crate) mod container;
pub(crate) mod context;
pub(crate) mod driver;
mod held_on_median;
pub(crate) mod installation;
pub(crate) mod local;
pub(crate) mod order;
pub(crate) mod process;
mod programs;
pub(crate) mod record;
pub(crate) mod resource_record;
mod stamps;
pub(crate) mod telemetry;
pub(crate) mod tight_loop;
