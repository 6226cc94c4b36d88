//! The quantities that claims are about.

use std::str::FromStr;

use model::ExhibitKind;
use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoEnumIterator as _};

use super::interval::{IntervalScale, Unit};

const EFFECT: &str = "effect ";
const BEYOND_EFFECT: &str = " beyond effect ";
const DIFFERENCE_OF_THE_EFFECT: &str = "difference of the effect ";

/// The measured rounds of a launch for which [`Quantity::LaunchShareOfVariance`] is computed. The measured rounds of such a launch
/// of three arms take about as long as its start and end, so longer launches cost more than further launches.
pub const LAUNCH_SHARE_ROUNDS: u64 = 5_000;

/// A quantity that is computed from runs or recordings. It is written and read by its name: `effect searching`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, strum::Display, EnumIter)]
#[serde(try_from = "String", into = "String")]
pub enum Quantity {
    /// `effect NAME`: the primary effect of a contrast, ns.
    #[strum(to_string = "effect {0}")]
    Effect(String),
    /// `effect NAME beyond effect OTHER`: by how much one effect exceeds the effect before it, ns.
    #[strum(to_string = "effect {name} beyond effect {other}")]
    EffectBeyondEffect {
        /// The contrast with the larger effect.
        name: String,
        /// The contrast before it.
        other: String,
    },
    /// `difference of the effect NAME`: the effect in one condition minus the effect in another, ns.
    #[strum(to_string = "difference of the effect {0}")]
    EffectDifference(String),
    /// The spread of the A/A difference over launches in one condition, divided by the spread in another.
    #[strum(to_string = "A/A spread ratio")]
    AASpread,
    /// The spread of the A/A difference of the RTT, divided by the spread of the A/A difference of the wire time.
    #[strum(to_string = "RTT spread by wire time spread")]
    RttSpreadByWireTimeSpread,
    /// The spread of the hook's effect on the client's RTT, divided by its spread at the hook, of the same launches.
    #[strum(to_string = "spread of the effect at the RTT by its spread at the hook")]
    RttEffectSpreadByHookEffectSpread,
    /// An effect, divided by the cost that a tight loop predicts.
    #[strum(to_string = "observed by predicted cost")]
    ObservedByPredictedCost,
    /// The share of the variance of one launch's A/A difference that lies between launches, for launches of
    /// [`LAUNCH_SHARE_ROUNDS`] measured rounds. More requests do not reduce it. The A/A difference stands for any effect,
    /// because its true value is zero.
    #[strum(to_string = "launch share of the variance of an effect after 5,000 rounds")]
    LaunchShareOfVariance,
    /// The spread of the A/A difference with a relay that delays requests, divided by the spread without one.
    #[strum(to_string = "A/A spread ratio with delays")]
    AASpreadWithDelays,
    /// The cost of the proxies in the path, divided by the cost of the hook.
    #[strum(to_string = "proxy cost by hook cost")]
    ProxyCostByHookCost,
    /// The spread of the A/A difference with a proxy, divided by the spread without one.
    #[strum(to_string = "A/A spread ratio with a proxy")]
    AASpreadWithProxy,
    /// The spread of the A/A difference with a neighbour, divided by the spread without one.
    #[strum(to_string = "A/A spread ratio with a neighbour")]
    AASpreadWithNeighbour,
    /// The share of launches with a neighbour in which the sequential design finds a difference between like arms.
    #[strum(to_string = "sequential A/A false positives with a neighbour")]
    SequentialFalsePositives,
    /// The slope of the effect over the payload before the keyword, ns per KiB: the effect with a keyword at the end of the
    /// payload minus the effect with a keyword at the beginning, over the size of the payload.
    #[strum(to_string = "effect per KiB of payload before the keyword")]
    EffectPerKib,
    /// The 99th percentile under a quota of processor time, divided by the 99th percentile without one.
    #[strum(to_string = "p99 ratio under a quota")]
    P99UnderQuota,
    /// The mean RTT under a quota of processor time, divided by the mean RTT without one.
    #[strum(to_string = "mean ratio under a quota")]
    MeanUnderQuota,
    /// The requests per second under a quota of processor time, divided by the requests per second without one.
    #[strum(to_string = "throughput ratio under a quota")]
    ThroughputUnderQuota,
    /// The distance of the effect on the mean in launches that hit a limit from the effect on the mean without a limit, ns.
    #[strum(to_string = "error of the mean effect in rejected launches")]
    ErrorInRejectedLaunches,
    /// The spread of the effect on the mean in launches that hit a limit, divided by its spread without a limit.
    #[strum(to_string = "spread of the mean effect in rejected launches")]
    EffectSpreadInRejectedLaunches,
    /// The relative spread of the effect between topologies, with server and mode held fixed: τ of its logarithm.
    #[strum(to_string = "relative spread of the effect between topologies")]
    SpreadBetweenTopologies,
    /// The relative spread of the effect between servers, with topology and mode held fixed: τ of its logarithm.
    #[strum(to_string = "relative spread of the effect between servers")]
    SpreadBetweenServers,
    /// The relative spread of the effect between modes of the hook, with topology and server held fixed: τ of its logarithm.
    #[strum(to_string = "relative spread of the effect between modes")]
    SpreadBetweenModes,
    /// The share of the payload of common servers that passes `accept` and `read`.
    #[strum(to_string = "payload received by accept and read")]
    PayloadByAcceptAndRead,
    /// The effective number of requests of a recording, divided by their number.
    #[strum(to_string = "information per request")]
    InformationPerRequest,
    /// The standard deviation of the requests of one recorded condition, divided by that of another.
    #[strum(to_string = "SD ratio of the requests of two recordings")]
    RecordedSdRatio,
    /// The share of recordings in which the study's test finds a significant difference between the two halves.
    #[strum(to_string = "halves that the study's test tells apart")]
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

impl Quantity {
    /// The unit of the quantity.
    #[must_use]
    pub const fn unit(&self) -> Unit {
        match self {
            Self::Effect(_)
            | Self::EffectBeyondEffect { .. }
            | Self::EffectDifference(_)
            | Self::EffectPerKib
            | Self::ErrorInRejectedLaunches => Unit::Ns,
            Self::AASpread
            | Self::RttSpreadByWireTimeSpread
            | Self::RttEffectSpreadByHookEffectSpread
            | Self::ObservedByPredictedCost
            | Self::ProxyCostByHookCost
            | Self::AASpreadWithDelays
            | Self::AASpreadWithProxy
            | Self::AASpreadWithNeighbour
            | Self::P99UnderQuota
            | Self::MeanUnderQuota
            | Self::ThroughputUnderQuota
            | Self::EffectSpreadInRejectedLaunches
            | Self::SpreadBetweenTopologies
            | Self::SpreadBetweenServers
            | Self::SpreadBetweenModes
            | Self::RecordedSdRatio => Unit::Ratio,
            Self::LaunchShareOfVariance
            | Self::SequentialFalsePositives
            | Self::PayloadByAcceptAndRead
            | Self::InformationPerRequest
            | Self::HalvesToldApart => Unit::Share,
        }
    }

