//! Estimators against reference values, the recomputed 2023 study, figures, claims and the checklist.

mod answers;
mod changepoints;
mod claim_runs;
mod claims;
mod components;
mod distribution;
mod effect;
mod estimators;
mod figures;
mod order;
mod principles;
mod proportion;
mod reference;
mod simulation;
mod spread;
mod ssp2023;
mod validation;
