//! Box plots side by side: one group per condition, one box per series.

use std::fmt::Write as _;

use super::axis;
use super::canvas::{Canvas, Stroke};
use super::figure::{Figure, FigureError, finite, limits};
use super::legend::{Legend, Swatch};
use super::number::fixed;
use super::rect::Rect;
use super::scale::{Scale, linear_ticks};
use super::style::{BOXES, FONT_SIZE, OUTLINE, PAD, WIDTH};
use crate::stats::FiveNumbers;

const PLOT_HEIGHT: f64 = 138.0;
/// About how many steps the value axis has.
const STEPS: f64 = 6.0;
/// Share of a group's width that all boxes of the group take.
const GROUP_SHARE: f64 = 0.76;
/// Share of the width reserved for a box that the box fills.
const BOX_SHARE: f64 = 0.8;
/// The largest width of a box.
const WIDEST_BOX: f64 = 34.0;

/// The data of a grouped box plot. The caller computes the whiskers (Tukey's in [`FiveNumbers`]). Outliers are not drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxPlot {
    /// File name without extension.
    pub name: String,
    /// Text below the figure.
    pub caption: String,
    /// Title of the value axis with its unit.
    pub y_title: String,
    /// Lower and upper end of the value axis. Values outside are cut off. `None` chooses round numbers around the
    /// data.
    pub y_limits: Option<(f64, f64)>,
    /// The groups, from left to right.
    pub groups: Vec<BoxGroup>,
}

/// The boxes above one label.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxGroup {
    /// Label below the axis.
    pub label: String,
    /// The boxes of the group, from left to right.
    pub series: Vec<BoxSeries>,
}

/// One box.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxSeries {
    /// Name in the legend; the same name has the same colour in all groups.
    pub name: String,
    /// The five numbers of the box.
    pub numbers: FiveNumbers,
}

/// Draws a grouped box plot.
///
/// # Errors
///
/// When there is no box, a number is not finite, or the limits are in the wrong order.
pub fn box_plot(plot: &BoxPlot) -> Result<Figure, FigureError> {
    let names = check(plot)?;
    let numbers = plot.groups.iter().flat_map(|group| &group.series);
    let numbers = numbers.flat_map(|series| parts(series.numbers));
    let domain = plot.y_limits.unwrap_or_else(|| axis::around(numbers, STEPS));
    let ticks = linear_ticks(domain, STEPS);
    let entries = names
        .iter()
        .enumerate()
        .map(|(index, name)| (Swatch::Box(fill(index)), (*name).to_owned()));
    let legend = Legend::new(entries.collect(), WIDTH - 2.0 * PAD, false);
    let area = axis::plot_area(&legend, &ticks, PLOT_HEIGHT);
    let scale = Scale::linear(domain, (area.bottom, area.top));

    let mut canvas = Canvas::default();
    axis::horizontal_grid(&mut canvas, area, &scale, &ticks);
    axis::y_axis(&mut canvas, area, &scale, &ticks, &plot.y_title);
    let room = area.width() / plot.groups.len() as f64;
    let labels: Vec<&str> = plot.groups.iter().map(|group| group.label.as_str()).collect();
    let marks = axis::columns(area, &labels, FONT_SIZE);
    axis::x_axis_at(&mut canvas, area, &marks, FONT_SIZE);
    // A whisker at a limit keeps its full line width.
    let clip = Rect {
        top: area.top - 0.6,
        bottom: area.bottom + 0.6,
        ..area
    };
    canvas.clipped(clip, |canvas| draw_groups(canvas, plot, &names, &scale, &marks, room));
    legend.draw(&mut canvas, area);

    let height = area.bottom + axis::x_axis_height(axis::label_lines(&marks), 0) + 1.5 + PAD;
    Ok(Figure::new(canvas, height, &plot.name, &plot.caption, describe(plot)))
}

fn fill(series: usize) -> &'static str {
    BOXES[series % BOXES.len()]
}

fn parts(numbers: FiveNumbers) -> [f64; 5] {
    [
        numbers.whisker_low,
        numbers.q1,
        numbers.median,
        numbers.q3,
        numbers.whisker_high,
    ]
}

/// Checks that the plot can be drawn, and returns the names of the series in the order of their first appearance.
fn check(plot: &BoxPlot) -> Result<Vec<&str>, FigureError> {
    if let Some(chosen) = plot.y_limits {
        limits(&plot.name, chosen)?;
    }
    let mut names: Vec<&str> = Vec::new();
    for group in &plot.groups {
        for series in &group.series {
            for number in parts(series.numbers) {
                finite(
                    &plot.name,
                    || format!("a quantile of `{}` in `{}`", series.name, group.label),
                    number,
                )?;
            }
            if !names.contains(&series.name.as_str()) {
                names.push(&series.name);
            }
        }
    }
    if names.is_empty() {
        return Err(FigureError::empty(&plot.name, "box"));
    }
    Ok(names)
}

fn draw_groups(
    canvas: &mut Canvas,
    plot: &BoxPlot,
    names: &[&str],
    scale: &Scale,
    marks: &[(f64, Vec<String>)],
    room: f64,
) {
    for (group, (centre, _)) in plot.groups.iter().zip(marks) {
        let count = group.series.len().max(1) as f64;
        let slot = (room * GROUP_SHARE / count).min(WIDEST_BOX / BOX_SHARE);
        for (index, series) in group.series.iter().enumerate() {
            let x = centre + slot * (index as f64 + 0.5 - count / 2.0);
            let colour = names.iter().position(|name| *name == series.name).unwrap_or(0);
            draw_box(canvas, x, slot * BOX_SHARE, series.numbers, scale, fill(colour));
        }
    }
}

fn draw_box(canvas: &mut Canvas, x: f64, width: f64, numbers: FiveNumbers, scale: &Scale, fill: &str) {
    let [low, q1, median, q3, high] = parts(numbers).map(|number| scale.at(number));
    let half = width / 2.0;
    let thin = Stroke::new(OUTLINE, 0.8);
    canvas.line((x, low), (x, q1), &thin);
    canvas.line((x, q3), (x, high), &thin);
    for end in [low, high] {
        canvas.line((x - half / 2.0, end), (x + half / 2.0, end), &thin);
    }
    canvas.rect(
        Rect {
            left: x - half,
            top: q3,
            right: x + half,
            bottom: q1,
        },
        fill,
        &thin,
    );
    canvas.line((x - half, median), (x + half, median), &Stroke::new(OUTLINE, 1.3));
}

fn describe(plot: &BoxPlot) -> String {
    let mut text = format!("Box plot of {}.", plot.y_title);
    for group in &plot.groups {
        for series in &group.series {
            let FiveNumbers { q1, median, q3, .. } = series.numbers;
            let [median, q1, q3] = [median, q1, q3].map(|number| fixed(number, 2));
            let _ = write!(
                text,
                " {}, {}: median {median}, quartiles {q1} to {q3}.",
                group.label, series.name
            );
        }
    }
    text
}
