//! Figures by one style: a grouped [`box_plot`], a logarithmic [`run_sequence`] plot in stacked panels, a [`forest`]
//! plot of effects with their intervals, and a [`response`] plot of estimates by the levels of a factor.
//!
//! A figure is SVG, 5.5 in wide, in points, with text in Open Sans. Its margins follow from the widths of its texts, its
//! bytes from its data alone. Values are drawn in the unit in which they are given; the caller names it in the titles.

mod axis;
mod box_plot;
mod canvas;
mod figure;
mod font;
mod forest;
mod legend;
mod notation;
mod number;
#[cfg(feature = "png")]
mod png;
mod rect;
mod response;
mod run_sequence;
mod scale;
mod style;
mod thinned;

pub use box_plot::{BoxGroup, BoxPlot, BoxSeries, box_plot};
pub use figure::{Figure, FigureError};
pub use font::font_face_css;
pub use forest::{Forest, ForestRow, forest};
pub use response::{Response, ResponseSeries, response};
pub use run_sequence::{Panel, RunSequence, Sequence, run_sequence};
pub use thinned::{Point, Thinned};
