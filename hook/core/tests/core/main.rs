//! Tests of the hook's logic: one test binary, so that it is linked once.

mod fd_table;
mod filters;
mod logic;
