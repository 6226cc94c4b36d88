//! All integration tests of the crate in one program.

mod before_plan;
mod hook_calls;
mod observations;
mod readers;
mod resources;
mod runs;
mod tables;
