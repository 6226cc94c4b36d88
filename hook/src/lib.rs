//! libreadhook.so.
