//! The costs of hooks as a figure.

use analysis::figures::{Figure, Forest, ForestRow, forest};
use anyhow::Result;

use super::measurement::HookCosts;
use crate::figures::forest_row;

/// The effect of each hook on the median latency; `None` where nothing was measured.
///
/// # Errors
/// When the figure cannot be drawn.
pub fn figure(measured: &HookCosts) -> Result<Option<Figure>> {
    let hooks = measured
        .hooks
        .iter()
        .filter_map(|hook| Some((&*hook.name, &hook.cost.as_ref()?.latency)));
    let control = measured.control.iter().map(|control| ("no hook", control));
    let rows: Vec<ForestRow> = hooks
        .chain(control)
        .map(|(name, effect)| forest_row(name, None, effect.primary()))
        .collect();
    if rows.is_empty() {
        return Ok(None);
    }
    Ok(Some(forest(&Forest {
        name: "measured".to_owned(),
        caption: format!("What each hook adds to the median latency of {}.", measured.server),
        x_title: "added to the median (µs), 95 % intervals".to_owned(),
        x_limits: None,
        rows,
    })?))
}
