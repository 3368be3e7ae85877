//! A document on its way: its canonical form goes to digests, its signature is set aside.
//!
//! The whole document but the signature is digested, whatever the signature refers to: what is
//! signed and what is read cannot be two things.

use ring::digest;

use super::SignatureError;
use super::algorithm::{DS, Hash};
use super::c14n::{
    Canonical, Event, Flaw, Form, Item, Receive, Scanner, Scopes, XML, decoded, split,
};
use super::error::shortened;

/// Bytes of a signature, at most.
const LONGEST: usize = 1 << 20;

/// A digest that is wanted of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) form: Form,
    /// Whether processing instructions outside of the root are part of it: they are when the
    /// reference names the document, not when it names the root.
    pub(super) whole: bool,
    pub(super) hash: Hash,
}

impl Wanted {
    /// What is written here, so that it is known before the signature comes.
    pub(super) fn usual() -> Self {
        Self { form: Form::Inclusive, whole: true, hash: Hash::Sha256 }
    }
}

/// What was seen of a document.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) signature: Option<Found>,
    pub(super) digests: Vec<(Wanted, Vec<u8>)>,
    /// Whether there are processing instructions outside of the root.
    pub(super) outer: bool,
    /// What the root is called by its attributes of kind id.
    pub(super) ids: Vec<String>,
    /// A second element with one of them, and its line.
    pub(super) repeated: Option<(String, u64)>,
    /// Where a signature belongs: offset of the end of the root, or of `Extensions` before it;
    /// none in an empty root.
    pub(super) place: Option<u64>,
}

/// The signature of a document.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    pub(super) line: u64,
    /// The namespaces in force around it.
    pub(super) scopes: Scopes,
    /// Whether the root has attributes that an inclusive form of a part inherits.
    pub(super) inherits: bool,
}

/// Watches a document.
pub(super) struct Watch {
    scanner: Scanner,
    eyes: Eyes,
}

struct Eyes {
    streams: Vec<Stream>,
    seen: Watched,
    in_signature: bool,
    /// Element names on the way here are not kept: only those of the root and its child.
    parent: String,
    fault: Option<SignatureError>,
    inherits: bool,
}

/// One canonical form and the digests taken of it.
struct Stream {
    canonical: Canonical,
    form: Form,
    whole: bool,
    hashes: Vec<(Hash, digest::Context)>,
}

impl Watch {
    pub(super) fn new(wanted: &[Wanted]) -> Self {
        let mut streams: Vec<Stream> = Vec::new();
        for Wanted { form, whole, hash } in wanted {
            let at = streams.iter().position(|s| s.form == *form && s.whole == *whole);
            let at = at.unwrap_or_else(|| {
                let canonical = Canonical::new(form.clone());
                let (form, hashes) = (form.clone(), Vec::new());
                streams.push(Stream { canonical, form, whole: *whole, hashes });
                streams.len() - 1
            });
            streams[at].hashes.push((*hash, hash.start()));
        }
        let seen = Watched {
            signature: None,
            digests: Vec::new(),
            outer: false,
            ids: Vec::new(),
            repeated: None,
            place: None,
        };
        let (parent, fault) = (String::new(), None);
        let eyes = Eyes { streams, seen, in_signature: false, parent, fault, inherits: false };
        Self { scanner: Scanner::new(), eyes }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), SignatureError> {
        let done = self.scanner.push(bytes, &mut self.eyes);
        self.settle(done)
    }

    pub(super) fn finish(mut self) -> Result<Watched, SignatureError> {
        let done = self.scanner.finish(&mut self.eyes);
        self.settle(done)?;
        let Eyes { streams, mut seen, .. } = self.eyes;
        for Stream { canonical, form, whole, hashes } in streams {
            for (hash, mut context) in hashes {
                context.update(canonical.rest());
                let wanted = Wanted { form: form.clone(), whole, hash };
                seen.digests.push((wanted, context.finish().as_ref().to_vec()));
            }
        }
        Ok(seen)
    }

