//! Comparison of the kept results with the computed ones, file by file and value by value.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::values::{self, ValueDifference};

/// The one file of numbers among the results.
const NUMBERS: &str = "results.json";
/// The file with the numbers of [`NUMBERS`] as LaTeX macros, one per line.
const MACROS: &str = "results.tex";
/// JSON pointer to the numbers that come from the 2023 study.
const STUDY_VALUES: &str = "/study";
/// The claims that are judged by the study's recordings alone, each with the beginning of its macros.
const STUDY_CLAIMS: [(&str, &str); 2] = [
    ("r09-information", "\\newcommand{\\ClaimRZeroNineInformation"),
    ("r09-halves", "\\newcommand{\\ClaimRZeroNineHalves"),
];
/// The beginning of the names of the study's figures.
const STUDY_FIGURES: &str = "figures/study-";

/// A text that names the results that cannot be checked without the study.
pub(super) fn needs_the_study() -> String {
    let claims = STUDY_CLAIMS.map(|(id, _)| id).join(" and ");
    format!("{STUDY_VALUES} and the claims {claims} in {NUMBERS} and {MACROS}, and {STUDY_FIGURES}*")
}

/// The differences between kept and computed results, one a line. Without the `study`, results that need it are left out.
///
/// # Errors
/// When a folder cannot be listed or a file not be read.
pub(super) fn differences(kept: &Path, computed: &Path, study: bool) -> Result<Vec<String>> {
    let (have, made) = (names(kept)?, names(computed)?);
    let mut found = Vec::new();
    for name in have
        .union(&made)
        .filter(|name| study || !name.starts_with(STUDY_FIGURES))
    {
        let (one, other) = (kept.join(name), computed.join(name));
        if !have.contains(name) {
            found.push(format!("{} is missing", one.display()));
        } else if !made.contains(name) {
            found.push(format!("{} follows from no recorded run", one.display()));
        } else if name == NUMBERS {
            found.extend(numbers(&one, &other, study)?);
        } else if name == MACROS && macros(&one, study)? != macros(&other, study)?
            || name != MACROS && fs::read(&one)? != fs::read(&other)?
        {
            found.push(format!("{} does not follow from the recorded runs", one.display()));
        }
    }
    Ok(found)
}

fn numbers(kept: &Path, computed: &Path, study: bool) -> Result<Vec<String>> {
    let read = |path: &Path| -> Result<Value> {
        serde_json::from_str(&text(path)?).with_context(|| format!("{} is not JSON", path.display()))
    };
    let (one, other) = (read(kept)?, read(computed)?);
    let passed_over = if study { Vec::new() } else { of_the_study(&one) };
    let compared = |difference: &&ValueDifference| {
        let inside = |part: &String| difference.place == *part || difference.place.starts_with(&format!("{part}/"));
        !passed_over.iter().any(inside)
    };
    let found = values::differences(&one, &other);
    Ok(found
        .iter()
        .filter(compared)
        .map(|ValueDifference { place, kept: is, made }| {
            format!("{}: {place} is {is}, computed {made}", kept.display())
        })
        .collect())
}

/// JSON pointers to the values that come from the study.
fn of_the_study(numbers: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = vec![STUDY_VALUES.to_owned()];
    for (place, recommendation) in list(&numbers["claims"]["recommendations"]).iter().enumerate() {
        for (claim_place, claim) in list(&recommendation["claims"]).iter().enumerate() {
            if STUDY_CLAIMS.iter().any(|(id, _)| claim["id"] == *id) {
                found.push(format!("/claims/recommendations/{place}/claims/{claim_place}"));
            }
        }
    }
    found
}

