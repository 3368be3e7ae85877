//! Pages of a server are alike: of a thousand login pages, a token or two differ. What the tree of one
//! page gave is given for the next without a tree, where the two differ in nothing that a tree, or a
//! selector, looks at.
//!
//! A page that was read by its tree is kept, with its *gaps*: places that may hold anything plain. A gap
//! is a whole quoted value of one of a few attributes ([`SILENT`]), or text between two tags. What makes
//! it one is proven, not guessed: a mark is put there, and the tree of the marked page must have it as
//! just that. The tokenizer (HTML §13.2.5) takes plain characters literally in both places, and the
//! construction of trees (§13.2.6) asks neither for these values nor which text it is, so that any two
//! pages which differ in gaps alone have one tree, but for these values. All others are read by their
//! own trees.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use scraper::{Html, Node};

use super::page;
use super::template::Escape;
use crate::charset::Charset;

/// Elements and attributes whose value no rule of a tree's construction asks for, but for a `<meta
/// http-equiv>`, which is left out. Of formatting elements, which are compared with each other, there
/// is none.
const ELEMENTS: [&str; 7] = ["input", "meta", "button", "option", "script", "style", "link"];
const SILENT: [&str; 3] = ["value", "content", "nonce"];
/// Pages kept for one selector, the longest of them, and the gaps of one.
const PAGES: usize = 4;
const LONGEST: usize = 256 << 10;
const GAPS: usize = 16;
/// Pages that may be learnt from: where they are never alike, trying ends.
const LESSONS: u32 = 64;

/// What was learnt from the pages that one selector was used on.
pub(super) struct Likeness {
    pages: RwLock<Vec<Arc<Page>>>,
    lessons: AtomicU32,
}

/// How a page is to be read: all that its value depends on, the page apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading<'a> {
    pub(super) charset: Charset,
    /// Where links of the page lead from: the site's origin and base, and the page's own path.
    pub(super) place: [&'a str; 3],
    /// How values stand in what is read.
    pub(super) escape: Escape,
}

impl Reading<'_> {
    pub(super) fn tree(&self, body: &[u8]) -> Html {
        Html::parse_document(&page::decoded(self.charset, body))
    }
}

/// A page that was read, and what differs in others like it.
struct Page {
    charset: Charset,
    place: [String; 3],
    body: Box<[u8]>,
    /// In order; each between two quotes of a kind, or between `>` and `<`.
    gaps: Vec<Range<usize>>,
    /// What was read: pieces as they are and gaps by number; `None` where there was nothing.
    value: Option<Vec<Piece>>,
}

enum Piece {
    Literal(Box<[u8]>),
    Gap(usize),
}

impl Likeness {
    /// For a selector; `None` where what it selects may hang on a value in a gap.
    pub(super) fn of(selector: &str) -> Option<Self> {
        let selector = selector.to_ascii_lowercase();
        let deaf = !selector.contains('\\') && !SILENT.iter().any(|name| selector.contains(name));
        deaf.then(Self::default)
    }

    /// What `take` takes from the tree of the page, by what was learnt if possible.
    pub(super) fn value(
        &self,
        reading: Reading<'_>,
        body: &[u8],
        take: impl Fn(&Html) -> Option<Box<[u8]>>,
    ) -> Option<Box<[u8]>> {
        {
            let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(given) = pages.iter().find_map(|page| page.given(reading, body)) {
                return given;
            }
        }
        let value = take(&reading.tree(body));
        let lesson = |left: u32| left.checked_sub(1);
        if body.len() <= LONGEST
            && self.lessons.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lesson).is_ok()
        {
            self.learn(reading, body, value.as_deref(), take);
        }
        value
    }

    fn learn(
        &self,
        reading: Reading<'_>,
        body: &[u8],
        value: Option<&[u8]>,
        take: impl Fn(&Html) -> Option<Box<[u8]>>,
    ) {
        let pages = self.pages.read().unwrap_or_else(PoisonError::into_inner).clone();
        let wider = pages.iter().find_map(|page| Some((page, page.widened(reading, body, &take)?)));
        // It gives for both pages what their trees gave.
        let wider = wider.filter(|(old, wider)| {
            wider.given(reading, body).is_some_and(|given| given.as_deref() == value)
                && wider.given(reading, &old.body) == old.given(reading, &old.body)
        });
        let (old, new) = match wider {
            Some((old, wider)) => (Some(old), wider),
            None => (None, Page::new(reading, body, value)),
        };
        let mut pages = self.pages.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = old {
            pages.retain(|page| !Arc::ptr_eq(page, old));
        }
        if pages.len() == PAGES {
            pages.remove(0);
        }
        pages.push(Arc::new(new));
    }
}

