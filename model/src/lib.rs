//! Types of an experiment, a launch and a result, and their validation. No process, file or network access.
#![forbid(unsafe_code)]
