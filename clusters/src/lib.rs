//! The places where an experiment runs.
