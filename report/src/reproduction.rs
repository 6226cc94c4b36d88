//! A run of the study's own experiment beside the study: the same statistics and the same figures from ours as from theirs.

use analysis::claims::Provenance;
use analysis::figures::Figure;
use analysis::ssp2023::{self, EXPECTED, StudyRow};
use analysis::{Estimate, LaunchSamples, Location, Quantity, effect};
use anyhow::{Context as _, Result};
use dataset::Run;
use maud::{Markup, html};
use serde::Serialize;

use crate::figures;
use crate::load::{self, RunSamples};
use crate::study::StudyResults;

/// Name of the experiment that repeats the study.
const EXPERIMENT: &str = "ssp2023";
/// Each of the study's conditions and the embedded one that has its topology.
const TOPOLOGIES: [(&str, &str); 4] = [
    ("docker", "local-bridge"),
    ("kind", "local-pod"),
    ("eks-pod", "local-pod"),
    ("eks-nodes", "local-nodes"),
];
/// The arms that are the study's.
const ARMS: (&str, &str) = ("unmodified", "with hook");

/// What our run of the study's experiment says in one condition.
#[derive(Clone, Debug, Serialize)]
pub struct Reproduced {
    /// Where.
    pub condition: String,
    /// Launches.
    pub launches: usize,
    /// The study's statistics of the first launch alone, which is as much as the study measured.
    pub by_its_method: StudyRow,
    /// Difference of mean RTT over launches, ns; none with fewer than two.
    pub mean: Option<Estimate>,
    /// Difference of median RTT over launches, ns.
    pub median: Option<Estimate>,
}

/// Our run of the study's experiment.
#[derive(Debug)]
pub struct Reproduction {
    /// By condition.
    pub conditions: Vec<Reproduced>,
    /// The study's two figures, of our run.
    pub figures: Vec<Figure>,
}

