//! The attributes of one tag, kept after its bytes are gone; and namespace declarations among them.

use std::ops::Range;

use quick_xml::events::BytesStart;

use super::super::error::{Fault, shown};
use super::super::limits::{Limit, Limits};
use super::names::{Element, Namespace};

/// The attributes of the element last entered: one text, and where each lies in it.
#[derive(Default)]
pub(super) struct Attributes {
    text: String,
    spans: Vec<Span>,
}

/// Where an attribute's name and value lie.
pub(super) struct Span {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Namespace declarations in force, the innermost last.
#[derive(Default)]
pub(super) struct Scopes {
    list: Vec<Scope>,
    /// Bytes of their prefixes and names.
    bytes: usize,
    /// Names without prefix and declaration are those of PSKC.
    bare: bool,
}

struct Scope {
    prefix: Box<[u8]>,
    space: Namespace,
    /// As it was written.
    uri: Box<str>,
    depth: usize,
}

impl Scope {
    fn len(&self) -> usize {
        self.prefix.len() + self.uri.len()
    }
}

impl Attributes {
    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
    }

    /// Takes those of `tag`.
    pub(super) fn take(&mut self, tag: &BytesStart<'_>, limits: &Limits) -> Result<(), Fault> {
        self.clear();
        if tag.attributes_raw().is_empty() {
            return Ok(());
        }
        let mut attributes = tag.attributes();
        // The library's own check of repeated names is quadratic; ours runs after the limit.
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|error| Fault::Xml(shown(&error.to_string())))?;
            let name: &str = attribute.key.as_ref();
            if self.get(name).is_some() {
                return Err(Fault::Xml(format!("attribute {} appears twice", shown(name))));
            }
            let start = self.text.len();
            self.text.push_str(name);
            let middle = self.text.len();
            self.text.push_str(&attribute.value);
            self.spans.push(Span { name: start..middle, value: middle..self.text.len() });
            limits.check(Limit::Attributes, self.spans.len() as u64)?;
        }
        Ok(())
    }

    /// Takes those that `read` finds in `text`; `None`, with nothing taken, when it finds anything
    /// but a few different attributes.
    pub(super) fn take_plain(
        &mut self,
        text: &[u8],
        limits: &Limits,
        read: impl FnOnce(&[u8], &mut Vec<Span>) -> Option<()>,
    ) -> Option<()> {
        self.clear();
        let taken = read(text, &mut self.spans).and_then(|()| std::str::from_utf8(text).ok());
        if let Some(text) = taken
            && self.spans.len() as u64 <= limits.get(Limit::Attributes)
        {
            self.text.push_str(text);
            if self.all_differ() {
                return Some(());
            }
        }
        self.clear();
        None
    }

    fn all_differ(&self) -> bool {
        let name = |span: &Span| &self.text.as_bytes()[span.name.clone()];
        let differs = |(at, span)| !self.spans[..at].iter().any(|other| name(other) == name(span));
        self.spans.iter().enumerate().all(differs)
    }

    /// The value of `name`, as it was written.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Every one: name, and value as it was written.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans
            .iter()
            .map(|span| (&self.text[span.name.clone()], &self.text[span.value.clone()]))
    }
}

impl Scopes {
    /// Takes the declarations of an element at `depth`.
    pub(super) fn declare(
        &mut self,
        attributes: &Attributes,
        depth: usize,
        limits: &Limits,
    ) -> Result<(), Fault> {
        for (name, value) in attributes.iter() {
            let Some(rest) = name.strip_prefix("xmlns") else { continue };
            let prefix = match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None if rest.is_empty() => "",
                None => continue,
            };
            let space = Namespace::of(value);
            let (prefix, uri) = (prefix.as_bytes().into(), value.into());
            let scope = Scope { prefix, space, uri, depth };
            self.bytes += scope.len();
            self.list.push(scope);
            limits.check(Limit::Namespaces, self.list.len() as u64)?;
            limits.check(Limit::Text, self.bytes as u64)?;
        }
        Ok(())
    }

    /// From here on, names without prefix and declaration are those of PSKC.
    pub(super) fn set_bare(&mut self) {
        self.bare = true;
    }

    /// Forgets the declarations of the element at `depth`, which was left.
    pub(super) fn leave(&mut self, depth: usize) {
        while let Some(scope) = self.list.pop_if(|scope| scope.depth >= depth) {
            self.bytes -= scope.len();
        }
    }

    /// The namespace of `prefix`, and the depth of the element that declares it.
    pub(super) fn uri(&self, prefix: &str) -> Option<(&str, usize)> {
        let mut scopes = self.list.iter().rev();
        let scope = scopes.find(|scope| *scope.prefix == *prefix.as_bytes())?;
        Some((&scope.uri, scope.depth))
    }

    /// What `name`, with its prefix, means here.
    pub(super) fn resolve(&self, name: &[u8]) -> Element {
        let (prefix, local) = match name.iter().position(|byte| *byte == b':') {
            Some(colon) => (&name[..colon], &name[colon + 1..]),
            None => (&b""[..], name),
        };
        // Two empty texts are equal without looking: an empty box points nowhere, and comparing
        // zero bytes at an unmapped address took two fifths of reading (masked loads, AVX-512).
        let same = |scope: &&Scope| {
            scope.prefix.len() == prefix.len() && (prefix.is_empty() || *scope.prefix == *prefix)
        };
        let space = match self.list.iter().rev().find(same) {
            Some(scope) => scope.space,
            None if prefix.is_empty() && self.bare => Namespace::Pskc,
            None if prefix.is_empty() => Namespace::None,
            None => Namespace::Other,
        };
        Element::of(space, local)
    }
}
