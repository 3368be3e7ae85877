//! Dates as files have them, up to the end of the year 9999.
//!
//! jiff leaves a day of every offset free at the end of its range, so that its last instant is on
//! 30 December 9999, at 22:00. Many write `9999-12-31T23:59:59Z` for "never": such dates are taken
//! for that last instant, and it is written as the last second of the year.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// How the last instant is written.
const LAST: &str = "9999-12-31T23:59:59Z";

/// An instant with its offset (RFC 3339).
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        // The same a year earlier must be readable.
        let rest = text.strip_prefix("9999-12-3").filter(|rest| rest.starts_with(['0', '1']))?;
        let before = format!("9998-12-3{rest}").parse::<Timestamp>();
        before.ok().map(|_| Timestamp::MAX)
    })
}

/// The same; without an offset it is taken as UTC.
#[must_use]
pub fn instant_or_utc(text: &str) -> Option<Timestamp> {
    instant(text).or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        let last = || (local.year() == 9999).then_some(Timestamp::MAX);
        TimeZone::UTC.to_timestamp(local).ok().or_else(last)
    })
}

/// `date` in canonical form: UTC, with `Z`.
#[must_use]
pub fn date_text(date: Timestamp) -> String {
    if date == Timestamp::MAX { LAST.to_owned() } else { date.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_the_last_instant_and_is_written_as_it_was() {
        for text in [
            "9999-12-31T23:59:59Z",
            "9999-12-31T00:00:00Z",
            "9999-12-30T23:00:00Z",
            "9999-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59+01:00",
            "9999-12-31T23:59:59-14:00",
        ] {
            assert_eq!(instant(text), Some(Timestamp::MAX), "{text}");
            assert_eq!(instant_or_utc(text), Some(Timestamp::MAX), "{text}");
        }
        assert_eq!(instant_or_utc("9999-12-31T23:59:59"), Some(Timestamp::MAX));
        assert_eq!(date_text(Timestamp::MAX), LAST);
        for text in ["9999-12-31T23:59:59", "9999-12-32T00:00:00Z", "9999-12-31T25:00:00Z", ""] {
            assert_eq!(instant(text), None, "{text}");
        }
        for text in ["9999-12-30T21:59:59Z", "2030-01-01T00:00:00Z"] {
            assert_eq!(date_text(instant(text).unwrap()), text);
        }
    }
}
