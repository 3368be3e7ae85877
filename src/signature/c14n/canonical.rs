//! Events to the canonical form: Canonical XML 1.0 §2, Exclusive XML Canonicalization §3. Comments
//! are left out: a reference to a whole document never has them (XML Signature §4.4.3.2).

use zeroize::Zeroizing;

use super::scanner::{Event, Item};
use super::scope::{Scopes, XML};
use super::tag::{Tag, split};
use super::text::{canonical_cdata, canonical_text, canonical_value, escape_attribute};

/// Bytes gathered before they are handed on.
const GATHER: usize = 32 * 1024;

/// Which canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Form {
    /// Canonical XML: every namespace in force is written where it comes into force. Version 1.1
    /// differs only in what an element taken out of its document inherits.
    Inclusive,
    /// Exclusive Canonical XML: namespaces are written where they are used, but for these prefixes
    /// (empty for the default), which are dealt with as in the inclusive form.
    Exclusive(Vec<String>),
}

/// Writes the canonical form of what it is given: an element, with what is around it if that is
/// given, too.
pub(in super::super) struct Canonical {
    form: Form,
    out: Zeroizing<Vec<u8>>,
    depth: usize,
    /// What ancestors in the output have declared: prefix, namespace, depth.
    rendered: Vec<(String, String, usize)>,
    ended: bool,
}

impl Canonical {
    pub(in super::super) fn new(form: Form) -> Self {
        let out = Zeroizing::new(Vec::with_capacity(2 * GATHER));
        Self { form, out, depth: 0, rendered: Vec::new(), ended: false }
    }

    /// Takes an event; `to` is given the bytes now and then.
    pub(in super::super) fn take(
        &mut self,
        item: &Item<'_>,
        to: impl FnOnce(&[u8]),
    ) -> Result<(), String> {
        match item.event {
            Event::Start(tag) => self.start(&tag, item.scopes, item.depth)?,
            Event::End(name) => self.end(name),
            Event::Text(text) => canonical_text(text, &mut self.out)?,
            Event::CData(text) => canonical_cdata(text, &mut self.out),
            Event::Comment => {}
            Event::Instruction(text) => self.instruction(text),
        }
        if self.out.len() >= GATHER {
            to(&self.out);
            self.out.clear();
        }
        Ok(())
    }

    /// What was not handed on.
    pub(in super::super) fn rest(&self) -> &[u8] {
        &self.out
    }

    fn end(&mut self, name: &str) {
        self.rendered.retain(|(_, _, depth)| *depth < self.depth);
        self.depth -= 1;
        self.ended = self.depth == 0;
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    fn instruction(&mut self, text: &str) {
        let (target, data) = text.split_once([' ', '\t', '\r', '\n']).unwrap_or((text, ""));
        if self.depth == 0 && self.ended {
            self.out.push(b'\n');
        }
        self.out.extend_from_slice(b"<?");
        self.out.extend_from_slice(target.as_bytes());
        let data = data.trim_start_matches([' ', '\t', '\r', '\n']).replace("\r\n", "\n");
        if !data.is_empty() {
            self.out.push(b' ');
            self.out.extend_from_slice(data.replace('\r', "\n").as_bytes());
        }
        self.out.extend_from_slice(b"?>");
        if self.depth == 0 && !self.ended {
            self.out.push(b'\n');
        }
    }

    fn start(&mut self, tag: &Tag<'_>, scopes: &Scopes, depth: usize) -> Result<(), String> {
        let apex = self.depth == 0;
        self.depth += 1;
        self.out.push(b'<');
        self.out.extend_from_slice(tag.name.as_bytes());
        if apex || !tag.is_bare() || self.form != Form::Inclusive {
            match &self.form {
                Form::Inclusive => self.declare_inclusive(tag, scopes, depth, apex),
                Form::Exclusive(_) => self.declare_exclusive(tag, scopes, apex),
            }
            self.attributes(tag, scopes)?;
        }
        self.out.push(b'>');
        Ok(())
    }

    fn declare_inclusive(&mut self, tag: &Tag<'_>, scopes: &Scopes, depth: usize, apex: bool) {
        let mut new: Vec<(&str, &str)> = match apex {
            true => scopes.in_force(),
            false => tag.declarations().filter(|(prefix, _)| *prefix != "xml").collect(),
        };
        new.retain(|(prefix, uri)| match apex {
            true => !uri.is_empty(),
            false => scopes.above(prefix, depth) != Some(uri),
        });
        declare(&mut self.out, new);
    }

    fn declare_exclusive(&mut self, tag: &Tag<'_>, scopes: &Scopes, apex: bool) {
        let mut used = vec![split(tag.name).0];
        let prefixes = tag.attributes().map(|(name, _)| split(name).0);
        used.extend(prefixes.filter(|prefix| !prefix.is_empty()));
        let mut new: Vec<(&str, &str)> = Vec::new();
        // Of the prefixes listed, all in force are written: only a declaration changes that.
        let listed = match &self.form {
            Form::Exclusive(listed) if apex || tag.declarations().next().is_some() => {
                listed.as_slice()
            }
            _ => &[],
        };
        for prefix in used.into_iter().chain(listed.iter().map(String::as_str)) {
            let Some(uri) = scopes.get(prefix).filter(|_| prefix != "xml") else { continue };
            let before = self.rendered.iter().rev().find(|(known, ..)| known == prefix);
            let before = before.map_or("", |(_, uri, _)| uri);
            if before != uri && !new.iter().any(|(known, _)| *known == prefix) {
                new.push((prefix, uri));
            }
        }
        let depth = self.depth;
        self.rendered.extend(new.iter().map(|(p, u)| ((*p).to_owned(), (*u).to_owned(), depth)));
        declare(&mut self.out, new);
    }

    fn attributes(&mut self, tag: &Tag<'_>, scopes: &Scopes) -> Result<(), String> {
        let mut all: Vec<((&str, &str), &str, &str)> = tag
            .attributes()
            .map(|(name, value)| {
                let (prefix, local) = split(name);
                let uri = match prefix {
                    "" => "",
                    "xml" => XML,
                    prefix => scopes.get(prefix).unwrap_or_default(),
                };
                ((uri, local), name, value)
            })
            .collect();
        all.sort_unstable_by_key(|(key, ..)| *key);
        for (_, name, value) in all {
            self.out.push(b' ');
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"=\"");
            canonical_value(value, &mut self.out)?;
            self.out.push(b'"');
        }
        Ok(())
    }
}

fn declare(out: &mut Vec<u8>, mut new: Vec<(&str, &str)>) {
    new.sort_unstable();
    for (prefix, uri) in new {
        out.extend_from_slice(b" xmlns");
        if !prefix.is_empty() {
            out.push(b':');
            out.extend_from_slice(prefix.as_bytes());
        }
        out.extend_from_slice(b"=\"");
        escape_attribute(uri, out);
        out.push(b'"');
    }
}
