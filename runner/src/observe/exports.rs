//! The functions that a shared object replaces, from its dynamic symbols.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::{Object as _, ObjectSymbol as _};

/// Returns the names of the functions that a shared object exports.
///
/// # Errors
/// If the file cannot be read, or is no shared object.
pub(super) fn of(path: &Path) -> Result<BTreeSet<String>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no shared object", path.display()))?;
    ensure!(
        file.kind() == object::ObjectKind::Dynamic,
        "{} is no shared object; LD_PRELOAD loads only shared objects",
        path.display()
    );
    let defined = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition() && symbol.is_global());
    let names = defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    Ok(names.collect())
}
