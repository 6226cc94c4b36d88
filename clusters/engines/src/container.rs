//! Containers in which a launch's arms and prober run, whichever engine runs them.
//!
//! An [`Engine`] starts all containers of one launch and hands back a [`Running`]; both are used from ordinary, blocking
//! code. Everything that an engine creates carries the labels of [`Owner::labels`], by which [`Engine::leftovers`] finds
//! what a killed runner could not remove.
//!
//! The image holds a program of ours, the agent, beside servers, prober and hook; containers idle in it or run what they are
//! told to under it, and all that the launch needs to know comes through [`Running::exec`].

pub(crate) mod blocking;
mod docker;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::Error;
use crate::image::Image;
use crate::kubernetes::Kubernetes;

pub use docker::Docker;

/// Set by a signal; whatever waits for an engine looks at it at least ten times a second and gives [`Error::Stopped`].
pub type Stop = Arc<AtomicBool>;

/// To which run and launch a thing belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The run's id: lower-case letters, digits and hyphens, at most 40, so that it can be part of any engine's names.
    pub run: String,
    /// Number of the launch, from 0.
    pub launch: u32,
}

impl Owner {
    /// Key of the label that marks everything of ours; its value is the run's id.
    pub const RUN: &str = "hook-latency.run";
    /// Key of the label with the launch's number.
    pub const LAUNCH: &str = "hook-latency.launch";

    /// The labels of everything that is created for this launch.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (Self::RUN.to_owned(), self.run.clone()),
            (Self::LAUNCH.to_owned(), self.launch.to_string()),
        ])
    }

    /// A name that no other launch of any run has, such as `hook-latency-1f3a-0007`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("hook-latency-{}-{:04}", self.run, self.launch)
    }
}

/// What a container is for. It decides the processors: all arms share the first of those that may be used, the prober has
/// the last. An engine that can confines containers so (Docker's cpuset, exclusive CPUs for the prober in Kubernetes);
/// where it cannot, the agent pins itself to the first or last processor that its container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A server, or what stands or works beside it.
    Arm,
    /// The prober, or what works beside it.
    Loadgen,
    /// What works on whatever processor there is.
    Anywhere,
}

/// What a container may use at most, and what is requested for it; none leaves it to the engine, which has none or a
/// default of its own (Kubernetes, for Guaranteed quality of service).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Processor time, thousandths of a processor.
    pub millicores: Option<u32>,
    /// Memory, bytes.
    pub memory_bytes: Option<u64>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Its name within the launch, a DNS label.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Its process 1, found in the image: a program and its arguments.
    pub command: Vec<String>,
    /// Environment of process 1.
    pub environment: BTreeMap<String, String>,
    /// What it may use.
    pub limits: Limits,
}

/// How a container is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Process 1 runs.
    Running,
    /// Process 1 has ended.
    Ended {
        /// Its exit status.
        code: i64,
        /// Whether the kernel killed it for want of memory.
        out_of_memory: bool,
    },
    /// There is no such container any more: removed by somebody else, or its node has gone.
    Gone,
}

/// Something that carries the labels of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// `container`, `network`, `image`, `pod` …
    pub kind: &'static str,
    /// By which the engine knows it.
    pub id: String,
    /// For people.
    pub name: String,
    /// The run's id; none for what all runs share, such as the image.
    pub run: Option<String>,
}

/// How a command in a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status.
    pub code: i64,
    /// The end of what it wrote to its standard error.
    pub stderr: String,
}

/// Takes what a command in a container prints, and may answer.
///
/// Standard input is never closed before the command ends, because Kubernetes before 1.30 cannot: commands read lines or
/// stated lengths.
pub trait Listener {
    /// Takes the next bytes of standard output; what it returns is sent to standard input.
    ///
    /// # Errors
    /// Ends the command's stream; the error is given to the caller of [`Running::exec`].
    fn heard(&mut self, stdout: &[u8]) -> std::io::Result<Vec<u8>>;
}

/// Collects everything and answers nothing.
impl Listener for Vec<u8> {
    fn heard(&mut self, stdout: &[u8]) -> std::io::Result<Vec<u8>> {
        self.extend_from_slice(stdout);
        Ok(Vec::new())
    }
}

/// Something that runs containers.
pub trait Engine {
    /// What a reader of the run should know of it: versions, driver, topology.
    ///
    /// # Errors
    /// When it does not answer; the error says how to get one that does.
    fn facts(&self) -> Result<BTreeMap<String, String>, Error>;

    /// Makes the image available to the containers of a run, where it is not yet.
    ///
    /// # Errors
    /// When the engine refuses it.
    fn load(&self, image: &Image) -> Result<(), Error>;

    /// Removes the image again if [`Engine::load`] or [`Engine::start`] of this value brought it in, and no other run uses it.
    ///
    /// # Errors
    /// When the engine refuses.
    fn unload(&self, image: &Image) -> Result<(), Error>;

    /// Starts all containers of a launch, in this order, and waits until each has an address. When it fails, nothing that
    /// it has created is left.
    ///
    /// # Errors
    /// When one cannot be started, or a signal came.
    fn start(&self, owner: &Owner, image: &Image, containers: &[ContainerSpec]) -> Result<Box<dyn Running>, Error>;

    /// Everything that carries our labels: of one run, or of all and what they share.
    ///
    /// # Errors
    /// When the engine does not answer.
    fn leftovers(&self, run: Option<&str>) -> Result<Vec<Leftover>, Error>;

    /// The cluster, where that is what it is.
    fn kubernetes(&self) -> Option<&Kubernetes> {
        None
    }

    /// Removes something that was left; that it has gone already is no error.
    ///
    /// # Errors
    /// When the engine refuses.
    fn remove(&self, leftover: &Leftover) -> Result<(), Error>;
}

/// The containers of one launch. Dropping it removes them too, for the ways out that cannot report an error.
pub trait Running {
    /// Where a container can be reached from the prober.
    ///
    /// # Errors
    /// When there is no such container.
    fn address(&self, container: &str) -> Result<IpAddr, Error>;

    /// Runs a command in a container: sends `stdin`, hands what it prints to `listener` and waits until it ends. What it
    /// writes to standard error is passed on to ours.
    ///
    /// # Errors
    /// When the stream breaks before the command's exit status is known, or a signal came. Then nothing that was heard
    /// may be taken for whole.
    fn exec(
        &self,
        container: &str,
        command: &[&str],
        stdin: &[u8],
        listener: &mut dyn Listener,
    ) -> Result<Ended, Error>;

    /// What process 1 of a container has printed.
    ///
    /// # Errors
    /// When the engine does not say.
    fn log(&self, container: &str) -> Result<String, Error>;

    /// How a container is.
    ///
    /// # Errors
    /// When the engine does not say.
    fn state(&self, container: &str) -> Result<State, Error>;

    /// What the engine did with a container that bears on the measurement: node, processors, limits as the engine has them.
    ///
    /// # Errors
    /// When the engine does not say.
    fn placement(&self, container: &str) -> Result<BTreeMap<String, String>, Error>;

    /// Removes all containers and whatever was made for them.
    ///
    /// # Errors
    /// When something could not be removed.
    fn remove(self: Box<Self>) -> Result<(), Error>;
}
