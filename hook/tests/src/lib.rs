//! Behaviour tests that run programs with and without the hook.
