//! The elements of an SVG document.

use std::fmt::Write as _;

use super::font::{CAP_HEIGHT, width};
use super::notation::{escape, fnv1a, path_data, short};
use super::rect::Rect;
use super::style::{FONT_FAMILY, INK};

/// Character that stands for the hash of the document until the document is complete. Texts cannot contain it, because
/// escaping removes it.
const ID: char = '\u{1}';

/// The anchor point of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The style of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) anchor: Anchor,
    pub(super) fill: &'static str,
}

impl Type {
    pub(super) fn new(size: f64, anchor: Anchor) -> Self {
        Self {
            size,
            anchor,
            fill: INK,
        }
    }

    pub(super) fn fill(self, fill: &'static str) -> Self {
        Self { fill, ..self }
    }
}

/// The style of a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) colour: &'static str,
    pub(super) width: f64,
    /// Further attributes as SVG, such as ` stroke-dasharray="1 2"`.
    pub(super) more: &'static str,
}

impl Stroke {
    pub(super) fn new(colour: &'static str, width: f64) -> Self {
        Self {
            colour,
            width,
            more: "",
        }
    }

    pub(super) fn more(self, more: &'static str) -> Self {
        Self { more, ..self }
    }

    fn attributes(&self) -> String {
        format!(
            r#"stroke="{}" stroke-width="{}"{}"#,
            self.colour,
            short(self.width),
            self.more
        )
    }
}

/// An SVG document under construction.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    body: String,
    clips: Vec<Rect>,
}

impl Canvas {
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &Stroke) {
        let (x1, y1, x2, y2) = (short(from.0), short(from.1), short(to.0), short(to.1));
        let _ = writeln!(self.body, r#"<path d="M{x1} {y1}L{x2} {y2}" {}/>"#, stroke.attributes());
    }

    pub(super) fn rect(&mut self, rect: Rect, fill: &str, stroke: &Stroke) {
        let (x, y, w, h) = (
            short(rect.left),
            short(rect.top),
            short(rect.width()),
            short(rect.height()),
        );
        let stroke = stroke.attributes();
        let _ = writeln!(
            self.body,
            r#"<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{fill}" {stroke}/>"#
        );
    }

    pub(super) fn circle(&mut self, centre: (f64, f64), radius: f64, fill: &str) {
        let (x, y, r) = (short(centre.0), short(centre.1), short(radius));
        let _ = writeln!(self.body, r#"<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"/>"#);
    }

    /// Draws a filled polygon with these corners.
    pub(super) fn polygon(&mut self, corners: &[(f64, f64)], fill: &str) {
        let _ = writeln!(self.body, r#"<path d="{}Z" fill="{fill}"/>"#, path_data(corners));
    }

    /// Draws an open line through these points.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], stroke: &Stroke) {
        let _ = writeln!(
            self.body,
            r#"<path d="{}" fill="none" {}/>"#,
            path_data(points),
            stroke.attributes()
        );
    }

    /// Draws a text whose capital letters are centred vertically on `at.1`.
    pub(super) fn text(&mut self, at: (f64, f64), text: &str, look: Type) {
        self.text_on_baseline((at.0, at.1 + look.size * CAP_HEIGHT / 2.0), text, look);
    }

    /// Draws a text whose baseline is at `at.1`.
    pub(super) fn text_on_baseline(&mut self, at: (f64, f64), text: &str, look: Type) {
        let position = format!(r#"x="{}" y="{}""#, short(at.0), short(at.1));
        self.write_text(&position, text, look);
    }

    /// Draws a text that runs from bottom to top and is centred on `at`.
    pub(super) fn vertical_text(&mut self, at: (f64, f64), text: &str, size: f64) {
        let baseline = at.0 + size * CAP_HEIGHT / 2.0;
        let position = format!(
            r#"transform="translate({} {}) rotate(-90)""#,
            short(baseline),
            short(at.1)
        );
        self.write_text(&position, text, Type::new(size, Anchor::Middle));
    }

    // The length is stated so that a viewer without the font keeps the layout.
    fn write_text(&mut self, position: &str, text: &str, look: Type) {
        let anchor = match look.anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let fill = if look.fill == INK {
            String::new()
        } else {
            format!(r#" fill="{}""#, look.fill)
        };
        let _ = writeln!(
            self.body,
            r#"<text {position} font-size="{}"{anchor}{fill} textLength="{}" lengthAdjust="spacingAndGlyphs">{}</text>"#,
            short(look.size),
            short(width(text, look.size)),
            escape(text),
        );
    }

    /// Calls `draw` and cuts its elements at the edges of `area`.
    pub(super) fn clipped(&mut self, area: Rect, draw: impl FnOnce(&mut Self)) {
        let number = self.clips.len();
        self.clips.push(area);
        let _ = writeln!(self.body, r#"<g clip-path="url(#{ID}-{number})">"#);
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// Returns the complete document. Its element ids contain a hash of the content, so that several figures on one
    /// page have different ids.
    pub(super) fn finish(self, size: (f64, f64), label: &str) -> String {
        let (w, h) = (short(size.0), short(size.1));
        let mut clips = String::new();
        for (number, clip) in self.clips.iter().enumerate() {
            let (x, y, cw, ch) = (
                short(clip.left),
                short(clip.top),
                short(clip.width()),
                short(clip.height()),
            );
            let _ = writeln!(
                clips,
                r#"<clipPath id="{ID}-{number}"><rect x="{x}" y="{y}" width="{cw}" height="{ch}"/></clipPath>"#
            );
        }
        let defs = if clips.is_empty() {
            clips
        } else {
            format!("<defs>\n{clips}</defs>\n")
        };
        let label = escape(label);
        let svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" width="{w}pt" height="{h}pt" viewBox="0 0 {w} {h}" role="img" aria-label="{label}" font-family="'{FONT_FAMILY}', sans-serif" fill="{INK}">
<rect width="{w}" height="{h}" fill="#fff"/>
{defs}{}</svg>
"##,
            self.body
        );
        let id = format!("f{:016x}", fnv1a(svg.as_bytes()));
        svg.replace(ID, &id)
    }
}
