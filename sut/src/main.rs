//! The synthetic system under test.

fn main() {}
