//! Finished figures, and the reasons why a figure cannot be drawn.

use super::canvas::Canvas;
use super::notation::escape;
use super::style::WIDTH;

/// A drawing as an SVG document. The same data give the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The SVG document, UTF-8.
    pub svg: String,
    /// The name of the figure and of its file (`name.svg`); it is valid as a file name.
    pub name: String,
    /// The caption.
    pub caption: String,
    /// The content of the figure in words and numbers, for readers who cannot see it.
    pub description: String,
    /// Width in points (1/72 in).
    pub width_pt: f64,
    /// Height in points (1/72 in).
    pub height_pt: f64,
}

/// The reason why a figure cannot be drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// There is nothing to draw.
    #[error("figure `{figure}` has no data: expected at least one {expected}")]
    Empty {
        /// The figure's name.
        figure: String,
        /// The missing item.
        expected: &'static str,
    },
    /// A number is outside of the range that can be drawn.
    #[error("figure `{figure}`: {what} is {value}, expected {expected}")]
    Value {
        /// The figure's name.
        figure: String,
        /// The name of the number.
        what: String,
        /// The value.
        value: f64,
        /// The expected range.
        expected: &'static str,
    },
    /// The PNG cannot be made.
    #[error("figure `{figure}` cannot be drawn as PNG: {reason}")]
    Png {
        /// The figure's name.
        figure: String,
        /// The message of the renderer.
        reason: String,
    },
}

impl FigureError {
    pub(super) fn value(figure: &str, what: String, value: f64, expected: &'static str) -> Self {
        let figure = figure.to_owned();
        Self::Value {
            figure,
            what,
            value,
            expected,
        }
    }

    pub(super) fn empty(figure: &str, expected: &'static str) -> Self {
        let figure = figure.to_owned();
        Self::Empty { figure, expected }
    }
}

impl Figure {
    pub(super) fn new(canvas: Canvas, height_pt: f64, name: &str, caption: &str, description: String) -> Self {
        let height_pt = (height_pt * 10.0).round() / 10.0;
        Self {
            svg: canvas.finish((WIDTH, height_pt), &description),
            name: name.to_owned(),
            caption: caption.to_owned(),
            description,
            width_pt: WIDTH,
            height_pt,
        }
    }

    /// Returns the figure with the machine of its data at the end of its caption.
    #[must_use]
    pub fn on(self, machine: &str) -> Self {
        Self {
            caption: format!("{} Machine: {machine}.", self.caption),
            ..self
        }
    }

    /// Returns the figure for an HTML page, with its caption and a description for readers who cannot see it. The page
    /// must contain [`font_face_css`](super::font_face_css) once.
    #[must_use]
    pub fn to_html(&self) -> String {
        let description = escape(&self.description);
        let caption = if self.caption.is_empty() {
            String::new()
        } else {
            format!("<figcaption>{}</figcaption>\n", escape(&self.caption))
        };
        format!(
            "<figure role=\"img\" aria-label=\"{description}\">\n{}{caption}</figure>\n",
            self.svg
        )
    }
}

pub(super) fn finite(figure: &str, what: impl Fn() -> String, value: f64) -> Result<(), FigureError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(FigureError::value(figure, what(), value, "a finite number"))
}

/// Checks the limits of an axis that a caller sets.
pub(super) fn limits(figure: &str, limits: (f64, f64)) -> Result<(), FigureError> {
    finite(figure, || "the lower limit".to_owned(), limits.0)?;
    finite(figure, || "the upper limit".to_owned(), limits.1)?;
    if limits.0 < limits.1 {
        return Ok(());
    }
    let expected = "more than the lower limit";
    Err(FigureError::value(
        figure,
        "the upper limit".to_owned(),
        limits.1,
        expected,
    ))
}
