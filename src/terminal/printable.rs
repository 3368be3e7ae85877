//! Text of strangers, which a terminal must not obey: control characters move its cursor and change
//! what stands there already, and those of direction change what seems to stand there.

use std::borrow::Cow;

use zeroize::{Zeroize, Zeroizing};

/// Whether a terminal obeys `character` rather than shows it.
fn is_obeyed(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `character`, or a question mark in place of one that a terminal obeys.
#[must_use]
pub fn printable(character: char) -> char {
    if is_obeyed(character) { '?' } else { character }
}

/// Lines of text, of which only their ends and tabulators are obeyed.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    let kept = |character| matches!(character, '\n' | '\t');
    match text.contains(|character| is_obeyed(character) && !kept(character)) {
        true => text.chars().map(|c| if kept(c) { c } else { printable(c) }).collect(),
        false => Cow::Borrowed(text),
    }
}

/// JSON, in whose strings alone such characters can stand, with all of them escaped: the same
/// values.
pub fn printable_json(json: &mut Vec<u8>) {
    // DEL, and the first bytes of all others that JSON does not escape itself.
    if memchr::memchr3(0x7f, 0xc2, 0xe2, json).is_none() {
        return;
    }
    let Ok(text) = std::str::from_utf8(json) else { return };
    if !text.contains(|character| is_obeyed(character) && character != '\n') {
        return;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(2 * text.len()));
    for character in text.chars() {
        match is_obeyed(character) && character != '\n' {
            true => out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes()),
            false => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    // It can hold a secret, of which nothing may stay behind.
    json.zeroize();
    json.extend_from_slice(&out);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: &str = "a\u{1b}[31mb\u{9b}1mc\u{202e}d\u{2066}e\rf\u{7f}";

    #[test]
    fn nothing_is_left_to_obey() {
        let one: String = BAD.chars().map(printable).collect();
        assert_eq!(one, "a?[31mb?1mc?d?e?f?");
        assert_eq!(printable_lines(&format!("{BAD}\n\tx")), format!("{one}\n\tx"));
        assert!(matches!(printable_lines("Clés €\n"), Cow::Borrowed("Clés €\n")));
    }

    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({ "name": BAD, "other": "Clés €" });
        let mut json = serde_json::to_vec(&value).unwrap();
        printable_json(&mut json);
        let text = String::from_utf8(json.clone()).unwrap();
        assert!(!text.contains(is_obeyed) && text.contains("Clés €"), "{text}");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&json).unwrap(), value);
    }
}