    fn settle(&mut self, done: Result<(), Flaw>) -> Result<(), SignatureError> {
        match (self.eyes.fault.take(), done) {
            (Some(fault), _) => Err(fault),
            (None, Err(Flaw { line, what })) => Err(SignatureError::Document { line, what }),
            (None, Ok(())) => Ok(()),
        }
    }
}

impl Receive for Eyes {
    fn take(&mut self, item: Item<'_>) -> Result<(), String> {
        if self.in_signature {
            return self.within_signature(&item);
        }
        match item.event {
            Event::Start(tag) => {
                let (prefix, local) = split(tag.name);
                if local == "Signature" && item.scopes.get(prefix) == Some(DS) {
                    return self.signature(&item);
                }
                if item.depth <= 2 {
                    self.high(&item, tag.name);
                }
                if !tag.is_bare() {
                    for (name, value) in tag.attributes() {
                        self.id(&item, name, value)?;
                    }
                }
            }
            Event::End(_) if item.depth == 1 => {
                let place = (!item.raw.is_empty()).then_some(item.offset);
                self.seen.place = self.seen.place.or(place);
            }
            Event::Instruction(_) if item.depth == 0 => self.seen.outer = true,
            _ => {}
        }
        for Stream { canonical, whole, hashes, .. } in &mut self.streams {
            if item.depth > 0 || *whole {
                canonical.take(&item, |bytes| {
                    hashes.iter_mut().for_each(|(_, context)| context.update(bytes));
                })?;
            }
        }
        Ok(())
    }
}

impl Eyes {
    /// The root or a child of it begins.
    fn high(&mut self, item: &Item<'_>, name: &str) {
        self.parent.clear();
        self.parent.push_str(name);
        if item.depth == 2 {
            let extension = split(name).1.starts_with("Extension");
            match (extension, self.seen.place) {
                (false, _) => self.seen.place = None,
                (true, None) => self.seen.place = Some(item.offset),
                (true, Some(_)) => {}
            }
        }
    }

    fn id(&mut self, item: &Item<'_>, name: &str, value: &str) -> Result<(), String> {
        let (prefix, local) = split(name);
        if item.depth == 1 && item.scopes.get(prefix) == Some(XML) {
            self.inherits = true;
        }
        if !matches!(local, "Id" | "ID" | "id") {
            return Ok(());
        }
        let value = decoded(value)?;
        if item.depth == 1 {
            self.seen.ids.push(value.into_owned());
        } else if self.seen.repeated.is_none() && self.seen.ids.iter().any(|id| *id == value) {
            self.seen.repeated = Some((shortened(&value), item.line()));
        }
        Ok(())
    }

    fn signature(&mut self, item: &Item<'_>) -> Result<(), String> {
        let line = item.line();
        let wrong = match (item.depth, &self.seen.signature) {
            (2, None) => {
                self.in_signature = true;
                self.seen.place = None;
                let (scopes, inherits) = (item.scopes.as_context_of(item.depth), self.inherits);
                let bytes = item.raw.to_vec();
                self.seen.signature = Some(Found { bytes, line, scopes, inherits });
                return Ok(());
            }
            (2, Some(_)) => SignatureError::Second { line },
            (1, _) => SignatureError::Misplaced { line, within: "nothing".into() },
            _ => SignatureError::Misplaced { line, within: shortened(&self.parent) },
        };
        self.fault = Some(wrong);
        Err(String::new())
    }

    fn within_signature(&mut self, item: &Item<'_>) -> Result<(), String> {
        let Some(found) = &mut self.seen.signature else { return Ok(()) };
        found.bytes.extend_from_slice(item.raw);
        if found.bytes.len() > LONGEST {
            return Err(format!("a signature of more than {LONGEST} bytes"));
        }
        if matches!(item.event, Event::End(_)) && item.depth == 2 {
            self.in_signature = false;
        }
        // What is called as the root is, in a signature, is the oldest trick of all.
        if let Event::Start(tag) = item.event {
            for (name, value) in tag.attributes() {
                if matches!(split(name).1, "Id" | "ID" | "id") {
                    let value = decoded(value)?;
                    if self.seen.ids.iter().any(|id| *id == value) {
                        self.seen.repeated = Some((shortened(&value), item.line()));
                    }
                }
            }
        }
        Ok(())
    }
}
