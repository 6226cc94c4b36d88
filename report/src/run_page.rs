//! The page of a run: one self-contained HTML file.

use std::path::Path;

use analysis::claims::{Judgement, Verdict};
use analysis::figures::Figure;
use analysis::principles::{ChecklistItem, PrincipleStatus, checklist as checklist_of};
use anyhow::Result;
use dataset::Run;
use maud::{Markup, PreEscaped, html};
use model::{Manifest, flagged_line};
use samples::{imported_recordings, run_samples};

use crate::claims::JudgedClaims;
use crate::document::{document, environment};
use crate::reproduction::{self, StudyReproduction};
use crate::results::{ConditionResults, Effect, Results, results};
use crate::run_facts::run_facts;
use crate::secondary_estimates::{self, SecondaryEstimates};
use crate::study::StudyResults;
use crate::table;
use crate::{evidence, figures};

/// The contents of the page.
#[derive(Debug)]
pub struct RunPage {
    /// The command that made the page.
    pub command: String,
    /// The run's manifest.
    pub manifest: Manifest,
    /// The run's results.
    pub results: Results,
    /// The secondary estimates.
    pub further: SecondaryEstimates,
    /// The recomputed 2023 study, if it was imported.
    pub study: Option<StudyResults>,
    /// The comparison with the study, if the run repeats the study's experiment.
    pub reproduction: Option<StudyReproduction>,
    /// The defects that the import found in the recordings.
    pub study_notes: Vec<String>,
    /// The verdicts of this run and the study on the recommendations.
    pub claims: JudgedClaims,
    /// The checklist of principles and standards.
    pub checklist: Vec<ChecklistItem>,
    /// The figures in the order of the page.
    pub figures: Vec<Figure>,
}

impl RunPage {
    /// Reads and computes the contents of the page of the run in the folder `run`. `out` is named in the command that the
    /// page shows.
    ///
    /// # Errors
    /// When the run or the study is damaged, or an estimate cannot be computed.
    pub fn read(run: &Path, study_folder: &Path, out: &Path) -> Result<Self> {
        let recorded = Run::open(run)?;
        let samples = run_samples(&recorded)?;
        let results = results(&recorded.manifest, &samples)?;
        let recordings = imported_recordings(study_folder)?;
        let study = recordings.as_deref().map(StudyResults::compute).transpose()?;
        let mut found = evidence::of_run(&recorded.manifest, &samples, &results)?;
        if let Some(study) = &study {
            found.extend(evidence::of_study(study)?);
        }
        let checklist = checklist_of(&run_facts(&recorded.manifest, &results));
        let mut figures = figures::run(&results, &samples)?;
        let reproduction = StudyReproduction::of(&recorded, &samples)?;
        let theirs = recordings
            .as_deref()
            .map(figures::study)
            .transpose()?
            .unwrap_or_default();
        let ours = reproduction.as_ref().map_or(&[][..], |ours| &ours.figures);
        // Each of our figures follows the corresponding figure of the study.
        for index in 0..theirs.len().max(ours.len()) {
            figures.extend(theirs.get(index).into_iter().chain(ours.get(index)).cloned());
        }
        let study_notes = if study.is_some() {
            Run::open(study_folder)?.manifest.notes
        } else {
            Vec::new()
        };
        Ok(Self {
            command: format!(
                "report html --run {} --study {} --out {}",
                run.display(),
                study_folder.display(),
                out.display()
            ),
            further: secondary_estimates::secondary_estimates(&recorded.manifest, &samples)?,
            manifest: recorded.manifest,
            results,
            study,
            study_notes,
            reproduction,
            claims: JudgedClaims::of(&found)?,
            checklist,
            figures,
        })
    }
}

/// The page as HTML.
#[must_use]
pub fn page(page: &RunPage) -> String {
    let body = html! {
        h1 { "What does a function hook cost?" }
        p.lead { (summary(&page.results)) }
        p { "Measured on " strong { (page.results.machine) } "." }
        @if let Some(reproduction) = &page.reproduction {
            (reproduction::first_table(reproduction, page.study.as_ref()))
        }
        (expected_and_measured(page))
        @for figure in &page.figures {
            (PreEscaped(figure.to_html()))
        }
        (claims(&page.claims))
        (ran(page))
        @for condition in &page.results.conditions { (effects(condition)) (order(condition)) }
        (secondary_estimates::section(&page.further))
        (study(page))
        (checklist(&page.checklist))
        (again(page))
    };
    document(
        &format!("What does a function hook cost? {}", page.results.run_id),
        &body,
    )
}

