//! The quantities that claims are about.

use std::fmt;
use std::str::FromStr;

use model::ExhibitKind;
use serde::{Deserialize, Serialize};

use super::interval::Unit;

const EFFECT: &str = "effect ";
const BEYOND_EFFECT: &str = " beyond effect ";
const DIFFERENCE_OF_THE_EFFECT: &str = "difference of the effect ";

/// A quantity that is computed from runs or recordings. It is written and read by its name: `effect searching`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum Quantity {
    /// `effect NAME`: the primary effect of a contrast, ns.
    Effect(String),
    /// `effect NAME beyond effect OTHER`: by how much one effect exceeds the effect before it, ns.
    EffectBeyondEffect {
        /// The contrast with the larger effect.
        name: String,
        /// The contrast before it.
        other: String,
    },
    /// `difference of the effect NAME`: the effect in one condition minus the effect in another, ns.
    EffectDifference(String),
    /// The spread of the A/A difference over launches in one condition, divided by the spread in another.
    AASpread,
    /// The spread of the A/A difference of the RTT, divided by the spread of the A/A difference of the wire time.
    RttSpreadByWireTimeSpread,
    /// The spread of the A/A difference of the wire time, divided by the spread of the A/A difference in the handler.
    WireTimeSpreadByHandlerSpread,
    /// An effect, divided by the cost that a tight loop predicts.
    ObservedByPredictedCost,
    /// The share of the variance of one launch's A/A difference that lies between launches. More requests do not reduce it. The
    /// A/A difference stands for any effect, because its true value is zero.
    LaunchShareOfVariance,
    /// The cost of the proxies in the path, divided by the cost of the hook.
    ProxyCostByHookCost,
    /// The spread of the A/A difference with a proxy, divided by the spread without one.
    AASpreadWithProxy,
    /// The spread of the A/A difference with a neighbour, divided by the spread without one.
    AASpreadWithNeighbour,
    /// The share of launches with a neighbour in which the sequential design finds a difference between like arms.
    SequentialFalsePositives,
    /// The effect with a keyword at the end of the payload minus the effect with a keyword at the beginning, ns.
    KeywordAtTheEnd,
    /// The 99th percentile under a quota of processor time, divided by the 99th percentile without one.
    P99UnderQuota,
    /// The distance of the effect in launches that hit a limit from the effect without a limit, ns.
    ErrorInRejectedLaunches,
    /// The share of the variance of the effect that lies between environments (I²).
    Heterogeneity,
    /// The share of the payload of common servers that passes `accept` and `read`.
    PayloadByAcceptAndRead,
    /// The effective number of requests of a recording, divided by their number.
    InformationPerRequest,
    /// The share of recordings whose halves the study's test tells apart.
    HalvesToldApart,
}

/// The source of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantitySource {
    /// Any run with the contrasts that the quantity is about.
    Run,
    /// The exhibit of an experiment.
    Exhibit(ExhibitKind),
    /// The survey of the receive functions of servers (`observed.json`).
    ObservedServers,
    /// The 2023 recordings.
    Study,
}

/// The quantities without parameters: name, unit and source of each.
const NAMED: [(Quantity, &str, Unit, QuantitySource); 16] = {
    use QuantitySource::{Exhibit, ObservedServers, Run, Study};
    use Unit::{Ns, Ratio, Share};
    [
        (Quantity::AASpread, "A/A spread ratio", Ratio, Run),
        (
            Quantity::RttSpreadByWireTimeSpread,
            "RTT spread by wire time spread",
            Ratio,
            Run,
        ),
        (
            Quantity::WireTimeSpreadByHandlerSpread,
            "wire time spread by handler spread",
            Ratio,
            Run,
        ),
        (
            Quantity::ObservedByPredictedCost,
            "observed by predicted cost",
            Ratio,
            Run,
        ),
        (
            Quantity::LaunchShareOfVariance,
            "launch share of the variance of an effect",
            Share,
            Run,
        ),
        (
            Quantity::ProxyCostByHookCost,
            "proxy cost by hook cost",
            Ratio,
            Exhibit(ExhibitKind::Proxies),
        ),
        (
            Quantity::AASpreadWithProxy,
            "A/A spread ratio with a proxy",
            Ratio,
            Exhibit(ExhibitKind::Proxies),
        ),
        (
            Quantity::AASpreadWithNeighbour,
            "A/A spread ratio with a neighbour",
            Ratio,
            Exhibit(ExhibitKind::Neighbours),
        ),
        (
            Quantity::SequentialFalsePositives,
            "sequential A/A false positives with a neighbour",
            Share,
            Exhibit(ExhibitKind::Neighbours),
        ),
        (
            Quantity::KeywordAtTheEnd,
            "effect of a keyword at the end beyond one at the beginning",
            Ns,
            Exhibit(ExhibitKind::Positions),
        ),
        (
            Quantity::P99UnderQuota,
            "p99 ratio under a quota",
            Ratio,
            Exhibit(ExhibitKind::Quotas),
        ),
        (
            Quantity::ErrorInRejectedLaunches,
            "error of the effect in rejected launches",
            Ns,
            Exhibit(ExhibitKind::Quotas),
        ),
        (
            Quantity::Heterogeneity,
            "heterogeneity of the effect",
            Share,
            Exhibit(ExhibitKind::Environments),
        ),
        (
            Quantity::PayloadByAcceptAndRead,
            "payload received by accept and read",
            Share,
            ObservedServers,
        ),
        (Quantity::InformationPerRequest, "information per request", Share, Study),
        (
            Quantity::HalvesToldApart,
            "halves that the study's test tells apart",
            Share,
            Study,
        ),
    ]
};

