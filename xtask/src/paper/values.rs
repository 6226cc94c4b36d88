//! Differences between two JSON documents.

use std::collections::BTreeSet;

use serde_json::Value;

/// A value that differs between the two documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ValueDifference {
    /// The place of the value as a JSON pointer (RFC 6901).
    pub(super) place: String,
    pub(super) kept: String,
    pub(super) made: String,
}

/// All values that differ between two documents.
pub(super) fn differences(kept: &Value, made: &Value) -> Vec<ValueDifference> {
    let mut found = Vec::new();
    walk(String::new(), Some(kept), Some(made), &mut found);
    found
}

fn walk(place: String, kept: Option<&Value>, made: Option<&Value>, found: &mut Vec<ValueDifference>) {
    match (kept, made) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                walk(format!("{place}/{key}"), one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for index in 0..one.len().max(other.len()) {
                walk(format!("{place}/{index}"), one.get(index), other.get(index), found);
            }
        }
        (one, other) if one == other => {}
        (one, other) => found.push(ValueDifference {
            place,
            kept: shown(one),
            made: shown(other),
        }),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "missing".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_different_digit_is_named_with_its_place() {
        let kept = json!({ "run": { "effects": [{ "value": 1.25 }, { "value": 2.5 }] } });
        let made = json!({ "run": { "effects": [{ "value": 1.25 }, { "value": 2.6 }] } });
        assert_eq!(differences(&kept, &kept), []);
        let found = differences(&kept, &made);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].place.as_str(), found[0].kept.as_str()),
            ("/run/effects/1/value", "2.5")
        );
    }

    #[test]
    fn a_value_that_only_one_document_has_is_a_difference() {
        let found = differences(&json!({ "a": [1, 2] }), &json!({ "a": [1], "b": null }));
        let places: Vec<&str> = found.iter().map(|difference| difference.place.as_str()).collect();
        assert_eq!(places, ["/a/1", "/b"]);
        assert_eq!(found[0].made, "missing");
    }
}
