//! Values as files spell them: base64 with blanks, numbers in three encodings, dates.

use data_encoding::BASE64;
use jiff::Timestamp;

use super::super::error::Fault;
use crate::token::instant_or_utc;

/// Base64 of RFC 4648 §4: padded, canonical, with the blanks that XML files have.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    base64_into(text, &mut bytes)?;
    Some(bytes)
}

/// The same, in place of what `out` held; `None` leaves nothing of use there.
pub(super) fn base64_into(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let text = text.trim_ascii();
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return decode(text.as_bytes(), out);
    }
    let packed: zeroize::Zeroizing<Vec<u8>> =
        zeroize::Zeroizing::new(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    decode(&packed, out)
}

fn decode(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    // The library takes several padded texts in a row for one.
    let body = text.len().saturating_sub(2);
    if memchr::memchr(b'=', &text[..body]).is_some() {
        return None;
    }
    out.resize(BASE64.decode_len(text.len()).ok()?, 0);
    let len = BASE64.decode_mut(text, out).ok()?;
    out.truncate(len);
    Some(())
}

/// A number of `PlainValue` as text.
pub(super) fn decimal(text: &str, what: &'static str) -> Result<u64, Fault> {
    digits(text.trim_ascii().as_bytes()).ok_or_else(|| not(what, "a whole number"))
}

/// A number of `PlainValue`: decimal by the standard; base64, of digits or of big-endian bytes,
/// in some files.
pub(super) fn plain_integer(text: &str, what: &'static str) -> Result<u64, Fault> {
    digits(text.trim_ascii().as_bytes())
        .or_else(|| base64(text).and_then(|bytes| integer_of(&bytes)))
        .ok_or_else(|| not(what, "a whole number"))
}

/// The same, possibly negative.
pub(super) fn plain_signed(text: &str, what: &'static str) -> Result<i64, Fault> {
    match text.trim_ascii().strip_prefix('-') {
        Some(rest) => negative(rest.as_bytes(), what),
        None => positive(plain_integer(text, what)?, what),
    }
}

/// The same, encrypted; bytes are never negative.
pub(super) fn signed(bytes: &[u8], what: &'static str) -> Result<i64, Fault> {
    match bytes.strip_prefix(b"-").filter(|rest| digits(rest).is_some()) {
        Some(rest) => negative(rest, what),
        None => positive(integer(bytes, what)?, what),
    }
}

fn positive(number: u64, what: &'static str) -> Result<i64, Fault> {
    i64::try_from(number).map_err(|_| not(what, "a whole number below 2^63"))
}

fn negative(text: &[u8], what: &'static str) -> Result<i64, Fault> {
    let number = digits(text).and_then(|number| i64::try_from(number).ok());
    number.map(|number| -number).ok_or_else(|| not(what, "a whole number"))
}

/// A number that was encrypted: decimal digits, or big-endian bytes.
pub(super) fn integer(bytes: &[u8], what: &'static str) -> Result<u64, Fault> {
    integer_of(bytes).ok_or_else(|| not(what, "a whole number"))
}

fn integer_of(bytes: &[u8]) -> Option<u64> {
    digits(bytes).or_else(|| {
        let fits = !bytes.is_empty() && bytes.len() <= 8;
        fits.then(|| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    })
}

fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An `xs:boolean`, in capitals, too, as some programs write it.
pub(super) fn boolean(text: &str, what: &'static str) -> Result<bool, Fault> {
    match &*text.trim_ascii().to_ascii_lowercase() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(not(what, "true or false")),
    }
}

/// An `xs:dateTime`; without a zone it is taken as UTC (RFC 6030 §5 asks for canonical form).
pub(super) fn date(text: &str, what: &'static str) -> Result<Timestamp, Fault> {
    let text = text.trim_ascii();
    instant_or_utc(text).ok_or_else(|| not(what, "a date and time such as 2026-09-01T00:00:00Z"))
}

/// `what` is not what it should have been.
pub(super) fn not(what: &'static str, expected: &str) -> Fault {
    Fault::Value { what, expected: expected.into() }
}

/// `what` is not base64.
pub(super) fn not_base64(what: &'static str) -> Fault {
    not(what, "canonical base64 (RFC 4648 §4)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_strict_but_for_blanks() {
        for good in ["MTIzNA==", "\n  MTIz\n\tNA==\r\n "] {
            assert_eq!(base64(good).unwrap(), b"1234");
        }
        for bad in ["MTIzNA", "MTIzNB==", "MTIz-_==", "MTIzNA==MTIzNA==", "MTIzNA==x", "MT!z"] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_come_in_three_encodings() {
        for text in ["42", " 42\n", "NDI=", "Kg==", "AAAAAAAAACo="] {
            assert_eq!(plain_integer(text, "Counter").unwrap(), 42, "{text}");
        }
        for text in ["", "-1", "TWELVE", "4.2", "99999999999999999999", "AAAAAAAAAAAq"] {
            let error = plain_integer(text, "Counter").unwrap_err().to_string();
            assert_eq!(error, "Counter is not a whole number", "{text}");
        }
    }

    #[test]
    fn drifts_may_be_negative() {
        for (text, number) in [("-4", -4), (" -0 ", 0), ("42", 42), ("NDI=", 42)] {
            assert_eq!(plain_signed(text, "TimeDrift").unwrap(), number, "{text}");
        }
        for (bytes, number) in [(&b"-4"[..], -4), (b"17", 17), (b"\x2d", 45), (&[1, 0], 256)] {
            assert_eq!(signed(bytes, "TimeDrift").unwrap(), number, "{bytes:?}");
        }
        for text in ["-", "--4", "-4.0", "-9223372036854775809", "9223372036854775808"] {
            assert!(plain_signed(text, "TimeDrift").is_err(), "{text}");
        }
    }

    #[test]
    fn dates_with_and_without_zone() {
        let expected: Timestamp = "2006-05-01T00:00:00Z".parse().unwrap();
        for text in ["2006-05-01T00:00:00Z", "2006-05-01T02:00:00+02:00", "2006-05-01T00:00:00"] {
            assert_eq!(date(text, "StartDate").unwrap(), expected);
        }
        assert!(date("first of May", "StartDate").is_err());
    }
}
