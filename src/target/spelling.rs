//! A value found again in whatever spelling a page, a script, an address or a JSON text gives it: each
//! character in its own way, for programs mix them.

use super::html;
use crate::charset::Charset;

/// How many bytes at the beginning of `text` spell `value`; `None` when they do not. Each of its
/// characters may stand as it is, as a byte of windows-1252, as `%XX` (`+` for a space), as `\uXXXX`,
/// `\xXX` or another escape of JSON, or as a character reference of HTML.
pub(super) fn spelt(value: &[u8], text: &[u8]) -> Option<usize> {
    // Nearly every place is none, and ends here.
    let first = *text.first()?;
    if !(value.first() == Some(&first) || matches!(first, b'%' | b'\\' | b'&' | b'+' | 0x80..)) {
        return None;
    }
    // A character may be spelt in two lengths (`&` is the beginning of `&amp;`): all are followed.
    let mut ends = vec![0];
    for character in characters(value) {
        let mut next = Vec::new();
        for &end in &ends {
            character.spellings(text.get(end..).unwrap_or_default(), |length| {
                if !next.contains(&(end + length)) {
                    next.push(end + length);
                }
            });
        }
        if next.is_empty() {
            return None;
        }
        ends = next;
    }
    ends.into_iter().max().filter(|end| *end > 0)
}

/// The longest spelling of a value of `length` bytes: `&#x0000e9;` for two of them, `\u0061` for one.
pub(super) fn longest(length: usize) -> usize {
    8 * length
}

/// A character, and the bytes that it was.
struct Character {
    character: char,
    own: Vec<u8>,
}

fn characters(value: &[u8]) -> impl Iterator<Item = Character> {
    value.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|character| Character {
            character,
            own: character.encode_utf8(&mut [0; 4]).as_bytes().to_vec(),
        });
        let other = chunk.invalid().iter().map(|byte| {
            let character = Charset::Windows1252.decode(&[*byte]).chars().next();
            Character { character: character.unwrap_or_default(), own: vec![*byte] }
        });
        valid.chain(other)
    })
}

impl Character {
    /// Calls `found` with the length of every spelling at the beginning of `text`.
    fn spellings(&self, text: &[u8], mut found: impl FnMut(usize)) {
        let Some(first) = text.first() else { return };
        let utf8 = self.character.encode_utf8(&mut [0; 4]).as_bytes().to_vec();
        let byte = Charset::Windows1252.byte(self.character).map(|byte| vec![byte]);
        for bytes in [Some(&self.own), Some(&utf8), byte.as_ref()].into_iter().flatten() {
            if text.starts_with(bytes) {
                found(bytes.len());
            }
            if *first == b'%' && percent(text, bytes) {
                found(3 * bytes.len());
            }
        }
        match first {
            b'+' if self.character == ' ' => found(1),
            b'\\' => {
                if let Some(length) = escape(text, self.character) {
                    found(length);
                }
            }
            b'&' => {
                if let Some((character, length)) = html::first_reference(text)
                    && character == self.character
                {
                    found(length);
                }
            }
            _ => {}
        }
    }
}

/// Whether `text` begins with `bytes`, each as `%XX`.
fn percent(text: &[u8], bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(index, byte)| {
        text.get(3 * index) == Some(&b'%')
            && text.get(3 * index + 1..).and_then(|text| number(text, 2)) == Some((*byte).into())
    })
}

/// The length of the escape of `character` (RFC 8259 §7; `\xXX` is JavaScript's).
fn escape(text: &[u8], character: char) -> Option<usize> {
    let kind = *text.get(1)?;
    match kind {
        b'u' => {
            let mut length = 0;
            for unit in character.encode_utf16(&mut [0; 2]) {
                let escaped = text.get(length..)?.strip_prefix(b"\\u")?;
                if number(escaped, 4)? != u32::from(*unit) {
                    return None;
                }
                length += 6;
            }
            Some(length)
        }
        b'x' => (number(&text[2..], 2)? == u32::from(character)).then_some(4),
        _ => {
            let meant = match kind {
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                other => char::from(other),
            };
            (meant == character).then_some(2)
        }
    }
}

/// The number in the first `digits` hexadecimal digits, of either case.
fn number(text: &[u8], digits: usize) -> Option<u32> {
    text.get(..digits)?
        .iter()
        .try_fold(0, |number, digit| Some(16 * number + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_in_every_spelling() {
        let value = "é&\"7 €".as_bytes();
        for text in [
            "é&\"7 €",
            "\\u00e9&\\\"7 \\u20AC",
            "\\u00E9\\u0026\\u00227\\u0020\\u20ac",
            "\\xe9\\x26\\x22\\x37\\x20€",
            "%c3%a9%26%227+%e2%82%ac",
            "%C3%A9%26%22%37%20%E2%82%AC",
            "%e9&amp;&quot;7 %80",
            "&eacute;&#38;&#34;7 &#8364;",
            "&#233;&#x26;&#X22;&#55;&#32;&#x20AC;",
            "&#0233&#38&#34;7 €",
        ] {
            assert_eq!(spelt(value, text.as_bytes()), Some(text.len()), "{text}");
            let longer = format!("{text}<");
            assert_eq!(spelt(value, longer.as_bytes()), Some(text.len()), "{text}");
            // The last `;` may be missing.
            for end in 0..text.trim_end_matches(';').len() {
                assert_eq!(spelt(value, &text.as_bytes()[..end]), None, "{text} cut at {end}");
            }
        }
        assert_eq!(spelt(value, b"\xe9&\"7 \x80"), Some(6));
        assert_eq!(spelt("𝄞".as_bytes(), b"\\ud834\\uDD1E"), Some(12));
        assert_eq!(spelt(b"\xe9", "é".as_bytes()), Some(2), "a byte of another page");
        for text in ["\\u00e8&\"7 €", "%c3%a8%26", "&egrave;&", "&#;", "\\", "%", "&"] {
            assert_eq!(spelt(value, text.as_bytes()), None, "{text}");
        }
        assert_eq!(spelt(b"", b"a"), None);
        assert_eq!(spelt(b"a%41", b"a%41b"), Some(4));
        assert_eq!(spelt(b"&amp;", b"&amp;amp;"), Some(9), "the longest");
    }
}
