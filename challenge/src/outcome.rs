//! The outcome of a challenge: coverage, false alarms and power, by examinee, statistic and interval.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use analysis::figures::{Figure, Response, ResponseSeries, response};
use analysis::{Proportion, proportion, text_table};
use anyhow::Result;
use model::Location;
use serde::{Deserialize, Serialize};

use crate::dose::SealedDelay;
use crate::sealed_list::AWAKE;

/// The least share of the trials kept awake whose total interval contains the truth.
const LEAST_COVERAGE: f64 = 0.92;
/// The most trials without a delay, of 80, whose total interval leaves out zero.
const MOST_FALSE_ALARMS: u64 = 8;

/// The kind of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IntervalKind {
    /// Over launches, or over pairs of blocks.
    Statistical,
    /// With the systematic part. Verdicts use it.
    Total,
}

/// Which intervals are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Examinee {
    /// This project's instrument is `None`; another load generator has its name.
    pub(crate) peer: Option<String>,
    /// Whether processors were kept awake.
    pub(crate) kept_awake: bool,
    /// True for the effect on the mean, false for the effect on the median.
    pub(crate) of_mean: bool,
    /// The kind of the interval.
    pub(crate) interval: IntervalKind,
}

/// An interval of one trial beside the truth, ns.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OpenedAnswer {
    pub(crate) examinee: Examinee,
    pub(crate) delay: SealedDelay,
    pub(crate) ends_ns: (f64, f64),
    pub(crate) truth_ns: f64,
}

impl OpenedAnswer {
    fn covers(&self) -> bool {
        let (low, high) = self.ends_ns;
        low <= self.truth_ns && self.truth_ns <= high
    }

    fn leaves_out_zero(&self) -> bool {
        self.ends_ns.0 > 0.0 || self.ends_ns.1 < 0.0
    }

    /// Returns true if the interval shows that the sealed object delays requests.
    fn finds(&self) -> bool {
        self.ends_ns.0 > 0.0
    }
}

/// The counts of one examinee.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ExamineeOutcome {
    #[serde(flatten)]
    pub(crate) examinee: Examinee,
    /// Intervals that contain the truth.
    pub(crate) covered: Proportion,
    /// Median over the trials of half of the interval's width, ns.
    pub(crate) half_width_ns: f64,
    /// Intervals that leave out zero, of the trials without a delay; `None` without such a trial.
    pub(crate) false_alarms: Option<Proportion>,
    /// By delay, without the trials that have none.
    pub(crate) by_delay: Vec<DelayOutcome>,
}

/// The trials of one delay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DelayOutcome {
    pub(crate) delay: SealedDelay,
    /// Median over the trials of the true effect, ns.
    pub(crate) truth_ns: f64,
    /// Intervals that contain the truth.
    pub(crate) covered: Proportion,
    /// Intervals above zero: the power.
    pub(crate) found: Proportion,
}

/// A requirement of a whole challenge.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Requirement {
    /// The requirement in words.
    pub(crate) requirement: String,
    /// The counts.
    pub(crate) found: Proportion,
    /// Whether it is met.
    pub(crate) met: bool,
}

/// The outcome, in `outcome.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ChallengeOutcome {
    /// SHA-256 of the sealed list.
    pub(crate) list_sha256: String,
    /// Number of trials.
    pub(crate) trials: usize,
    /// Sum of the trials' durations without other load generators, s.
    pub(crate) seconds: f64,
    /// Machines and commits of the runs.
    pub(crate) machine: Vec<String>,
    pub(crate) examinees: Vec<ExamineeOutcome>,
    /// The requirements; empty if the challenge has fewer trials than a whole one.
    pub(crate) requirements: Vec<Requirement>,
}

/// Counts the answers of each examinee.
///
/// # Errors
/// If an examinee has no answer.
pub(crate) fn examinees(answers: &[OpenedAnswer]) -> Result<Vec<ExamineeOutcome>> {
    let mut groups: BTreeMap<&Examinee, Vec<&OpenedAnswer>> = BTreeMap::new();
    for answer in answers {
        groups.entry(&answer.examinee).or_default().push(answer);
    }
    groups
        .into_iter()
        .map(|(examinee, answers)| counted(examinee, &answers))
        .collect()
}

fn counted(examinee: &Examinee, answers: &[&OpenedAnswer]) -> Result<ExamineeOutcome> {
    let mut delays: BTreeMap<SealedDelay, Vec<&OpenedAnswer>> = BTreeMap::new();
    for answer in answers {
        delays.entry(answer.delay).or_default().push(answer);
    }
    let (mut false_alarms, mut by_delay) = (None, Vec::new());
    for (delay, answers) in delays {
        if delay.is_none() {
            false_alarms = Some(share(&answers, OpenedAnswer::leaves_out_zero)?);
            continue;
        }
        by_delay.push(DelayOutcome {
            delay,
            truth_ns: median(answers.iter().map(|answer| answer.truth_ns)),
            covered: share(&answers, OpenedAnswer::covers)?,
            found: share(&answers, OpenedAnswer::finds)?,
        });
    }
    by_delay.sort_by_key(|one| (one.delay.every, one.delay.delay_ns));
    Ok(ExamineeOutcome {
        examinee: examinee.clone(),
        covered: share(answers, OpenedAnswer::covers)?,
        half_width_ns: median(answers.iter().map(|answer| (answer.ends_ns.1 - answer.ends_ns.0) / 2.0)),
        false_alarms,
        by_delay,
    })
}

