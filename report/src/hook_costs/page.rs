//! The page of `cargo xtask measure`: one self-contained HTML file.

use analysis::figures::font_face_css;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::measurement::{HookCosts, MeasuredHook};
use super::text::{calibrated, lines};
use crate::table;

/// The page as HTML.
#[must_use]
pub fn page(measured: &HookCosts, figure: Option<&analysis::figures::Figure>) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "What hooks cost " (measured.server) }
                style { (PreEscaped(font_face_css())) (PreEscaped(include_str!("../page.css"))) }
            }
            body {
                h1 { "What hooks cost " code { (measured.server) } }
                p.lead { (measured.launches) " launches; differences to the same server without a hook, with 95 % intervals over launches." }
                @if let Some(figure) = figure { (PreEscaped(figure.to_html())) }
                @for hook in &measured.hooks { (of_hook(hook)) }
                (controls(measured))
                @if let Some(manifest) = &measured.manifest {
                    h2 { "Environment" }
                    pre { (serde_json::to_string_pretty(&manifest.machine).unwrap_or_default()) }
                    pre { (serde_json::to_string_pretty(&manifest.host).unwrap_or_default()) }
                    h2 { "Again" }
                    pre { (manifest.command_line.join(" ")) }
                }
            }
        }
    }
    .into_string()
}

fn of_hook(hook: &MeasuredHook) -> Markup {
    html! {
        h2 { (hook.name) }
        p.note { (hook.path.display()) }
        @if let Some(fault) = &hook.fault {
            p { span class="verdict no" { "not measured" } ": the server " (fault.kind) ": " (fault.what) }
            pre { (fault.output) }
        }
        @if let Some(cost) = &hook.cost {
            table { tbody {
                @for (name, value, what) in lines(cost) {
                    tr { td { (name) } td.number { (value) } td { (what) } }
                }
            } }
        }
    }
}

fn controls(measured: &HookCosts) -> Markup {
    html! {
        h2 { "Can it be believed?" }
        ul {
            @for effect in &measured.comparisons { li { (effect.name) ": " (table::microseconds(effect.primary())) " µs" } }
            @if let Some(control) = &measured.control {
                li { "No hook against no hook: " (table::microseconds(control.primary())) " µs" }
            }
            @if let Some(calibration) = &measured.calibration { li { (calibrated(calibration)) } }
            @for warning in &measured.warnings { li { (warning) } }
        }
    }
}
