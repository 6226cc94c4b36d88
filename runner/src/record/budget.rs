//! The duration of the plan's runs, from one launch of each cell in each condition, and the comparison with the budget.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use model::{Condition, FactorLevel, PlanBudget, PlanPart};

use crate::record::plan_file::PlannedRecording;
use crate::run::{RunEnvironment, measured_cost};

/// The duration of one run in one condition.
#[derive(Clone, Debug, Default, PartialEq)]
struct ConditionCost {
    launches: u32,
    /// The shortest and the longest launch among the cells, s.
    launch_s: (f64, f64),
    all_s: f64,
}

/// The duration of one run.
#[derive(Clone, Debug)]
struct RecordingCost {
    run: String,
    part: PlanPart,
    set_up_s: f64,
    conditions: BTreeMap<Condition, ConditionCost>,
    /// Reasons by the condition and the cells that do not run.
    left_out: Vec<String>,
}

/// The durations of the runs.
#[derive(Clone, Debug)]
pub(super) struct PlanCost {
    runs: Vec<RecordingCost>,
}

impl PlanCost {
    /// Runs one launch of each cell of each run in each condition, in a temporary folder.
    ///
    /// # Errors
    /// If a launch fails.
    pub(super) fn measure(recordings: &[PlannedRecording<'_>], environment: RunEnvironment<'_>) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let mut runs = Vec::new();
        for PlannedRecording { run, cells } in recordings {
            let mut cost = RecordingCost {
                run: run.name.clone(),
                part: run.part,
                set_up_s: 0.0,
                conditions: BTreeMap::new(),
                left_out: Vec::new(),
            };
            for cell in cells {
                let name = FactorLevel::folder_name(&cell.cell);
                eprintln!("measuring a launch of {} {name}", run.name);
                let out = folder.path().join(&run.name).join(&name);
                let measured = measured_cost(cell.clone(), &out, environment)
                    .with_context(|| format!("a launch of {} {name}", run.name))?;
                cost.add(cell.launches, &measured.launch_s, measured.set_up_s);
                let reasons = measured.left_out.iter();
                cost.left_out
                    .extend(reasons.map(|(condition, reason)| format!("{condition} {name}: {reason}")));
                // A launch can have megabytes of observations.
                std::fs::remove_dir_all(&out).with_context(|| format!("cannot remove {}", out.display()))?;
            }
            runs.push(cost);
        }
        Ok(Self { runs })
    }

    /// Returns the duration of a part, minutes.
    fn part_min(&self, part: PlanPart) -> f64 {
        let runs = self.runs.iter().filter(|run| run.part == part);
        // The sum of no numbers is -0.0.
        runs.fold(0.0, |sum, run| sum + run.all_min())
    }

    /// Checks that each part fits into its budget.
    ///
    /// # Errors
    /// Names the part, its duration and its budget.
    pub(super) fn within(&self, budget: &PlanBudget) -> Result<()> {
        for part in PlanPart::ALL {
            let (needed, given) = (self.part_min(part), budget.of(part));
            ensure!(
                needed <= given,
                "the runs of the part {part} take {needed:.1} min on this machine, and the plan's budget is {given} min; \
                 cut launches, cells or conditions in the plan and its definitions"
            );
        }
        Ok(())
    }

    /// Returns the table of the runs, the sum of each part, and the conditions that do not run.
    pub(super) fn table(&self, budget: &PlanBudget) -> String {
        let mut text = format!(
            "{:<20} {:<17} {:>8} {:>15} {:>8} {:>6}\n",
            "run", "condition", "launches", "s a launch", "set-up s", "min"
        );
        for run in &self.runs {
            for (number, (condition, cost)) in run.conditions.iter().enumerate() {
                let set_up = if number == 0 {
                    format!("{:.1}", run.set_up_s)
                } else {
                    String::new()
                };
                let (least, most) = cost.launch_s;
                let launch = if most - least < 0.05 {
                    format!("{most:.2}")
                } else {
                    format!("{least:.2} to {most:.2}")
                };
                let _ = writeln!(
                    text,
                    "{:<20} {:<17} {:>8} {launch:>15} {set_up:>8} {:>6.1}",
                    run.run,
                    condition.name(),
                    cost.launches,
                    cost.all_s / 60.0
                );
            }
            let _ = writeln!(text, "{:<20} {:<51} {:>6.1}", run.run, "sum", run.all_min());
        }
        for part in PlanPart::ALL {
            let _ = writeln!(text, "{part}: {:.1} of {} min", self.part_min(part), budget.of(part));
        }
        for run in &self.runs {
            for reason in &run.left_out {
                let _ = writeln!(text, "left out of {}: {reason}", run.run);
            }
        }
        text
    }
}

impl RecordingCost {
    /// Adds a cell.
    fn add(&mut self, launches: u32, launch_s: &[(Condition, f64)], set_up_s: f64) {
        self.set_up_s += set_up_s;
        for &(condition, seconds) in launch_s {
            let known = self.conditions.entry(condition).or_insert_with(|| ConditionCost {
                launch_s: (seconds, seconds),
                ..ConditionCost::default()
            });
            known.launches += launches;
            known.launch_s = (known.launch_s.0.min(seconds), known.launch_s.1.max(seconds));
            known.all_s += f64::from(launches) * seconds;
        }
    }

    fn all_min(&self) -> f64 {
        (self.set_up_s + self.conditions.values().map(|cost| cost.all_s).sum::<f64>()) / 60.0
    }
}

#[cfg(test)]
mod tests {
    use model::Topology;

    use super::*;

    const POD: Condition = Condition::Local(Topology::LocalPod);

    fn cost() -> PlanCost {
        let mut run = RecordingCost {
            run: "r04".to_owned(),
            part: PlanPart::Local,
            set_up_s: 0.0,
            conditions: BTreeMap::new(),
            left_out: vec!["local-pod two-envoy: proxy envoy is not installed".to_owned()],
        };
        run.add(40, &[(POD, 3.0)], 6.0);
        run.add(20, &[(POD, 1.5)], 6.0);
        PlanCost { runs: vec![run] }
    }

    fn budget(local_min: f64) -> PlanBudget {
        PlanBudget {
            local_min,
            engines_min: 40.0,
            challenge_min: 30.0,
            applications_min: 60.0,
        }
    }

    #[test]
    fn launches_and_preparation_of_all_cells_add_up() {
        // 40 × 3 s + 20 × 1.5 s + 12 s = 162 s = 2.7 min.
        let table = cost().table(&budget(60.0));
        assert!(
            table.contains("local-pod               60    1.50 to 3.00     12.0    2.5"),
            "{table}"
        );
        assert!(
            table.contains("local: 2.7 of 60 min\nengines: 0.0 of 40 min\nleft out of r04: local-pod two-envoy"),
            "{table}"
        );
    }

    #[test]
    fn a_plan_above_its_budget_is_refused_with_both_numbers() {
        cost().within(&budget(2.8)).unwrap();
        let error = cost().within(&budget(2.6)).unwrap_err().to_string();
        assert!(
            error.contains("part local take 2.7 min") && error.contains("budget is 2.6 min"),
            "{error}"
        );
    }
}
