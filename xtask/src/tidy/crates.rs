//! The modules of a crate, parsed from its source files, and the resolution of paths to the files that define their items.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cargo_metadata::{MetadataCommand, Target, TargetKind};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprLit, Item, Lit, Meta, UseTree, Visibility};

/// One crate: the module tree below one root file, such as `src/lib.rs` or `tests/main.rs`.
pub(super) struct Crate {
    /// The source files, the root file first.
    pub(super) files: Vec<String>,
    /// The modules, the root module first.
    pub(super) modules: Vec<Module>,
}

/// A module, in a file of its own or inline in the file of its parent.
pub(super) struct Module {
    parent: Option<usize>,
    /// The index of its file in [`Crate::files`].
    pub(super) file: usize,
    /// The meanings of each name; a type, a value and a macro may share one name.
    names: HashMap<String, Vec<Meaning>>,
    /// The modules whose names `use …::*` brings in.
    globs: Vec<Vec<String>>,
    /// Its items without its tests and without its child modules.
    pub(super) items: Vec<Item>,
}

/// The meaning of a name in a module.
#[derive(Clone, Debug)]
enum Meaning {
    /// An item that the module itself defines.
    Item,
    /// A child module.
    Module(usize),
    /// An import of this path.
    Import(Vec<String>),
}

/// The thing that a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// An item that the file with this index defines, or a variant, an associated item or a field of such an item.
    Item(usize),
    /// The module with this index.
    Module(usize),
}

/// Reads a source file; `None` where there is no such file.
pub(super) type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a source file of this clone.
pub(super) fn from_disk(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// Returns the root files of the workspace's targets of these kinds, relative to the project's folder. An empty list
/// selects all kinds.
///
/// # Errors
/// When cargo does not list them.
pub(super) fn roots(kinds: &[TargetKind]) -> Result<BTreeSet<String>> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .context("listing the crates")?;
    let targets = metadata.packages.iter().flat_map(|package| &package.targets);
    let targets = targets.filter(|target| kinds.is_empty() || kinds.iter().any(|kind| target.is_kind(kind.clone())));
    // Two packages that share a root file name it by different paths.
    let path = |target: &Target| {
        let file = target.src_path.canonicalize_utf8().ok()?;
        Some(
            file.strip_prefix(metadata.workspace_root.canonicalize_utf8().ok()?)
                .ok()?
                .to_string(),
        )
    };
    Ok(targets.filter_map(path).collect())
}

impl Crate {
    /// Parses a root file and all files that it declares as modules.
    ///
    /// # Errors
    /// When a file is missing or is not Rust; the message names it.
    pub(super) fn parse(root: &str, read: Read<'_>) -> Result<Self> {
        let mut parsed = Self {
            files: Vec::new(),
            modules: Vec::new(),
        };
        let folder = Path::new(root).parent().unwrap_or(Path::new("")).to_owned();
        parsed.file(root, None, &folder, read)?;
        Ok(parsed)
    }

    /// Adds a file as a module. `folder` contains the files of its child modules.
    fn file(&mut self, path: &str, parent: Option<usize>, folder: &Path, read: Read<'_>) -> Result<usize> {
        let text = read(path).with_context(|| format!("{path} is declared as a module and cannot be read"))?;
        let parsed = syn::parse_file(&text).map_err(|error| {
            let line = error.span().start().line;
            anyhow::anyhow!("{path}:{line}: this is not Rust: {error}")
        })?;
        self.files.push(path.to_owned());
        let file = self.files.len() - 1;
        self.module(file, parent, parsed.items, folder, read)
    }

    fn module(
        &mut self,
        file: usize,
        parent: Option<usize>,
        items: Vec<Item>,
        folder: &Path,
        read: Read<'_>,
    ) -> Result<usize> {
        let index = self.modules.len();
        self.modules.push(Module {
            parent,
            file,
            names: HashMap::new(),
            globs: Vec::new(),
            items: Vec::new(),
        });
        for item in items
            .into_iter()
            .filter(|item| !attributes_and_name(item).0.iter().any(is_for_tests))
        {
            match item {
                Item::Mod(child) => {
                    let name = child.ident.unraw().to_string();
                    let made = if let Some((_, items)) = child.content {
                        self.module(file, Some(index), items, &folder.join(&name), read)?
                    } else {
                        let (path, inner) = self.location(file, &name, &child.attrs, folder, read)?;
                        self.file(&path, Some(index), &inner, read)?
                    };
                    self.name(index, name, Meaning::Module(made));
                }
                item => {
                    self.declare(index, &item);
                    self.modules[index].items.push(item);
                }
            }
        }
        Ok(index)
    }

