//! What text and attributes mean, as XML has it: ends of lines, blanks, and which characters there
//! are. Signatures are verified over this, so that what is read must be this, too.

use std::borrow::Cow;

use zeroize::Zeroizing;

use super::super::super::error::{Fault, shown};

/// The value of an attribute, as it was written, normalised (XML 1.0 §3.3.3).
pub(super) fn value(raw: &str) -> Result<Cow<'_, str>, Fault> {
    if !raw.bytes().any(|byte| byte < b' ' || byte == b'&') {
        return Ok(Cow::Borrowed(raw));
    }
    let blanks = Zeroizing::new(raw.replace("\r\n", " ").replace(['\t', '\n', '\r'], " "));
    let value = quick_xml::escape::unescape(&blanks)
        .map_err(|error| Fault::Xml(shown(&error.to_string())))?;
    value.chars().try_for_each(check)?;
    Ok(Cow::Owned(value.into_owned()))
}

/// Adds `text`, whose references are still to come or are none, with its ends of lines as XML has
/// them (XML 1.0 §2.11).
pub(super) fn push_lines(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
}

/// Whether `text` has nothing among its control characters that XML does not have.
pub(super) fn has_control(text: &str) -> bool {
    // Without a branch: nearly every text is looked at, and has none.
    let odd = |byte: u8| (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r');
    text.bytes().fold(false, |found, byte| found | odd(byte))
}

/// Whether XML has this `character` (XML 1.0 §2.2), a reference being no way around that.
pub(super) fn check(character: char) -> Result<(), Fault> {
    match character {
        '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'.. => Ok(()),
        _ => Err(Fault::Xml(format!("{character:?}, a character that XML does not have"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_normalised_before_their_references_are_resolved() {
        for (raw, expected) in [
            ("plain", "plain"),
            ("a\r\nb\rc\nd\te", "a b c d e"),
            ("a&#13;&#10;&#9;b", "a\r\n\tb"),
            ("&lt;\n&#x41;", "< A"),
        ] {
            assert_eq!(value(raw).map_err(|fault| fault.to_string()).as_deref(), Ok(expected));
        }
        for raw in ["&#27;", "\u{1b}", "&#xFFFE;", "&#0;", "&x;"] {
            assert!(value(raw).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn ends_of_lines_become_one_character() {
        for (text, expected) in
            [("", ""), ("a\nb", "a\nb"), ("a\r\nb\rc\r\r\n", "a\nb\nc\n\n"), ("\r", "\n")]
        {
            let mut out = String::new();
            push_lines(&mut out, text);
            assert_eq!(out, expected, "{text:?}");
        }
        assert!(has_control("a\u{1b}b") && has_control("\0"));
        assert!(!has_control("a\t\r\n é\u{85}"));
    }
}
