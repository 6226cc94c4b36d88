//! The checklist of principles and standards of the field, computed from a run's manifest and data.
//!
//! The eight methodological principles come from Papadopoulos et al. 2019 (<https://doi.org/10.1109/TSE.2019.2927908>).
//! The standard is ACM SIGSOFT's empirical standard for benchmarking (Ralph et al. 2021,
//! <https://arxiv.org/abs/2010.03525>). The checklist has its essential attributes and the desirable attributes that a
//! run can show. An item is met only if the evidence shows it.

mod checklist_item;
mod cloud;
mod common_findings;
mod facts;
mod standard;

pub use checklist_item::{ChecklistItem, PrincipleSource, PrincipleStatus};
pub use facts::{ControlFact, EffectFact, RunFacts};

/// All items, in the order of their sources.
#[must_use]
pub fn checklist(facts: &RunFacts) -> Vec<ChecklistItem> {
    let mut items = cloud::items(facts);
    items.extend(standard::items(facts));
    items
}
