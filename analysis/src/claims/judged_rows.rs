//! The rows of a claim that are judged together, and the verdict of each machine.

use std::collections::BTreeMap;

use model::{PrimaryRow, RowCombination};

use super::combination::of_rows;
use super::definition::Claim;
use super::expectation::PValues;
use super::judged::{ClaimRow, MachineVerdict, RowRole, place};

/// The rows of a claim that are judged together.
pub(super) struct JudgedRows<'a> {
    pub(super) claim: &'a Claim,
    pub(super) combine: RowCombination,
    pub(super) role: RowRole,
    /// All rows of the claim, of both roles.
    pub(super) rows: &'a [ClaimRow],
    /// The rows that the plan names; empty for exploratory rows.
    pub(super) planned: &'a [PrimaryRow],
    /// True if the evidence has recorded runs and runs of the reader. Each value is then marked with its origin.
    pub(super) both_origins: bool,
}

impl JudgedRows<'_> {
    /// The rows of the role.
    pub(super) fn of_role(&self) -> impl Iterator<Item = &ClaimRow> {
        self.rows.iter().filter(|row| row.role == self.role)
    }

    /// The verdict of each machine that takes part, by its name.
    pub(super) fn machines(&self) -> Vec<MachineVerdict> {
        let mut by_machine: BTreeMap<&str, Vec<&ClaimRow>> = BTreeMap::new();
        for row in self
            .of_role()
            .filter(|row| row.counts() || self.role == RowRole::Primary)
        {
            by_machine.entry(&row.machine).or_default().push(row);
        }
        let verdict = |(machine, rows): (&str, Vec<&ClaimRow>)| {
            let missing: Vec<String> = self
                .planned
                .iter()
                .filter(|planned| !rows.iter().any(|row| row.is(planned)))
                .map(|planned| {
                    let place = place(&planned.condition.to_string(), &planned.cell, &planned.parameters);
                    format!("{} of {}", place, planned.run)
                })
                .collect();
            let mut p: Vec<PValues> = rows.iter().map(|row| row.p).collect();
            p.extend(missing.iter().map(|_| PValues::UNDECIDED));
            MachineVerdict {
                machine: machine.to_owned(),
                verdict: of_rows(self.combine, &p),
                missing,
            }
        };
        by_machine.into_iter().map(verdict).collect()
    }
}
