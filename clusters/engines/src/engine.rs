//! The interface of all container engines.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::container::{CommandOutcome, ContainerSpec, ContainerState, Leftover, Owner};
use crate::error::EngineError;
use crate::image::Image;

/// Receives the output of a command in a container, and may answer it.
///
/// Standard input stays open until the command ends, because Kubernetes before 1.30 cannot close it: commands read lines or
/// stated lengths.
pub trait OutputListener {
    /// Receives the next bytes of standard output and returns the bytes to send to standard input.
    ///
    /// # Errors
    /// An error ends the command's stream and becomes the error of [`RunningContainers::exec`].
    fn receive(&mut self, stdout: &[u8]) -> std::io::Result<Vec<u8>>;
}

/// Collects the whole output and answers nothing.
impl OutputListener for Vec<u8> {
    fn receive(&mut self, stdout: &[u8]) -> std::io::Result<Vec<u8>> {
        self.extend_from_slice(stdout);
        Ok(Vec::new())
    }
}

/// A container engine.
pub trait Engine {
    /// Returns facts about the engine that a reader of the run needs: versions, driver, topology.
    ///
    /// # Errors
    /// When the engine does not answer; the error says how to start or name an engine.
    fn facts(&self) -> Result<BTreeMap<String, String>, EngineError>;

    /// Makes the image available to the containers of a run, unless it is available already.
    ///
    /// # Errors
    /// When the engine refuses the image.
    fn load(&self, image: &Image) -> Result<(), EngineError>;

    /// Removes the image if [`Engine::load`] or [`Engine::start`] of this value loaded it, and no other run uses it.
    ///
    /// # Errors
    /// When the engine refuses.
    fn unload(&self, image: &Image) -> Result<(), EngineError>;

    /// Starts all containers of a launch, in this order, and waits until each has an address. After an error, nothing that
    /// was created for the launch remains.
    ///
    /// # Errors
    /// When a container cannot be started, or a signal came.
    fn start(
        &self,
        owner: &Owner,
        image: &Image,
        containers: &[ContainerSpec],
    ) -> Result<Box<dyn RunningContainers>, EngineError>;

    /// Returns every resource that carries the labels of one run, or of all runs together with the resources that they
    /// share.
    ///
    /// # Errors
    /// When the engine does not answer.
    fn leftovers(&self, run: Option<&str>) -> Result<Vec<Leftover>, EngineError>;

    /// Removes a leftover. A leftover that does not exist any more is no error.
    ///
    /// # Errors
    /// When the engine refuses.
    fn remove(&self, leftover: &Leftover) -> Result<(), EngineError>;
}

/// The containers of one launch. Dropping the value also removes the containers, but cannot report an error.
pub trait RunningContainers {
    /// Returns the address at which the load generator reaches a container.
    ///
    /// # Errors
    /// When there is no such container.
    fn address(&self, container: &str) -> Result<IpAddr, EngineError>;

    /// Runs a command in a container: sends `stdin`, passes standard output to `listener` and waits until the command
    /// ends. Standard error is copied to the standard error of this process.
    ///
    /// # Errors
    /// When the stream breaks before the exit status is known, or a signal came. The output received so far may then be
    /// incomplete.
    fn exec(
        &self,
        container: &str,
        command: &[&str],
        stdin: &[u8],
        listener: &mut dyn OutputListener,
    ) -> Result<CommandOutcome, EngineError>;

    /// Returns the output of process 1 of a container.
    ///
    /// # Errors
    /// When the engine does not return it.
    fn log(&self, container: &str) -> Result<String, EngineError>;

    /// Returns the state of a container.
    ///
    /// # Errors
    /// When the engine does not return it.
    fn state(&self, container: &str) -> Result<ContainerState, EngineError>;

    /// Returns facts about a container that bear on the measurement: node, processors, limits as the engine has them.
    ///
    /// # Errors
    /// When the engine does not return them.
    fn placement(&self, container: &str) -> Result<BTreeMap<String, String>, EngineError>;

    /// Removes all containers and every resource that was made for them.
    ///
    /// # Errors
    /// When a resource could not be removed.
    fn remove(self: Box<Self>) -> Result<(), EngineError>;
}
