//! Container engines: Docker, Podman and Kubernetes behind one trait, and the image that all containers run.
//!
//! An [`Engine`] starts all containers of one launch and returns a [`RunningContainers`]; both are used from ordinary,
//! blocking code. Everything that an engine creates carries the labels of [`Owner::labels`], by which
//! [`Engine::leftovers`] finds resources that a killed runner could not remove.
//!
//! The image holds servers, load generator, hook and the agent. The agent is process 1 of each container. It is idle,
//! or starts and supervises the program that the launch requests. The launch collects all its data through
//! [`RunningContainers::exec`].
#![forbid(unsafe_code)]

mod blocking;
mod commands;
mod container;
mod docker;
mod engine;
mod error;
mod image;
pub mod kubernetes;
mod stop;

pub use commands::{CommandLine, CommandRunner};
pub use container::{CommandOutcome, ContainerLimits, ContainerRole, ContainerSpec, ContainerState, Leftover, Owner};
pub use docker::Docker;
pub use engine::{Engine, OutputListener, RunningContainers};
pub use error::EngineError;
pub use image::{Image, ImageContents, InstalledProgram};
pub use stop::Stop;
