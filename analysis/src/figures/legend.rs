//! The legend: names in one row above the data, at the right; more rows only if one is too narrow.

use super::canvas::{Anchor, Canvas, Stroke, Type};
use super::font::{CAP_HEIGHT, fit, width};
use super::rect::Rect;
use super::style::{FONT_SIZE, OUTLINE};

const SWATCH: f64 = 17.0;
const SWATCH_GAP: f64 = 5.0;
const ENTRY_GAP: f64 = 15.0;
const ROW: f64 = FONT_SIZE * 1.45;
/// Room between the last row and the data.
const BELOW: f64 = 5.0;

/// The symbol before a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swatch {
    Box(&'static str),
    Line(&'static str),
    Estimate(&'static str),
}

/// Entries broken into rows.
#[derive(Debug)]
pub(super) struct Legend {
    rows: Vec<Vec<(Swatch, String)>>,
}

impl Legend {
    /// Uses as many rows as `max_width` needs. A single entry is left out unless `keep_single`.
    pub(super) fn new(entries: Vec<(Swatch, String)>, max_width: f64, keep_single: bool) -> Self {
        let mut rows: Vec<Vec<(Swatch, String)>> = Vec::new();
        if entries.len() < 2 && !keep_single {
            return Self { rows };
        }
        for (swatch, name) in entries {
            let name = fit(&name, FONT_SIZE, max_width - SWATCH - SWATCH_GAP);
            let entry = (swatch, name);
            match rows.last_mut() {
                Some(row) if row_width(row) + ENTRY_GAP + entry_width(&entry) <= max_width => row.push(entry),
                _ => rows.push(vec![entry]),
            }
        }
        Self { rows }
    }

    /// Room it takes above the data.
    pub(super) fn height(&self) -> f64 {
        if self.rows.is_empty() {
            0.0
        } else {
            ROW * self.rows.len() as f64 + BELOW
        }
    }

    /// Draws it into the room above `area`, ending at its right edge.
    pub(super) fn draw(&self, canvas: &mut Canvas, area: Rect) {
        let mut y = area.top - self.height() + ROW / 2.0;
        for row in &self.rows {
            let mut x = area.right - row_width(row);
            for entry in row {
                draw_swatch(canvas, entry.0, (x, y));
                let look = Type::new(FONT_SIZE, Anchor::Start);
                canvas.text((x + SWATCH + SWATCH_GAP, y), &entry.1, look);
                x += entry_width(entry) + ENTRY_GAP;
            }
            y += ROW;
        }
    }
}

fn entry_width(entry: &(Swatch, String)) -> f64 {
    SWATCH + SWATCH_GAP + width(&entry.1, FONT_SIZE)
}

fn row_width(row: &[(Swatch, String)]) -> f64 {
    let gaps = ENTRY_GAP * row.len().saturating_sub(1) as f64;
    row.iter().map(entry_width).sum::<f64>() + gaps
}

fn draw_swatch(canvas: &mut Canvas, swatch: Swatch, (x, y): (f64, f64)) {
    match swatch {
        Swatch::Box(fill) => {
            let half = FONT_SIZE * CAP_HEIGHT / 2.0 + 0.3;
            let rect = Rect {
                left: x,
                top: y - half,
                right: x + SWATCH,
                bottom: y + half,
            };
            canvas.rect(rect, fill, &Stroke::new(OUTLINE, 0.7));
        }
        Swatch::Line(colour) => canvas.line((x, y), (x + SWATCH, y), &Stroke::new(colour, 2.0)),
        Swatch::Estimate(colour) => {
            canvas.line((x, y), (x + SWATCH, y), &Stroke::new(colour, 1.5));
            canvas.circle((x + SWATCH / 2.0, y), 2.4, colour);
        }
    }
}
