//! Compares a run of the study's experiment with the study: the same statistics and figures of both.

use analysis::claims::Provenance;
use analysis::figures::Figure;
use analysis::ssp2023::{self, EXPECTED, StudyRow, requests_differ};
use analysis::{Estimate, LatencyMetric, LaunchSamples, Proportion, effect, proportion};
use anyhow::{Context as _, Result};
use dataset::Run;
use maud::{Markup, html};
use model::Location;
use samples::{RunSamples, first_launches};
use serde::Serialize;

use crate::contrasts::plan;
use crate::figures::{self, Boxes};
use crate::study::StudyResults;
use crate::table::or_dash;

/// Name of the experiment that repeats the study.
const EXPERIMENT: &str = "ssp2023";
/// The conditions of the study, each with the local condition that has its topology.
const TOPOLOGIES: [(&str, &str); 4] = [
    ("docker", "local-bridge"),
    ("kind", "local-pod"),
    ("eks-pod", "local-pod"),
    ("eks-nodes", "local-nodes"),
];
/// The arms that the study had.
const ARMS: (&str, &str) = ("unmodified", "with hook");
/// A second unmodified program, which the study did not have.
const CONTROL: &str = "control";

/// The results of our run of the study's experiment in one condition.
#[derive(Clone, Debug, Serialize)]
pub struct Reproduced {
    /// Number of launches.
    pub launches: usize,
    /// The study's statistics of the first launch. The study also measured one launch.
    pub by_its_method: StudyRow,
    /// Difference of mean RTT over launches, ns; `None` with fewer than two launches.
    pub mean: Option<Estimate>,
    /// Difference of median RTT over launches, ns.
    pub median: Option<Estimate>,
    /// Difference of mean RTT of two unmodified programs over launches, ns.
    pub a_a_mean: Option<Estimate>,
    /// The share of launches in which the study's test finds a difference between two unmodified programs.
    pub a_a_told_apart: Option<Proportion>,
    /// The boxes of the first launch.
    #[serde(flatten)]
    pub boxes: Boxes,
}

/// A condition of the study and the condition of ours that is shown beside it.
#[derive(Clone, Debug, Serialize)]
pub struct Counterpart {
    /// The condition of the study.
    pub study: &'static str,
    /// The condition of our run, if one was measured.
    pub ours: Option<String>,
}

/// Our run of the study's experiment. The run is too large to keep; this summary is kept.
#[derive(Debug, Serialize)]
pub struct StudyReproduction {
    /// The run.
    pub run_id: String,
    /// The revision of this project that measured it.
    pub git_revision: Option<String>,
    /// The processor model.
    pub cpu_model: Option<String>,
    /// The pairs of conditions that the page compares.
    pub counterparts: Vec<Counterpart>,
    /// The results of each condition.
    pub conditions: Vec<Reproduced>,
    /// The study's two figures, of our run.
    #[serde(skip)]
    pub figures: Vec<Figure>,
}

impl StudyReproduction {
    /// Computes the comparison from a run; `None` if it is a run of another experiment.
    ///
    /// # Errors
    /// When a file is damaged or an arm was never observed.
    pub fn of(run: &Run, samples: &RunSamples) -> Result<Option<Self>> {
        if run.manifest.experiment != EXPERIMENT {
            return Ok(None);
        }
        let cut = plan(&run.manifest)?.load.warm_up_rounds;
        let cut = usize::try_from(cut)?;
        let first = first_launches(run, ARMS)?;
        let conditions: Vec<Reproduced> = first
            .iter()
            .map(|ours| {
                let launches = samples.launches_in(&ours.condition);
                let over_launches = |arm, location| effect(launches, ARMS.0, arm, LatencyMetric::Rtt, location).ok();
                Ok(Reproduced {
                    launches: launches.len(),
                    by_its_method: ssp2023::recompute(&ours.condition, &ours.unmodified_ns, &ours.hook_ns, cut)
                        .with_context(|| format!("condition {}", ours.condition))?,
                    mean: over_launches(ARMS.1, Location::Mean),
                    median: over_launches(ARMS.1, Location::Median),
                    a_a_mean: over_launches(CONTROL, Location::Mean),
                    a_a_told_apart: told_apart(launches, ARMS.0, CONTROL),
                    boxes: Boxes {
                        condition: ours.condition.clone(),
                        boxes_ms: figures::five_numbers_ms(ours, cut)?,
                    },
                })
            })
            .collect::<Result<_>>()?;
        let boxes: Vec<Boxes> = conditions.iter().map(|ours| ours.boxes.clone()).collect();
        Ok(Some(Self {
            run_id: run.manifest.run_id.clone(),
            git_revision: run.manifest.revision.as_ref().map(ToString::to_string),
            cpu_model: run.manifest.machine.name.clone(),
            counterparts: counterparts(&boxes),
            conditions,
            figures: [box_plot(&boxes)?, figures::reproduced_sequence(&first)?]
                .map(|figure| figure.on(&run.manifest.machine.described()))
                .into(),
        }))
    }

