//! Run-sequence plots: every value in the order of its request, on a logarithmic axis, in panels one above the other.

use std::fmt::Write as _;

use super::axis;
use super::canvas::{Canvas, Stroke};
use super::figure::{Figure, FigureError, limits};
use super::font::{ASCENT, widest};
use super::legend::{Legend, Swatch};
use super::number::fixed;
use super::rect::Rect;
use super::scale::{Scale, Ticks, linear_ticks, log_ticks, widen_log};
use super::style::{LINES, PAD, TICK_SIZE, WIDTH};
use super::thinned::Thinned;

const PANEL_HEIGHT: f64 = 80.0;
/// Room between the ticks of one panel and the legend of the next.
const PANEL_GAP: f64 = 7.0;
/// About how many steps the iteration axis has.
const STEPS: f64 = 6.0;

/// The data of a run-sequence plot. All panels share both axes.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSequence {
    /// File name without extension.
    pub name: String,
    /// Text below the figure.
    pub caption: String,
    /// Title of the iteration axis.
    pub x_title: String,
    /// Title of the value axis with its unit.
    pub y_title: String,
    /// Ends of the value axis, greater than zero; values outside are cut off. 1, 2 or 5 times powers of ten around the
    /// data if absent.
    pub y_limits: Option<(f64, f64)>,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// The lines drawn over each other in one panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// From the back to the front.
    pub series: Vec<Sequence>,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Name in the panel's legend.
    pub name: String,
    /// Values greater than zero by iteration.
    pub values: Thinned,
}

/// Draws a run-sequence plot.
///
/// # Errors
///
/// When there is no value, one is not greater than zero, or the limits are in the wrong order.
pub fn run_sequence(plot: &RunSequence) -> Result<Figure, FigureError> {
    let domain = check(plot)?;
    let y_ticks = log_ticks(domain);
    let sequences = plot.panels.iter().flat_map(|panel| &panel.series);
    let last = sequences
        .filter_map(|series| series.values.last_iteration())
        .max()
        .unwrap_or(0);
    let x_domain = (0.0, x_end(last));
    let x_ticks = linear_ticks(x_domain, STEPS);
    let left = axis::y_axis_width([&y_ticks]);
    let right = WIDTH - PAD - overhang(&x_ticks, x_domain);
    let x_scale = Scale::linear(x_domain, (left, right));

    let mut canvas = Canvas::default();
    let mut top = PAD;
    let mut area = Rect {
        left,
        top,
        right,
        bottom: top,
    };
    for (index, panel) in plot.panels.iter().enumerate() {
        let lowest = index + 1 == plot.panels.len();
        let legend = legend_of(panel, right - left);
        top += legend.height().max(TICK_SIZE * ASCENT / 2.0);
        area = Rect {
            left,
            top,
            right,
            bottom: top + PANEL_HEIGHT,
        };
        let y_scale = Scale::log(domain, (area.bottom, area.top));
        axis::horizontal_grid(&mut canvas, area, &y_scale, &y_ticks);
        canvas.clipped(area, |canvas| draw_lines(canvas, panel, &x_scale, &y_scale));
        axis::y_axis(&mut canvas, area, &y_scale, &y_ticks, &plot.y_title);
        axis::x_axis(&mut canvas, area, &x_scale, &x_ticks, lowest);
        legend.draw(&mut canvas, area);
        top = area.bottom + axis::x_axis_height(0, 0) + PANEL_GAP;
    }
    let title = axis::x_title_lines(&plot.x_title);
    axis::x_title(&mut canvas, area, 1, &title);
    let height = area.bottom + axis::x_axis_height(1, title.len()) + PAD;
    Ok(Figure::new(canvas, height, &plot.name, &plot.caption, describe(plot)))
}

/// Returns the end of the iteration axis: the number of iterations instead of the last index. The indices 0 to 9,999
/// give 10,000.
fn x_end(last: u64) -> f64 {
    last.saturating_add(1).max(2) as f64
}

/// Room right of the data for the half of the last label that sticks out.
fn overhang(ticks: &Ticks, domain: (f64, f64)) -> f64 {
    let Some((value, label)) = ticks.major.last() else {
        return 0.0;
    };
    // The room between the last tick and the axis's end helps; a third of the canvas is less than it is wide.
    let inside = (domain.1 - value) / (domain.1 - domain.0) * WIDTH / 3.0;
    (widest([label.as_str()], TICK_SIZE) / 2.0 - inside).max(0.0)
}

/// The domain of the value axis, if everything can be drawn.
fn check(plot: &RunSequence) -> Result<(f64, f64), FigureError> {
    let positive = |what: String, value: f64| {
        if value > 0.0 {
            return Ok(());
        }
        let expected = "more than zero, as the axis is logarithmic";
        Err(FigureError::value(&plot.name, what, value, expected))
    };
    let mut range: Option<(f64, f64)> = None;
    for series in plot.panels.iter().flat_map(|panel| &panel.series) {
        if let Some((low, high)) = series.values.range() {
            positive(format!("the least value of `{}`", series.name), low)?;
            range = Some(range.map_or((low, high), |kept| (kept.0.min(low), kept.1.max(high))));
        }
    }
    let Some(range) = range else {
        return Err(FigureError::empty(&plot.name, "value"));
    };
    if let Some(chosen) = plot.y_limits {
        limits(&plot.name, chosen)?;
        positive("the lower limit".to_owned(), chosen.0)?;
        return Ok(chosen);
    }
    Ok(widen_log(range))
}

fn colour(series: usize) -> &'static str {
    LINES[series % LINES.len()]
}

fn legend_of(panel: &Panel, width: f64) -> Legend {
    let entries = panel.series.iter().enumerate();
    // A single name is kept, because nothing else names the data of the panel.
    Legend::new(
        entries
            .map(|(index, series)| (Swatch::Line(colour(index)), series.name.clone()))
            .collect(),
        width,
        true,
    )
}

fn draw_lines(canvas: &mut Canvas, panel: &Panel, x_scale: &Scale, y_scale: &Scale) {
    for (index, series) in panel.series.iter().enumerate() {
        let points: Vec<(f64, f64)> = series
            .values
            .points()
            .map(|(iteration, value)| (x_scale.at(iteration as f64), y_scale.at(value)))
            .collect();
        let look = r#" stroke-opacity=".85" stroke-linejoin="bevel""#;
        canvas.polyline(&points, &Stroke::new(colour(index), 0.45).more(look));
    }
}

fn describe(plot: &RunSequence) -> String {
    let mut text = format!(
        "Run-sequence plot of {} by {}, logarithmic.",
        plot.y_title, plot.x_title
    );
    for series in plot.panels.iter().flat_map(|panel| &panel.series) {
        if let (Some((low, high)), Some(last)) = (series.values.range(), series.values.last_iteration()) {
            let (low, high, last) = (fixed(low, 2), fixed(high, 2), fixed(last as f64, 0));
            let _ = write!(text, " {}: {low} to {high} up to iteration {last}.", series.name);
        }
    }
    text
}
