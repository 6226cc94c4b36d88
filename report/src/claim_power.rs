//! The chance of each claim to be supported, by simulated recordings: launches of recorded runs are drawn with replacement, and pass
//! through the estimators, the exhibits and the rules of verdicts.
//!
//! The true value of a row in a simulated recording is known: it is the value of the recorded launches, each of them repeated
//! twenty times. The row is then moved as if this true value were the claim's threshold, or the least effect of interest.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use analysis::claims::{
    Claim, Claims, CurrentPlan, Direction, Evidence, MeasuredQuantity, Quantity, Recommendation, RowRole, Verdict,
    judge,
};
use analysis::simulation::Draw;
use analysis::{Proportion, proportion, text_table};
use anyhow::{Context as _, Result, bail, ensure};
use dataset::{Grid, OBSERVED_FILE, ObservedServers};
use model::{Manifest, PlannedClaim, RegisteredPlan, RowCombination};
use rayon::prelude::*;
use serde::Serialize;

use crate::claim_definitions::stated_claims;
use crate::evidence;
use crate::exhibits::{self, RecordedExperiment};
use crate::left_out::{QuantityKey, key};

/// How often each recorded launch stands in the recording whose values are taken as true. The corrections for a finite number of
/// launches vanish there.
const REPETITIONS: usize = 20;

/// The chance of one claim to be supported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimPower {
    /// The claim.
    pub claim: String,
    /// The primary rows of the claim.
    pub rows: usize,
    /// How the rows are combined.
    pub combine: RowCombination,
    /// The threshold in words.
    pub expectation: String,
    /// The least effect of interest, in the claim's unit.
    pub least_effect: f64,
    /// The least effect of interest with its unit.
    pub least_effect_text: String,
    /// The values of the recorded rows, in words.
    pub recorded: Vec<String>,
    /// The recordings that support the claim if every row has the least effect of interest.
    pub at_least_effect: Proportion,
    /// The recordings that support the claim if it is false by the smallest amount: one row of [`RowCombination::Every`], or each row of
    /// [`RowCombination::Any`], lies on the threshold. The largest count over the rows, and over both thresholds of an equivalence.
    pub at_threshold: Proportion,
}

/// A claim that cannot be simulated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnsimulatedClaim {
    /// The claim.
    pub claim: String,
    /// The reason.
    pub reason: String,
}

/// The simulation of all claims of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimPowerStudy {
    /// The folder of the recorded runs.
    pub recorded: PathBuf,
    /// The machine of the recorded runs.
    pub machine: String,
    /// Simulated recordings.
    pub recordings: u32,
    /// The claims, in the order of the plan.
    pub claims: Vec<ClaimPower>,
    /// The claims that cannot be simulated.
    pub not_simulated: Vec<UnsimulatedClaim>,
}

/// A recorded run, from whose launches simulated recordings are drawn.
struct LaunchSource {
    experiment: RecordedExperiment,
    observed: Option<(ObservedServers, Manifest)>,
    /// The launches of the plan.
    launches: usize,
}

/// A primary row of a claim and the true value of its quantity.
struct TrueRow {
    key: QuantityKey,
    truth: f64,
}

