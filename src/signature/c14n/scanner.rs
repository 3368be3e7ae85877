//! Bytes, as they come, to events. What is not well-formed to the letter ends it: two parsers that
//! read one document differently are how signatures are got around.

use zeroize::Zeroizing;

use super::Flaw;
use super::scope::Scopes;
use super::tag::{Attribute, Tag, shown};
use super::text::{check_references, checked};

/// Bytes of one tag, text or comment, at most.
const LONGEST: usize = 4 << 20;
/// Elements within elements, at most.
const DEEPEST: usize = 1000;

/// One piece of a document.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Event<'a> {
    /// An element begins. Of an empty one the end follows at once.
    Start(Tag<'a>),
    /// An element ends.
    End(&'a str),
    /// Text between tags, as it was written.
    Text(&'a str),
    /// Content of a CDATA section.
    CData(&'a str),
    /// A comment.
    Comment,
    /// A processing instruction: all between `<?` and `?>`.
    Instruction(&'a str),
}

/// An event and where it is.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Item<'a> {
    pub(in super::super) event: Event<'a>,
    /// The bytes it was read from; none for the end of an empty element.
    pub(in super::super) raw: &'a [u8],
    /// Of the element that begins or ends, 1 for the root; of the element around anything else.
    pub(in super::super) depth: usize,
    /// The namespaces in force in that element.
    pub(in super::super) scopes: &'a Scopes,
    /// Offset of its first byte in the document.
    pub(in super::super) offset: u64,
    before: &'a [u8],
    line: u64,
}

impl Item<'_> {
    /// Its line, from 1.
    pub(in super::super) fn line(&self) -> u64 {
        self.line + memchr::memchr_iter(b'\n', self.before).count() as u64
    }
}

/// Something that wants the events of a document.
pub(in super::super) trait Receive {
    /// Takes the next event, or says what is wrong with it.
    fn take(&mut self, item: Item<'_>) -> Result<(), String>;
}

/// Reads one document, piece by piece.
pub(in super::super) struct Scanner {
    buffer: Zeroizing<Vec<u8>>,
    attributes: Vec<Attribute>,
    scopes: Scopes,
    /// Names of the open elements, one after the other, and where each begins.
    names: String,
    open: Vec<usize>,
    /// Offset and line of the first byte in the buffer.
    offset: u64,
    line: u64,
    begun: bool,
    /// Where the text begins: behind a byte order mark.
    head: u64,
    /// The root was met.
    rooted: bool,
}

/// What stands at the head of the buffer.
enum Found {
    /// So many bytes, dealt with.
    Taken(usize),
    /// Too little to say.
    Part,
}

impl Scanner {
    /// A document of its own.
    pub(in super::super) fn new() -> Self {
        Self::within(Scopes::default())
    }

    /// An element taken out of a document, with the namespaces in force there.
    pub(in super::super) fn within(scopes: Scopes) -> Self {
        Self {
            buffer: Zeroizing::default(),
            attributes: Vec::new(),
            scopes,
            names: String::new(),
            open: Vec::new(),
            offset: 0,
            line: 1,
            begun: false,
            head: 0,
            rooted: false,
        }
    }

    /// The next bytes.
    pub(in super::super) fn push(
        &mut self,
        bytes: &[u8],
        to: &mut impl Receive,
    ) -> Result<(), Flaw> {
        self.buffer.extend_from_slice(bytes);
        self.read(to, false)
    }

    /// The document ends here.
    pub(in super::super) fn finish(&mut self, to: &mut impl Receive) -> Result<(), Flaw> {
        self.read(to, true)?;
        if !self.rooted || !self.open.is_empty() || !self.buffer.is_empty() {
            let line = self.line + memchr::memchr_iter(b'\n', &self.buffer).count() as u64;
            return Err(Flaw { line, what: "the document ends in the middle".into() });
        }
        Ok(())
    }

    fn read(&mut self, to: &mut impl Receive, last: bool) -> Result<(), Flaw> {
        let buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        let mut done = Ok(());
        if !self.begun && (buffer.len() >= 4 || last) {
            self.begun = true;
            match &buffer[..] {
                [0xef, 0xbb, 0xbf, ..] => (at, self.head) = (3, 3),
                [0xfe, 0xff, ..] | [0xff, 0xfe, ..] | [0, ..] | [_, 0, ..] => {
                    let what = "the text is UTF-16; signatures are verified in UTF-8 alone".into();
                    return Err(Flaw { line: 1, what });
                }
                _ => {}
            }
        }
        while self.begun && at < buffer.len() {
            match self.one(&buffer, at, last, to) {
                Ok(Found::Taken(len)) => at += len,
                Ok(Found::Part) if buffer.len() - at > LONGEST => {
                    done = Err(format!("one piece of more than {LONGEST} bytes"));
                    break;
                }
                Ok(Found::Part) => break,
                Err(what) => {
                    done = Err(what);
                    break;
                }
            }
        }
        self.offset += at as u64;
        self.line += memchr::memchr_iter(b'\n', &buffer[..at]).count() as u64;
        let line = self.line;
        self.buffer = buffer;
        // The buffer keeps its place in memory, and what was read does not stay in it.
        let left = self.buffer.len() - at;
        self.buffer.copy_within(at.., 0);
        self.buffer.truncate(left);
        done.map_err(|what| Flaw { line, what })
    }

    /// Reads what stands at `at`.
    fn one(
        &mut self,
        buffer: &[u8],
        at: usize,
        last: bool,
        to: &mut impl Receive,
    ) -> Result<Found, String> {
        let rest = &buffer[at..];
        let place =
            Place { before: &buffer[..at], line: self.line, offset: self.offset + at as u64 };
        if let Some(len) = self.plain(rest, &place, to)? {
            return Ok(Found::Taken(len));
        }
        let len = match rest {
            [b'<', b'/', ..] => memchr::memchr(b'>', rest).map(|end| end + 1),
            [b'<', b'!', b'-', b'-', ..] => ends(rest, 4, b"-->"),
            [b'<', b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => ends(rest, 9, b"]]>"),
            [b'<', b'!', ..] if rest.len() < 9 && !last => None,
            [b'<', b'!', ..] => return Err("a DTD or other declaration".into()),
            [b'<', b'?', ..] => ends(rest, 2, b"?>"),
            [b'<'] => None,
            [b'<', ..] => end_of_tag(rest),
            _ => match memchr::memchr(b'<', rest) {
                None if last => Some(rest.len()),
                end => end,
            },
        };
        let Some(len) = len else { return Ok(Found::Part) };
        let raw = &rest[..len];
        match raw {
            [b'<', b'/', ..] => self.end(raw, &place, to)?,
            [b'<', b'!', b'-', ..] => {
                let text = checked(&raw[4..len - 3])?;
                if text.contains("--") || text.ends_with('-') {
                    return Err("`--` in a comment".into());
                }
                self.give(Event::Comment, raw, &place, to)?;
            }
            [b'<', b'!', ..] => {
                let text = checked(&raw[9..len - 3])?;
                self.inside()?;
                self.give(Event::CData(text), raw, &place, to)?;
            }
            [b'<', b'?', ..] => self.instruction(raw, &place, to)?,
            [b'<', ..] => self.start(raw, &place, to)?,
            _ => {
                let text = checked(raw)?;
                if self.open.is_empty() {
                    if !text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')) {
                        return Err("text outside of the root".into());
                    }
                } else {
                    if memchr::memchr2(b'&', b']', raw).is_some() {
                        check_references(text)?;
                        if memchr::memmem::find(raw, b"]]>").is_some() {
                            return Err("`]]>` in a text".into());
                        }
                    }
                    self.give(Event::Text(text), raw, &place, to)?;
                }
            }
        }
        Ok(Found::Taken(len))
    }

    /// Reads what nearly every tag is, with less ado: a start tag with nothing but a name in ASCII,
    /// or the end tag of the open element. What is anything else is no error here.
    fn plain(
        &mut self,
        bytes: &[u8],
        place: &Place<'_>,
        to: &mut impl Receive,
    ) -> Result<Option<usize>, String> {
        match bytes {
            [b'<', b'/', rest @ ..] => {
                let Some(start) = self.open.last() else { return Ok(None) };
                let len = self.names.len() - start;
                if rest.get(len) != Some(&b'>') || rest[..len] != self.names.as_bytes()[*start..] {
                    return Ok(None);
                }
                let raw = &bytes[..len + 3];
                self.give(Event::End(&self.names[*start..]), raw, place, to)?;
                self.leave();
                Ok(Some(len + 3))
            }
            [b'<', rest @ ..] if !self.open.is_empty() && self.open.len() < DEEPEST => {
                let Some(len) = rest.iter().position(|byte| !byte.is_ascii_alphabetic()) else {
                    return Ok(None);
                };
                if len == 0 || rest[len] != b'>' {
                    return Ok(None);
                }
                let Ok(name) = std::str::from_utf8(&rest[..len]) else { return Ok(None) };
                self.open.push(self.names.len());
                self.names.push_str(name);
                self.give(Event::Start(Tag::bare(name)), &bytes[..len + 2], place, to)?;
                Ok(Some(len + 2))
            }
            _ => Ok(None),
        }
    }

    fn inside(&self) -> Result<(), String> {
        match self.open.is_empty() {
            true => Err("text outside of the root".into()),
            false => Ok(()),
        }
    }

    fn give(
        &self,
        event: Event<'_>,
        raw: &[u8],
        place: &Place<'_>,
        to: &mut impl Receive,
    ) -> Result<(), String> {
        let Place { before, line, offset } = *place;
        let (depth, scopes) = (self.open.len(), &self.scopes);
        to.take(Item { event, raw, depth, scopes, offset, before, line })
    }

    fn instruction(
        &mut self,
        raw: &[u8],
        place: &Place<'_>,
        to: &mut impl Receive,
    ) -> Result<(), String> {
        let text = checked(&raw[2..raw.len() - 2])?;
        let target = text.split([' ', '\t', '\r', '\n']).next().unwrap_or("");
        if target == "xml" && place.offset == self.head {
            return declaration(text);
        }
        if !super::names::is_plain_name(target) || target.eq_ignore_ascii_case("xml") {
            return Err(format!("{} is no name of a processing instruction", shown(target)));
        }
        self.give(Event::Instruction(text), raw, place, to)
    }

    fn start(
        &mut self,
        raw: &[u8],
        place: &Place<'_>,
        to: &mut impl Receive,
    ) -> Result<(), String> {
        if self.open.is_empty() {
            if self.rooted {
                return Err("an element after the root".into());
            }
            self.rooted = true;
        }
        if self.open.len() >= DEEPEST {
            return Err(format!("more than {DEEPEST} elements within each other"));
        }
        let empty = raw.ends_with(b"/>");
        let text = checked(&raw[1..raw.len() - if empty { 2 } else { 1 }])?;
        let mut attributes = std::mem::take(&mut self.attributes);
        let done = Tag::read(text, &mut attributes).and_then(|tag| {
            self.open.push(self.names.len());
            self.names.push_str(tag.name);
            self.scopes.enter(&tag, self.open.len())?;
            self.give(Event::Start(tag), raw, place, to)?;
            if empty {
                self.give(Event::End(tag.name), b"", place, to)?;
                self.leave();
            }
            Ok(())
        });
        self.attributes = attributes;
        done
    }

    fn end(&mut self, raw: &[u8], place: &Place<'_>, to: &mut impl Receive) -> Result<(), String> {
        let name = checked(&raw[2..raw.len() - 1])?;
        let name = name.trim_end_matches([' ', '\t', '\r', '\n']);
        let expected = self.open.last().map(|start| &self.names[*start..]);
        if expected != Some(name) {
            let expected = expected.map_or("nothing".into(), shown);
            return Err(format!("{} ends where {expected} is open", shown(name)));
        }
        self.give(Event::End(name), raw, place, to)?;
        self.leave();
        Ok(())
    }

    fn leave(&mut self) {
        self.scopes.leave(self.open.len());
        if let Some(start) = self.open.pop() {
            self.names.truncate(start);
        }
    }
}

/// Whether `text` is an XML declaration (XML 1.0 §2.8) to the letter, and one of UTF-8: what another
/// parser could take for a second opinion on the encoding would be another document.
fn declaration(text: &str) -> Result<(), String> {
    const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];
    let mut rest = &text["xml".len()..];
    let mut value = |name: &str| {
        let after = rest.trim_start_matches(BLANK);
        let after = after.strip_prefix(name).filter(|_| after.len() < rest.len())?;
        let after = after.trim_start_matches(BLANK).strip_prefix('=')?;
        let after = after.trim_start_matches(BLANK);
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        rest = after;
        Some(value)
    };
    let minor = value("version").and_then(|version| version.strip_prefix("1."));
    if !minor.is_some_and(|n| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("an XML declaration without version 1".into());
    }
    if let Some(name) = value("encoding")
        && !name.eq_ignore_ascii_case("UTF-8")
        && !name.eq_ignore_ascii_case("US-ASCII")
    {
        return Err(format!("the encoding {}", shown(name)));
    }
    let known = value("standalone").is_none_or(|value| matches!(value, "yes" | "no"));
    match known && rest.trim_start_matches(BLANK).is_empty() {
        true => Ok(()),
        false => Err("an XML declaration with more than version, encoding, standalone".into()),
    }
}

struct Place<'a> {
    before: &'a [u8],
    line: u64,
    offset: u64,
}

/// Length of a piece that begins with `skip` bytes and ends with `mark`.
fn ends(bytes: &[u8], skip: usize, mark: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(bytes.get(skip..)?, mark)?;
    Some(skip + at + mark.len())
}

/// Length of a start tag: `>` may stand within its values.
fn end_of_tag(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        match bytes[at] {
            b'>' => return Some(at + 1),
            quote => at += 2 + memchr::memchr(quote, &bytes[at + 1..])?,
        }
    }
}
