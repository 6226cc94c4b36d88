//! The costs that hooks add to a server: a run of `cargo xtask measure` as text, JSON, figure and page.

mod figure;
mod measurement;
mod page;
mod start;
mod text;

pub use figure::figure;
pub use measurement::{HookCost, HookCosts, MeasuredHook};
pub use page::page;
pub use start::StartEstimates;
pub use text::{start_text, text};