    /// The file of a declared module, and the folder of that module's children.
    fn location(
        &self,
        file: usize,
        name: &str,
        attributes: &[syn::Attribute],
        folder: &Path,
        read: Read<'_>,
    ) -> Result<(String, PathBuf)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        if let Some(named) = attributes.iter().find_map(path_attribute) {
            let here = Path::new(&self.files[file]).parent().unwrap_or(Path::new(""));
            let path = here.join(named);
            let inner = path.parent().unwrap_or(Path::new("")).to_owned();
            return Ok((text(&path), inner));
        }
        let inner = folder.join(name);
        for path in [folder.join(format!("{name}.rs")), inner.join("mod.rs")] {
            if read(&text(&path)).is_some() {
                return Ok((text(&path), inner));
            }
        }
        bail!(
            "{}: module `{name}` has no file; expected {}.rs",
            self.files[file],
            text(&inner)
        )
    }

    fn name(&mut self, module: usize, name: String, meaning: Meaning) {
        self.modules[module].names.entry(name).or_default().push(meaning);
    }

    /// Adds the names that an item defines or imports to a module.
    fn declare(&mut self, module: usize, item: &Item) {
        if let Item::Use(item) = item {
            for import in imports(&item.tree) {
                match import.name {
                    Some(name) => self.name(module, name, Meaning::Import(import.path)),
                    None if import.glob => self.modules[module].globs.push(import.path),
                    None => {}
                }
            }
        } else if let Some(defined) = attributes_and_name(item).1 {
            self.name(module, defined.unraw().to_string(), Meaning::Item);
        }
    }

    /// Returns the module or item of this crate that a path in a module names; `None` for a path into another crate.
    pub(super) fn resolve(&self, module: usize, path: &[String]) -> Option<Resolution> {
        self.resolve_within(module, path, &mut Vec::new())
    }

    /// Returns the macro that a single name invokes. Macros of a module are also visible in its child modules.
    pub(super) fn resolve_macro(&self, module: usize, name: &str) -> Option<Resolution> {
        let mut at = Some(module);
        while let Some(index) = at {
            let target = self.resolve(index, &[name.to_owned()]);
            if target.is_some() {
                return target;
            }
            at = self.modules[index].parent;
        }
        None
    }

    /// Resolves a path. `active` contains the names that are being resolved, so that an import of its own name does
    /// not recurse for ever.
    fn resolve_within(&self, module: usize, path: &[String], active: &mut Vec<(usize, String)>) -> Option<Resolution> {
        let (first, mut rest) = path.split_first()?;
        let mut start = match first.as_str() {
            "crate" => 0,
            "self" => module,
            "super" => self.modules[module].parent?,
            _ => return self.within(module, path, active),
        };
        while rest.first().is_some_and(|segment| segment == "super") {
            start = self.modules[start].parent?;
            rest = &rest[1..];
        }
        if rest.is_empty() {
            return Some(Resolution::Module(start));
        }
        self.within(start, rest, active)
    }

    /// Looks a path up among the names of a module.
    fn within(&self, module: usize, path: &[String], active: &mut Vec<(usize, String)>) -> Option<Resolution> {
        let (first, rest) = path.split_first()?;
        let key = (module, first.clone());
        if active.contains(&key) {
            // For an import of the same name from another crate, such as `use report::report`, only declared names are
            // considered.
            let declared = self.modules[module].names.get(first)?;
            return declared.iter().find_map(|named| match named {
                Meaning::Module(inner) if !rest.is_empty() => self.within(*inner, rest, active),
                Meaning::Module(inner) => Some(Resolution::Module(*inner)),
                Meaning::Item => Some(Resolution::Item(self.modules[module].file)),
                Meaning::Import(_) => None,
            });
        }
        active.push(key);
        let mut targets = Vec::new();
        for named in self.modules[module].names.get(first).into_iter().flatten() {
            targets.extend(match named {
                Meaning::Item => Some(Resolution::Item(self.modules[module].file)),
                Meaning::Module(inner) => Some(Resolution::Module(*inner)),
                Meaning::Import(path) => self.resolve_within(module, path, active),
            });
        }
        if targets.is_empty() {
            for glob in &self.modules[module].globs {
                if let Some(Resolution::Module(source)) = self.resolve_within(module, glob, active)
                    && source != module
                {
                    targets.extend(self.within(source, &path[..1], active));
                }
            }
        }
        active.pop();
        let inner = targets.iter().find_map(|target| match target {
            Resolution::Module(inner) if !rest.is_empty() => self.within(*inner, rest, active),
            _ => None,
        });
        let item = targets.iter().find(|target| matches!(target, Resolution::Item(_)));
        if rest.is_empty() {
            item.or(targets.first()).copied()
        } else {
            inner.or(item.copied())
        }
    }
}

