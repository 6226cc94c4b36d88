//! No cycle among the modules of a crate.
//!
//! The rule. The nodes are the source files of a crate; an inline module belongs to its file. Code in file A that names an
//! item that file B defines makes an edge from A to B. A name is followed through imports, `use …::*` and re-exports to the
//! file that defines the item, so that a file which only declares and re-exports modules has no edges. `mod` declarations,
//! `pub use` and code for tests only (`#[cfg(test)]`) make no edge. A cycle of edges is a breach.
//!
//! The limits. A method that is called on a value makes no edge, since the source alone does not say whose method it is; the
//! type or trait usually makes one, where it is imported. Names inside of format strings are not read.

use std::fmt::Write as _;

use anyhow::Result;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use super::crates::{self, Crate, Read, Resolution};
use super::references::{self, PathReference};

/// Returns one message for each cycle of modules in the crates of the workspace, with the edges of the cycle.
///
/// # Errors
/// When cargo does not list the crates, or a source file is not Rust.
pub(super) fn in_workspace() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for root in crates::roots(&[])? {
        for cycle in in_crate(&root, &crates::from_disk)? {
            let mut text =
                format!("{root}: a cycle among modules; move what both sides need into a file that imports neither");
            for Edge { from, to, line, path } in cycle {
                _ = write!(text, "\n    {from}:{line} names `{path}`, which {to} defines");
            }
            found.push(text);
        }
    }
    Ok(found)
}

/// A reference from code in one file to an item of another file.
struct Edge {
    from: String,
    to: String,
    /// The line of the first such reference.
    line: usize,
    /// The path of the reference, as in the code.
    path: String,
}

/// Returns the cycles of one crate. A cycle is the list of all edges among its files, sorted by file.
fn in_crate(root: &str, read: Read<'_>) -> Result<Vec<Vec<Edge>>> {
    let parsed = Crate::parse(root, read)?;
    let graph = edges(&parsed);
    let mut cycles: Vec<Vec<usize>> = tarjan_scc(&graph);
    cycles.retain(|files| files.len() > 1);
    let name = |file: usize| parsed.files[file].clone();
    let edges = |files: &Vec<usize>| {
        let inside = graph
            .all_edges()
            .filter(|(from, to, _)| files.contains(from) && files.contains(to));
        let edge = |(from, to, (line, path)): (usize, usize, &(usize, String))| Edge {
            from: name(from),
            to: name(to),
            line: *line,
            path: path.clone(),
        };
        let mut edges: Vec<Edge> = inside.map(edge).collect();
        edges.sort_by(|one, other| (&one.from, &one.to).cmp(&(&other.from, &other.to)));
        edges
    };
    Ok(cycles.iter().map(edges).collect())
}

