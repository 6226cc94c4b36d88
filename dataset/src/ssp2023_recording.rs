//! One CSV recording of the 2023 study, and its damage.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// One request of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StudyRequest {
    /// Nanoseconds since 1970.
    pub(crate) start_unix_ns: i64,
    /// Response time, ns. The recorded milliseconds are whole nanoseconds except for the rounding error of a subtraction.
    pub(crate) rtt_ns: i64,
}

/// A recording, in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) requests: Vec<StudyRequest>,
}

/// Number of rows that the study's client wrote at a time.
const BLOCK: usize = 5_000;
const HEADER: &str = "start_time,response_time";

/// Reads a recording.
///
/// # Errors
/// When the file is not two columns of finite numbers; the error names the line and the field.
pub(crate) fn read_recording(path: &Path) -> Result<Recording, Error> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    parse(&text).map_err(|what| Error::foreign(path, what, format!("a header {HEADER} and two numbers a line")))
}

fn parse(text: &str) -> Result<Recording, String> {
    let mut lines = (1..).zip(text.lines());
    match lines.next() {
        Some((_, HEADER)) => {}
        other => return Err(format!("line 1 is {:?}", other.map_or("", |(_, line)| line))),
    }
    let number = |line: usize, name: &str, field: &str| match field.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err(format!(
            "line {line}, {name}: {field:?} is no number of seconds or milliseconds"
        )),
    };
    let requests = lines
        .map(|(line, row)| {
            let (start, response) = row
                .split_once(',')
                .ok_or_else(|| format!("line {line} has one column"))?;
            Ok(StudyRequest {
                start_unix_ns: nanoseconds(number(line, "start_time", start)?, 1e9),
                rtt_ns: nanoseconds(number(line, "response_time", response)?, 1e6),
            })
        })
        .collect::<Result<_, String>>()?;
    Ok(Recording { requests })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "finite and far below 2^63 for any date of this century"
)]
fn nanoseconds(value: f64, unit: f64) -> i64 {
    (value * unit).round() as i64
}

impl Recording {
    /// Returns the rows that start later than the next row. A later request overwrote each of these rows.
    pub(crate) fn out_of_order(&self) -> Vec<usize> {
        self.requests
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0].start_unix_ns > pair[1].start_unix_ns)
            .map(|(row, _)| row)
            .collect()
    }

    /// Returns a sentence on the damage; `None` for an undamaged recording.
    pub(crate) fn damage(&self) -> Option<String> {
        let rows = self.out_of_order();
        if rows.is_empty() {
            return None;
        }
        let starts = rows.iter().filter(|row| *row % BLOCK == 0).count();
        Some(format!(
            "damaged: start_time goes backwards after {} rows ({starts} of them the first of a block of {BLOCK}), \
             each overwritten by a later request: {} rows lost, the cold start {}",
            rows.len(),
            rows.len(),
            if rows[0] == 0 { "among them" } else { "kept" },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{Recording, StudyRequest, parse};

    #[test]
    fn milliseconds_become_whole_nanoseconds() {
        let recording = parse("start_time,response_time\n1691754434.5,4.6057629988354165\n").unwrap();
        assert_eq!(
            recording.requests,
            [StudyRequest {
                start_unix_ns: 1_691_754_434_500_000_000,
                rtt_ns: 4_605_763
            }]
        );
    }

    #[test]
    fn a_wrong_field_is_named_with_its_line() {
        let error = parse("start_time,response_time\n1.0,2.0\n1.5,NaN\n").unwrap_err();
        assert!(error.contains("line 3, response_time"), "{error}");
        assert!(parse("a,b\n").unwrap_err().contains("line 1"));
        assert!(parse("start_time,response_time\n1.0\n").unwrap_err().contains("line 2"));
    }

    #[test]
    fn an_overwritten_first_row_is_found() {
        let request = |second: i64| StudyRequest {
            start_unix_ns: second * 1_000_000_000,
            rtt_ns: 1,
        };
        let good = Recording {
            requests: (0..10).map(request).collect(),
        };
        assert_eq!(good.damage(), None);
        let mut bad = good;
        bad.requests[0] = request(7);
        let damage = bad.damage().unwrap();
        assert!(damage.contains("1 rows lost, the cold start among them"), "{damage}");
    }
}
