//! The tags that nearly every tag is: recognised at a glance, everything else left to the library.
//!
//! A tag is plain when it lies whole in the buffer, is named in ASCII, and has attributes in double
//! quotes without references. What is plain here means the same to the library, which the tests of
//! `cursor` hold against it; what is not is no error here, only slower.

use super::super::limits::{Limit, Limits};
use super::attributes::{Attributes, Span};

/// A plain start tag at the head of some bytes.
pub(super) struct Start {
    /// Length of the name, which begins after `<`.
    pub(super) name: usize,
    /// Length of the whole tag.
    pub(super) len: usize,
    /// Whether it ends its element, too.
    pub(super) empty: bool,
}

/// Reads the start tag with which `bytes` begin, and its attributes.
pub(super) fn start(bytes: &[u8], attributes: &mut Attributes, limits: &Limits) -> Option<Start> {
    let name = name(bytes.get(1..)?)?;
    let after = 1 + name;
    let (len, empty) = match bytes.get(after)? {
        b'>' => (after + 1, false),
        b'/' => (after + 2, true),
        b' ' => {
            let end = after + close(&bytes[after..])?;
            let empty = bytes[end - 1] == b'/';
            let list = &bytes[after..end - usize::from(empty)];
            if end as u64 >= limits.get(Limit::Text) {
                return None;
            }
            attributes.take_plain(list, limits, list_of)?;
            return Some(Start { name, len: end + 1, empty });
        }
        _ => return None,
    };
    if bytes.get(len - 1) != Some(&b'>') {
        return None;
    }
    attributes.clear();
    Some(Start { name, len, empty })
}

/// Where the tag ends. Should this `>` lie within a value, the quotes will not add up.
fn close(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'>', bytes)
}

/// Length of the name with which `bytes` begin.
fn name(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if !(first.is_ascii_alphabetic() || first == b'_') {
        return None;
    }
    bytes.iter().position(|byte| KIND[usize::from(*byte)] != NAME)
}

/// The attributes of a tag: nothing else but blanks may stand in `bytes`.
fn list_of(bytes: &[u8], spans: &mut Vec<Span>) -> Option<()> {
    let mut at = 0;
    loop {
        let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        at += blanks;
        if at == bytes.len() {
            return Some(());
        }
        let middle = at + name(&bytes[at..])?;
        if blanks == 0 || !bytes[middle..].starts_with(b"=\"") {
            return None;
        }
        let value = middle + 2;
        let len = bytes[value..].iter().position(|byte| KIND[usize::from(*byte)] == MARK)?;
        let end = value + len;
        if bytes[end] != b'"' {
            return None;
        }
        spans.push(Span { name: at..middle, value: value..end });
        at = end + 1;
    }
}

/// Part of a name; part of a value only; neither.
const NAME: u8 = 0;
const VALUE: u8 = 1;
const MARK: u8 = 2;

/// What each byte can be.
const KIND: [u8; 256] = {
    let mut kind = [VALUE; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':') {
            kind[at] = NAME;
        } else if byte < b' ' || matches!(byte, b'"' | b'<' | b'>' | b'&') {
            kind[at] = MARK;
        }
        at += 1;
    }
    kind
};

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(usize, usize, bool)> {
        let mut attributes = Attributes::default();
        let start = start(text.as_bytes(), &mut attributes, &Limits::default())?;
        Some((start.name, start.len, start.empty))
    }

    #[test]
    fn plain_tags_are_recognised() {
        for (text, expected) in [
            ("<Key>rest", (3, 5, false)),
            ("<ds:KeyName/>", (10, 13, true)),
            ("<Key Id=\"é\" />x", (3, 15, true)),
            ("<Key  Id=\"1/2\" b=\"=' \">", (3, 23, false)),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_rest_is_left_to_the_library() {
        for text in [
            "<",
            "<Key",
            "<Key/",
            "<Key /",
            "<Key/ >",
            "</Key>",
            "<!-- -->",
            "<?a?>",
            "<1>",
            "<é>",
            "<a b='c'>",
            "<a b=\"c>\">",
            "<a b=\"&lt;\">",
            "<a b=\"<\">",
            "<a b=\"c\"d=\"e\">",
            "<a b = \"c\">",
            "<a b>",
            "<a b=\"c\" b=\"d\">",
            "<a\nb=\"c\">",
            "<a b=\"c",
            "<a =\"c\">",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        let many: String = (0..65).map(|number| format!(" a{number}=\"\"")).collect();
        assert_eq!(read(&format!("<a{many}>")), None);
    }

    #[test]
    fn attributes_are_read() {
        let mut attributes = Attributes::default();
        let tag = b"<Key Id=\"ACME 1\" Algorithm=\"\">";
        start(tag, &mut attributes, &Limits::default()).unwrap();
        assert_eq!(attributes.get("Id"), Some("ACME 1"));
        assert_eq!(attributes.get("Algorithm"), Some(""));
        assert_eq!(attributes.get("Al"), None);
    }
}