/// Returns the edges between the indices of files, each with the line and the path of its first reference.
fn edges(parsed: &Crate) -> DiGraphMap<usize, (usize, String)> {
    let mut graph = DiGraphMap::new();
    for (index, module) in parsed.modules.iter().enumerate() {
        for PathReference { path, line, is_macro } in references::of(module) {
            let target = if is_macro && path.len() == 1 {
                parsed.resolve_macro(index, &path[0])
            } else {
                parsed.resolve(index, &path)
            };
            if let Some(Resolution::Item(to)) = target
                && to != module.file
                && !graph.contains_edge(module.file, to)
            {
                graph.add_edge(module.file, to, (line, path.join("::")));
            }
        }
    }
    graph
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cycles of a made-up crate whose root is `src/lib.rs`, each as the `FILE:LINE` places of its edges.
    fn cycles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| format!("src/{name}.rs") == path);
            file.map(|(_, text)| (*text).to_owned())
        };
        let place = |edge: &Edge| format!("{}:{}", edge.from.trim_start_matches("src/"), edge.line);
        let found = in_crate("src/lib.rs", &read).unwrap();
        found.iter().map(|cycle| cycle.iter().map(place).collect()).collect()
    }

    const NONE: [Vec<String>; 0] = [];

    #[test]
    fn two_modules_that_import_each_other_are_a_cycle_with_both_places() {
        let found = cycles(&[
            ("lib", "mod a; mod b;"),
            ("a", "\nuse crate::b::B;\npub struct A(B);"),
            ("b", "use super::a::A;\npub struct B(Box<A>);"),
        ]);
        assert_eq!(found, [["a.rs:2", "b.rs:1"]]);
    }

    #[test]
    fn one_way_is_no_cycle() {
        let found = cycles(&[
            ("lib", "mod a; mod b; pub use a::A;"),
            ("a", "use crate::b::{self, B}; pub struct A(B); fn f() { b::g() }"),
            ("b", "pub struct B; pub fn g() {}"),
        ]);
        assert_eq!(found, NONE);
    }

    #[test]
    fn paths_in_expressions_types_patterns_and_macros_count() {
        for code in [
            "fn f() { super::a::g() }",
            "fn f(_: &crate::a::A) {}",
            "fn f(x: u8) { match x { crate::a::LIMIT => {} _ => {} } }",
            "fn f() { println!(\"{}\", crate::a::LIMIT) }",
            "fn f() { assert!(0..crate::a::LIMIT > 1) }",
            "fn f() { use crate::a::g; g() }",
            "#[derive(Debug)] struct B { #[serde(with = \"crate::a::g\")] b: u8 }",
            "#[arg(value_parser = crate::a::g)] struct B;",
            "impl crate::a::Trait for u8 {}",
            "fn f() { crate::a::twice!(1) }",
            "mod inner { fn f() { super::super::a::g() } }",
        ] {
            let a = "use crate::b::*; macro_rules! twice { () => {} } pub(crate) use twice; pub struct A; \
                     pub const LIMIT: u8 = 1; pub fn g() { h() } pub trait Trait {}";
            let b = format!("pub fn h() {{}}\n{code}");
            let found = cycles(&[("lib", "mod a; mod b;"), ("a", a), ("b", &b)]);
            assert_eq!(found, [["a.rs:1", "b.rs:2"]], "{code}");
        }
    }

    #[test]
    fn a_parent_that_only_declares_and_reexports_makes_no_cycle() {
        let found = cycles(&[
            ("lib", "mod a;"),
            ("a", "mod one; mod two; pub use one::One; pub(crate) use two::*;"),
            ("a/one", "pub struct One;"),
            ("a/two", "use super::One; pub struct Two(One);"),
        ]);
        assert_eq!(found, NONE);
    }

    #[test]
    fn a_parent_and_a_child_that_use_each_others_items_are_a_cycle() {
        let found = cycles(&[
            ("lib", "mod a;"),
            ("a", "mod one; pub struct A; fn f() { one::g() }"),
            ("a/one", "pub fn g() { let _ = super::A; }"),
        ]);
        assert_eq!(found, [["a.rs:1", "a/one.rs:1"]]);
    }

    #[test]
    fn a_reexport_leads_to_the_file_that_defines_the_item() {
        let found = cycles(&[
            ("lib", "mod a; mod b; mod face;"),
            ("face", "pub use crate::a::A as Renamed; pub use crate::b::*;"),
            ("a", "use crate::face::B; pub struct A(B);"),
            ("b", "use crate::face::Renamed; pub struct B(Box<Renamed>);"),
        ]);
        assert_eq!(found, [["a.rs:1", "b.rs:1"]]);
    }

    #[test]
    fn tests_and_modules_of_the_same_name_as_a_crate_make_no_cycle() {
        let found = cycles(&[
            ("lib", "mod a; mod b; mod serde;"),
            ("serde", "pub struct S;"),
            (
                "a",
                "use ::serde::Serialize; pub fn f() {} #[cfg(test)] mod tests { use crate::b::g; }",
            ),
            ("b", "use crate::a::f; pub fn g() { f() }"),
        ]);
        assert_eq!(found, NONE);
    }

    #[test]
    fn a_longer_cycle_is_found_where_no_shorter_one_is() {
        let found = cycles(&[
            ("lib", "mod a; mod b; mod c; mod d;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::A; pub struct C;"),
            ("d", "use crate::a::A; pub struct D;"),
        ]);
        assert_eq!(found, [["a.rs:1", "b.rs:1", "c.rs:1"]]);
    }

    #[test]
    fn a_missing_file_and_broken_source_are_errors_that_name_it() {
        let error = |text: &'static str| {
            let read = move |path: &str| (path == "src/lib.rs").then(|| text.to_owned());
            format!("{:#}", in_crate("src/lib.rs", &read).err().unwrap())
        };
        assert!(error("mod a;").contains("src/a.rs"), "{}", error("mod a;"));
        assert!(error("\nfn (").starts_with("src/lib.rs:2"), "{}", error("\nfn ("));
    }
}
