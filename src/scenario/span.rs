//! Lengths of time as people write them: `90s`, `1h30m`, `250ms`, `-5s`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// A signed length of time in microseconds, written as numbers with the units `h`, `m`, `s`, `ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub i64);

const UNITS: [(&str, i64); 4] =
    [("ms", 1_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)];

impl Span {
    /// In microseconds; a negative one is 0.
    #[must_use]
    pub fn micros(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    /// In seconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// In milliseconds.
    #[must_use]
    pub fn millis(self) -> f64 {
        self.seconds() * 1e3
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad =
            || format!("{text:?} is no length of time: write e.g. \"90s\", \"1h30m\", \"250ms\"");
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut total = 0_i64;
        let mut any = false;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
            let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let (unit, factor) =
                UNITS.iter().find(|(unit, _)| rest.starts_with(unit)).ok_or_else(bad)?;
            rest = &rest[unit.len()..];
            total = total.checked_add(scaled(number, *factor).ok_or_else(bad)?).ok_or_else(bad)?;
            any = true;
        }
        if !any {
            return Err(bad());
        }
        Ok(Self(if negative { -total } else { total }))
    }
}

// A century is beyond any run, and keeps every later sum far from overflow.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn scaled(number: f64, factor: i64) -> Option<i64> {
    let micros = number * factor as f64;
    (micros < 3.2e15).then_some(micros.round() as i64)
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in [("h", 3_600_000_000), ("m", 60_000_000)] {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        match rest {
            0 => Ok(()),
            rest if rest % 1_000_000 == 0 => write!(f, "{}s", rest / 1_000_000),
            rest if rest < 1_000_000 => write!(f, "{}ms", rest as f64 / 1e3),
            rest => write!(f, "{}s", rest as f64 / 1e6),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, micros) in [
            ("90s", 90_000_000),
            ("1h30m", 5_400_000_000),
            ("250ms", 250_000),
            ("1.5s", 1_500_000),
            ("-5s", -5_000_000),
            ("0s", 0),
        ] {
            assert_eq!(text.parse(), Ok(Span(micros)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_how_to_write_it() {
        for bad in ["", "-", "90", "s", "1d", "1 s", "1e9h", "1..5s", "9999999999h", "é"] {
            let error = bad.parse::<Span>().unwrap_err();
            assert!(error.contains("\"90s\""), "{bad}: {error}");
        }
    }

    #[test]
    fn shows_itself_as_it_is_written() {
        for text in ["1h30m", "90ms", "2h", "1m30s", "-5s", "0s", "1.5s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
    }
}