fn summary(results: &Results) -> Markup {
    html! {
        @for condition in &results.conditions {
            @let costs: Vec<&Effect> = condition.costs().collect();
            @if !costs.is_empty() {
                "In " strong { (condition.condition) } ", "
                @for (index, effect) in costs.iter().enumerate() {
                    @if index > 0 { ", " }
                    (effect.name) " costs " strong { (table::signed(effect.primary().value)) " µs" }
                }
                ". "
            }
        }
    }
}

fn verdict(verdict: Verdict) -> Markup {
    let class = match verdict {
        Verdict::Supported => "yes",
        Verdict::NotSupported => "no",
        Verdict::Inconclusive | Verdict::NotRun => "open",
    };
    html! { span class={ "verdict " (class) } { (verdict) } }
}

fn expected_and_measured(page: &RunPage) -> Markup {
    html! {
        h2 { "Expected and measured" }
        table {
            thead { tr {
                th { "contrast" } th { "where" } th { "measured, 95 % interval" } th { "with the systematic part" } th { "cost above zero" }
            } }
            tbody {
                @for condition in &page.results.conditions {
                    @for effect in &condition.effects {
                        tr {
                            td { (effect.name) }
                            td { (condition.condition) }
                            td.number { (table::microseconds(effect.primary())) " µs" }
                            td.number { (table::systematic(effect)) }
                            td { @if let Some(found) = effect.verdict { (verdict(found)) } }
                        }
                    }
                }
                @match &page.study {
                    Some(study) => @for row in &study.rows { (recomputed(study, &row.condition)) },
                    None => tr {
                        td { "the study's numbers, recomputed" } td { "2023 data" } td { "not imported" } td {}
                        td { (verdict(Verdict::NotRun)) }
                    },
                }
            }
        }
    }
}

/// Returns one row that summarises all numbers of one of the study's conditions. The section on the study lists the
/// numbers.
fn recomputed(study: &StudyResults, condition: &str) -> Markup {
    let checks: Vec<_> = study
        .checks
        .iter()
        .filter(|check| check.condition == condition)
        .collect();
    let agreeing = checks.iter().filter(|check| check.agrees).count();
    html! {
        tr {
            td { "the study's numbers, recomputed" }
            td { "2023 data, " (condition) }
            td.number { (checks.len()) " known numbers" }
            td.number { (agreeing) " agree to all digits" }
            td { (verdict(if agreeing == checks.len() { Verdict::Supported } else { Verdict::NotSupported })) }
        }
    }
}

/// Returns the claims of each recommendation with the verdicts of this run and of the recordings.
fn claims(claims: &JudgedClaims) -> Markup {
    html! {
        h2 { "The study's recommendations" }
        p {
            "The verdicts of this run and the 2023 recordings; " code { "cargo xtask claims" } " judges all runs. A verdict needs rows that "
            "the registered plan names, recorded by this plan. The column " em { "exploratory" } " applies the same rule to all other rows "
            "and decides nothing."
        }
        table {
            thead { tr { th { "recommendation and claim" } th { "expected" } th { "found" } th { "verdict" } th { "exploratory" } } }
            tbody {
                @for recommendation in &claims.recommendations {
                    tr { td colspan="5" { strong { (recommendation.number) ". " (recommendation.text) } } }
                    @for claim in &recommendation.claims {
                        tr {
                            td { (claim.says) br; span.note { (claim.quantity) } }
                            td { (claim.expectation) br; span.note { (claim.threshold_from) } }
                            td {
                                @for (role, judgement) in claim.judgements() {
                                    @if claim.rows_of(role).next().is_some() {
                                        p { (role) ": " (judgement.text) }
                                        @for over in &judgement.over_machines { p { (over.text()) } }
                                    }
                                }
                                @if claim.rows.is_empty() { (claim.exploratory.text) }
                                @if let Some(covered) = claim.covered() { span.note { (covered) } }
                            }
                            td { (judged(&claim.registered)) }
                            td { (judged(&claim.exploratory)) }
                        }
                    }
                }
            }
        }
    }
}

fn judged(judgement: &Judgement) -> Markup {
    html! {
        (verdict(judgement.verdict))
        @if let Some(restrictions) = judgement.restrictions() { br; span.note { (restrictions) } }
    }
}

fn ran(page: &RunPage) -> Markup {
    html! {
        h2 { "Conditions" }
        ul {
            @for condition in &page.results.conditions { li { (table::heading(condition)) } }
            @if page.study.is_none() {
                li { "2023 study: not imported (" code { "cargo xtask import ssp2023" } ")" }
            }
        }
        @let limits = table::limits(&page.manifest);
        @if limits.is_empty() {
            p { "No limit was hit during the measurement." }
        } @else {
            p { "Limits that were hit; these launches are flagged:" }
            ul { @for limit in limits { li { (limit) } } }
        }
        @let warnings: Vec<String> = page.manifest.launches.iter()
            .flat_map(|launch| launch.warnings().into_iter().map(move |warning| {
                format!("{} launch {}: {warning}", launch.condition, launch.launch)
            }))
            .collect();
        details {
            summary { (flagged_line(&page.manifest.launches)) }
            ul { @for warning in warnings { li { (warning) } } }
        }
    }
}