impl Quantity {
    /// The unit of the quantity.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.named().map_or(Unit::Ns, |(_, _, unit, _)| *unit)
    }

    /// The source of the quantity.
    #[must_use]
    pub fn source(&self) -> QuantitySource {
        self.named().map_or(QuantitySource::Run, |(_, _, _, source)| *source)
    }

    /// The entry of a quantity without parameters.
    fn named(&self) -> Option<&'static (Self, &'static str, Unit, QuantitySource)> {
        NAMED.iter().find(|(quantity, ..)| quantity == self)
    }

    /// The contrasts that the quantity is about, by name.
    pub fn contrasts(&self) -> impl Iterator<Item = &str> {
        let (one, other) = match self {
            Self::Effect(name) | Self::EffectDifference(name) => (Some(name), None),
            Self::EffectBeyondEffect { name, other } => (Some(name), Some(other)),
            _ => (None, None),
        };
        one.into_iter().chain(other).map(String::as_str)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Effect(name) => write!(formatter, "{EFFECT}{name}"),
            Self::EffectBeyondEffect { name, other } => write!(formatter, "{EFFECT}{name}{BEYOND_EFFECT}{other}"),
            Self::EffectDifference(name) => write!(formatter, "{DIFFERENCE_OF_THE_EFFECT}{name}"),
            named => formatter.write_str(named.named().map_or("", |(_, name, ..)| name)),
        }
    }
}

/// A name that no quantity has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing computes the quantity `{0}`; expected one of: {known}", known = known())]
pub struct UnknownQuantity(String);

fn known() -> String {
    let with_parameters = [
        format!("{EFFECT}CONTRAST"),
        format!("{EFFECT}CONTRAST{BEYOND_EFFECT}CONTRAST"),
        format!("{DIFFERENCE_OF_THE_EFFECT}CONTRAST"),
    ];
    let names = NAMED.iter().map(|(_, name, ..)| (*name).to_owned());
    with_parameters.into_iter().chain(names).collect::<Vec<_>>().join(", ")
}

impl FromStr for Quantity {
    type Err = UnknownQuantity;

    fn from_str(text: &str) -> Result<Self, UnknownQuantity> {
        if let Some((quantity, ..)) = NAMED.into_iter().find(|(_, name, ..)| *name == text) {
            return Ok(quantity);
        }
        let parsed = if let Some(name) = text.strip_prefix(DIFFERENCE_OF_THE_EFFECT) {
            Self::EffectDifference(name.to_owned())
        } else if let Some(names) = text.strip_prefix(EFFECT) {
            match names.split_once(BEYOND_EFFECT) {
                Some((name, other)) => Self::EffectBeyondEffect {
                    name: name.to_owned(),
                    other: other.to_owned(),
                },
                None => Self::Effect(names.to_owned()),
            }
        } else {
            return Err(UnknownQuantity(text.to_owned()));
        };
        if parsed.contrasts().any(|name| name.trim().is_empty()) {
            return Err(UnknownQuantity(text.to_owned()));
        }
        Ok(parsed)
    }
}

impl TryFrom<String> for Quantity {
    type Error = UnknownQuantity;

    fn try_from(text: String) -> Result<Self, UnknownQuantity> {
        text.parse()
    }
}

impl From<Quantity> for String {
    fn from(quantity: Quantity) -> Self {
        quantity.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quantity_is_read_from_the_name_that_it_writes() {
        let with_parameters = [
            Quantity::Effect("all of it".to_owned()),
            Quantity::EffectBeyondEffect {
                name: "logging".to_owned(),
                other: "searching".to_owned(),
            },
            Quantity::EffectDifference("all of it".to_owned()),
        ];
        let named = NAMED.map(|(quantity, ..)| quantity);
        for quantity in with_parameters.into_iter().chain(named) {
            let name = quantity.to_string();
            assert!(!name.is_empty(), "{quantity:?}");
            assert_eq!(name.parse(), Ok(quantity));
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        for name in [
            "",
            "effects searching",
            "effect ",
            "A/A spread",
            "effect  beyond effect x",
        ] {
            let refused = name.parse::<Quantity>().unwrap_err().to_string();
            assert!(refused.contains("A/A spread ratio with a proxy"), "{refused}");
        }
    }
}
