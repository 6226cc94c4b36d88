//! One file for each verb.

pub(crate) mod image;
pub(crate) mod inject;
pub(crate) mod provision;
mod signals;