fn share(answers: &[&OpenedAnswer], is: fn(&OpenedAnswer) -> bool) -> Result<Proportion> {
    let successes = answers.iter().filter(|answer| is(answer)).count();
    Ok(proportion(successes as u64, answers.len() as u64)?)
}

/// The median; not a number without values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    f64::midpoint(at(values.len().saturating_sub(1) / 2), at(values.len() / 2))
}

/// Judges the total intervals of the trials kept awake. Returns nothing if there are fewer than in a whole challenge.
pub(crate) fn requirements(examinees: &[ExamineeOutcome]) -> Vec<Requirement> {
    let verdicts = examinees.iter().filter(|one| {
        let examinee = &one.examinee;
        let of_verdicts = examinee.peer.is_none() && examinee.interval == IntervalKind::Total;
        of_verdicts && examinee.kept_awake && one.covered.trials >= AWAKE as u64
    });
    let mut requirements = Vec::new();
    for one in verdicts {
        let statistic = one.examinee.statistic();
        requirements.push(Requirement {
            requirement: format!(
                "at least {:.0} % of the intervals of the {statistic} contain the truth",
                100.0 * LEAST_COVERAGE
            ),
            met: one.covered.value >= LEAST_COVERAGE,
            found: one.covered,
        });
        if let Some(found) = one.false_alarms {
            requirements.push(Requirement {
                requirement: format!("at most {MOST_FALSE_ALARMS} false alarms of the {statistic}"),
                met: found.successes <= MOST_FALSE_ALARMS,
                found,
            });
        }
    }
    requirements
}

impl Examinee {
    fn statistic(&self) -> Location {
        if self.of_mean { Location::Mean } else { Location::Median }
    }

    /// The name in tables and figures.
    fn name(&self) -> String {
        let processors = if self.kept_awake {
            "kept awake"
        } else {
            "not kept awake"
        };
        match &self.peer {
            Some(peer) => format!("{peer}, {}", self.statistic()),
            None => format!("{}, {processors}", self.statistic()),
        }
    }
}

