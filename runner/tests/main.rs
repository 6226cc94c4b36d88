//! Integration tests of the runner, in one program: each module is a group that can be named, as in
//! `cargo test -p runner --test main docker`.

mod common;

mod definitions;
mod docker;
mod docker_programs;
mod kubernetes;
mod kubernetes_faults;
mod kubernetes_macro;
mod limits;
mod load;
mod measure;
mod observe;
mod observe_passive;
mod plan;
mod proxies_and_neighbours;
mod record;
mod running;
mod stamps_and_tight_loops;
mod stopping_rule;
