//! Configurations, definitions, patches, and the binary `cluster` with stand-ins for the tools that it runs and with a real
//! cluster.

mod applications;
mod configs;
mod injection;
mod patches;
mod providers;
#[expect(dead_code, reason = "the tests of `engines` use the other functions")]
#[path = "../../../engines/tests/main/test_cluster.rs"]
mod test_cluster;
mod tools;