/// The gaps of a page that is like another: their places in it.
type Filled = Vec<Range<usize>>;

impl Page {
    fn new(reading: Reading<'_>, body: &[u8], value: Option<&[u8]>) -> Self {
        Self {
            charset: reading.charset,
            place: reading.place.map(str::to_owned),
            body: body.into(),
            gaps: Vec::new(),
            value: value.map(|value| vec![Piece::Literal(value.into())]),
        }
    }

    fn read_so(&self, reading: Reading<'_>) -> bool {
        self.charset == reading.charset
            && self.place.iter().zip(reading.place).all(|(mine, other)| mine == other)
    }

    /// What the tree of `body` would give, if it differs in gaps alone.
    fn given(&self, reading: Reading<'_>, body: &[u8]) -> Option<Option<Box<[u8]>>> {
        let gaps = self.fits(body).filter(|_| self.read_so(reading))?;
        let Some(value) = &self.value else { return Some(None) };
        let mut out = Vec::new();
        for piece in value {
            match piece {
                Piece::Literal(bytes) => out.extend_from_slice(bytes),
                Piece::Gap(index) => reading.escape.write(&body[gaps[*index].clone()], &mut out),
            }
        }
        Some(Some(out.into()))
    }

    /// Where the gaps are in `body`, if it differs in nothing else.
    fn fits(&self, body: &[u8]) -> Option<Filled> {
        let mut filled = Vec::with_capacity(self.gaps.len());
        let (mut mine, mut other) = (0, 0);
        for gap in &self.gaps {
            let literal = &self.body[mine..gap.start];
            other += body[other..].starts_with(literal).then_some(literal.len())?;
            let end = other + plain(&body[other..]);
            fits_between(self.body[gap.end], &body[other..end]).then_some(())?;
            filled.push(other..end);
            (mine, other) = (gap.end, end);
        }
        (body[other..] == self.body[mine..]).then_some(filled)
    }

    /// The same page with a gap wherever `body` differs as well; `None` where that makes no gap.
    fn widened(
        &self,
        reading: Reading<'_>,
        body: &[u8],
        take: impl Fn(&Html) -> Option<Box<[u8]>>,
    ) -> Option<Self> {
        let gaps = self.read_so(reading).then(|| self.gaps_towards(body))??;
        let mark = Mark::new();
        let mut marked = Vec::with_capacity(self.body.len());
        let mut after = 0;
        for (index, gap) in gaps.iter().enumerate() {
            marked.extend_from_slice(&self.body[after..gap.start]);
            marked.extend_from_slice(mark.of(index).as_bytes());
            after = gap.end;
        }
        marked.extend_from_slice(&self.body[after..]);
        let tree = reading.tree(&marked);
        for (index, gap) in gaps.iter().enumerate() {
            stands_as(&tree, &mark.of(index), self.body[gap.end]).then_some(())?;
        }
        let value = match take(&tree) {
            Some(value) => Some(mark.pieces(&value, gaps.len())?),
            None => None,
        };
        Some(Self {
            charset: self.charset,
            place: self.place.clone(),
            body: self.body.clone(),
            gaps,
            value,
        })
    }

