//! Comparison of a hooked server's answers with those of the bare one.

use dataset::{ServerFault, ServerFaultKind};

use crate::preflight::PreflightResult;

/// Bytes shown around a difference.
const SHOWN: usize = 60;

/// The largest part in which all answers of the bare server agree. The hooked server's answers must agree in this part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CommonPart {
    Bytes,
    Length,
    FirstLine,
}

fn common(bare: &PreflightResult, again: &PreflightResult) -> CommonPart {
    let vary = bare.varies || again.varies || bare.answer != again.answer;
    match (vary, bare.answer.len() == again.answer.len()) {
        (false, _) => CommonPart::Bytes,
        (true, true) => CommonPart::Length,
        (true, false) => CommonPart::FirstLine,
    }
}

/// Returns a warning if the answers of the bare server differ from each other, so that only a part of them can be compared.
pub(crate) fn varying(bare: &PreflightResult, again: &PreflightResult) -> Option<String> {
    let compared = match common(bare, again) {
        CommonPart::Bytes => return None,
        CommonPart::Length => "first line and length",
        CommonPart::FirstLine => "first line",
    };
    Some(format!(
        "the answers differ from each other without any hook, so that only their {compared} were compared; \
         name the headers that differ as `varying` in a server file"
    ))
}

/// Returns a fault if the answers of a hooked server differ from those of the bare server.
pub(crate) fn difference(
    bare: &PreflightResult,
    again: &PreflightResult,
    hooked: &PreflightResult,
) -> Option<ServerFault> {
    let (expected, found) = (&bare.answer[..], &hooked.answer[..]);
    let common = common(bare, again);
    if common == CommonPart::Bytes && hooked.varies {
        return Some(different(
            "its answers differ from each other; without the hook they do not".to_owned(),
        ));
    }
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let same = match common {
        CommonPart::Bytes => expected == found,
        CommonPart::Length => expected.len() == found.len() && expected[..line(expected)] == found[..line(found)],
        CommonPart::FirstLine => expected[..line(expected)] == found[..line(found)],
    };
    if same {
        return None;
    }
    let at = expected.iter().zip(found).position(|(one, other)| one != other);
    let at = at.unwrap_or_else(|| expected.len().min(found.len()));
    let around = |bytes: &[u8]| {
        let part = &bytes[at.saturating_sub(SHOWN / 2).min(bytes.len())..bytes.len().min(at + SHOWN)];
        format!("{:?}", String::from_utf8_lossy(part))
    };
    Some(different(format!(
        "at byte {at} of {} bytes without and {} bytes with the hook: {} without, {} with it",
        expected.len(),
        found.len(),
        around(expected),
        around(found)
    )))
}

/// Returns the fault of a hooked server whose answers differ.
fn different(what: String) -> ServerFault {
    ServerFault {
        kind: ServerFaultKind::DifferentAnswer,
        what,
        output: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(answer: &str) -> PreflightResult {
        PreflightResult {
            answer: answer.into(),
            ..PreflightResult::default()
        }
    }

    #[test]
    fn a_difference_is_shown_where_it_begins() {
        let bare = trial("HTTP/1.1 200 OK\r\n\r\nhello");
        assert!(difference(&bare, &bare, &bare).is_none() && varying(&bare, &bare).is_none());
        let what = difference(&bare, &bare, &trial("HTTP/1.1 200 OK\r\n\r\nhullo"))
            .unwrap()
            .what;
        assert!(what.contains("at byte 20 of 24") && what.contains("hullo"), "{what}");
        assert!(difference(&bare, &bare, &trial("HTTP/1.1 200 OK\r\n\r\n")).is_some());
    }

    #[test]
    fn answers_that_vary_without_a_hook_are_compared_by_their_common_part() {
        let (one, other) = (trial("200\nab"), trial("200\nba"));
        assert!(varying(&one, &other).unwrap().contains("first line and length"));
        assert!(difference(&one, &other, &trial("200\nxy")).is_none());
        assert!(difference(&one, &other, &trial("200\nxyz")).is_some());
        assert!(difference(&one, &other, &trial("500\nxy")).is_some());
        let longer = trial("200\nabc");
        assert!(difference(&one, &longer, &trial("200\n")).is_none());
    }
}