/// Simulates `recordings` recordings by the plan, with the launches of the runs in `folder`. A run has the name that it has in the
/// plan.
///
/// # Errors
/// When the folder has no run of the plan, runs of several machines, or a run that cannot be read.
pub fn simulate(plan: &CurrentPlan, folder: &Path, recordings: u32, seed: u64) -> Result<ClaimPowerStudy> {
    let sources = sources(&plan.plan, folder)?;
    let first = &sources.first().with_context(|| {
        let names: Vec<&str> = plan.plan.runs.iter().map(|run| run.name.as_str()).collect();
        format!(
            "{}: no run of the plan; expected folders named {}",
            folder.display(),
            names.join(", ")
        )
    })?;
    let machine = first.experiment.machine.clone();
    if let Some(other) = sources.iter().find(|source| source.experiment.machine != machine) {
        bail!(
            "{}: {} was recorded on {}, and {} on {}; name the folder of one machine",
            folder.display(),
            first.experiment.id,
            machine,
            other.experiment.id,
            other.experiment.machine
        );
    }
    let truth = recording(&sources, plan, |_, here| {
        (0..here * REPETITIONS).map(|place| place % here).collect()
    })?;
    let recorded = recording(&sources, plan, |_, here| (0..here).collect())?;
    let stated = stated_claims()?;
    let mut claims = Vec::new();
    let mut not_simulated = Vec::new();
    for planned in &plan.plan.claims {
        let claim = stated
            .claim(&planned.id)
            .with_context(|| format!("no claim `{}`", planned.id))?;
        match true_rows(claim, plan, &truth) {
            Ok(rows) => claims.push((claim, planned, rows)),
            Err(error) => not_simulated.push(UnsimulatedClaim {
                claim: planned.id.clone(),
                reason: format!("{error:#}"),
            }),
        }
    }
    let supported: Vec<Vec<ScenarioVerdicts>> = (0..u64::from(recordings))
        .into_par_iter()
        .map(|number| {
            let mut draw = Draw::new(seed, number);
            let drawn = recording(&sources, plan, |wanted, here| draw.places(here, wanted))?;
            let of_claim = |(claim, planned, rows): &(&Claim, &PlannedClaim, Vec<TrueRow>)| {
                supported(claim, planned, rows, plan, &drawn, &mut draw)
            };
            claims.iter().map(of_claim).collect()
        })
        .collect::<Result<_>>()?;
    let claims = claims.iter().enumerate().map(|(index, (claim, planned, rows))| {
        let of_recordings = || supported.iter().map(|recording| &recording[index]);
        let share = |count: usize| proportion(count as u64, u64::from(recordings));
        let at_least_effect = of_recordings().filter(|one| one.at_least_effect).count();
        let falsely = |scenario: usize| of_recordings().filter(|one| one.at_threshold[scenario]).count();
        let scenarios = of_recordings().next().map_or(0, |one| one.at_threshold.len());
        Ok(ClaimPower {
            claim: claim.id.clone(),
            rows: rows.len(),
            combine: planned.combine,
            expectation: claim.expectation().text(claim.unit),
            least_effect: planned.least_effect,
            least_effect_text: claim.unit.number(planned.least_effect) + claim.unit.suffix(),
            recorded: rows.iter().map(|row| shown(row, &recorded)).collect(),
            at_least_effect: share(at_least_effect)?,
            at_threshold: share((0..scenarios).map(falsely).max().unwrap_or(0))?,
        })
    });
    Ok(ClaimPowerStudy {
        recorded: folder.to_owned(),
        machine,
        recordings,
        claims: claims.collect::<Result<_>>()?,
        not_simulated,
    })
}

/// The runs of the plan that `folder` has.
fn sources(plan: &RegisteredPlan, folder: &Path) -> Result<Vec<LaunchSource>> {
    ensure!(folder.is_dir(), "{}: no such folder", folder.display());
    let mut found = Vec::new();
    for run in &plan.runs {
        let folder = folder.join(&run.name);
        if !Grid::is_at(&folder) && !folder.join("manifest.json").exists() {
            continue;
        }
        let experiment = RecordedExperiment::open(&folder)?;
        let has_observed = fs::exists(folder.join(OBSERVED_FILE))?;
        let manifest = experiment.cells.first().map(|cell| cell.manifest.clone());
        let observed = match manifest.filter(|_| has_observed) {
            Some(manifest) => Some((ObservedServers::read(&folder)?, manifest)),
            None => None,
        };
        found.push(LaunchSource {
            experiment,
            observed,
            launches: usize::try_from(run.launches)?,
        });
    }
    Ok(found)
}

/// The evidence of a recording whose launches `places` chooses, for each condition of each cell: it takes the number of launches of the
/// plan and the number of recorded launches. Observed servers are chosen in the same way. All quantities have the plan's hash.
fn recording(
    sources: &[LaunchSource],
    plan: &CurrentPlan,
    mut places: impl FnMut(usize, usize) -> Vec<usize>,
) -> Result<Evidence> {
    let mut found = Evidence::default();
    for source in sources {
        let drawn = source.experiment.drawn(|here| places(source.launches, here))?;
        found.extend(exhibits::evidence(&drawn)?);
        if let Some((observed, manifest)) = &source.observed {
            let count = observed.servers.len();
            let servers = places(count, count).into_iter();
            let observed = ObservedServers {
                servers: servers.map(|place| observed.servers[place].clone()).collect(),
                ..observed.clone()
            };
            found.extend(evidence::of_observed(&observed, Some(manifest)));
        }
    }
    for measured in &mut found.measured {
        measured.plan_sha256 = Some(plan.sha256.clone());
        measured.tree_clean = true;
    }
    Ok(found)
}

/// The primary rows of a claim with their true values.
fn true_rows(claim: &Claim, plan: &CurrentPlan, truth: &Evidence) -> Result<Vec<TrueRow>> {
    let judged = judge(&only(claim), Some(plan), truth)?;
    let claims = judged.iter().flat_map(|one| &one.claims);
    let rows = claims.flat_map(|claim| claim.rows_of(RowRole::Primary));
    let rows: Vec<TrueRow> = rows
        .map(|row| TrueRow {
            key: key(&truth.measured[row.quantity_index]),
            truth: row.interval.value,
        })
        .collect();
    let planned = plan.plan.claims.iter().find(|planned| planned.id == claim.id);
    let planned = planned.map_or(0, |planned| planned.rows.len());
    ensure!(
        rows.len() >= planned,
        "{} of its {planned} primary rows have a value in the recorded runs",
        rows.len()
    );
    Ok(rows)
}