impl ChallengeOutcome {
    /// The outcome as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "{} trials in {:.0} s; sealed list {}\n{}\n\n",
            self.trials,
            self.seconds,
            self.list_sha256,
            self.machine.join("\n")
        );
        let mut rows = vec![
            [
                "effect on",
                "interval",
                "contain the truth",
                "half-width, µs",
                "false alarms",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        for one in &self.examinees {
            rows.push(vec![
                one.examinee.name(),
                one.examinee.interval.name().to_owned(),
                counts(&one.covered),
                format!("{:.3}", one.half_width_ns / 1e3),
                one.false_alarms
                    .as_ref()
                    .map_or_else(|| "no such trial".to_owned(), counts),
            ]);
        }
        text += &text_table(&rows);
        text += "\nFalse alarms: intervals that leave out zero, of the trials without a delay.\n\n";
        let mut rows = vec![
            [
                "effect on",
                "interval",
                "delay",
                "true effect, µs",
                "contain the truth",
                "found",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        for one in &self.examinees {
            for delay in &one.by_delay {
                rows.push(vec![
                    one.examinee.name(),
                    one.examinee.interval.name().to_owned(),
                    delay.delay.to_string(),
                    format!("{:.3}", delay.truth_ns / 1e3),
                    counts(&delay.covered),
                    counts(&delay.found),
                ]);
            }
        }
        text += &text_table(&rows);
        text += "\nFound: intervals above zero.\n\n";
        if self.requirements.is_empty() {
            _ = writeln!(
                text,
                "Requirements: not judged; they need {AWAKE} trials with processors kept awake."
            );
        }
        for one in &self.requirements {
            let verdict = if one.met { "met" } else { "NOT MET" };
            _ = writeln!(text, "{}: {verdict} ({})", one.requirement, counts(&one.found));
        }
        text
    }

    /// Power and coverage by delay, of the total intervals of this project's instrument.
    ///
    /// # Errors
    /// If a figure cannot be drawn.
    pub(crate) fn figures(&self) -> Result<Vec<Figure>> {
        let own: Vec<&ExamineeOutcome> = self
            .examinees
            .iter()
            .filter(|one| one.examinee.peer.is_none() && one.examinee.interval == IntervalKind::Total)
            .collect();
        let mut delays: Vec<SealedDelay> = own.iter().flat_map(|one| &one.by_delay).map(|one| one.delay).collect();
        delays.sort_by_key(|delay| (delay.every, delay.delay_ns));
        delays.dedup();
        let draw = |name: &str,
                    caption: String,
                    y_title: &str,
                    line,
                    of: fn(&DelayOutcome) -> &Proportion,
                    none: fn(&ExamineeOutcome) -> Option<Proportion>| {
            let series = own.iter().map(|one| {
                let delayed = delays.iter().map(|delay| {
                    let found = one.by_delay.iter().find(|found| found.delay == *delay);
                    found.map(|found| percent(of(found)))
                });
                ResponseSeries {
                    name: one.examinee.name(),
                    values: std::iter::once(none(one).as_ref().map(percent))
                        .chain(delayed)
                        .collect(),
                }
            });
            response(&Response {
                name: name.to_owned(),
                caption,
                x_title: "delay that the driver drew".to_owned(),
                y_title: y_title.to_owned(),
                log: false,
                line,
                levels: std::iter::once(SealedDelay::NONE)
                    .chain(delays.iter().copied())
                    .map(|delay| delay.to_string())
                    .collect(),
                joined: false,
                series: series.collect(),
            })
        };
        Ok(vec![
            draw(
                "challenge-power",
                format!(
                    "Trials whose total interval shows a delay, by the delay that the driver drew, in {} trials.",
                    self.trials
                ),
                "trials that show a delay (%), exact 95 % intervals",
                None,
                |delay| &delay.found,
                |one| one.false_alarms,
            )?,
            draw(
                "challenge-coverage",
                format!(
                    "Trials whose total interval contains the truth, by the delay that the driver drew, in {} trials.",
                    self.trials
                ),
                "intervals with the truth (%), exact 95 % intervals",
                Some((95.0, "95 %".to_owned())),
                |delay| &delay.covered,
                |_| None,
            )?,
        ])
    }
}

impl IntervalKind {
    fn name(self) -> &'static str {
        match self {
            Self::Statistical => "statistical",
            Self::Total => "total",
        }
    }
}

fn counts(share: &Proportion) -> String {
    format!("{} of {}, {}", share.successes, share.trials, share.percent())
}

fn percent(share: &Proportion) -> (f64, (f64, f64)) {
    let (low, high) = share.confidence_interval;
    (100.0 * share.value, (100.0 * low, 100.0 * high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(delay: SealedDelay, truth_ns: f64, ends_ns: (f64, f64)) -> OpenedAnswer {
        OpenedAnswer {
            examinee: Examinee {
                peer: None,
                kept_awake: true,
                of_mean: false,
                interval: IntervalKind::Total,
            },
            delay,
            ends_ns,
            truth_ns,
        }
    }

    /// A whole challenge: 80 trials without a delay, of which `alarms` leave out zero and miss, and 120 of 1 µs, of which
    /// `missed` miss and 60 find the delay.
    fn whole(alarms: usize, missed: usize) -> Vec<ExamineeOutcome> {
        let none = (0..80).map(|index| {
            let low = if index < alarms { 10.0 } else { -10.0 };
            answer(SealedDelay::NONE, 0.0, (low, 20.0))
        });
        let delayed = (0..120).map(|index| {
            let low = if index < 60 { 1.0 } else { 0.0 };
            answer(
                SealedDelay::of_all(1_000),
                1_040.0,
                (low, if index < missed { 1_039.0 } else { 1_041.0 }),
            )
        });
        examinees(&none.chain(delayed).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn coverage_false_alarms_and_power_are_counted() {
        let [one] = &whole(3, 5)[..] else { panic!() };
        assert_eq!((one.covered.successes, one.covered.trials), (192, 200));
        let alarms = one.false_alarms.unwrap();
        assert_eq!((alarms.successes, alarms.trials), (3, 80));
        let [delay] = &one.by_delay[..] else { panic!() };
        assert_eq!(
            (delay.covered.successes, delay.found.successes, delay.found.trials),
            (115, 60, 120)
        );
        assert!(
            (delay.truth_ns - 1_040.0).abs() < 1e-9 && (one.half_width_ns - 520.0).abs() < 1.0,
            "{one:?}"
        );
    }

    #[test]
    fn the_requirements_hold_up_to_their_limits_and_are_not_judged_with_fewer_trials() {
        for (alarms, missed, met) in [(8, 8, [true, true]), (8, 9, [false, true]), (9, 0, [true, false])] {
            let found: Vec<bool> = requirements(&whole(alarms, missed)).iter().map(|one| one.met).collect();
            assert_eq!(found, met, "{alarms} {missed}");
        }
        let few = examinees(&[answer(SealedDelay::NONE, 0.0, (-1.0, 1.0))]).unwrap();
        assert!(requirements(&few).is_empty());
    }

    #[test]
    fn an_interval_below_zero_is_a_false_alarm_and_does_not_find_a_delay() {
        let none = answer(SealedDelay::NONE, 0.0, (-3.0, -1.0));
        let delayed = answer(SealedDelay::of_all(100), 100.0, (-3.0, -1.0));
        let [one] = &examinees(&[none, delayed]).unwrap()[..] else {
            panic!()
        };
        assert_eq!(
            (one.false_alarms.unwrap().successes, one.by_delay[0].found.successes),
            (1, 0)
        );
    }
}
