//! The checked-in configurations of clusters, read strictly: an unknown field, a wrong type or a missing field is an error
//! with file, line and key.
//!
//! The types hold the fields that the files set, from the published schema of each tool. Further checks ensure that an edit
//! cannot turn the cluster into another experiment.

mod config_file;
mod eks;
mod kind;

pub use config_file::ConfigFile;
pub use eks::EksConfig;
pub(crate) use eks::TAG;
pub use kind::KindConfig;
