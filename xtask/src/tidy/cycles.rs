//! No cycle among the modules of a crate.
//!
//! The rule. The nodes are the source files of a crate; an inline module belongs to its file. Code in file A that names an
//! item that file B defines makes an edge from A to B. A name is followed through imports, `use …::*` and re-exports to the
//! file that defines the item, so that a file which only declares and re-exports modules has no edges. `mod` declarations,
//! `pub use` and code for tests only (`#[cfg(test)]`) make no edge. A cycle of edges is a breach.
//!
//! The limits. A method that is called on a value makes no edge, since the source alone does not say whose method it is; the
//! type or trait usually makes one, where it is imported. Names inside of format strings are not read.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fmt;

use anyhow::Result;

use super::crates::{self, Crate, Read, Resolution};
use super::references;

/// The files of a cycle, or of several that share files.
pub(super) struct Cycle {
    root: String,
    files: usize,
    /// A shortest cycle.
    shortest: Vec<Edge>,
    /// All edges among the files.
    edges: Vec<Edge>,
}

/// Code in one file names an item of another.
#[derive(Clone, Debug)]
struct Edge {
    from: String,
    to: String,
    line: usize,
    /// The path as it stands in the code.
    path: String,
    /// How often the file names items of the other.
    times: usize,
}

impl fmt::Display for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            line,
            path,
            times,
        } = self;
        write!(formatter, "    {from}:{line} names `{path}`, which {to} defines")?;
        if *times > 1 {
            write!(formatter, " ({times} names in all)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: a cycle among modules, {} files in all; move what both sides need into a file that imports neither",
            self.root, self.files
        )?;
        self.shortest.iter().try_for_each(|edge| write!(formatter, "\n{edge}"))
    }
}

impl Cycle {
    /// The cycle, and below it all edges among its files.
    pub(super) fn in_full(&self) -> String {
        let mut text = self.to_string();
        if self.edges.len() > self.shortest.len() {
            text += "\n  all edges among these files:";
            for edge in &self.edges {
                text += &format!("\n{edge}");
            }
        }
        text
    }
}

/// The cycles in all crates of the workspace.
///
/// # Errors
/// When cargo does not list the crates, or a source file is not Rust.
pub(super) fn in_workspace() -> Result<Vec<Cycle>> {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let mut found = Vec::new();
    for root in crates::roots(&[])? {
        found.extend(in_crate(&root, &read)?);
    }
    Ok(found)
}

fn in_crate(root: &str, read: Read<'_>) -> Result<Vec<Cycle>> {
    let parsed = Crate::parse(root, read)?;
    let edges = edges(&parsed);
    let reach: Vec<HashSet<usize>> = (0..parsed.files.len()).map(|file| reachable(file, &edges)).collect();
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for file in 0..parsed.files.len() {
        if !reach[file].contains(&file) || !seen.insert(file) {
            continue;
        }
        let together: Vec<usize> = reach[file]
            .iter()
            .copied()
            .filter(|&other| reach[other].contains(&file))
            .collect();
        seen.extend(&together);
        let inside = among(&together, &edges);
        let shortest = together
            .iter()
            .filter_map(|&start| shortest_cycle(start, &inside))
            .min_by_key(|cycle| (cycle.len(), cycle[0].from.clone()));
        found.push(Cycle {
            root: root.to_owned(),
            files: together.len(),
            shortest: shortest.unwrap_or_default(),
            edges: inside.into_values().collect(),
        });
    }
    Ok(found)
}

type Edges = BTreeMap<(usize, usize), Edge>;

/// The edges both ends of which are in `files`.
fn among(files: &[usize], edges: &Edges) -> Edges {
    let inside = |(from, to): &(usize, usize)| files.contains(from) && files.contains(to);
    let edges = edges.iter().filter(|(pair, _)| inside(pair));
    edges.map(|(pair, edge)| (*pair, edge.clone())).collect()
}

fn edges(parsed: &Crate) -> Edges {
    let mut edges = Edges::new();
    for (index, module) in parsed.modules.iter().enumerate() {
        for reference in references::of(module) {
            let target = if reference.is_macro && reference.path.len() == 1 {
                parsed.resolve_macro(index, &reference.path[0])
            } else {
                parsed.resolve(index, &reference.path)
            };
            let Some(Resolution::Item(to)) = target else { continue };
            if to == module.file {
                continue;
            }
            let edge = edges.entry((module.file, to)).or_insert_with(|| Edge {
                from: parsed.files[module.file].clone(),
                to: parsed.files[to].clone(),
                line: reference.line,
                path: reference.path.join("::"),
                times: 0,
            });
            edge.times += 1;
        }
    }
    edges
}

/// The files that can be reached from one by at least one edge.
fn reachable(from: usize, edges: &Edges) -> HashSet<usize> {
    let mut found = HashSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for (_, to) in edges.range((file, 0)..=(file, usize::MAX)).map(|(pair, _)| *pair) {
            if found.insert(to) {
                next.push(to);
            }
        }
    }
    found
}

/// A shortest cycle through a file.
fn shortest_cycle(start: usize, edges: &Edges) -> Option<Vec<Edge>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        for (_, to) in edges.range((file, 0)..=(file, usize::MAX)).map(|(pair, _)| *pair) {
            if before.contains_key(&to) {
                continue;
            }
            before.insert(to, file);
            if to == start {
                let mut cycle = Vec::new();
                let mut at = start;
                loop {
                    let from = before[&at];
                    cycle.push(edges[&(from, at)].clone());
                    at = from;
                    if at == start {
                        cycle.reverse();
                        return Some(cycle);
                    }
                }
            }
            next.push_back(to);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cycles of a made-up crate whose root is `src/lib.rs`, each as its shortest cycle's `FILE:LINE` places.
    fn cycles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| format!("src/{name}.rs") == path);
            file.map(|(_, text)| (*text).to_owned())
        };
        let place = |edge: &Edge| format!("{}:{}", edge.from.trim_start_matches("src/"), edge.line);
        let found = in_crate("src/lib.rs", &read).unwrap();
        found
            .iter()
            .map(|cycle| cycle.shortest.iter().map(place).collect())
            .collect()
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
