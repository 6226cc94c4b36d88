//! The one style of all figures. Lengths are points (1/72 inch).

/// Width of a figure: 5.5 in, a text column.
pub(super) const WIDTH: f64 = 396.0;
/// Space kept free along each edge of the canvas.
pub(super) const PAD: f64 = 4.0;

/// Font family as named in the bundled font; a viewer without it falls back to its own sans-serif.
pub(super) const FONT_FAMILY: &str = "Open Sans";
/// Axis titles, legends, names.
pub(super) const FONT_SIZE: f64 = 9.0;
/// Tick labels and numbers in columns.
pub(super) const TICK_SIZE: f64 = 8.5;
/// Distance of baselines of wrapped text, as a multiple of the font size.
pub(super) const LINE_HEIGHT: f64 = 1.3;

/// Text, spines and ticks.
pub(super) const INK: &str = "#222";
/// Outlines of boxes and whiskers.
pub(super) const OUTLINE: &str = "#555";
/// Column headings and other remarks.
pub(super) const FAINT_INK: &str = "#666";
/// Dotted lines behind the data.
pub(super) const GRID: &str = "#ccc";
/// An estimate whose interval excludes zero.
pub(super) const ESTIMATE: &str = "#1f4e79";
/// An estimate whose interval covers zero.
pub(super) const COVERS_ZERO: &str = "#8c8c8c";

/// Fills of boxes, in the order of the series; light colours of ColorBrewer's "Paired".
pub(super) const BOXES: [&str; 6] = ["#b2df8a", "#a6cee3", "#fdbf6f", "#cab2d6", "#fb9a99", "#e3d3b4"];
/// Lines, in the order of the series; ColorBrewer's "Set2".
pub(super) const LINES: [&str; 6] = ["#fc8d62", "#8da0cb", "#66c2a5", "#e78ac3", "#a6d854", "#c7a76c"];
/// Points with intervals, in the order of the series: dark enough for thin lines, and told apart by people who see few
/// colours (Okabe & Ito).
pub(super) const DARK: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#56b4e9"];

/// Gap between the data and the spines.
pub(super) const SPINE_OFFSET: f64 = 6.0;
/// Width of spines and major ticks.
pub(super) const SPINE_WIDTH: f64 = 0.9;
/// Length of a major tick.
pub(super) const TICK: f64 = 3.6;
/// Length of a minor tick.
pub(super) const MINOR_TICK: f64 = 2.2;
/// Gap between a tick and its label.
pub(super) const TICK_GAP: f64 = 3.2;
/// Gap between tick labels and an axis title.
pub(super) const TITLE_GAP: f64 = 6.0;
