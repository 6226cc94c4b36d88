//! Widths of text in the bundled font, so that margins are computed rather than guessed.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ttf_parser::{Face, GlyphId};

use super::style::FONT_FAMILY;

/// Open Sans Regular 1.11; licence in `analysis/fonts/LICENSE.txt`.
pub(super) const FONT: &[u8] = include_bytes!("../../fonts/OpenSans-Regular.ttf");

/// Height of capitals and digits, as a share of the font size.
pub(super) const CAP_HEIGHT: f64 = 0.714;
/// Reach of the highest letters above the baseline, as a share of the font size.
pub(super) const ASCENT: f64 = 0.77;
/// Reach of the lowest letters below the baseline, as a share of the font size.
pub(super) const DESCENT: f64 = 0.24;

const ELLIPSIS: char = '…';

static FACE: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(FONT, 0).expect("the bundled font is a valid TrueType file; a test parses it"));

/// A CSS rule that brings the font to a page with figures, so that they look there as they do in print (290 kB).
#[must_use]
pub fn font_face_css() -> String {
    let data = BASE64_STANDARD.encode(FONT);
    format!("@font-face{{font-family:'{FONT_FAMILY}';src:url(data:font/ttf;base64,{data}) format('truetype')}}")
}

/// Advance width of `text` at `size` points, kerned. A character that the font lacks counts as the font's blank box.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let mut units = 0_i64;
    let mut previous: Option<GlyphId> = None;
    for character in text.chars() {
        let glyph = FACE.glyph_index(character).unwrap_or(GlyphId(0));
        units += i64::from(FACE.glyph_hor_advance(glyph).unwrap_or(0));
        if let Some(previous) = previous {
            units += kerning(previous, glyph);
        }
        previous = Some(glyph);
    }
    units as f64 * size / f64::from(FACE.units_per_em())
}

fn kerning(left: GlyphId, right: GlyphId) -> i64 {
    let Some(table) = FACE.tables().kern else {
        return 0;
    };
    table
        .subtables
        .into_iter()
        .filter(|subtable| subtable.horizontal && !subtable.variable)
        .find_map(|subtable| subtable.glyphs_kerning(left, right))
        .map_or(0, i64::from)
}

/// Width of the widest of `texts`.
pub(super) fn widest<'a>(texts: impl IntoIterator<Item = &'a str>, size: f64) -> f64 {
    texts.into_iter().map(|text| width(text, size)).fold(0.0, f64::max)
}

/// `text` itself if it fits into `max_width`, else its beginning with an ellipsis.
pub(super) fn fit(text: &str, size: f64, max_width: f64) -> String {
    if width(text, size) <= max_width {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() {
        let shortened = format!("{}{ELLIPSIS}", kept.trim_end());
        if width(&shortened, size) <= max_width {
            return shortened;
        }
    }
    String::new()
}

/// Breaks `text` at spaces and after hyphens into lines of at most `max_width`; a longer word is shortened by [`fit`].
pub(super) fn wrap(text: &str, size: f64, max_width: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in text.split_inclusive([' ', '-']) {
        let longer = format!("{line}{piece}");
        if line.is_empty() || width(longer.trim_end(), size) <= max_width {
            line = longer;
        } else {
            lines.push(line);
            line = piece.to_owned();
        }
    }
    lines.push(line);
    lines.iter().map(|line| fit(line.trim_end(), size, max_width)).collect()
}

#[cfg(test)]
mod tests {
    use super::{FACE, fit, width, wrap};

    #[test]
    fn the_bundled_font_has_every_sign_that_figures_use() {
        for character in "0123456789+\u{2212},.[]()%…µΔ×±–abcXYZ".chars() {
            assert!(FACE.glyph_index(character).is_some(), "{character} is missing");
        }
    }

    #[test]
    fn digits_are_of_equal_width_so_that_columns_align() {
        let one = width("1", 10.0);
        assert!((one - 5.719).abs() < 0.01, "{one}");
        for digit in ["0", "4", "8"] {
            assert!((width(digit, 10.0) - one).abs() < 1e-9);
        }
    }

    #[test]
    fn long_text_is_broken_and_then_shortened() {
        assert_eq!(wrap("AWS nodes", 9.0, 200.0), ["AWS nodes"]);
        assert_eq!(wrap("AWS nodes", 9.0, 30.0), ["AWS", "nodes"]);
        assert_eq!(wrap("local-bridge", 9.0, 35.0), ["local-", "bridge"]);
        assert_eq!(fit("abc", 9.0, 100.0), "abc");
        let short = fit("an-unreasonably-long-name", 9.0, 40.0);
        assert!(short.ends_with('…') && width(&short, 9.0) <= 40.0, "{short}");
        assert_eq!(fit("abc", 9.0, 0.5), "");
    }
}
