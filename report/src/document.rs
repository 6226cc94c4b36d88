//! The parts that all pages have: one self-contained HTML file with its fonts and styles.

use analysis::figures::font_face_css;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::Manifest;

/// An HTML document.
pub(crate) fn document(title: &str, body: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(font_face_css())) (PreEscaped(include_str!("page.css"))) }
            }
            body { (body) }
        }
    };
    document.into_string()
}

/// The machine on which a run was measured, and the command that measured it.
pub(crate) fn environment(manifest: &Manifest) -> Markup {
    html! {
        h2 { "Environment" }
        pre { (serde_json::to_string_pretty(&manifest.machine).unwrap_or_default()) }
        pre { (serde_json::to_string_pretty(&manifest.host).unwrap_or_default()) }
        h2 { "Commands" }
        p { "Measured with" }
        pre { (manifest.command_line.join(" ")) }
    }
}
