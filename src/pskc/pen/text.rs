//! Texts, numbers and bytes as XML has them.

use data_encoding::BASE64;
use jiff::Timestamp;

use super::super::writer::WriteError;
use crate::token::{Token, date_text};

/// The texts of a token, escaped.
#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub(super) &'a Token);

impl Text<'_> {
    /// `<name>text</name>`, if there is one.
    #[inline]
    pub(super) fn element(
        &self,
        name: &'static str,
        text: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        if let Some(text) = text {
            push(out, &["<", name, ">"]);
            self.escaped(name, text, out)?;
            push(out, &["</", name, ">"]);
        }
        Ok(())
    }

    /// The same of a date: UTC in canonical form (RFC 6030 §5).
    pub(super) fn date(&self, name: &str, date: Option<Timestamp>, out: &mut Vec<u8>) {
        if let Some(date) = date {
            push(out, &["<", name, ">", &date_text(date), "</", name, ">"]);
        }
    }

    /// Appends `text` so that it means itself in an element and in an attribute.
    #[inline]
    pub(super) fn escaped(
        &self,
        field: &'static str,
        text: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        push_xml(text, out).map_err(|character| self.forbidden(field, character))
    }

    /// ` name="text"`, if there is one.
    pub(super) fn attribute(
        &self,
        name: &'static str,
        text: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        if let Some(text) = text {
            push(out, &[" ", name, "=\""]);
            self.escaped(name, text, out)?;
            push(out, &["\""]);
        }
        Ok(())
    }

    fn forbidden(&self, field: &'static str, character: char) -> WriteError {
        WriteError::Character { serial: self.0.serial.to_string(), field, character }
    }
}

/// Appends `text` so that it means itself in an element and in an attribute; the error is a
/// character that XML cannot carry.
#[inline]
pub(in super::super) fn push_xml(text: &str, out: &mut Vec<u8>) -> Result<(), char> {
    let plain = |byte: u8| byte >= b' ' && !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'');
    if text.bytes().all(plain) && !text.contains(['\u{fffe}', '\u{ffff}']) {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    for character in text.chars() {
        match character {
            '<' => push(out, &["&lt;"]),
            '>' => push(out, &["&gt;"]),
            '&' => push(out, &["&amp;"]),
            '"' => push(out, &["&quot;"]),
            '\'' => push(out, &["&apos;"]),
            '\t' | '\n' | '\r' => push(out, &["&#", &(character as u32).to_string(), ";"]),
            '\0'..=' ' if character != ' ' => return Err(character),
            '\u{fffe}' | '\u{ffff}' => return Err(character),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Ok(())
}

#[inline]
pub(in super::super) fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

pub(super) fn push_number(out: &mut Vec<u8>, number: u64) {
    use std::io::Write;
    if number < 10 {
        out.push(b'0' + number as u8);
    } else if number < 100 {
        out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
    } else {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{number}");
    }
}

#[inline]
pub(in super::super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut out[start..]);
}
