//! The paths that the code of a module names.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Meta, Path};

use super::crates::{Module, attributes_and_name, hands_on, imports, is_for_tests};

/// A path in code.
pub(super) struct PathReference {
    pub(super) path: Vec<String>,
    /// The line of its first segment.
    pub(super) line: usize,
    /// True if a `!` follows the path.
    pub(super) is_macro: bool,
}

/// All paths that a module's code names: in imports, types, expressions, patterns, attributes and the arguments of macros.
/// Declarations of modules, re-exports and tests name nothing.
pub(super) fn of(module: &Module) -> Vec<PathReference> {
    let mut collector = PathCollector::default();
    for item in &module.items {
        collector.visit_item(item);
    }
    collector.found
}

#[derive(Default)]
struct PathCollector {
    found: Vec<PathReference>,
}

impl PathCollector {
    fn add(&mut self, path: Vec<String>, line: usize, is_macro: bool) {
        self.found.push(PathReference { path, line, is_macro });
    }

    /// Tokens that no grammar is known for: a chain of names with `::` between them is a path, a text may be one.
    fn tokens(&mut self, tokens: TokenStream, texts: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let punctuation = |index: usize, letter: char| matches!(tokens.get(index), Some(TokenTree::Punct(found)) if found.as_char() == letter);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let begin = at;
            at += 1;
            match token {
                TokenTree::Group(group) => {
                    let texts = texts && group.delimiter() != Delimiter::None;
                    self.tokens(group.stream(), texts);
                }
                TokenTree::Ident(first) => {
                    let mut path = vec![first.unraw().to_string()];
                    while punctuation(at, ':')
                        && punctuation(at + 1, ':')
                        && let Some(TokenTree::Ident(next)) = tokens.get(at + 2)
                    {
                        path.push(next.unraw().to_string());
                        at += 3;
                    }
                    // A field or a method, or the rest of a path whose beginning is not a name.
                    let follows = begin > 0 && (punctuation(begin - 1, '.') || punctuation(begin - 1, ':'));
                    let is_range = begin > 1 && punctuation(begin - 1, '.') && punctuation(begin - 2, '.');
                    let is_typed =
                        begin > 0 && punctuation(begin - 1, ':') && !(begin > 1 && punctuation(begin - 2, ':'));
                    if !follows || is_range || is_typed {
                        let is_macro = punctuation(at, '!') && !punctuation(at + 1, '=');
                        self.add(path, first.span().start().line, is_macro);
                    }
                }
                TokenTree::Literal(literal) if texts => {
                    let line = literal.span().start().line;
                    let text = syn::parse2::<syn::LitStr>(TokenTree::Literal(literal.clone()).into());
                    if let Ok(path) = text.and_then(|text| text.parse::<Path>()) {
                        self.add(segments(&path), line, false);
                    }
                }
                _ => {}
            }
        }
    }
}

fn segments(path: &Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| segment.ident.unraw().to_string())
        .collect()
}

fn line(path: &Path) -> usize {
    path.segments
        .first()
        .map_or(0, |segment| segment.ident.span().start().line)
}

impl<'ast> Visit<'ast> for PathCollector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes_and_name(item).0.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_impl_item(self, item);
        }
    }

    /// Modules inside of functions are rare and theirs.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if hands_on(&item.vis) {
            return;
        }
        for import in imports(&item.tree) {
            self.add(import.path, import.line, false);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        // `::name` is a crate.
        if path.leading_colon.is_none() {
            self.add(segments(path), line(path), false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.add(segments(&invocation.path), line(&invocation.path), true);
        self.tokens(invocation.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        // Texts in attributes may be paths, as in `#[serde(with = "module")]`.
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), true);
        }
    }
}
