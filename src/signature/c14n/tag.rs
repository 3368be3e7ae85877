//! One start tag and its attributes.

use std::ops::Range;

use super::names::{is_plain_name, is_qualified_name};
use super::text::check_references;

/// Attributes of one tag, at most.
const MOST: usize = 256;

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Tag<'a> {
    /// Between `<` and `>`, without the `/` of an empty element.
    text: &'a str,
    /// Name of the element, with its prefix.
    pub(in super::super) name: &'a str,
    attributes: &'a [Attribute],
}

/// Where an attribute lies in the text of its tag.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    name: Range<usize>,
    value: Range<usize>,
}

impl<'a> Tag<'a> {
    /// Reads the tag between `<` and `>` (or `/>`); `attributes` is a buffer.
    pub(super) fn read(text: &'a str, attributes: &'a mut Vec<Attribute>) -> Result<Self, String> {
        attributes.clear();
        let blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let bytes = text.as_bytes();
        let end = bytes.iter().position(|byte| blank(*byte)).unwrap_or(bytes.len());
        let name = &text[..end];
        if !is_qualified_name(name) {
            return Err(format!("{} is no name of an element", shown(name)));
        }
        let mut at = end;
        loop {
            let start = at;
            at += bytes[at..].iter().take_while(|byte| blank(**byte)).count();
            if at == bytes.len() {
                break;
            }
            if at == start {
                return Err("no blank between two attributes".into());
            }
            let equals = memchr::memchr(b'=', &bytes[at..]).ok_or("an attribute without value")?;
            let attribute = text[at..at + equals].trim_end_matches([' ', '\t', '\r', '\n']);
            if !is_qualified_name(attribute) {
                return Err(format!("{} is no name of an attribute", shown(attribute)));
            }
            let named = at..at + attribute.len();
            at += equals + 1;
            at += bytes[at..].iter().take_while(|byte| blank(**byte)).count();
            let quote = *bytes.get(at).ok_or("an attribute without value")?;
            if !matches!(quote, b'"' | b'\'') {
                return Err("an attribute's value without quotes".into());
            }
            let len = memchr::memchr(quote, &bytes[at + 1..]).ok_or("a value without end")?;
            let value = at + 1..at + 1 + len;
            if bytes[value.clone()].contains(&b'<') {
                return Err("`<` in the value of an attribute".into());
            }
            check_references(&text[value.clone()])?;
            at = value.end + 1;
            if attributes.iter().any(|other| text[other.name.clone()] == text[named.clone()]) {
                return Err(format!("the attribute {} twice", shown(attribute)));
            }
            if attributes.len() == MOST {
                return Err(format!("more than {MOST} attributes"));
            }
            attributes.push(Attribute { name: named, value });
        }
        Ok(Self { text, name, attributes })
    }

    /// A tag with a name alone.
    pub(super) fn bare(name: &'a str) -> Self {
        Self { text: name, name, attributes: &[] }
    }

    /// Whether there is neither attribute nor declaration.
    pub(in super::super) fn is_bare(&self) -> bool {
        self.attributes.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let text = self.text;
        self.attributes.iter().map(move |a| (&text[a.name.clone()], &text[a.value.clone()]))
    }

    /// The attributes that are no declarations: name with prefix, and value as it was written.
    pub(in super::super) fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.all().filter(|(name, _)| *name != "xmlns" && !name.starts_with("xmlns:"))
    }

    /// The declarations of namespaces: prefix, empty for the default, and value.
    pub(super) fn declarations(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.all().filter_map(|(name, value)| match name.strip_prefix("xmlns:") {
            Some(prefix) => Some((prefix, value)),
            None => (name == "xmlns").then_some(("", value)),
        })
    }
}

/// Prefix, empty if none, and local name.
pub(in super::super) fn split(name: &str) -> (&str, &str) {
    match memchr::memchr(b':', name.as_bytes()) {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => ("", name),
    }
}

/// Whether `prefix` may be declared.
pub(super) fn may_declare(prefix: &str) -> bool {
    prefix.is_empty() || (is_plain_name(prefix) && prefix != "xmlns")
}

/// A name of a file, fit for a message.
pub(super) fn shown(name: &str) -> String {
    let short: String = name.chars().take(40).map(crate::terminal::printable).collect();
    format!("{short:?}")
}
