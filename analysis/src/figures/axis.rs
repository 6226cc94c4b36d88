//! Parts of an axis: spines at a distance from the data, ticks, labels, titles and the dotted grid.

use super::canvas::{Anchor, Canvas, Stroke, Type};
use super::font::{ASCENT, CAP_HEIGHT, DESCENT, fit, widest, wrap};
use super::legend::Legend;
use super::rect::Rect;
use super::scale::{Scale, Ticks, widen};
use super::style::{
    FONT_SIZE, GRID, INK, LINE_HEIGHT, MINOR_TICK, PAD, SPINE_OFFSET, SPINE_WIDTH, TICK, TICK_GAP, TICK_SIZE,
    TITLE_GAP, WIDTH,
};
use crate::stats::sorted::range;

fn spine() -> Stroke {
    Stroke::new(INK, SPINE_WIDTH)
}

fn dotted() -> Stroke {
    Stroke::new(GRID, 0.75).more(r#" stroke-dasharray="0.75 2.5""#)
}

/// Returns the width of a y axis: the distance from the edge of the canvas to the data.
pub(super) fn y_axis_width<'a>(ticks: impl IntoIterator<Item = &'a Ticks>) -> f64 {
    let labels = ticks.into_iter().flat_map(Ticks::labels);
    PAD + FONT_SIZE + TITLE_GAP + widest(labels, TICK_SIZE) + TICK_GAP + TICK + SPINE_OFFSET
}

/// Returns the height of an x axis below the data: spine and ticks, `label_lines` lines of labels, and `title_lines`
/// lines of the title.
pub(super) fn x_axis_height(label_lines: usize, title_lines: usize) -> f64 {
    let mut height = SPINE_OFFSET + TICK;
    if label_lines > 0 {
        height += TICK_GAP + TICK_SIZE * (CAP_HEIGHT + DESCENT) + TICK_SIZE * LINE_HEIGHT * (label_lines - 1) as f64;
    }
    if title_lines > 0 {
        height += TITLE_GAP - 2.0 + FONT_SIZE * (CAP_HEIGHT + DESCENT);
        height += FONT_SIZE * LINE_HEIGHT * (title_lines - 1) as f64;
    }
    height
}

/// Draws dotted horizontal lines across `area` at the labelled ticks.
pub(super) fn horizontal_grid(canvas: &mut Canvas, area: Rect, scale: &Scale, ticks: &Ticks) {
    for (value, _) in &ticks.major {
        let y = scale.at(*value);
        canvas.line((area.left, y), (area.right, y), &dotted());
    }
}

/// Draws dotted vertical lines across `area` at the labelled ticks.
pub(super) fn vertical_grid(canvas: &mut Canvas, area: Rect, scale: &Scale, ticks: &Ticks) {
    for (value, _) in &ticks.major {
        let x = scale.at(*value);
        canvas.line((x, area.top), (x, area.bottom), &dotted());
    }
}

/// Draws the axis left of `area`.
pub(super) fn y_axis(canvas: &mut Canvas, area: Rect, scale: &Scale, ticks: &Ticks, title: &str) {
    let x = area.left - SPINE_OFFSET;
    let half = SPINE_WIDTH / 2.0;
    canvas.line((x, area.top - half), (x, area.bottom + half), &spine());
    for value in &ticks.minor {
        let y = scale.at(*value);
        canvas.line((x - MINOR_TICK, y), (x, y), &Stroke::new(INK, SPINE_WIDTH * 0.7));
    }
    for (value, label) in &ticks.major {
        let y = scale.at(*value);
        canvas.line((x - TICK, y), (x, y), &spine());
        canvas.text((x - TICK - TICK_GAP, y), label, Type::new(TICK_SIZE, Anchor::End));
    }
    let title = fit(title, FONT_SIZE, area.height());
    canvas.vertical_text(
        (PAD + FONT_SIZE * 0.5, f64::midpoint(area.top, area.bottom)),
        &title,
        FONT_SIZE,
    );
}

