//! The exported functions. Each counts the call, calls the next definition, evaluates the result and returns it.
//!
//! The compiler compares each signature with the signature in the crate libc, if that crate has the function.

mod accept;
mod close;
mod dup;
mod receive;
mod variadic;
mod vectors;