    /// The gaps there are, and one around each place where `body` differs; `None` if there can be none.
    fn gaps_towards(&self, body: &[u8]) -> Option<Filled> {
        let (mut mine, mut other) = (0, 0);
        let mut known = self.gaps.iter().peekable();
        let mut gaps = Vec::new();
        loop {
            let until = known.peek().map_or(self.body.len(), |gap| gap.start);
            let same = common(&self.body[mine..until], &body[other..]);
            // Past `mine`, so that no gap begins within another.
            let (end, other_end) = (mine + same, other + same);
            if end == until && known.peek().is_none() {
                return (other_end == body.len()).then_some(gaps);
            }
            let start = match known.next_if(|gap| gap.start == end) {
                Some(_) => end,
                None => end - plain_before(&self.body[mine..end]),
            };
            let gap = start..end + plain(&self.body[end..]);
            let other_gap = other_end - (end - start)..other_end + plain(&body[other_end..]);
            let before = *self.body.get(gap.start.checked_sub(1)?)?;
            let next = *self.body.get(gap.end)?;
            let paired = matches!((before, next), (b'"', b'"') | (b'\'', b'\'') | (b'>', b'<'));
            let fit = |text: &[u8]| fits_between(next, text);
            if gaps.len() == GAPS
                || !paired
                || !fit(&self.body[gap.clone()])
                || !fit(&body[other_gap.clone()])
            {
                return None;
            }
            (mine, other) = (gap.end, other_gap.end);
            gaps.push(gap);
        }
    }
}

/// What stands in a gap while it is tried: nobody can have foretold it, so that no page holds it, in
/// whatever spelling.
struct Mark(String);

impl Mark {
    fn new() -> Self {
        Self(format!("q{:016x}q", RandomState::new().build_hasher().finish()))
    }

    /// The mark of this gap: its number follows, in two digits.
    fn of(&self, index: usize) -> String {
        format!("{}{index:02}", self.0)
    }

    /// What was read of a page, taken apart at its marks; `None` when there is one of no gap.
    fn pieces(&self, value: &[u8], gaps: usize) -> Option<Vec<Piece>> {
        let (mut pieces, mut rest) = (Vec::new(), value);
        while let Some(at) = memchr::memmem::find(rest, self.0.as_bytes()) {
            let index =
                (0..gaps).find(|index| rest[at..].starts_with(self.of(*index).as_bytes()))?;
            pieces.extend([Piece::Literal(rest[..at].into()), Piece::Gap(index)]);
            rest = &rest[at + self.of(index).len()..];
        }
        pieces.push(Piece::Literal(rest.into()));
        Some(pieces)
    }
}

/// Whether the tree has the mark as what stands before `next` must be: the whole value of an attribute
/// that no construction asks for, or text.
fn stands_as(tree: &Html, mark: &str, next: u8) -> bool {
    tree.tree.nodes().any(|node| match node.value() {
        Node::Text(text) => next == b'<' && text.contains(mark),
        Node::Element(element) => {
            // What a `<meta http-equiv>` says of the encoding is asked for.
            next != b'<'
                && ELEMENTS.contains(&element.name())
                && element.attr("http-equiv").is_none()
                && element.attrs().any(|(name, value)| value == mark && SILENT.contains(&name))
        }
        _ => false,
    })
}

/// Whether `text`, which is plain, can stand in a gap before `next`. Text between tags must be more than
/// blanks, which may be left out of a tree, and is trimmed at its ends when it is read.
fn fits_between(next: u8, text: &[u8]) -> bool {
    let inked = |byte: Option<&u8>| byte.is_some_and(|byte| *byte != b' ');
    next != b'<' || (inked(text.first()) && inked(text.last()))
}

/// Characters that stand for themselves in quoted values and in text, whatever is around them.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\'' | b'&' | b'<' | b'>')
}

fn plain(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_plain(**byte)).count()
}

fn plain_before(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|byte| is_plain(**byte)).count()
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

impl Default for Likeness {
    fn default() -> Self {
        Self { pages: RwLock::default(), lessons: AtomicU32::new(LESSONS) }
    }
}

/// A copy has learnt nothing.
impl Clone for Likeness {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Not the pages: they hold tokens.
impl fmt::Debug for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Likeness").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