/// Draws the axis below `area`. `labels` is false if the labels are on the axis of a panel below.
pub(super) fn x_axis(canvas: &mut Canvas, area: Rect, scale: &Scale, ticks: &Ticks, labels: bool) {
    let marks: Vec<(f64, Vec<String>)> = ticks
        .major
        .iter()
        .map(|(value, label)| (scale.at(*value), if labels { vec![label.clone()] } else { Vec::new() }))
        .collect();
    x_axis_at(canvas, area, &marks, TICK_SIZE);
}

/// Draws the axis below `area` with a tick at the position of each mark, and the lines of the mark's label.
pub(super) fn x_axis_at(canvas: &mut Canvas, area: Rect, marks: &[(f64, Vec<String>)], size: f64) {
    let y = area.bottom + SPINE_OFFSET;
    let half = SPINE_WIDTH / 2.0;
    canvas.line((area.left - half, y), (area.right + half, y), &spine());
    for (x, lines) in marks {
        canvas.line((*x, y), (*x, y + TICK), &spine());
        for (number, line) in lines.iter().enumerate() {
            let baseline = y + TICK + TICK_GAP + size * CAP_HEIGHT + size * LINE_HEIGHT * number as f64;
            canvas.text_on_baseline((*x, baseline), line, Type::new(size, Anchor::Middle));
        }
    }
}

/// Returns the lines of an x axis's title. They are as wide as the canvas allows.
pub(super) fn x_title_lines(title: &str) -> Vec<String> {
    if title.is_empty() {
        Vec::new()
    } else {
        wrap(title, FONT_SIZE, WIDTH - 2.0 * PAD)
    }
}

/// Draws the title of an x axis. It is centred below `area`, unless it would then exceed an edge of the canvas.
pub(super) fn x_title(canvas: &mut Canvas, area: Rect, label_lines: usize, lines: &[String]) {
    let half = widest(lines.iter().map(String::as_str), FONT_SIZE) / 2.0;
    let centre = f64::midpoint(area.left, area.right)
        .min(WIDTH - PAD - half)
        .max(PAD + half);
    let top = area.bottom + x_axis_height(label_lines, 0) + TITLE_GAP - 2.0;
    for (number, line) in lines.iter().enumerate() {
        let baseline = top + FONT_SIZE * CAP_HEIGHT + FONT_SIZE * LINE_HEIGHT * number as f64;
        canvas.text_on_baseline((centre, baseline), line, Type::new(FONT_SIZE, Anchor::Middle));
    }
}

/// Returns the area of a plot with this height, below a legend and right of a y axis.
pub(super) fn plot_area(legend: &Legend, ticks: &Ticks, height: f64) -> Rect {
    let top = PAD + legend.height().max(TICK_SIZE * ASCENT / 2.0);
    Rect {
        left: y_axis_width([ticks]),
        top,
        right: WIDTH - PAD,
        bottom: top + height,
    }
}

/// Divides `area` into columns of equal width. Returns the centre of each column and the lines of its label.
pub(super) fn columns(area: Rect, labels: &[&str], size: f64) -> Vec<(f64, Vec<String>)> {
    let room = area.width() / labels.len() as f64;
    let columns = labels.iter().enumerate().map(|(index, label)| {
        let centre = area.left + room * (index as f64 + 0.5);
        (centre, wrap(label, size, room - 4.0))
    });
    columns.collect()
}

/// Returns the largest number of lines of a label.
pub(super) fn label_lines(marks: &[(f64, Vec<String>)]) -> usize {
    marks.iter().map(|(_, lines)| lines.len()).max().unwrap_or(1)
}

/// Returns the ends of an axis that contains all values. The axis begins at zero if no value is negative and the
/// lowest is less than half of the highest.
pub(super) fn around(values: impl Iterator<Item = f64>, steps: f64) -> (f64, f64) {
    let (low, high) = range(values);
    let low = if low >= 0.0 && low < 0.5 * high { 0.0 } else { low };
    widen((low, high), steps)
}