    /// The scale of the tail of the quantity's interval ([`super::IntervalTail`]).
    #[must_use]
    pub const fn scale(&self) -> IntervalScale {
        match self.unit() {
            Unit::Share => IntervalScale::Logit,
            Unit::Ns => IntervalScale::Linear,
            // By Fieller's theorem, and by the Q-profile, whose lower end can be zero.
            Unit::Ratio
                if matches!(
                    self,
                    Self::ObservedByPredictedCost
                        | Self::ProxyCostByHookCost
                        | Self::SpreadBetweenTopologies
                        | Self::SpreadBetweenServers
                        | Self::SpreadBetweenModes
                ) =>
            {
                IntervalScale::Linear
            }
            Unit::Ratio => IntervalScale::Log,
        }
    }

    /// The source of the quantity.
    #[must_use]
    pub const fn source(&self) -> QuantitySource {
        match self {
            Self::Effect(_)
            | Self::EffectBeyondEffect { .. }
            | Self::EffectDifference(_)
            | Self::AASpread
            | Self::RttSpreadByWireTimeSpread
            | Self::RttEffectSpreadByHookEffectSpread
            | Self::ObservedByPredictedCost
            | Self::LaunchShareOfVariance => QuantitySource::Run,
            Self::AASpreadWithDelays => QuantitySource::Exhibit(ExhibitKind::Delays),
            Self::ProxyCostByHookCost | Self::AASpreadWithProxy => QuantitySource::Exhibit(ExhibitKind::Proxies),
            Self::AASpreadWithNeighbour | Self::SequentialFalsePositives => {
                QuantitySource::Exhibit(ExhibitKind::Neighbours)
            }
            Self::EffectPerKib => QuantitySource::Exhibit(ExhibitKind::Positions),
            Self::P99UnderQuota
            | Self::MeanUnderQuota
            | Self::ThroughputUnderQuota
            | Self::ErrorInRejectedLaunches
            | Self::EffectSpreadInRejectedLaunches => QuantitySource::Exhibit(ExhibitKind::Quotas),
            Self::SpreadBetweenTopologies | Self::SpreadBetweenServers | Self::SpreadBetweenModes => {
                QuantitySource::Exhibit(ExhibitKind::Environments)
            }
            Self::PayloadByAcceptAndRead => QuantitySource::ObservedServers,
            Self::InformationPerRequest | Self::RecordedSdRatio | Self::HalvesToldApart => QuantitySource::Study,
        }
    }

    /// The quantities without parameters.
    fn named() -> impl Iterator<Item = Self> {
        Self::iter().filter(|quantity| quantity.contrasts().next().is_none())
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
    let names = Quantity::named().map(|quantity| quantity.to_string());
    with_parameters.into_iter().chain(names).collect::<Vec<_>>().join(", ")
}

impl FromStr for Quantity {
    type Err = UnknownQuantity;

    fn from_str(text: &str) -> Result<Self, UnknownQuantity> {
        if let Some(quantity) = Self::named().find(|quantity| quantity.to_string() == text) {
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
        for quantity in with_parameters.into_iter().chain(Quantity::named()) {
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