/// A file of claims with one claim.
fn only(claim: &Claim) -> Claims {
    Claims {
        recommendations: vec![Recommendation {
            number: 1,
            text: String::new(),
            claims: vec![claim.clone()],
        }],
    }
}

/// The verdicts on one claim in one simulated recording.
struct ScenarioVerdicts {
    at_least_effect: bool,
    /// For each way in which the claim can be false by the smallest amount.
    at_threshold: Vec<bool>,
}

fn supported(
    claim: &Claim,
    planned: &PlannedClaim,
    rows: &[TrueRow],
    plan: &CurrentPlan,
    drawn: &Evidence,
    draw: &mut Draw,
) -> Result<ScenarioVerdicts> {
    let by_key: BTreeMap<QuantityKey, &MeasuredQuantity> = drawn.measured.iter().map(|one| (key(one), one)).collect();
    let mut verdict = |targets: &[f64]| -> Result<bool> {
        let mut measured = Vec::new();
        for (row, &target) in rows.iter().zip(targets) {
            // A recording without the row does not support the claim.
            if let Some(found) = by_key.get(&row.key) {
                measured.push(moved(found, row.truth, target, draw)?);
            }
        }
        let evidence = Evidence {
            measured,
            controls: drawn.controls.clone(),
        };
        let judged = judge(&only(claim), Some(plan), &evidence)?;
        let mut claims = judged.iter().flat_map(|one| &one.claims);
        Ok(claims.all(|claim| claim.registered.verdict == Verdict::Supported))
    };
    let (centre, reach) = (claim.around, claim.threshold);
    let (least_effect, thresholds) = match claim.direction {
        Direction::Above | Direction::Below => (planned.least_effect, vec![claim.threshold]),
        Direction::Within => (centre + planned.least_effect, vec![centre - reach, centre + reach]),
    };
    let all = vec![least_effect; rows.len()];
    let mut at_threshold = Vec::new();
    for threshold in thresholds {
        match planned.combine {
            RowCombination::Any => at_threshold.push(verdict(&vec![threshold; rows.len()])?),
            RowCombination::Every => {
                for row in 0..rows.len() {
                    let mut targets = all.clone();
                    targets[row] = threshold;
                    at_threshold.push(verdict(&targets)?);
                }
            }
        }
    }
    Ok(ScenarioVerdicts {
        at_least_effect: verdict(&all)?,
        at_threshold,
    })
}

/// The quantity as if its true value were `target`. A share of launches of which each counts as 0 or 1 is drawn anew: its interval
/// depends on the share.
fn moved(found: &MeasuredQuantity, truth: f64, target: f64, draw: &mut Draw) -> Result<MeasuredQuantity> {
    if found.quantity != Quantity::SequentialFalsePositives {
        return Ok(found.moved(truth, target));
    }
    let launches = found.launches.unwrap_or(0);
    let drawn = proportion(draw.successes(launches, target), launches as u64)?;
    let interval = (drawn.value, drawn.confidence_interval).into();
    Ok(MeasuredQuantity {
        interval,
        total: Some(interval),
        ..found.clone()
    })
}

fn shown(row: &TrueRow, recorded: &Evidence) -> String {
    let found = recorded.measured.iter().find(|one| key(one) == row.key);
    found.map_or_else(String::new, |found| found.unit.interval(&found.interval))
}

impl ClaimPowerStudy {
    /// The study as a table for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let share = |found: &Proportion| {
            let (low, high) = found.confidence_interval;
            format!("{:.1} % [{:.1}, {:.1}]", 100.0 * found.value, 100.0 * low, 100.0 * high)
        };
        let mut rows = vec![
            [
                "claim",
                "rows",
                "expects",
                "least effect",
                "supported there",
                "supported at the threshold",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        rows.extend(self.claims.iter().map(|one| {
            vec![
                one.claim.clone(),
                format!("{} {}", one.combine, one.rows),
                one.expectation.clone(),
                one.least_effect_text.clone(),
                share(&one.at_least_effect),
                share(&one.at_threshold),
            ]
        }));
        let mut text = text_table(&rows);
        for one in &self.not_simulated {
            text += &format!("{} is not simulated: {}\n", one.claim, one.reason);
        }
        text + &format!("Machine: {}. {} simulated recordings.\n", self.machine, self.recordings)
    }
}
