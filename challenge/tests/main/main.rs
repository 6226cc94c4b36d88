//! Blind trials as a user runs them, with few and short launches.

mod blindness;
mod opening;
mod room;
