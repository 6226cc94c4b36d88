//! Forest plots: one estimate with its interval per row, the numbers beside it, a line at zero.

use std::fmt::Write as _;

use super::axis;
use super::canvas::{Anchor, Canvas, Stroke, Type};
use super::figure::{Figure, FigureError, finite, limits};
use super::font::{fit, widest};
use super::legend::{Legend, Swatch};
use super::number::{decimals_for_precision, fixed, signed};
use super::rect::Rect;
use super::scale::{Scale, linear_ticks, widen};
use super::style::{COVERS_ZERO, ESTIMATE, FAINT_INK, FONT_SIZE, INK, PAD, TICK_SIZE, WIDTH};
use crate::stats::sorted::range;

const ROW: f64 = 13.6;
/// Extra room above the first row of a group.
const GROUP_GAP: f64 = 5.0;
/// Largest width of a label. Longer labels are shortened.
const WIDEST_LABEL: f64 = WIDTH * 0.36;
/// Distance by which the rows of a group are indented from the name of the group.
const INDENT: f64 = 8.0;
const COLUMN_GAP: f64 = 10.0;
/// Gap between two numbers of a row: the value, the lower end and the upper end.
const NUMBER_GAP: f64 = 5.0;
const STEPS: f64 = 6.0;
const DOT: f64 = 2.7;

/// The data of a forest plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// File name without extension.
    pub name: String,
    /// Text below the figure.
    pub caption: String,
    /// Title of the value axis with its unit and the confidence of the intervals.
    pub x_title: String,
    /// Lower and upper end of the value axis. An interval beyond an end is drawn with an arrow. `None` chooses round
    /// numbers around the data and zero.
    pub x_limits: Option<(f64, f64)>,
    /// Rows, from top to bottom. The rows of a group are adjacent.
    pub rows: Vec<ForestRow>,
}

/// One estimate.
#[derive(Clone, Debug, PartialEq)]
pub struct ForestRow {
    /// Name of the row.
    pub label: String,
    /// The heading above the row. Adjacent rows with the same heading share it.
    pub group: Option<String>,
    /// The estimate.
    pub value: f64,
    /// Lower and upper end of its interval.
    pub confidence_interval: (f64, f64),
}

impl ForestRow {
    fn covers_zero(&self) -> bool {
        self.confidence_interval.0 <= 0.0 && self.confidence_interval.1 >= 0.0
    }

    fn colour(&self) -> &'static str {
        if self.covers_zero() { COVERS_ZERO } else { ESTIMATE }
    }
}

/// The three numbers of a row as text, and the widths of their columns.
struct Numbers {
    texts: Vec<[String; 3]>,
    widths: [f64; 3],
}

impl Numbers {
    fn of(rows: &[ForestRow]) -> Self {
        let mut halves: Vec<f64> = rows
            .iter()
            .map(|row| (row.confidence_interval.1 - row.confidence_interval.0) / 2.0)
            .collect();
        halves.sort_by(f64::total_cmp);
        // The median half-width of all intervals decides the decimals of all rows. One very wide or narrow interval
        // thus has no influence.
        let decimals = decimals_for_precision(halves[halves.len() / 2]);
        let texts: Vec<[String; 3]> = rows
            .iter()
            .map(|row| {
                let (low, high) = row.confidence_interval;
                [
                    signed(row.value, decimals),
                    format!("[{},", fixed(low, decimals)),
                    format!("{}]", fixed(high, decimals)),
                ]
            })
            .collect();
        let widths = [0, 1, 2].map(|column| widest(texts.iter().map(|row| row[column].as_str()), TICK_SIZE));
        Self { texts, widths }
    }

    fn width(&self) -> f64 {
        self.widths.iter().sum::<f64>() + 2.0 * NUMBER_GAP
    }

    /// Right edges of the three columns.
    fn edges(&self) -> [f64; 3] {
        let upper = WIDTH - PAD;
        let lower = upper - self.widths[2] - NUMBER_GAP;
        [lower - self.widths[1] - NUMBER_GAP, lower, upper]
    }
}

