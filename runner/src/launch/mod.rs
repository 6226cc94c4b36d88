//! One launch: fresh processes for all arms, measured, checked and recorded.

pub(crate) mod container;
pub(crate) mod installation;
pub(crate) mod local;
pub(crate) mod order;
pub(crate) mod record;
pub(crate) mod spec;
pub(crate) mod stamps;
pub(crate) mod sut;
pub(crate) mod telemetry;
pub(crate) mod tight_loop;
pub(crate) mod watch;
