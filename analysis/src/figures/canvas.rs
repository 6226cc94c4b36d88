//! Writes SVG elements and remembers how far they reach, so that a test can see what would be cut off.

use std::fmt::Write as _;

use super::font::{ASCENT, CAP_HEIGHT, DESCENT, width};
use super::notation::{escape, fnv1a, path_data, short};
use super::rect::Rect;
use super::style::{FONT_FAMILY, INK};

/// Stands for the hash of the content until that is complete; escaping removes it from any text.
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

/// The growing drawing.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    body: String,
    clips: Vec<Rect>,
    clip: Option<Rect>,
    extent: Option<Rect>,
}

impl Canvas {
    fn reach(&mut self, rect: Rect) {
        let rect = self.clip.map_or(rect, |clip| rect.intersection(clip));
        self.extent = Some(self.extent.map_or(rect, |extent| extent.union(rect)));
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &Stroke) {
        let half = stroke.width / 2.0;
        self.reach(Rect {
            left: from.0.min(to.0) - half,
            top: from.1.min(to.1) - half,
            right: from.0.max(to.0) + half,
            bottom: from.1.max(to.1) + half,
        });
        let (x1, y1, x2, y2) = (short(from.0), short(from.1), short(to.0), short(to.1));
        let _ = writeln!(self.body, r#"<path d="M{x1} {y1}L{x2} {y2}" {}/>"#, stroke.attributes());
    }

    pub(super) fn rect(&mut self, rect: Rect, fill: &str, stroke: &Stroke) {
        let half = stroke.width / 2.0;
        self.reach(Rect {
            left: rect.left - half,
            top: rect.top - half,
            right: rect.right + half,
            bottom: rect.bottom + half,
        });
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
        let (x, y) = centre;
        self.reach(Rect {
            left: x - radius,
            top: y - radius,
            right: x + radius,
            bottom: y + radius,
        });
        let (x, y, r) = (short(x), short(y), short(radius));
        let _ = writeln!(self.body, r#"<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"/>"#);
    }

    /// A filled polygon.
    pub(super) fn polygon(&mut self, corners: &[(f64, f64)], fill: &str) {
        self.reach_all(corners, 0.0);
        let _ = writeln!(self.body, r#"<path d="{}Z" fill="{fill}"/>"#, path_data(corners));
    }

    /// An open line through many points.
    pub(super) fn polyline(&mut self, points: &[(f64, f64)], stroke: &Stroke) {
        self.reach_all(points, stroke.width / 2.0);
        let _ = writeln!(
            self.body,
            r#"<path d="{}" fill="none" {}/>"#,
            path_data(points),
            stroke.attributes()
        );
    }

    fn reach_all(&mut self, points: &[(f64, f64)], half: f64) {
        for &(x, y) in points {
            self.reach(Rect {
                left: x - half,
                top: y - half,
                right: x + half,
                bottom: y + half,
            });
        }
    }

    /// Text with its capitals centred on `at.1`.
    pub(super) fn text(&mut self, at: (f64, f64), text: &str, look: Type) {
        self.text_on_baseline((at.0, at.1 + look.size * CAP_HEIGHT / 2.0), text, look);
    }

    /// Text standing on `at.1`.
    pub(super) fn text_on_baseline(&mut self, at: (f64, f64), text: &str, look: Type) {
        let length = width(text, look.size);
        let left = at.0 - length * look.anchor.share();
        let (top, bottom) = (at.1 - look.size * ASCENT, at.1 + look.size * DESCENT);
        self.reach(Rect {
            left,
            top,
            right: left + length,
            bottom,
        });
        let position = format!(r#"x="{}" y="{}""#, short(at.0), short(at.1));
        self.write_text(&position, length, text, look);
    }

    /// Text read from bottom to top, centred on `at`.
    pub(super) fn vertical_text(&mut self, at: (f64, f64), text: &str, size: f64) {
        let length = width(text, size);
        let baseline = at.0 + size * CAP_HEIGHT / 2.0;
        self.reach(Rect {
            left: baseline - size * ASCENT,
            top: at.1 - length / 2.0,
            right: baseline + size * DESCENT,
            bottom: at.1 + length / 2.0,
        });
        let position = format!(
            r#"transform="translate({} {}) rotate(-90)""#,
            short(baseline),
            short(at.1)
        );
        self.write_text(&position, length, text, Type::new(size, Anchor::Middle));
    }

    // The length is stated so that a viewer without the font keeps the layout.
    fn write_text(&mut self, position: &str, length: f64, text: &str, look: Type) {
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
            short(length),
            escape(text),
        );
    }

    /// Cuts what `draw` draws at the edges of `area`.
    pub(super) fn clipped(&mut self, area: Rect, draw: impl FnOnce(&mut Self)) {
        let number = self.clips.len();
        self.clips.push(area);
        let _ = writeln!(self.body, r#"<g clip-path="url(#{ID}-{number})">"#);
        let before = self.clip.replace(area);
        draw(self);
        self.clip = before;
        self.body.push_str("</g>\n");
    }

    /// The extent of the drawing; `None` if nothing was drawn.
    pub(super) fn extent(&self) -> Option<Rect> {
        self.extent
    }

    /// The whole document. Ids come from the content, so that figures can stand on one page without clashing.
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

impl Anchor {
    fn share(self) -> f64 {
        match self {
            Self::Start => 0.0,
            Self::Middle => 0.5,
            Self::End => 1.0,
        }
    }
}
