//! The page of `cargo xtask measure`: one self-contained HTML file.

use maud::{Markup, PreEscaped, html};

use super::measurement::{HookCosts, MeasuredHook};
use super::text::{calibrated, lines, start_lines};
use crate::document::{document, environment};
use crate::table;

/// The page as HTML.
#[must_use]
pub fn page(measured: &HookCosts, figure: Option<&analysis::figures::Figure>) -> String {
    let body = html! {
        h1 { "The cost of hooks in " code { (measured.server) } }
        p.lead { (measured.launches) " launches; differences to the same server without a hook, with 95 % intervals over launches." }
        @if let Some(figure) = figure { (PreEscaped(figure.to_html())) }
        @for hook in &measured.hooks { (of_hook(hook)) }
        (controls(measured))
        @if let Some(manifest) = &measured.manifest { (environment(manifest)) }
    };
    document(&format!("The cost of hooks in {}", measured.server), &body)
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
                @for (name, value, what) in lines(cost).into_iter().chain(hook.start.iter().flat_map(start_lines)) {
                    tr { td { (name) } td.number { (value) } td { (what) } }
                }
            } }
        }
    }
}

fn controls(measured: &HookCosts) -> Markup {
    html! {
        h2 { "Validity" }
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
