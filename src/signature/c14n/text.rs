//! Text and attribute values: what they may hold, what they mean, how the canonical form has them
//! (Canonical XML §2.3).

use std::borrow::Cow;

/// Whether `bytes` are UTF-8 and characters that XML has (XML 1.0 §2.2).
pub(super) fn checked(bytes: &[u8]) -> Result<&str, &'static str> {
    // Without a branch, so that it runs at the speed of memory.
    let odd = bytes.iter().fold(0, |odd, byte| odd | u8::from(*byte < b' ') | (byte & 0x80));
    let text = std::str::from_utf8(bytes).map_err(|_| "bytes that are not UTF-8")?;
    let wrong = |c: char| matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    match odd != 0 && text.contains(wrong) {
        true => Err("a character that XML does not have"),
        false => Ok(text),
    }
}

/// Whether every `&` in `text` begins one of the five entities or a character.
pub(super) fn check_references(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (_, len) = reference(&rest[at..])?;
        rest = &rest[at + len..];
    }
    Ok(())
}

/// The character of the reference with which `text` begins, and the length of the reference.
fn reference(text: &str) -> Result<(char, usize), String> {
    let wrong = || {
        let shown: String = text.chars().take(12).collect();
        format!("{shown:?}… is no reference to a character")
    };
    let end = text.bytes().take(12).position(|byte| byte == b';').ok_or_else(wrong)?;
    let character = match &text[1..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let number = match name.strip_prefix("#x") {
                Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    u32::from_str_radix(digits, 16).ok()
                }
                Some(_) => None,
                None => name
                    .strip_prefix('#')
                    .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok()),
            };
            let character = number.and_then(char::from_u32).ok_or_else(wrong)?;
            let mut bytes = [0; 4];
            checked(character.encode_utf8(&mut bytes).as_bytes()).map_err(|_| wrong())?;
            character
        }
    };
    Ok((character, end + 1))
}

/// Text between tags, as it was written, in its canonical form.
pub(super) fn canonical_text(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    transform(text, b"&>\r", out, |rest, out| match rest.as_bytes()[0] {
        b'&' => {
            let (character, len) = reference(rest)?;
            text_character(character, out);
            Ok(len)
        }
        b'>' => {
            out.extend_from_slice(b"&gt;");
            Ok(1)
        }
        _ => Ok(line_end(rest, b'\n', out)),
    })
}

/// The content of a CDATA section in its canonical form.
pub(super) fn canonical_cdata(text: &str, out: &mut Vec<u8>) {
    let done = transform(text, b"&<>\r", out, |rest, out| {
        if rest.starts_with('\r') {
            return Ok(line_end(rest, b'\n', out));
        }
        text_character(rest.chars().next().unwrap_or(' '), out);
        Ok(1)
    });
    debug_assert!(done.is_ok());
}

/// An attribute's value, as it was written, in its canonical form.
pub(super) fn canonical_value(value: &str, out: &mut Vec<u8>) -> Result<(), String> {
    transform(value, b"&<\"\t\n\r", out, |rest, out| match rest.as_bytes()[0] {
        b'&' => {
            let (character, len) = reference(rest)?;
            value_character(character, out);
            Ok(len)
        }
        b'\r' => Ok(line_end(rest, b' ', out)),
        b'\t' | b'\n' => {
            out.push(b' ');
            Ok(1)
        }
        // `"` within single quotes.
        byte => {
            value_character(char::from(byte), out);
            Ok(1)
        }
    })
}

/// What `text`, with its references, means.
pub(in super::super) fn decoded(text: &str) -> Result<Cow<'_, str>, String> {
    if memchr::memchr2(b'&', b'\r', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::new();
    transform(text, b"&\r", &mut out, |rest, out| match rest.as_bytes()[0] {
        b'&' => {
            let (character, len) = reference(rest)?;
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            Ok(len)
        }
        _ => Ok(line_end(rest, b'\n', out)),
    })?;
    String::from_utf8(out).map(Cow::Owned).map_err(|error| error.to_string())
}

/// `text`, which is what a value means, as the canonical form writes it between double quotes.
pub(in super::super) fn escape_attribute(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        value_character(character, out);
    }
}

/// Copies `text`, but for what `change` does where one of `marks` stands: it says how many bytes
/// it took.
fn transform(
    text: &str,
    marks: &[u8],
    out: &mut Vec<u8>,
    mut change: impl FnMut(&str, &mut Vec<u8>) -> Result<usize, String>,
) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = find(marks, rest.as_bytes()) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        let taken = change(&rest[at..], out)?;
        rest = &rest[at + taken..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}

fn find(marks: &[u8], bytes: &[u8]) -> Option<usize> {
    match *marks {
        [a, b] => memchr::memchr2(a, b, bytes),
        [a, b, c] => memchr::memchr3(a, b, c, bytes),
        _ => bytes.iter().position(|byte| marks.contains(byte)),
    }
}

/// `\r\n` and `\r` are one line end (XML 1.0 §2.11).
fn line_end(rest: &str, becomes: u8, out: &mut Vec<u8>) -> usize {
    out.push(becomes);
    if rest.starts_with("\r\n") { 2 } else { 1 }
}

fn text_character(character: char, out: &mut Vec<u8>) {
    match character {
        '&' => out.extend_from_slice(b"&amp;"),
        '<' => out.extend_from_slice(b"&lt;"),
        '>' => out.extend_from_slice(b"&gt;"),
        '\r' => out.extend_from_slice(b"&#xD;"),
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn value_character(character: char, out: &mut Vec<u8>) {
    match character {
        '&' => out.extend_from_slice(b"&amp;"),
        '<' => out.extend_from_slice(b"&lt;"),
        '"' => out.extend_from_slice(b"&quot;"),
        '\t' => out.extend_from_slice(b"&#x9;"),
        '\n' => out.extend_from_slice(b"&#xA;"),
        '\r' => out.extend_from_slice(b"&#xD;"),
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
