//! The exported functions: count, call the next definition, take note of the result, return it.
//!
//! Each signature is compared with libc's at compile time, where libc has one.

mod accept;
mod close;
mod dup;
mod receive;
mod variadic;
mod vectors;
