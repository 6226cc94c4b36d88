//! The shared-memory layout between the hook and its readers.
