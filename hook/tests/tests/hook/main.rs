//! Behaviour of the hook in programs and servers: one test binary, so that it is linked once.

mod blocking;
mod file;
mod generated;
mod loading;
mod observation;
mod servers;
mod transparency;
