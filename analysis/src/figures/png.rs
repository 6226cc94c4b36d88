//! Figures as PNG, drawn by resvg with the bundled font and no other.

use std::sync::Arc;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::figure::{Figure, FigureError};
use super::font::FONT;
use super::style::FONT_FAMILY;

/// The longest side that is accepted, pixels.
const LONGEST_SIDE: f64 = 16_384.0;

impl Figure {
    /// The figure as PNG with `scale` times 96 pixels per inch: 2 gives 1,056 pixels of width, enough for print at 200 dpi.
    ///
    /// # Errors
    ///
    /// When `scale` gives no or too many pixels, or the document is not accepted by the renderer.
    pub fn to_png(&self, scale: f32) -> Result<Vec<u8>, FigureError> {
        let fail = |reason: String| FigureError::Png {
            figure: self.name.clone(),
            reason,
        };
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FONT_FAMILY);
        let options = Options {
            fontdb: Arc::new(fonts),
            font_family: FONT_FAMILY.to_owned(),
            ..Options::default()
        };
        let tree = Tree::from_str(&self.svg, &options).map_err(|error| fail(error.to_string()))?;
        let size = tree.size();
        let width = pixels(size.width(), scale)
            .ok_or_else(|| fail(format!("a scale of {scale} gives no pixel or too many")))?;
        let height = pixels(size.height(), scale)
            .ok_or_else(|| fail(format!("a scale of {scale} gives no pixel or too many")))?;
        let mut pixmap = Pixmap::new(width, height).ok_or_else(|| fail("it is too large".to_owned()))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
        encoded(pixmap).map_err(|error| fail(error.to_string()))
    }
}

fn encoded(pixmap: Pixmap) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixmap.take_demultiplied())?;
    writer.finish()?;
    Ok(bytes)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie in 1..=16384"
)]
fn pixels(length: f32, scale: f32) -> Option<u32> {
    let pixels = (f64::from(length) * f64::from(scale)).ceil();
    (1.0..=LONGEST_SIDE).contains(&pixels).then_some(pixels as u32)
}
