//! The pods of a launch, and the Kubernetes engine with a real cluster.

mod kubernetes;
mod pods;
mod test_cluster;