/// Draws a forest plot.
///
/// # Errors
///
/// When there is no row, a number is not finite, the lower end of an interval is above its upper end, or the limits
/// are in the wrong order.
pub fn forest(plot: &Forest) -> Result<Figure, FigureError> {
    check(plot)?;
    let domain = plot.x_limits.unwrap_or_else(|| domain_of(&plot.rows));
    let ticks = linear_ticks(domain, STEPS);
    let numbers = Numbers::of(&plot.rows);
    let legend = legend_of(&plot.rows);
    let left = PAD + label_width(&plot.rows) + COLUMN_GAP;
    let right = WIDTH - PAD - numbers.width() - COLUMN_GAP;
    let top = PAD + legend.height();
    let (centres, headings, bottom) = lay_out(&plot.rows, top);
    let area = Rect {
        left,
        top,
        right,
        bottom,
    };
    let scale = Scale::linear(domain, (left, right));

    let mut canvas = Canvas::default();
    axis::vertical_grid(&mut canvas, area, &scale, &ticks);
    if domain.0 <= 0.0 && domain.1 >= 0.0 {
        let zero = Stroke::new(INK, 0.8).more(r#" stroke-dasharray="3 2""#);
        canvas.line((scale.at(0.0), area.top), (scale.at(0.0), area.bottom), &zero);
    }
    for (y, heading) in &headings {
        let heading = fit(heading, FONT_SIZE, WIDEST_LABEL);
        canvas.text((PAD, *y), &heading, Type::new(FONT_SIZE, Anchor::Start).fill(FAINT_INK));
    }
    for ((row, y), texts) in plot.rows.iter().zip(&centres).zip(&numbers.texts) {
        draw_row(&mut canvas, row, *y, &scale, area);
        for (text, edge) in texts.iter().zip(numbers.edges()) {
            canvas.text((edge, *y), text, Type::new(TICK_SIZE, Anchor::End));
        }
    }
    axis::x_axis(&mut canvas, area, &scale, &ticks, true);
    let title = axis::x_title_lines(&plot.x_title);
    axis::x_title(&mut canvas, area, 1, &title);
    legend.draw(
        &mut canvas,
        Rect {
            right: WIDTH - PAD,
            ..area
        },
    );
    let height = area.bottom + axis::x_axis_height(1, title.len()) + PAD;
    Ok(Figure::new(canvas, height, &plot.name, &plot.caption, describe(plot)))
}

fn check(plot: &Forest) -> Result<(), FigureError> {
    if plot.rows.is_empty() {
        return Err(FigureError::empty(&plot.name, "row"));
    }
    if let Some(chosen) = plot.x_limits {
        limits(&plot.name, chosen)?;
    }
    for row in &plot.rows {
        let (low, high) = row.confidence_interval;
        finite(&plot.name, || format!("the estimate of `{}`", row.label), row.value)?;
        for end in [low, high] {
            finite(&plot.name, || format!("an end of the interval of `{}`", row.label), end)?;
        }
        if low > high {
            let what = format!("the upper end of the interval of `{}`", row.label);
            return Err(FigureError::value(&plot.name, what, high, "at least the lower end"));
        }
    }
    Ok(())
}

fn domain_of(rows: &[ForestRow]) -> (f64, f64) {
    let ends = rows
        .iter()
        .flat_map(|row| [row.confidence_interval.0, row.confidence_interval.1, row.value]);
    widen(range(ends.chain([0.0])), STEPS)
}

fn indent(row: &ForestRow) -> f64 {
    if row.group.is_some() { INDENT } else { 0.0 }
}

fn label_width(rows: &[ForestRow]) -> f64 {
    let labels = rows
        .iter()
        .map(|row| indent(row) + widest([row.label.as_str()], FONT_SIZE));
    let headings = rows.iter().filter_map(|row| row.group.as_deref());
    labels.fold(widest(headings, FONT_SIZE), f64::max).min(WIDEST_LABEL)
}

/// Returns the vertical centre of each row, each heading with its vertical centre, and the lower edge of the last row.
fn lay_out(rows: &[ForestRow], top: f64) -> (Vec<f64>, Vec<(f64, &str)>, f64) {
    let (mut centres, mut headings) = (Vec::new(), Vec::new());
    let mut y = top;
    let mut group = None;
    for (index, row) in rows.iter().enumerate() {
        let changed = row.group.as_deref() != group;
        group = row.group.as_deref();
        if changed && index > 0 {
            y += GROUP_GAP;
        }
        if let (true, Some(heading)) = (changed, group) {
            headings.push((y + ROW / 2.0, heading));
            y += ROW;
        }
        centres.push(y + ROW / 2.0);
        y += ROW;
    }
    (centres, headings, y)
}

/// Returns a legend of the two colours if both occur, and an empty legend otherwise.
fn legend_of(rows: &[ForestRow]) -> Legend {
    let mixed = rows.iter().any(ForestRow::covers_zero) && rows.iter().any(|row| !row.covers_zero());
    let entries = if mixed {
        vec![
            (Swatch::Estimate(ESTIMATE), "interval excludes zero".to_owned()),
            (Swatch::Estimate(COVERS_ZERO), "interval covers zero".to_owned()),
        ]
    } else {
        Vec::new()
    };
    Legend::new(entries, WIDTH - 2.0 * PAD, false)
}

fn draw_row(canvas: &mut Canvas, row: &ForestRow, y: f64, scale: &Scale, area: Rect) {
    let x = PAD + indent(row);
    let label = fit(&row.label, FONT_SIZE, area.left - COLUMN_GAP - x + 0.01);
    canvas.text((x, y), &label, Type::new(FONT_SIZE, Anchor::Start));
    let colour = row.colour();
    let (low, high) = row.confidence_interval;
    let (least, greatest) = scale.domain();
    let (from, to) = (low.clamp(least, greatest), high.clamp(least, greatest));
    let round = Stroke::new(colour, 1.5).more(r#" stroke-linecap="round""#);
    canvas.line((scale.at(from), y), (scale.at(to), y), &round);
    if low < least {
        let tip = area.left - 3.0;
        canvas.polygon(&[(tip, y), (tip + 5.0, y - 2.6), (tip + 5.0, y + 2.6)], colour);
    }
    if high > greatest {
        let tip = area.right + 3.0;
        canvas.polygon(&[(tip, y), (tip - 5.0, y - 2.6), (tip - 5.0, y + 2.6)], colour);
    }
    if (least..=greatest).contains(&row.value) {
        canvas.circle((scale.at(row.value), y), DOT, colour);
    }
}

fn describe(plot: &Forest) -> String {
    let mut text = format!("Forest plot of {}.", plot.x_title);
    let numbers = Numbers::of(&plot.rows);
    for (row, [value, low, high]) in plot.rows.iter().zip(&numbers.texts) {
        let group = row.group.as_ref().map_or(String::new(), |group| format!("{group}, "));
        let _ = write!(text, " {group}{}: {value} {low} {high}.", row.label);
    }
    text
}
