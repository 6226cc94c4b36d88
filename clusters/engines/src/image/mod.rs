//! The image that all containers run: the agent, servers, the load generator, the hook, and the files that they need.
//!
//! It is made from the built programs and from installed programs, without a registry, a base image or a Dockerfile. One
//! layer holds the programs, the libraries that this machine's dynamic linker lists for them, and data files. The same
//! files give the same bytes and the same name.

mod archive;
mod contents;
mod layout;
mod libraries;

pub use contents::{ImageContents, InstalledProgram};
pub use layout::Image;
