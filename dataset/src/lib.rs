//! The Parquet schema and the run manifest.