    fn counterpart(&self, condition: &str) -> Option<&Reproduced> {
        let pair = self.counterparts.iter().find(|pair| pair.study == condition)?;
        let ours = pair.ours.as_ref()?;
        self.conditions.iter().find(|one| one.boxes.condition == *ours)
    }
}

/// The share of launches in which the study's test over requests finds a difference between two arms; `None` if no launch has
/// both arms.
pub(crate) fn told_apart(launches: &[LaunchSamples], one: &str, other: &str) -> Option<Proportion> {
    let tests: Vec<bool> = launches
        .iter()
        .filter_map(|launch| {
            let of = |arm: &str| Some(launch.arms.get(arm)?.of(LatencyMetric::Rtt));
            Some(requests_differ(of(one)?, of(other)?)?.is_significant())
        })
        .collect();
    proportion(tests.iter().filter(|found| **found).count() as u64, tests.len() as u64).ok()
}

/// The study's first figure, of our run.
///
/// # Errors
/// When there is no condition.
pub(crate) fn box_plot(boxes: &[Boxes]) -> Result<Figure> {
    figures::reproduced_boxes(boxes, &places(boxes.iter().map(|ours| &*ours.condition)))
}

/// Returns for each condition of the study a condition of our run: the same condition if it was measured, or else the
/// local condition with its topology.
fn counterparts(boxes: &[Boxes]) -> Vec<Counterpart> {
    let measured = |name: &&str| boxes.iter().any(|ours| ours.condition == **name);
    let pair = |(study, embedded): (&'static str, &'static str)| Counterpart {
        study,
        ours: [study, embedded]
            .iter()
            .find(|name| measured(name))
            .map(|name| (*name).to_owned()),
    };
    TOPOLOGIES.map(pair).into()
}

/// Returns a phrase that names the conditions of our run and their relation to the study's conditions.
fn places<'a>(conditions: impl Iterator<Item = &'a str>) -> String {
    let (emulated, engines): (Vec<&str>, Vec<&str>) =
        conditions.partition(|condition| Provenance::of(condition) == Provenance::Emulated);
    let engines = (!engines.is_empty()).then(|| {
        let names = engines.join(", ");
        format!("in {names} (as the study did, on other machines)")
    });
    let emulated = (!emulated.is_empty()).then(|| {
        let names = emulated.join(", ");
        format!("in {names} (the topologies of its conditions, emulated with namespaces)")
    });
    engines.into_iter().chain(emulated).collect::<Vec<_>>().join(" and ")
}

/// One number of a condition of the study: the known value, the recomputed value and the value of our run.
struct Row {
    what: &'static str,
    known: f64,
    recomputed: Option<f64>,
    first: Option<f64>,
    over_launches: Option<Estimate>,
    digits: usize,
}

/// The first table of a page on the study's experiment.
pub(crate) fn first_table(reproduction: &StudyReproduction, study: Option<&StudyResults>) -> Markup {
    html! {
        h2 { "The study and our run" }
        p {
            "Hook minus unmodified, RTT in ms. The known numbers were computed from the published recordings with NumPy and SciPy. Our "
            "run has the same request, hook algorithm and words, "
            (places(reproduction.conditions.iter().map(|ours| &*ours.boxes.condition)))
            @if let Some(model) = &reproduction.cpu_model { ", on one machine (" (model) ")" }
            ". Absolute times of the study and of our run are not comparable. The column of the first launch applies the study's "
            "method to our data. The interval over all launches is the valid estimate."
        }
        table {
            thead { tr {
                th { "study's condition" } th { "number" } th { "known" } th { "recomputed" } th { "ours, in" }
                th { "first launch, the study's method" } th { "all launches, 95 % interval" }
            } }
            tbody {
                @for known in EXPECTED.iter() {
                    @let ours = reproduction.counterpart(&known.condition);
                    @let recomputed = study.and_then(|study| study.rows.iter().find(|row| row.condition == known.condition));
                    @for row in rows(known, recomputed, ours) {
                        tr {
                            td { (known.condition) }
                            td { (row.what) }
                            td.number { (number(row.known, row.digits)) }
                            td.number { (row.recomputed.map_or_else(|| "not imported".to_owned(), |value| number(value, row.digits))) }
                            td { (ours.map_or("not run", |ours| ours.boxes.condition.as_str())) }
                            td.number { (or_dash(row.first.map(|value| number(value, row.digits)))) }
                            td.number { (or_dash(row.over_launches.as_ref().map(milliseconds))) }
                        }
                    }
                }
            }
        }
    }
}

fn rows(known: &ssp2023::Expected, recomputed: Option<&StudyRow>, ours: Option<&Reproduced>) -> [Row; 4] {
    let value = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
    let difference = |[unmodified, hook]: &[String; 2]| value(hook) - value(unmodified);
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
            ..row("difference of means", difference(&known.mean_ms), mean, 5)
        },
        Row {
            over_launches: ours.and_then(|ours| ours.median),
            ..row("difference of medians", difference(&known.median_ms), median, 5)
        },
        row("pooled standard deviation", value(&known.pooled_std_ms), std, 4),
        row("Student's t", value(&known.t), t, 2),
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
