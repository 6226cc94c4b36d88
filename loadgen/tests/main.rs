//! Tests of `loadgen` as a program, against small servers of the tests' own.

mod modes;
mod order;
mod run;
mod servers;
