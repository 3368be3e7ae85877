//! Walking a document element by element, without ever holding more than one of them.

use std::borrow::Cow;
use std::io::{BufRead, Read};

use quick_xml::Reader;
use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::Event;
use zeroize::Zeroizing;

use super::super::error::{Fault, shown};
use super::super::limits::Limits;
use super::attributes::{Attributes, Scopes};
use super::names::Element;
use super::plain;
use super::source::{Source, Stop};

/// A place in a document: always inside an element, whose children come one by one.
pub(in super::super) struct Cursor<R> {
    xml: Reader<Source<R>>,
    event: Zeroizing<Vec<u8>>,
    text: Zeroizing<String>,
    attributes: Attributes,
    scopes: Scopes,
    /// The elements open now.
    open: Vec<Open>,
    /// Their names, one after the other.
    names: Vec<u8>,
    /// The element last entered is empty, and is to be left next.
    empty: bool,
    /// The library stands before a tag or text, not in the middle of one.
    between: bool,
    limits: Limits,
    /// Leaves everything to the library.
    #[cfg(test)]
    unaided: bool,
}

/// An element that is open.
struct Open {
    element: Element,
    /// Where its name begins in [`Cursor::names`].
    name: usize,
    /// Whether the library saw its start; then it must see its end, too, as it keeps count.
    known: bool,
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
        // Ends are matched here, where all starts are seen.
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        let mut this = Self {
            xml,
            event: Zeroizing::default(),
            text: Zeroizing::default(),
            attributes: Attributes::default(),
            scopes: Scopes::default(),
            open: Vec::new(),
            names: Vec::new(),
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
        self.open.last().map_or("document", |open| open.element.name())
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
        if std::mem::take(&mut self.empty) {
            return Ok(self.leave());
        }
        self.xml.get_mut().begin_event();
        match self.plain(keep)? {
            Some(step) => Ok(step),
            None => self.any(keep),
        }
    }

    /// Reads one event if it is of the simplest kind and lies whole in the buffer.
    fn plain(&mut self, keep: bool) -> Result<Option<Step>, Fault> {
        #[cfg(test)]
        if self.unaided {
            return Ok(None);
        }
        if !self.between {
            return Ok(None);
        }
        let bytes = self.xml.get_ref().buffered();
        match bytes {
            [b'<', b'/', rest @ ..] => {
                let Some(open) = self.open.last().filter(|open| !open.known) else {
                    return Ok(None);
                };
                let name = &self.names[open.name..];
                if rest.get(name.len()) != Some(&b'>') || !rest.starts_with(name) {
                    return Ok(None);
                }
                let len = name.len() + 3;
                self.xml.get_mut().consume(len);
                Ok(Some(self.leave()))
            }
            [b'<', ..] => {
                let Some(tag) = plain::start(bytes, &mut self.attributes, &self.limits) else {
                    return Ok(None);
                };
                let name = self.names.len();
                self.names.extend_from_slice(&bytes[1..=tag.name]);
                self.xml.get_mut().consume(tag.len);
                self.empty = tag.empty;
                self.enter(name, false).map(Some)
            }
            _ => {
                let text = match memchr::memchr2(b'<', b'&', bytes) {
                    Some(end) if bytes[end] == b'<' => std::str::from_utf8(&bytes[..end]),
                    _ => return Ok(None),
                };
                let Ok(text) = text else { return Ok(None) };
                let (len, wanted) = (text.len(), keep || is_blank(text));
                if keep {
                    self.text.push_str(text);
                }
                self.xml.get_mut().consume(len);
                if !wanted {
                    return Err(Fault::Unexpected { what: "text".into(), within: self.within() });
                }
                self.check_text()?;
                Ok(Some(Step::Go))
            }
        }
    }

