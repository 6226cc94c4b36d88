//! Response plots: an estimate with its interval for each level of a factor, one series per treatment.

use std::fmt::Write as _;

use super::axis;
use super::canvas::{Canvas, Stroke};
use super::figure::{Figure, FigureError, finite};
use super::legend::{Legend, Swatch};
use super::number::fixed;
use super::scale::{Scale, Ticks, linear_ticks, log_ticks, widen_log};
use super::style::{DARK, FAINT_INK, PAD, TICK_SIZE, WIDTH};
use crate::stats::sorted::range;

const PLOT_HEIGHT: f64 = 138.0;
/// About how many steps the value axis has.
const STEPS: f64 = 6.0;
/// Between the points of two series at one level, where there is room.
const DODGE: f64 = 9.0;
/// Share of a level's room that its points take at most.
const LEVEL_SHARE: f64 = 0.7;
const DOT: f64 = 2.6;

/// The data of a response plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// File name without extension.
    pub name: String,
    /// Text below the figure.
    pub caption: String,
    /// Title of the axis of levels.
    pub x_title: String,
    /// Title of the value axis with its unit and the confidence of the intervals.
    pub y_title: String,
    /// True for a logarithmic value axis. Values and the ends of their intervals must then be above zero.
    pub log: bool,
    /// A horizontal line, such as an expected value, with its name.
    pub line: Option<(f64, String)>,
    /// From left to right.
    pub levels: Vec<String>,
    /// True if lines connect the points of a series. This suits levels that have an order.
    pub joined: bool,
    /// In the order of the legend.
    pub series: Vec<ResponseSeries>,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseSeries {
    /// Name in the legend.
    pub name: String,
    /// A value with its interval for each level; `None` where nothing was measured.
    pub values: Vec<Option<(f64, (f64, f64))>>,
}

impl ResponseSeries {
    fn present(&self) -> impl Iterator<Item = (usize, f64, (f64, f64))> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(level, value)| value.map(|(value, interval)| (level, value, interval)))
    }
}

/// Draws a response plot.
///
/// # Errors
/// When there is no value, or one that is not finite, or not above zero on a logarithmic axis.
pub fn response(plot: &Response) -> Result<Figure, FigureError> {
    check(plot)?;
    let (domain, ticks) = value_axis(plot);
    let line = plot
        .line
        .iter()
        .map(|(_, name)| (Swatch::Line(FAINT_INK), name.clone()));
    let entries = plot
        .series
        .iter()
        .enumerate()
        .map(|(index, series)| (Swatch::Estimate(colour(index)), series.name.clone()))
        .chain(line);
    let legend = Legend::new(entries.collect(), WIDTH - 2.0 * PAD, false);
    let area = axis::plot_area(&legend, &ticks, PLOT_HEIGHT);
    let range = (area.bottom, area.top);
    let scale = if plot.log {
        Scale::log(domain, range)
    } else {
        Scale::linear(domain, range)
    };
    let room = area.width() / plot.levels.len() as f64;
    let labels: Vec<&str> = plot.levels.iter().map(String::as_str).collect();
    let marks = axis::columns(area, &labels, TICK_SIZE);

    let mut canvas = Canvas::default();
    axis::horizontal_grid(&mut canvas, area, &scale, &ticks);
    axis::y_axis(&mut canvas, area, &scale, &ticks, &plot.y_title);
    axis::x_axis_at(&mut canvas, area, &marks, TICK_SIZE);
    if let Some((value, _)) = &plot.line {
        let y = scale.at(*value);
        canvas.line(
            (area.left, y),
            (area.right, y),
            &Stroke::new(FAINT_INK, 0.8).more(r#" stroke-dasharray="3 2""#),
        );
    }
    draw_series(&mut canvas, plot, &scale, &marks, room);
    legend.draw(&mut canvas, area);
    let lines = axis::label_lines(&marks);
    let title = axis::x_title_lines(&plot.x_title);
    axis::x_title(&mut canvas, area, lines, &title);
    let height = area.bottom + axis::x_axis_height(lines, title.len()) + 1.5 + PAD;
    Ok(Figure::new(canvas, height, &plot.name, &plot.caption, describe(plot)))
}

fn colour(series: usize) -> &'static str {
    DARK[series % DARK.len()]
}

fn numbers(plot: &Response) -> impl Iterator<Item = f64> {
    let intervals = plot
        .series
        .iter()
        .flat_map(ResponseSeries::present)
        .flat_map(|(_, value, (low, high))| [value, low, high]);
    intervals.chain(plot.line.iter().map(|(value, _)| *value))
}

fn check(plot: &Response) -> Result<(), FigureError> {
    for series in &plot.series {
        for (level, value, (low, high)) in series.present() {
            for number in [value, low, high] {
                let what = || format!("a value of `{}` at level {level}", series.name);
                // A logarithm that is finite belongs to a number above zero.
                finite(&plot.name, what, if plot.log { number.ln() } else { number })?;
            }
        }
    }
    if plot.series.iter().all(|series| series.present().next().is_none()) {
        return Err(FigureError::empty(&plot.name, "value"));
    }
    Ok(())
}

fn value_axis(plot: &Response) -> ((f64, f64), Ticks) {
    if plot.log {
        let domain = widen_log(range(numbers(plot)));
        return (domain, log_ticks(domain));
    }
    let domain = axis::around(numbers(plot), STEPS);
    (domain, linear_ticks(domain, STEPS))
}

fn draw_series(canvas: &mut Canvas, plot: &Response, scale: &Scale, marks: &[(f64, Vec<String>)], room: f64) {
    let count = plot.series.len() as f64;
    let dodge = DODGE.min(room * LEVEL_SHARE / count);
    for (index, series) in plot.series.iter().enumerate() {
        let shift = dodge * (index as f64 - (count - 1.0) / 2.0);
        let at = |level: usize| marks.get(level).map_or(0.0, |(x, _)| x + shift);
        if plot.joined {
            let points: Vec<(f64, f64)> = series
                .present()
                .map(|(level, value, _)| (at(level), scale.at(value)))
                .collect();
            canvas.polyline(&points, &Stroke::new(colour(index), 0.8));
        }
        for (level, value, (low, high)) in series.present() {
            let x = at(level);
            canvas.line(
                (x, scale.at(low)),
                (x, scale.at(high)),
                &Stroke::new(colour(index), 1.3),
            );
            canvas.circle((x, scale.at(value)), DOT, colour(index));
        }
    }
}

fn describe(plot: &Response) -> String {
    let mut text = format!("{} by {}.", plot.y_title, plot.x_title);
    for series in &plot.series {
        for (level, value, (low, high)) in series.present() {
            let [value, low, high] = [value, low, high].map(|number| fixed(number, 3));
            let level = plot.levels.get(level).map_or("", String::as_str);
            let _ = write!(text, " {}, {level}: {value}, {low} to {high}.", series.name);
        }
    }
    text
}