/// One name or `*` that a `use` declaration imports.
pub(super) struct Import {
    /// The path, its first segment included.
    pub(super) path: Vec<String>,
    /// The name that it gets; `None` for `*` and `_`.
    name: Option<String>,
    glob: bool,
    /// The line of its last segment.
    pub(super) line: usize,
}

/// Returns all imports of a `use` declaration.
pub(super) fn imports(tree: &UseTree) -> Vec<Import> {
    let mut found = Vec::new();
    leaves(tree, &mut Vec::new(), &mut found);
    found
}

fn leaves(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<Import>) {
    let leaf = |ident: &syn::Ident, name: Option<String>, before: &[String]| {
        let mut path = before.to_vec();
        let last = ident.unraw().to_string();
        // `use a::{self}` imports `a`.
        if last != "self" || path.is_empty() {
            path.push(last);
        }
        Import {
            name: name.or_else(|| path.last().cloned()),
            path,
            glob: false,
            line: ident.span().start().line,
        }
    };
    match tree {
        UseTree::Path(inner) => {
            before.push(inner.ident.unraw().to_string());
            leaves(&inner.tree, before, found);
            before.pop();
        }
        UseTree::Name(inner) => found.push(leaf(&inner.ident, None, before)),
        UseTree::Rename(inner) => {
            let mut import = leaf(&inner.ident, Some(inner.rename.unraw().to_string()), before);
            import.name = import.name.filter(|name| name != "_");
            found.push(import);
        }
        UseTree::Glob(inner) => found.push(Import {
            path: before.clone(),
            name: None,
            glob: true,
            line: inner.star_token.spans[0].start().line,
        }),
        UseTree::Group(inner) => inner.items.iter().for_each(|tree| leaves(tree, before, found)),
    }
}

/// Returns true if an import is visible outside of its module. Such an import is a re-export.
pub(super) fn hands_on(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

/// `#[cfg(test)]` and its combinations.
pub(super) fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else {
        return false;
    };
    let condition = list.tokens.to_string();
    attribute.path().is_ident("cfg")
        && !condition.starts_with("not")
        && condition
            .split(|letter: char| !letter.is_alphanumeric())
            .any(|word| word == "test")
}

/// The value of `#[path = "…"]`.
fn path_attribute(attribute: &syn::Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

/// The attributes of an item, and the name that it defines.
pub(super) fn attributes_and_name(item: &Item) -> (&[syn::Attribute], Option<&syn::Ident>) {
    match item {
        Item::Const(item) => (&item.attrs, Some(&item.ident)),
        Item::Enum(item) => (&item.attrs, Some(&item.ident)),
        Item::ExternCrate(item) => (&item.attrs, None),
        Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
        Item::ForeignMod(item) => (&item.attrs, None),
        Item::Impl(item) => (&item.attrs, None),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
        Item::Mod(item) => (&item.attrs, Some(&item.ident)),
        Item::Static(item) => (&item.attrs, Some(&item.ident)),
        Item::Struct(item) => (&item.attrs, Some(&item.ident)),
        Item::Trait(item) => (&item.attrs, Some(&item.ident)),
        Item::TraitAlias(item) => (&item.attrs, Some(&item.ident)),
        Item::Type(item) => (&item.attrs, Some(&item.ident)),
        Item::Union(item) => (&item.attrs, Some(&item.ident)),
        Item::Use(item) => (&item.attrs, None),
        _ => (&[], None),
    }
}