impl Reproduction {
    /// From a run; `None` when it is of another experiment.
    ///
    /// # Errors
    /// When a file is damaged or an arm was never observed.
    pub fn of(run: &Run, samples: &RunSamples) -> Result<Option<Self>> {
        if run.manifest.experiment != EXPERIMENT {
            return Ok(None);
        }
        let cut = run.manifest.plan["load"]["warm_up_rounds"].as_u64().unwrap_or(0);
        let cut = usize::try_from(cut)?;
        let first = load::first_launches(run, ARMS)?;
        let conditions = first
            .iter()
            .map(|ours| {
                let launches: Vec<LaunchSamples> = samples
                    .launches
                    .iter()
                    .filter(|launch| launch.condition == ours.condition)
                    .cloned()
                    .collect();
                let over_launches = |location| effect(&launches, ARMS.0, ARMS.1, Quantity::Rtt, location).ok();
                Ok(Reproduced {
                    condition: ours.condition.clone(),
                    launches: launches.len(),
                    by_its_method: ssp2023::recompute(&ours.condition, &ours.unmodified_ns, &ours.hook_ns, cut)
                        .with_context(|| format!("condition {}", ours.condition))?,
                    mean: over_launches(Location::Mean),
                    median: over_launches(Location::Median),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Some(Self {
            conditions,
            figures: figures::reproduced(&first, cut, &places(first.iter().map(|ours| &*ours.condition)))?,
        }))
    }

    /// Ours for one of the study's conditions: the same where it was measured, else the one with its topology.
    fn counterpart(&self, condition: &str) -> Option<&Reproduced> {
        let named = |name: &str| self.conditions.iter().find(|ours| ours.condition == name);
        named(condition).or_else(|| {
            let (_, embedded) = TOPOLOGIES.iter().find(|(study, _)| *study == condition)?;
            named(embedded)
        })
    }
}

/// Where we measured, in words: what conditions that only resemble the study's are, and what those are that have its names.
fn places<'a>(conditions: impl Iterator<Item = &'a str>) -> String {
    let (emulated, engines): (Vec<&str>, Vec<&str>) =
        conditions.partition(|condition| Provenance::of(condition) == Provenance::Emulated);
    let engines = (!engines.is_empty()).then(|| {
        let names = engines.join(", ");
        format!("in {names} (as the study did, on other machines)")
    });
    let emulated = (!emulated.is_empty()).then(|| {
        let names = emulated.join(", ");
        format!("in {names} (the topologies of its conditions out of namespaces, and none of them)")
    });
    engines.into_iter().chain(emulated).collect::<Vec<_>>().join(" and ")
}

/// A number of one of the study's conditions: the known one, recomputed, and ours.
struct Row {
    what: &'static str,
    known: f64,
    recomputed: Option<f64>,
    first: Option<f64>,
    over_launches: Option<Estimate>,
    digits: usize,
}

/// The first table of a page on the study's experiment.
pub(crate) fn first_table(reproduction: &Reproduction, study: Option<&StudyResults>) -> Markup {
    html! {
        h2 { "The study, and ours" }
        p {
            "Hook minus unmodified, RTT in ms. Known are the numbers of the published recordings by NumPy and SciPy. Ours are of "
            "the same request, hook algorithm and words, "
            (places(reproduction.conditions.iter().map(|ours| &*ours.condition)))
            ": absolute times are not to be compared. One launch by the study's method says "
            "what it would have found here; the interval over launches is to be believed."
        }
        table {
            thead { tr {
                th { "study's condition" } th { "number" } th { "known" } th { "recomputed" } th { "ours, in" }
                th { "first launch, the study's method" } th { "all launches, 95 % interval" }
            } }
            tbody {
                @for known in &EXPECTED {
                    @let ours = reproduction.counterpart(known.condition);
                    @let recomputed = study.and_then(|study| study.rows.iter().find(|row| row.condition == known.condition));
                    @for row in rows(known, recomputed, ours) {
                        tr {
                            td { (known.condition) }
                            td { (row.what) }
                            td.number { (number(row.known, row.digits)) }
                            td.number { (row.recomputed.map_or_else(|| "not imported".to_owned(), |value| number(value, row.digits))) }
                            td { (ours.map_or("not run", |ours| ours.condition.as_str())) }
                            td.number { (row.first.map_or_else(|| "–".to_owned(), |value| number(value, row.digits))) }
                            td.number { (row.over_launches.as_ref().map_or_else(|| "–".to_owned(), milliseconds)) }
                        }
                    }
                }
            }
        }
    }
}

fn rows(known: &ssp2023::Expected, recomputed: Option<&StudyRow>, ours: Option<&Reproduced>) -> [Row; 4] {
    let value = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let difference = |(unmodified, hook): (&str, &str)| value(hook) - value(unmodified);
    let both = |of: &dyn Fn(&StudyRow) -> f64| (recomputed.map(of), ours.map(|ours| of(&ours.by_its_method)));
    let mean = both(&|row| row.mean_ms.1 - row.mean_ms.0);
    let median = both(&|row| row.median_ms.1 - row.median_ms.0);
    let std = both(&|row| row.pooled_std_ms);
    let t = both(&|row| row.t);
    let row = |what, known, (recomputed, first): (Option<f64>, Option<f64>), digits| Row {
        what,
        known,
        recomputed,
        first,
        over_launches: None,
        digits,
    };
    [
        Row {
            over_launches: ours.and_then(|ours| ours.mean),
            ..row("difference of means", difference(known.mean_ms), mean, 5)
        },
        Row {
            over_launches: ours.and_then(|ours| ours.median),
            ..row("difference of medians", difference(known.median_ms), median, 5)
        },
        row("pooled standard deviation", value(known.pooled_std_ms), std, 4),
        row("Student's t", value(known.t), t, 2),
    ]
}

fn number(value: f64, digits: usize) -> String {
    format!("{value:.digits$}").replace('-', "\u{2212}")
}

fn milliseconds(estimate: &Estimate) -> String {
    let (low, high) = estimate.confidence_interval;
    let shown = |ns: f64| number(ns / 1e6, 4);
    format!("{} [{}, {}]", shown(estimate.value), shown(low), shown(high))
}