    /// Enters the element whose name begins at `name`, and whose attributes were taken.
    fn enter(&mut self, name: usize, known: bool) -> Result<Step, Fault> {
        let depth = self.open.len() + 1;
        if depth == 1 {
            self.text.clear();
            self.text.push_str(&String::from_utf8_lossy(&self.names));
        }
        self.scopes.declare(&self.attributes, depth);
        let element = self.scopes.resolve(&self.names[name..]);
        self.xml.get_mut().mark();
        if depth > self.limits.depth {
            let limit = self.limits.depth as u64;
            return Err(Fault::Limit { what: "the depth of elements", limit });
        }
        self.open.push(Open { element, name, known });
        Ok(Step::Enter(element))
    }

    fn leave(&mut self) -> Step {
        self.scopes.leave(self.open.len());
        if let Some(open) = self.open.pop() {
            self.names.truncate(open.name);
        }
        Step::Leave
    }

    /// Leaves the open element, if `found` is its name.
    fn leave_by(&mut self, found: String) -> Result<Step, Fault> {
        let Some(open) = self.open.last() else {
            return Err(self.fault(IllFormedError::UnmatchedEndTag(found).into()));
        };
        let expected = &self.names[open.name..];
        if expected == found.as_bytes() {
            return Ok(self.leave());
        }
        let expected = String::from_utf8_lossy(expected).into_owned();
        Err(self.fault(IllFormedError::MismatchedEndTag { expected, found }.into()))
    }

