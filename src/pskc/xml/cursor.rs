//! Walking a document element by element, without ever holding more than one of them.

use std::borrow::Cow;
use std::io::Read;

use quick_xml::Reader;
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use zeroize::Zeroizing;

use super::super::error::{Fault, shown};
use super::super::limits::Limits;
use super::names::{Element, Namespace};
use super::source::{Source, Stop};

/// A place in a document: always inside an element, whose children come one by one.
pub(in super::super) struct Cursor<R> {
    xml: Reader<Source<R>>,
    event: Zeroizing<Vec<u8>>,
    text: Zeroizing<String>,
    attributes: Attributes,
    scopes: Vec<Scope>,
    /// The elements open now.
    open: Vec<Element>,
    limits: Limits,
}

/// The attributes of the element last entered: one string, and where each lies in it.
#[derive(Default)]
struct Attributes {
    text: String,
    /// End of each name and of each value.
    ends: Vec<(usize, usize)>,
}

/// A namespace declaration in force.
struct Scope {
    prefix: Box<str>,
    space: Namespace,
    depth: usize,
}

/// What an event means for the walk, without borrowing from it.
enum Step {
    Enter(Element),
    Leave,
    Go,
}

impl<R: Read> Cursor<R> {
    /// Enters the first element of the document.
    pub(in super::super) fn new(input: R, limits: Limits) -> Result<Self, (Fault, (u64, u64))> {
        let mut xml = Reader::from_reader(Source::new(input, limits.text));
        let config = xml.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        config.allow_unmatched_ends = false;
        let mut this = Self {
            xml,
            event: Zeroizing::default(),
            text: Zeroizing::default(),
            attributes: Attributes::default(),
            scopes: Vec::new(),
            open: Vec::new(),
            limits,
        };
        match this.enter_root() {
            Ok(()) => Ok(this),
            Err(fault) => Err((fault, this.place())),
        }
    }

    /// Line and column of the element last entered, from 1.
    pub(in super::super) fn place(&self) -> (u64, u64) {
        self.xml.get_ref().place()
    }

    /// Bytes read so far.
    pub(in super::super) fn offset(&self) -> u64 {
        self.xml.get_ref().offset()
    }

    /// Enters the next child of the open element; `None` when it has no more, and is left.
    pub(in super::super) fn child(&mut self) -> Result<Option<Element>, Fault> {
        loop {
            match self.step(false)? {
                Step::Enter(element) => return Ok(Some(element)),
                Step::Leave => return Ok(None),
                Step::Go => {}
            }
        }
    }

    /// Leaves the open element, whatever it still holds.
    pub(in super::super) fn skip(&mut self) -> Result<(), Fault> {
        let depth = self.open.len();
        while self.open.len() >= depth {
            self.step(true)?;
            self.text.clear();
        }
        Ok(())
    }

    /// The text of the open element, which is left. Comments and CDATA marks within it do not
    /// divide it; elements within it are an error.
    pub(in super::super) fn text(&mut self) -> Result<&str, Fault> {
        let within = self.within();
        self.text.clear();
        loop {
            match self.step(true)? {
                Step::Enter(element) => {
                    return Err(Fault::Unexpected {
                        what: format!("<{}>", element.name()),
                        within,
                    });
                }
                Step::Leave => return Ok(&self.text),
                Step::Go => {}
            }
        }
    }

    /// An attribute of the element last entered, by its name.
    pub(in super::super) fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>, Fault> {
        match self.attributes.get(name) {
            Some(raw) => quick_xml::escape::unescape(raw)
                .map(Some)
                .map_err(|error| Fault::Xml(shown(&error.to_string()))),
            None => Ok(None),
        }
    }

