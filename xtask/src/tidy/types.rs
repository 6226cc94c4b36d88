//! The name of a type is unique in the workspace, unless the types stand for the same concept.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use cargo_metadata::TargetKind;
use syn::Item;

use super::crates::{self, Crate, Read, attributes_and_name};

/// Names that several types may have, each with the reason.
const SHARED: [(&str, &str); 1] = [(
    "Format",
    "the form of a binary's output, which no library is shared by all binaries to define",
)];

/// The names of structs, enums, unions, traits and aliases that libraries and binaries define more than once, each with the
/// places of its definitions.
///
/// # Errors
/// When cargo does not list the crates, or a source file is not Rust.
pub(super) fn repeated() -> Result<Vec<String>> {
    let roots = crates::roots(&[TargetKind::Lib, TargetKind::CDyLib, TargetKind::Bin])?;
    repeated_in(&roots, &crates::from_disk)
}

fn repeated_in(roots: &BTreeSet<String>, read: Read<'_>) -> Result<Vec<String>> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for root in roots {
        let parsed = Crate::parse(root, read)?;
        for module in &parsed.modules {
            for ident in module.items.iter().filter_map(type_name) {
                let place = format!("{}:{}", parsed.files[module.file], ident.span().start().line);
                places.entry(ident.to_string()).or_default().push(place);
            }
        }
    }
    let repeated = places.into_iter().filter(|(name, places)| {
        let shared = SHARED.iter().any(|(shared, _)| shared == name);
        places.len() > 1 && !shared
    });
    let breaches = repeated.map(|(name, places)| {
        format!(
            "{name} is the name of {} types: {}; rename them, or import one of them everywhere",
            places.len(),
            places.join(", ")
        )
    });
    Ok(breaches.collect())
}

fn type_name(item: &Item) -> Option<&syn::Ident> {
    let is_type = matches!(
        item,
        Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Type(_) | Item::Union(_)
    );
    attributes_and_name(item).1.filter(|_| is_type)
}

#[cfg(test)]
mod tests {
    use super::repeated_in;

    #[test]
    fn a_name_of_two_types_is_found_with_both_places() {
        let files = [
            (
                "a/src/lib.rs",
                "mod inner; pub struct Options; #[cfg(test)] struct Plan;",
            ),
            ("a/src/inner.rs", "\nenum Plan {}"),
            (
                "b/src/main.rs",
                "struct Options; mod deeper { trait Plan {} } fn f() { struct Local; }",
            ),
            ("c/src/main.rs", "struct Local; struct Format;"),
            ("d/src/main.rs", "struct Format;"),
        ];
        let read = |path: &str| {
            let file = files.iter().find(|(name, _)| *name == path);
            file.map(|(_, text)| (*text).to_owned())
        };
        let roots = ["a/src/lib.rs", "b/src/main.rs", "c/src/main.rs", "d/src/main.rs"].map(str::to_owned);
        let found = repeated_in(&roots.into(), &read).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("Options is the name of 2 types: a/src/lib.rs:1, b/src/main.rs:1;"));
        assert!(found[1].contains("a/src/inner.rs:2, b/src/main.rs:1"), "{found:?}");
    }
}