fn effects(condition: &ConditionResults) -> Markup {
    html! {
        @if !condition.effects.is_empty() {
            h2 { (table::heading(condition)) }
            p { "Differences in µs with 95 % intervals over launches. The RTT is made of the send path, the wire time and the wake-up." }
            table {
                thead { tr {
                    th { "contrast" } th { "median wire time" } th { "without flagged launches" } th { "median RTT" }
                    th { "send path" } th { "wake-up" }
                    th { "mean wire time" } th { "p99 wire time" } th { "MDE" }
                } }
                tbody {
                    @for effect in &condition.effects {
                        tr {
                            td { (effect.name) br; span.note { (effect.arm) " − " (effect.baseline) } }
                            td.number { (optional(effect.wire_median.as_ref())) }
                            td.number { (optional(effect.wire_median_without_flagged.as_ref())) }
                            td.number { (table::microseconds(&effect.rtt_median)) }
                            td.number { (optional(effect.parts.as_ref().map(|parts| &parts.send_path))) }
                            td.number { (optional(effect.parts.as_ref().map(|parts| &parts.wake_up))) }
                            td.number { (optional(effect.wire_mean.as_ref())) }
                            td.number { (optional(effect.wire_p99.as_ref())) }
                            td.number { (format!("{:.2}", effect.primary().mde / 1e3)) }
                        }
                        @if let (Some(truth_ns), Some(error)) = (effect.truth_ns, &effect.error) {
                            tr { td.note colspan="9" {
                                "truth " (table::signed(truth_ns)) ", error " (table::microseconds(error))
                            } }
                        }
                    }
                }
            }
        }
    }
}

/// Returns the section on noise, steadiness and the effects of the order of requests.
fn order(condition: &ConditionResults) -> Markup {
    html! {
        @if let Some(noise) = &condition.noise { p.note { (noise.text()) } }
        @if !condition.steadiness.launches.is_empty() { p.note { (table::settled(&condition.steadiness)) } }
        @if !condition.order.is_empty() {
            details {
                summary { "Order of the requests in " (condition.condition) }
                p { "The effect of the preceding request and of the position in the round on the median wire time, in µs." }
                table {
                    thead { tr { th { "requests" } th { "slower by" } } }
                    tbody { @for order in &condition.order { tr {
                        td { (order.name) }
                        td.number { (table::microseconds(&order.estimate)) }
                    } } }
                }
            }
        }
    }
}

fn optional(estimate: Option<&analysis::Estimate>) -> String {
    table::or_dash(estimate.map(table::microseconds))
}

fn study(page: &RunPage) -> Markup {
    html! {
        @if let Some(study) = &page.study {
            h2 { "The 2023 study, recomputed from its recordings" }
            pre { (study.text()) }
            details {
                summary { "Each recomputed number with the known number" }
                table {
                    thead { tr { th { "number" } th { "condition" } th { "known" } th { "recomputed" } th { "verdict" } } }
                    tbody { @for check in &study.checks { tr {
                        td { (check.what) }
                        td { (check.condition) }
                        td.number { (check.expected) }
                        td.number { (check.recomputed) }
                        td { (verdict(if check.agrees { Verdict::Supported } else { Verdict::NotSupported })) }
                    } } }
                }
            }
            @for note in &page.study_notes { p.note { (note) } }
        }
    }
}

/// Returns the checklist of principles and standards.
fn checklist(items: &[ChecklistItem]) -> Markup {
    let met = items.iter().filter(|item| item.status == PrincipleStatus::Met).count();
    html! {
        h2 { "Principles and standards" }
        p { "Manifest and data show that " (met) " of " (items.len()) " items are met." }
        table {
            thead { tr { th { "source" } th { "item" } th { "evidence" } th { "status" } } }
            tbody { @for item in items { tr {
                td { (item.source) }
                td { (item.name) }
                td { (item.evidence) }
                td { (status(item.status)) }
            } } }
        }
    }
}

fn status(status: PrincipleStatus) -> Markup {
    let class = match status {
        PrincipleStatus::Met => "yes",
        PrincipleStatus::NotMet => "no",
        PrincipleStatus::NotApplicable => "open",
    };
    html! { span class={ "verdict " (class) } { (status) } }
}

fn again(page: &RunPage) -> Markup {
    html! {
        (environment(&page.manifest))
        p { "Reported with" }
        pre { (page.command) }
    }
}