    /// Reads one event, whatever it is.
    fn any(&mut self, keep: bool) -> Result<Step, Fault> {
        self.event.clear();
        let event = self.xml.read_event_into(&mut self.event);
        // After text the library has seen the `<` of the next tag, or the `&` of a reference.
        self.between = !matches!(event, Ok(Event::Text(_) | Event::Eof) | Err(_));
        match event {
            Ok(Event::Start(tag)) => {
                self.attributes.take(&tag, &self.limits)?;
                let name = self.names.len();
                self.names.extend_from_slice(tag.name().as_ref().as_bytes());
                self.enter(name, true)
            }
            Ok(Event::Empty(tag)) => {
                self.attributes.take(&tag, &self.limits)?;
                let name = self.names.len();
                self.names.extend_from_slice(tag.name().as_ref().as_bytes());
                self.empty = true;
                self.enter(name, false)
            }
            Ok(Event::End(tag)) => {
                let found = tag.name().as_ref().to_owned();
                self.leave_by(found)
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

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

fn is_utf8(name: &str) -> bool {
    ["UTF-8", "UTF8", "US-ASCII", "ASCII"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use super::*;

    thread_local! {
        /// Whether cursors made by this thread leave everything to the library.
        pub(super) static UNAIDED: Cell<bool> = const { Cell::new(false) };
    }

    /// Gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let len = self.0.len().min(out.len()).min(self.1);
            out[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    /// All that a walk through `document` shows: `how` says for each element whether its children
    /// are walked, its text is read, or it is skipped.
    fn walk(document: &[u8], chunk: usize, how: &[u8], unaided: bool) -> Vec<String> {
        UNAIDED.set(unaided);
        let cursor = Cursor::new(Drops(document, chunk), Limits { depth: 6, ..Limits::default() });
        UNAIDED.set(false);
        let mut cursor = match cursor {
            Ok(cursor) => cursor,
            Err((fault, place)) => return vec![format!("{fault} at {place:?}")],
        };
        let mut seen = Vec::new();
        let mut how = how.iter().cycle();
        let mut depth = 1;
        let result = loop {
            let child = match cursor.child() {
                Ok(Some(element)) => element,
                Ok(None) if depth == 1 => break cursor.end(),
                Ok(None) => {
                    depth -= 1;
                    continue;
                }
                Err(fault) => break Err(fault),
            };
            let attributes = ["a", "Id", "xmlns"].map(|name| match cursor.attribute(name) {
                Ok(value) => format!("{value:?}"),
                Err(fault) => fault.to_string(),
            });
            seen.push(format!("{child:?} {attributes:?} {:?}", cursor.place()));
            let done = match how.next() {
                Some(0) => cursor.text().map(|text| seen.push(text.to_owned())),
                Some(1) => cursor.skip(),
                _ => {
                    depth += 1;
                    Ok(())
                }
            };
            if let Err(fault) = done {
                break Err(fault);
            }
        };
        let end = result.map_err(|fault| fault.to_string());
        seen.push(format!("{end:?} at {:?}, {} bytes", cursor.place(), cursor.offset()));
        // However many elements there were, the library remembers no more than are open.
        assert!(cursor.names.len() <= document.len() && cursor.open.len() <= 6);
        seen
    }

    const PARTS: &[&str] = &[
        "<Key>",
        "</Key>",
        "<Key>",
        "</Key>",
        "<Key/>",
        "<Key />",
        "</Key >",
        "<x:Key>",
        "</x:Key>",
        "<Data a=\"1\">",
        "</Data>",
        "<Data a='1' Id=\"2\"/>",
        "<Data a=\"&lt;\">",
        "<Data a=\">\">",
        "<Key xmlns=\"urn:other\">",
        "<Key xmlns:x=\"urn:ietf:params:xml:ns:keyprov:pskc\" Id=\"é\">",
        "<Key a=\"1\" a=\"2\">",
        "<Key a=\"1\"a=\"2\">",
        "<Key a>",
        "<Key a=\"&x;\"/>",
        "<é>",
        "</é>",
        "text",
        "\n",
        "  ",
        "é",
        "&amp;",
        "&#65;",
        "&x;",
        "&",
        "<!-- c -->",
        "<![CDATA[d]]>",
        "<?pi?>",
        "<!DOCTYPE a>",
        "<",
        ">",
        "]]>",
        "\"",
        "</>",
        "<>",
        "<1>",
        "\r\n",
        "</KeyContainer>",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// The shortcut changes nothing but the time: elements, attributes, texts, places,
        /// messages are those of the library, wherever buffers end.
        #[test]
        fn plain_events_are_read_as_the_library_reads_them(
            parts in prop::collection::vec(prop::sample::select(PARTS), 0..24),
            well_formed in any::<bool>(),
            chunk in prop::sample::select(vec![1usize, 2, 7, 33, 1 << 20]),
            how in prop::collection::vec(0u8..5, 1..8),
        ) {
            let mut text = String::from(
                "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" a=\"b\">",
            );
            let mut open = Vec::new();
            for part in parts {
                // Random parts seldom match: half of the documents are led to.
                let name = part.trim_start_matches(['<', '/']).split([' ', '>', '/']).next();
                if well_formed && part.starts_with("</") {
                    let Some(name) = open.pop() else { continue };
                    text.push_str(&format!("</{name}>"));
                    continue;
                }
                let starts = part.len() > 2 && part.starts_with('<') && !part.starts_with("<!");
                if starts && !part.starts_with("<?") && !part.ends_with("/>") {
                    open.extend(name);
                }
                text.push_str(part);
            }
            if well_formed {
                while let Some(name) = open.pop() {
                    text.push_str(&format!("</{name}>"));
                }
                text.push_str("</KeyContainer>\n");
            }
            let expected = walk(text.as_bytes(), 1 << 20, &how, true);
            prop_assert_eq!(walk(text.as_bytes(), chunk, &how, false), expected, "{}", text);
        }

        /// Bytes that are no text, anywhere.
        #[test]
        fn damaged_bytes_are_refused_alike(
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            how in prop::collection::vec(0u8..5, 1..4),
        ) {
            let mut text = b"<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><Key Id=\"1\">\
                <Data a=\"x\"/>text</Key>\n<Key>t</Key></KeyContainer>".to_vec();
            let at = at.index(text.len());
            text[at] = byte;
            prop_assert_eq!(
                walk(&text, 1 << 20, &how, false),
                walk(&text, 1 << 20, &how, true),
                "{:?}",
                String::from_utf8_lossy(&text)
            );
        }
    }
}
