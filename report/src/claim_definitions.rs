//! The check of `claims.toml` against the experiment definitions that it names.

use std::collections::BTreeMap;

use analysis::claims::{Claim, Claims, CurrentPlan, Quantity, QuantitySource};
use anyhow::{Context as _, Result, bail, ensure};
use dataset::sha256_of;
use model::{ContrastRole, Experiment, GridExtent, RegisteredPlan, parse_definition};

/// The experiment of the study's recordings.
const STUDY: &str = "ssp2023";
/// The definitions of all experiments that claims may name.
const DEFINITIONS: [&str; 14] = [
    include_str!("../../experiments/r01.toml"),
    include_str!("../../experiments/r02.toml"),
    include_str!("../../experiments/r03.toml"),
    include_str!("../../experiments/r04.toml"),
    include_str!("../../experiments/r05.toml"),
    include_str!("../../experiments/r06.toml"),
    include_str!("../../experiments/r07.toml"),
    include_str!("../../experiments/r08.toml"),
    include_str!("../../experiments/r09.toml"),
    include_str!("../../experiments/r10.toml"),
    include_str!("../../experiments/calibration.toml"),
    include_str!("../../experiments/coverage.toml"),
    include_str!("../../experiments/overhead.toml"),
    include_str!("../../experiments/ssp2023.toml"),
];

/// The claims of the project, checked against the experiments that they name.
///
/// # Errors
/// When `claims.toml` is not as expected, or an experiment of a claim does not exist or does not give the claim's quantity.
pub(crate) fn stated_claims() -> Result<Claims> {
    let claims = Claims::stated()?;
    check(&claims).context("analysis/claims.toml")?;
    Ok(claims)
}

/// The registered plan of the project.
///
/// # Errors
/// When `experiments/plan.toml` is not as expected.
pub fn current_plan() -> Result<CurrentPlan> {
    plan_of(include_str!("../../experiments/plan.toml")).context("experiments/plan.toml")
}

/// The registered plan in the text of its file.
///
/// # Errors
/// When the text is no plan.
pub fn plan_of(text: &str) -> Result<CurrentPlan> {
    Ok(CurrentPlan {
        sha256: sha256_of(text.as_bytes()),
        plan: RegisteredPlan::parse(text)?,
    })
}

fn check(claims: &Claims) -> Result<()> {
    let cells = |text: &&str| parse_definition(text, GridExtent::Default).context("a definition in experiments/");
    let definitions = DEFINITIONS.iter().map(cells).collect::<Result<Vec<_>>>()?;
    // All cells of a grid have the same name, exhibit and contrasts.
    let definitions: BTreeMap<&str, &Experiment> = definitions
        .iter()
        .flatten()
        .map(|definition| (definition.name.as_str(), definition))
        .collect();
    for claim in claims.recommendations.iter().flat_map(|one| &one.claims) {
        for name in &claim.experiments {
            let known = || definitions.keys().copied().collect::<Vec<_>>().join(", ");
            let definition = definitions
                .get(name.as_str())
                .with_context(|| format!("claim {}: experiments: {name}; expected some of {}", claim.id, known()))?;
            given(claim, definition).with_context(|| {
                format!(
                    "claim {}: the experiment {name} does not give the quantity `{}`",
                    claim.id, claim.quantity
                )
            })?;
        }
    }
    Ok(())
}

/// Refuses a quantity that no run of the experiment gives.
fn given(claim: &Claim, definition: &Experiment) -> Result<()> {
    match claim.quantity.source() {
        QuantitySource::Run => {
            let effects = definition.contrasts.iter();
            let effects = effects.filter(|contrast| contrast.role == ContrastRole::Effect);
            let effects: Vec<&str> = effects.map(|contrast| contrast.name.as_str()).collect();
            for name in claim.quantity.contrasts() {
                ensure!(
                    effects.contains(&name),
                    "it has no contrast `{name}` with the role effect; it has {}",
                    effects.join(", ")
                );
            }
            if let Quantity::EffectBeyondEffect { name, other } = &claim.quantity {
                ensure!(
                    effects.windows(2).any(|pair| pair == [other, name]),
                    "`{name}` does not follow `{other}` among its effects; they are {}",
                    effects.join(", ")
                );
            }
        }
        QuantitySource::Exhibit(kind) => ensure!(
            definition.exhibit == Some(kind),
            "the exhibit {kind} computes it; expected `exhibit = \"{kind}\"` in the definition"
        ),
        QuantitySource::Study if definition.name != STUDY => {
            bail!("the 2023 recordings give it; expected the experiment {STUDY}")
        }
        QuantitySource::Study | QuantitySource::ObservedServers => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The project's claims, one value of one claim replaced.
    fn refused(from: &str, to: &str) -> String {
        let text = include_str!("../../analysis/claims.toml");
        assert!(text.contains(from), "{from}");
        let changed = text.replacen(from, to, 1);
        match Claims::parse("claims.toml", &changed) {
            Ok(claims) => format!("{:#}", check(&claims).unwrap_err()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_stated_claims_name_quantities_that_their_experiments_give() {
        stated_claims().unwrap();
    }

    #[test]
    fn a_quantity_that_nothing_gives_is_refused_with_the_known_ones() {
        for (from, to, expected) in [
            (
                "\"effect logging beyond effect searching\"",
                "\"effect log\"",
                "no contrast `log`",
            ),
            (
                "\"effect logging beyond effect searching\"",
                "\"effect searching beyond effect logging\"",
                "does not follow",
            ),
            (
                "\"proxy cost by hook cost\"",
                "\"p99 ratio under a quota\"",
                "exhibit quotas",
            ),
            ("experiments = [\"r03\"]", "experiments = [\"r33\"]", "expected some of"),
            (
                "\"proxy cost by hook cost\"",
                "\"proxy cost\"",
                "A/A spread ratio with a proxy",
            ),
        ] {
            let error = refused(from, to);
            assert!(error.contains(expected), "{error}");
        }
    }
}
