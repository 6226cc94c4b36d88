//! Launches in containers of an engine, and on copies of an application.

mod agent_client;
pub(crate) mod application;
pub(crate) mod backend;
mod cluster_metrics;
mod engine_choice;
mod fetch;
mod image;
mod load;
mod resource_samples;

pub(crate) use engine_choice::{EngineOptions, ReadyEngine};
pub(crate) use image::{image, own};
