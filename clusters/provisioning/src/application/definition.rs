//! The definition of an application as a file.

use model::ApplicationDefinition;

use crate::config::ConfigFile;

impl ConfigFile for ApplicationDefinition {
    fn check(&self) -> Result<(), String> {
        self.validate().map_err(|error| error.to_string())
    }
}
