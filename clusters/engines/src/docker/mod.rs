//! Docker Engine and Podman, through the API that both implement.

mod connection;
mod create;
mod engine;
mod exec;
mod remove;
mod running;

pub use engine::Docker;
