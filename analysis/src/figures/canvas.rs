//! Writes SVG elements and remembers how far they reach, so that a test can see what would be cut off.

use std::fmt::Write as _;

use super::font::{ASCENT, CAP_HEIGHT, DESCENT, width};
use super::style::{FONT_FAMILY, INK};

/// Stands for the hash of the content until that is complete; escaping removes it from any text.
const ID: char = '\u{1}';

/// A rectangle by its edges, y growing downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    fn intersection(self, other: Self) -> Self {
        let left = self.left.max(other.left);
        let top = self.top.max(other.top);
        Self {
            left,
            top,
            right: self.right.min(other.right).max(left),
            bottom: self.bottom.min(other.bottom).max(top),
        }
    }
}

/// Which point of a text is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
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

/// How a line looks.
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

    /// How far the drawing reaches; `None` if nothing was drawn.
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

/// Hundredths of a point, the resolution of all coordinates.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a saturating cast; coordinates are a few hundred points"
)]
fn hundredths(value: f64) -> i64 {
    (value * 100.0).round() as i64
}

/// A hundredth-point number without needless zeros, as in `12.5` or `-.3`.
fn short(value: f64) -> String {
    short_hundredths(hundredths(value))
}

fn short_hundredths(value: i64) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let (whole, part) = (value.unsigned_abs() / 100, value.unsigned_abs() % 100);
    match (whole, part) {
        (_, 0) => format!("{sign}{whole}"),
        (0, _) => format!("{sign}.{part:02}").trim_end_matches('0').to_owned(),
        _ => format!("{sign}{whole}.{part:02}").trim_end_matches('0').to_owned(),
    }
}

/// An SVG path in relative steps, which for long lines is half the size of absolute ones.
fn path_data(points: &[(f64, f64)]) -> String {
    let mut data = String::new();
    let mut last = (0, 0);
    for (index, &(x, y)) in points.iter().enumerate() {
        let next = (hundredths(x), hundredths(y));
        let (dx, dy) = (short_hundredths(next.0 - last.0), short_hundredths(next.1 - last.1));
        // A sign or a leading dot after a dot separates numbers by itself; only what needs a space gets one.
        let gap = |before: &str, number: &str| {
            let separate = number.starts_with('-') || (number.starts_with('.') && before.contains('.'));
            if separate { "" } else { " " }
        };
        match index {
            0 => data.push('m'),
            1 => data.push('l'),
            _ => data.push_str(if dx.starts_with('-') { "" } else { " " }),
        }
        let _ = write!(data, "{dx}{}{dy}", gap(&dx, &dy));
        last = next;
    }
    data
}

/// Text for XML, without control characters, which XML does not have.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars().filter(|character| !character.is_control()) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The 64-bit FNV-1a hash, fixed by its definition, where the standard library's may change.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{escape, fnv1a, path_data, short};

    #[test]
    fn numbers_are_short_and_unambiguous() {
        assert_eq!(
            ["12.50", "-0.3", "0", "-0.004", "7"].map(|n| short(n.parse().unwrap())),
            ["12.5", "-.3", "0", "0", "7"]
        );
        assert_eq!(
            path_data(&[(1.0, 2.0), (1.25, 1.5), (1.5, 1.75), (1.0, 2.0)]),
            "m1 2l.25-.5 .25.25-.5.25"
        );
        assert_eq!(path_data(&[(0.0, 0.0), (1.0, 0.5)]), "m0 0l1 .5");
    }

    #[test]
    fn text_cannot_break_out() {
        assert_eq!(
            escape("<a b=\"c\" & 'd'>\u{1}"),
            "&lt;a b=&quot;c&quot; &amp; &#39;d&#39;&gt;"
        );
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Test vectors of the FNV reference, http://www.isthe.com/chongo/tech/comp/fnv/
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
