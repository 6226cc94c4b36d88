//! The conditions and the number of launches in the definition of an experiment; the runner reads the rest.

use std::path::Path;

use anyhow::{Context, Result};

/// A part of the definition of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) conditions: Vec<String>,
    pub(crate) launches: u32,
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// When the file cannot be read, or lacks `conditions` or `launches`.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not the definition of an experiment", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = text.parse()?;
        let list = table.get("conditions").and_then(toml::Value::as_array);
        let names = list.context("conditions: expected a list")?.iter();
        let launches = table.get("launches").and_then(toml::Value::as_integer);
        Ok(Self {
            conditions: names.filter_map(|name| Some(name.as_str()?.to_owned())).collect(),
            launches: u32::try_from(launches.context("launches: expected a number")?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_has_conditions_and_launches() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../experiments");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let definitions: Vec<_> = files
            .filter(|path| {
                path.extension().is_some_and(|extension| extension == "toml") && !path.ends_with("Cargo.toml")
            })
            .collect();
        assert!(definitions.len() > 10);
        for path in definitions {
            let definition = Definition::read(&path).unwrap();
            assert!(
                definition.launches > 0 && !definition.conditions.is_empty(),
                "{}",
                path.display()
            );
        }
        assert!(Definition::parse("launches = 3").is_err());
    }
}
