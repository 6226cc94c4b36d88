//! The ledger of recordings: a line of JSON when a recording begins, and one when it ends. Lines are only added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A line of `data/reference/ledger.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerEntry {
    /// Time of the event, UTC, as `2026-11-30T15:40:00Z`.
    pub time: String,
    /// Name of the recorded run.
    pub run: String,
    /// [`Machine::id`](crate::Machine::id) of the machine.
    pub machine: String,
    /// SHA-256 of the registered plan, in hexadecimal.
    pub plan_sha256: String,
    /// Hash of the git commit, in hexadecimal.
    pub commit: String,
    /// The event.
    pub event: LedgerEvent,
}

/// An event of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum LedgerEvent {
    /// The recording begins in an empty folder.
    Begin,
    /// The recording goes on with the finished launches of its folder.
    Resume,
    /// The recording ends. The command that resumes a killed recording writes the end of the killed one.
    End {
        /// How it ended.
        how: RecordingEnd,
        /// The reason, unless it is complete.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Verdict of each claim that has a primary row in the run, by the claim's id; empty unless it is complete.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        verdicts: BTreeMap<String, String>,
    },
}

/// How a recording ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RecordingEnd {
    /// All launches are recorded.
    Complete,
    /// A launch failed.
    Failed,
    /// The user stopped it by Ctrl-C or SIGTERM.
    Interrupted,
    /// It ended without writing its end: it was killed, or the machine stopped.
    Killed,
}

/// The contents of a ledger that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {source}; expected the JSON of a ledger entry")]
pub struct LedgerError {
    /// Number of the line, from 1.
    line: usize,
    /// The error.
    source: serde_json::Error,
}

impl LedgerEntry {
    /// Reads the lines of a ledger.
    ///
    /// # Errors
    /// Names the first line that is no entry.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, LedgerError> {
        let entries = text.lines().enumerate().map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| LedgerError {
                line: index + 1,
                source,
            })
        });
        entries.collect()
    }

    /// Returns the last entry of a run of one machine under one plan.
    #[must_use]
    pub fn last<'a>(entries: &'a [Self], run: &str, machine: &str, plan_sha256: &str) -> Option<&'a Self> {
        let of_this = |entry: &&Self| entry.run == run && entry.machine == machine && entry.plan_sha256 == plan_sha256;
        entries.iter().rfind(of_this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: LedgerEvent) -> LedgerEntry {
        LedgerEntry {
            time: "2026-11-30T15:40:00Z".to_owned(),
            run: "r04".to_owned(),
            machine: "amd-epyc-2cpu".to_owned(),
            plan_sha256: "ab".repeat(32),
            commit: "cd".repeat(20),
            event,
        }
    }

    #[test]
    fn a_ledger_is_read_from_the_lines_that_it_writes() {
        let complete = LedgerEvent::End {
            how: RecordingEnd::Complete,
            reason: None,
            verdicts: BTreeMap::from([("r04-spread".to_owned(), "inconclusive".to_owned())]),
        };
        let entries = [LedgerEvent::Begin, LedgerEvent::Resume, complete].map(entry);
        let lines: Vec<String> = entries.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
        assert!(lines[0].contains(r#""event":"begin""#), "{}", lines[0]);
        assert!(
            lines[2].contains(r#""end":{"how":"complete","verdicts":{"#),
            "{}",
            lines[2]
        );
        assert_eq!(LedgerEntry::parse_all(&lines.join("\n")).unwrap(), entries);
        let last = LedgerEntry::last(&entries, "r04", "amd-epyc-2cpu", &"ab".repeat(32));
        assert_eq!(last, Some(&entries[2]));
        assert_eq!(LedgerEntry::last(&entries, "r04", "another", &"ab".repeat(32)), None);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let line = serde_json::to_string(&entry(LedgerEvent::Begin)).unwrap();
        let unknown = line.replacen("{", "{\"host\":\"x\",", 1);
        let error = LedgerEntry::parse_all(&format!("{line}\n{unknown}\n")).unwrap_err();
        assert!(error.to_string().starts_with("line 2: unknown field `host`"), "{error}");
    }
}
