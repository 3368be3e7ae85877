//! One observation as one line of `attempts.csv`, both ways.
//!
//! No field can hold a comma, a quote or a line break, so the file needs no quoting. Empty fields:
//! `counter` when no code was sent or it was mistyped, `until` when the expectation has no end,
//! `fault` when an answer came.

use std::str::FromStr;

use super::{Expectation, Observation};

/// The columns of `attempts.csv`, in order. Times in `…_us` are real microseconds since the start
/// of the run; `sent_key`, `answered_key`, `from` and `until` are key time, microseconds since the
/// Unix epoch.
pub const COLUMNS: [&str; 18] = [
    "person",
    "attempt",
    "step",
    "behaviour",
    "group",
    "due_us",
    "sent_us",
    "answered_us",
    "sent_key",
    "answered_key",
    "counter",
    "expected",
    "reason",
    "from",
    "until",
    "verdict",
    "status",
    "fault",
];

/// Appends the line of `seen`, with its line feed. Costs no allocation once `out` has grown.
pub(super) fn write(out: &mut Vec<u8>, seen: &Observation) {
    number(out, seen.person.into());
    number(out, seen.attempt.into());
    word(out, seen.step.name());
    word(out, seen.behaviour.name());
    number(out, seen.group.into());
    number(out, seen.due_us);
    number(out, seen.sent_us);
    number(out, seen.answered_us);
    number(out, seen.sent_key);
    number(out, seen.answered_key);
    optional(out, seen.counter);
    word(out, seen.expectation.expected.name());
    word(out, seen.expectation.reason.name());
    number(out, seen.expectation.from);
    optional(out, (seen.expectation.until != u64::MAX).then_some(seen.expectation.until));
    word(out, seen.verdict.name());
    number(out, seen.status.into());
    if let Some(fault) = seen.fault {
        out.extend_from_slice(fault.name().as_bytes());
    }
    out.push(b'\n');
}

/// Reads a line without its line feed; an error is the column's name and what is wrong.
pub(super) fn read(line: &str) -> Result<Observation, (&'static str, String)> {
    let mut fields = Fields { rest: Some(line), next: 0 };
    let seen = Observation {
        person: fields.parse()?,
        attempt: fields.parse()?,
        step: fields.parse()?,
        behaviour: fields.parse()?,
        group: fields.parse()?,
        due_us: fields.parse()?,
        sent_us: fields.parse()?,
        answered_us: fields.parse()?,
        sent_key: fields.parse()?,
        answered_key: fields.parse()?,
        counter: fields.optional()?,
        expectation: Expectation {
            expected: fields.parse()?,
            reason: fields.parse()?,
            from: fields.parse()?,
            until: fields.optional()?.unwrap_or(u64::MAX),
        },
        verdict: fields.parse()?,
        status: fields.parse()?,
        fault: fields.optional()?,
    };
    match fields.rest {
        None => Ok(seen),
        Some(_) => Err((COLUMNS[17], "the line has more columns than the header".into())),
    }
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
    out.push(b',');
}

fn optional(out: &mut Vec<u8>, value: Option<u64>) {
    match value {
        Some(value) => number(out, value),
        None => out.push(b','),
    }
}

fn word(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(word.as_bytes());
    out.push(b',');
}

struct Fields<'a> {
    rest: Option<&'a str>,
    next: usize,
}

impl<'a> Fields<'a> {
    fn take(&mut self) -> Result<(&'static str, &'a str), (&'static str, String)> {
        let column = COLUMNS[self.next];
        self.next += 1;
        let rest = self.rest.ok_or_else(|| (column, "the line ends before it".to_owned()))?;
        let (field, rest) = match rest.split_once(',') {
            Some((field, rest)) => (field, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Ok((column, field))
    }

    fn parse<T: FromStr<Err: ToString>>(&mut self) -> Result<T, (&'static str, String)> {
        let (column, field) = self.take()?;
        value(column, field)
    }

    fn optional<T: FromStr<Err: ToString>>(&mut self) -> Result<Option<T>, (&'static str, String)> {
        let (column, field) = self.take()?;
        if field.is_empty() { Ok(None) } else { value(column, field).map(Some) }
    }
}

fn value<T: FromStr<Err: ToString>>(
    column: &'static str,
    field: &str,
) -> Result<T, (&'static str, String)> {
    field.parse().map_err(|error: T::Err| {
        let shown: String = field.chars().take(40).collect();
        (column, format!("{shown:?}: {}", error.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{Behaviour, Expected, Fault, Reason, Step, Verdict};
    use proptest::prelude::*;

    fn any_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
        (0..all.len()).prop_map(move |at| all[at])
    }

    fn observations() -> impl Strategy<Value = Observation> {
        let who = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u16>(), any::<Option<u64>>());
        let times = any::<[u64; 7]>();
        let words = (any_of(Step::ALL), any_of(Behaviour::ALL), any_of(Verdict::ALL));
        let why = (any_of(Expected::ALL), any_of(Reason::ALL), any::<Option<u8>>());
        (who, times, words, why).prop_map(|(who, times, words, why)| Observation {
            person: who.0,
            attempt: who.1,
            group: who.2,
            status: who.3,
            counter: who.4,
            step: words.0,
            behaviour: words.1,
            verdict: words.2,
            due_us: times[0],
            sent_us: times[1],
            answered_us: times[2],
            sent_key: times[3],
            answered_key: times[4],
            expectation: Expectation {
                expected: why.0,
                reason: why.1,
                from: times[5],
                until: times[6],
            },
            fault: why.2.map(|at| Fault::ALL[usize::from(at) % Fault::ALL.len()]),
        })
    }

    proptest! {
        #[test]
        fn every_observation_comes_back(seen in observations()) {
            let mut line = Vec::new();
            write(&mut line, &seen);
            let text = String::from_utf8(line).unwrap();
            prop_assert_eq!(text.matches(',').count() + 1, COLUMNS.len());
            prop_assert_eq!(read(text.strip_suffix('\n').unwrap()).unwrap(), seen);
        }
    }

    #[test]
    fn a_bad_field_is_named() {
        let (column, message) = read("0,0,login,careful,0,1,2,x3,").unwrap_err();
        assert_eq!(column, "answered_us");
        assert!(message.starts_with("\"x3\": "), "{message}");
        assert_eq!(read("0,0,login").unwrap_err().0, "behaviour");
        assert_eq!(read("0,0,sing").unwrap_err().0, "step");
    }
}
