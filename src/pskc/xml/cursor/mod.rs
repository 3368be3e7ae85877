//! Walking a document element by element, without ever holding more than one of them.
//!
//! Here is the walk; `step` reads one event of it, `path` knows the elements that are open,
//! `values` is what they mean as text,
//! `fragment` keeps one whole, and `fault` says in our words what the library found wrong.

mod fault;
mod fragment;
mod path;
mod step;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;
use std::io::Read;

use quick_xml::Reader;
use quick_xml::errors::IllFormedError;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use super::super::error::{Fault, shown};
use super::super::limits::{Limit, Limits};
use super::attributes::Attributes;
use super::encoding::Encoding;
use super::names::Element;
use super::source::Source;
use path::Path;
use step::{Step, is_blank};
use values::value;

/// A place in a document: always inside an element, whose children come one by one.
pub(in super::super) struct Cursor<R> {
    xml: Reader<Source<R>>,
    event: Zeroizing<Vec<u8>>,
    text: Zeroizing<String>,
    attributes: Attributes,
    path: Path,
    /// The element last entered is empty, and is to be left next.
    empty: bool,
    /// The library stands before a tag or text, not in the middle of one.
    between: bool,
    limits: Limits,
    /// Leaves everything to the library.
    #[cfg(test)]
    unaided: bool,
}

impl<R: Read> Cursor<R> {
    /// Enters the first element of the document.
    pub(in super::super) fn new(input: R, limits: Limits) -> Result<Self, (Fault, (u64, u64))> {
        let mut xml = Reader::from_reader(Source::new(input, limits.get(Limit::Text)));
        let config = xml.config_mut();
        // Ends are matched here, where all starts are seen.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut this = Self {
            xml,
            event: Zeroizing::default(),
            text: Zeroizing::default(),
            attributes: Attributes::default(),
            path: Path::default(),
            empty: false,
            between: false,
            limits,
            #[cfg(test)]
            unaided: tests::UNAIDED.get(),
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

    /// Whether the bytes are read as UTF-8.
    pub(in super::super) fn is_utf8(&self) -> bool {
        self.xml.get_ref().encoding() == Encoding::Utf8
    }

    /// How many elements are open.
    pub(in super::super) fn depth(&self) -> usize {
        self.path.depth()
    }

    /// The namespace of the open element.
    pub(in super::super) fn namespace(&self) -> &str {
        let name = std::str::from_utf8(self.path.last_name()).unwrap_or_default();
        let prefix = name.split_once(':').map_or("", |(prefix, _)| prefix);
        self.path.uri(prefix).map_or("", |(uri, _)| uri)
    }

    /// Bytes read so far.
    pub(in super::super) fn offset(&self) -> u64 {
        self.xml.get_ref().file_offset()
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
        let depth = self.path.depth();
        while self.path.depth() >= depth {
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
        self.attributes.get(name).map(value).transpose()
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
                Ok(Event::End(tag)) => {
                    let found = tag.name().as_ref().to_owned();
                    return Err(self.fault(IllFormedError::UnmatchedEndTag(found).into()));
                }
                Ok(_) => return Err(Fault::Xml("something follows its end".into())),
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn within(&self) -> &'static str {
        self.path.last().map_or("document", Element::name)
    }

    fn enter_root(&mut self) -> Result<(), Fault> {
        match self.child()? {
            Some(Element::KeyContainer | Element::SecretContainer) => Ok(()),
            _ => {
                let name = String::from_utf8_lossy(self.path.last_name());
                Err(Fault::NotPskc(shown(&name)))
            }
        }
    }
}