fn macros(path: &Path, study: bool) -> Result<Vec<String>> {
    let of_the_study = |line: &str| STUDY_CLAIMS.iter().any(|(_, begin)| line.starts_with(begin));
    let lines = text(path)?;
    let lines = lines.lines().filter(|line| study || !of_the_study(line));
    Ok(lines.map(str::to_owned).collect())
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// The names of the files in a folder and in its folder `figures`.
pub(super) fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for inner in ["", "figures/"] {
        let listed = folder.join(inner);
        for entry in fs::read_dir(&listed).with_context(|| format!("listing {}", listed.display()))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.insert(format!("{inner}{}", entry.file_name().to_string_lossy()));
            }
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Writes results, with or without the values that come from the study.
    fn write(folder: &Path, study: bool) {
        fs::create_dir_all(folder.join("figures")).unwrap();
        let of_study = |value: f64| if study { json!(value) } else { Value::Null };
        let numbers = json!({
            "run": { "effect": 1.25 },
            "study": of_study(9.5),
            "claims": {
                "misses": [{ "p_value": 0.5 }],
                "recommendations": [
                    { "claims": [{ "id": "r08-tail", "value": 2.5 }] },
                    { "claims": [{ "id": "r09-information", "value": of_study(0.1) }, { "id": "r09-launches", "value": 0.9 }] },
                ],
            },
        });
        fs::write(folder.join(NUMBERS), numbers.to_string()).unwrap();
        let verdict = if study { "supported" } else { "not run" };
        let macros = format!(
            "\\newcommand{{\\HookEffect}}{{1.25}}\n\\newcommand{{\\ClaimRZeroNineInformationVerdict}}{{{verdict}}}\n"
        );
        fs::write(folder.join(MACROS), macros).unwrap();
        fs::write(folder.join("figures/effects.svg"), "drawn").unwrap();
        if study {
            fs::write(folder.join("figures/study-box-plot.svg"), "drawn").unwrap();
        }
    }

    /// The differences after `change` is made to correct kept results.
    fn found(study: bool, change: impl Fn(&Path)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let (kept, computed) = (folder.path().join("kept"), folder.path().join("computed"));
        write(&kept, true);
        write(&computed, study);
        change(&kept);
        let prefix = format!("{}/", kept.display());
        let found = differences(&kept, &computed, study).unwrap();
        found.iter().map(|line| line.replace(&prefix, "")).collect()
    }

    fn replace(file: &Path, from: &str, to: &str) {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(from), "{from}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    #[test]
    fn equal_results_do_not_differ() {
        for study in [true, false] {
            assert!(found(study, |_| {}).is_empty(), "{study}");
        }
    }

    #[test]
    fn a_missing_an_extra_and_a_changed_file_are_named_with_and_without_the_study() {
        for study in [true, false] {
            let missing = found(study, |kept| fs::remove_file(kept.join("figures/effects.svg")).unwrap());
            assert_eq!(missing, ["figures/effects.svg is missing"]);
            let extra = found(study, |kept| fs::write(kept.join("figures/old.svg"), "drawn").unwrap());
            assert_eq!(extra, ["figures/old.svg follows from no recorded run"]);
            let changed = found(study, |kept| {
                fs::write(kept.join("figures/effects.svg"), "otherwise").unwrap();
                replace(&kept.join(MACROS), "{1.25}", "{1.26}");
            });
            let lines =
                ["figures/effects.svg", MACROS].map(|name| format!("{name} does not follow from the recorded runs"));
            assert_eq!(changed, lines);
        }
    }

    #[test]
    fn a_missing_an_extra_and_a_changed_value_are_named_with_and_without_the_study() {
        for study in [true, false] {
            let changed = |from: &str, to: &str| found(study, |kept| replace(&kept.join(NUMBERS), from, to));
            let claims = "results.json: /claims";
            assert_eq!(
                changed(",\"value\":0.9", ""),
                [format!(
                    "{claims}/recommendations/1/claims/1/value is missing, computed 0.9"
                )]
            );
            assert_eq!(
                changed("\"p_value\":0.5", "\"more\":1,\"p_value\":0.5"),
                [format!("{claims}/misses/0/more is 1, computed missing")]
            );
            assert_eq!(
                changed("2.5", "2.6"),
                [format!(
                    "{claims}/recommendations/0/claims/0/value is 2.6, computed 2.5"
                )]
            );
        }
    }

    #[test]
    fn results_of_the_study_are_compared_where_it_is_imported() {
        let change = |kept: &Path| {
            replace(&kept.join(NUMBERS), "9.5", "9.6");
            replace(&kept.join(NUMBERS), "0.1", "0.2");
            replace(&kept.join(MACROS), "supported", "refuted");
            fs::write(kept.join("figures/study-box-plot.svg"), "otherwise").unwrap();
        };
        assert_eq!(found(true, change).len(), 4);
        assert!(found(false, change).is_empty());
    }
}