    /// Makes sure that nothing follows the document but blanks and comments.
    pub(in super::super) fn end(&mut self) -> Result<(), Fault> {
        loop {
            self.xml.get_mut().mark_here();
            self.event.clear();
            match self.xml.read_event_into(&mut self.event) {
                Ok(Event::Eof) => return Ok(()),
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::Text(text)) if is_blank(&text) => {}
                Ok(Event::DocType(_)) => return Err(Fault::Doctype),
                Ok(_) => return Err(Fault::Xml("something follows its end".into())),
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn within(&self) -> &'static str {
        self.open.last().map_or("document", |element| element.name())
    }

    fn enter_root(&mut self) -> Result<(), Fault> {
        match self.child()? {
            Some(Element::KeyContainer) => Ok(()),
            _ => {
                let name = self.text.to_string();
                Err(Fault::NotPskc(shown(&name)))
            }
        }
    }

    /// Reads one event. `keep`: whether text is wanted; otherwise only blanks are allowed.
    fn step(&mut self, keep: bool) -> Result<Step, Fault> {
        self.xml.get_mut().begin_event();
        self.event.clear();
        match self.xml.read_event_into(&mut self.event) {
            Ok(Event::Start(tag)) => {
                let root = self.open.is_empty();
                if root {
                    self.text.clear();
                    self.text.push_str(tag.name().as_ref());
                }
                let depth = self.open.len() + 1;
                self.attributes.take(&tag, &self.limits)?;
                declare(&mut self.scopes, &self.attributes, depth);
                let element = resolve(&self.scopes, tag.name().as_ref());
                self.xml.get_mut().mark();
                if depth > self.limits.depth {
                    let limit = self.limits.depth as u64;
                    return Err(Fault::Limit { what: "the depth of elements", limit });
                }
                self.open.push(element);
                Ok(Step::Enter(element))
            }
            Ok(Event::End(_)) => {
                let depth = self.open.len();
                while self.scopes.last().is_some_and(|scope| scope.depth >= depth) {
                    self.scopes.pop();
                }
                self.open.pop();
                Ok(Step::Leave)
            }
            Ok(Event::Text(text)) => {
                let text: &str = &text;
                if keep {
                    self.text.push_str(text);
                    self.check_text()?;
                } else if !is_blank(text) {
                    return Err(Fault::Unexpected { what: "text".into(), within: self.within() });
                }
                Ok(Step::Go)
            }
            Ok(Event::CData(text)) if keep => {
                self.text.push_str(&text);
                self.check_text()?;
                Ok(Step::Go)
            }
            Ok(Event::GeneralRef(entity)) if keep => {
                let name: &str = &entity;
                let resolved = match entity.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => match name {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "apos" => Some('\''),
                        "quot" => Some('"'),
                        _ => None,
                    },
                    Err(_) => None,
                };
                let Some(character) = resolved else {
                    return Err(Fault::Entity(shown(name)));
                };
                self.text.push(character);
                self.check_text()?;
                Ok(Step::Go)
            }
            Ok(Event::CData(_) | Event::GeneralRef(_)) => {
                Err(Fault::Unexpected { what: "text".into(), within: self.within() })
            }
            Ok(Event::Comment(_) | Event::PI(_)) => Ok(Step::Go),
            Ok(Event::Decl(declaration)) => match declaration.encoding() {
                Some(Ok(name)) if !is_utf8(&name) => Err(Fault::Encoding(shown(&name))),
                Some(Err(error)) => Err(Fault::Xml(shown(&error.to_string()))),
                _ => Ok(Step::Go),
            },
            Ok(Event::DocType(_)) => Err(Fault::Doctype),
            Ok(Event::Empty(_)) => unreachable!("empty elements are expanded"),
            Ok(Event::Eof) => Err(Fault::Truncated),
            Err(error) => Err(self.fault(error)),
        }
    }

    fn check_text(&self) -> Result<(), Fault> {
        let limit = self.limits.text;
        if self.text.len() as u64 > limit {
            return Err(Fault::Limit { what: "the length of one text, in bytes,", limit });
        }
        Ok(())
    }

    fn fault(&mut self, error: quick_xml::Error) -> Fault {
        use quick_xml::Error as Xml;
        if let Some(stop) = self.xml.get_mut().take_failure() {
            return match stop {
                Stop::Io(error) => Fault::Io(error),
                Stop::TooLong(limit) => Fault::Limit {
                    what: "the length of one tag, text or comment, in bytes,",
                    limit,
                },
            };
        }
        self.xml.get_mut().mark();
        match error {
            // `<!DOCTYPE` and other bang markup that is no comment and no CDATA.
            Xml::Syntax(SyntaxError::UnclosedDoctype | SyntaxError::InvalidBangMarkup)
            | Xml::IllFormed(IllFormedError::MissingDoctypeName) => Fault::Doctype,
            Xml::Syntax(_)
            | Xml::IllFormed(
                IllFormedError::MissingEndTag(_) | IllFormedError::UnclosedReference,
            ) => Fault::Truncated,
            Xml::Encoding(_) => Fault::Encoding("not valid UTF-8".into()),
            error => Fault::Xml(shown(&error.to_string())),
        }
    }
}

impl Attributes {
    fn take(&mut self, tag: &BytesStart<'_>, limits: &Limits) -> Result<(), Fault> {
        self.text.clear();
        self.ends.clear();
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
            self.text.push_str(name);
            let name_end = self.text.len();
            self.text.push_str(&attribute.value);
            self.ends.push((name_end, self.text.len()));
            if self.ends.len() > limits.attributes {
                let limit = limits.attributes as u64;
                return Err(Fault::Limit { what: "the number of attributes", limit });
            }
        }
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.ends).map(|(start, (name_end, end))| {
            (&self.text[start..*name_end], &self.text[*name_end..*end])
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

fn declare(scopes: &mut Vec<Scope>, attributes: &Attributes, depth: usize) {
    for (name, value) in attributes.iter() {
        let Some(rest) = name.strip_prefix("xmlns") else { continue };
        let prefix = match rest.strip_prefix(':') {
            Some(prefix) => prefix,
            None if rest.is_empty() => "",
            None => continue,
        };
        scopes.push(Scope { prefix: prefix.into(), space: Namespace::of(value), depth });
    }
}

fn resolve(scopes: &[Scope], name: &str) -> Element {
    let (prefix, local) = match name.bytes().position(|byte| byte == b':') {
        Some(colon) => (&name[..colon], &name[colon + 1..]),
        None => ("", name),
    };
    // Two empty texts are equal without looking: an empty `Box<str>` points nowhere, and comparing
    // zero bytes at an unmapped address took two fifths of reading (masked loads, AVX-512).
    let same = |scope: &&Scope| {
        scope.prefix.len() == prefix.len() && (prefix.is_empty() || *scope.prefix == *prefix)
    };
    let scope = scopes.iter().rev().find(same);
    let space = match scope {
        Some(scope) => scope.space,
        None if prefix.is_empty() => Namespace::None,
        None => Namespace::Other,
    };
    Element::of(space, local)
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn is_utf8(name: &str) -> bool {
    ["UTF-8", "UTF8", "US-ASCII", "ASCII"].iter().any(|known| name.eq_ignore_ascii_case(known))
}
