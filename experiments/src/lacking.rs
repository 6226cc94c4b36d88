//! What an experiment asks for that a condition does not have.

use clusters::Condition;

use crate::definition::Experiment;
use crate::hop::Hop;
use crate::neighbour::Neighbour;

impl Experiment {
    /// Why it cannot be run in a condition, even where that can be had.
    pub(crate) fn lacking(&self, condition: Condition) -> Option<String> {
        if self.hops.is_empty() && self.neighbour.is_none() {
            return None;
        }
        if !matches!(condition, Condition::Local(_)) {
            return Some("hops and neighbours are not made in containers; use a condition local-*".to_owned());
        }
        let neighbour = self.neighbour.as_ref();
        let hop = self.hops.iter().find_map(Hop::lacking);
        hop.or_else(|| neighbour.and_then(Neighbour::lacking))
    }
}
