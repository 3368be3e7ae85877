//! PSKC as it was before RFC 6030, given out as RFC 6030 while it is read.
//!
//! The drafts of 2006 to 2009, and the programs made after them, have other names for most elements,
//! put the cipher into the head of the file, and several keys into one device. The reader of
//! [`super::reader`] knows nothing of this: it walks a [`Document`], in which everything has the
//! place and the name that RFC 6030 gives it. A file of RFC 6030 passes through untouched.
//!
//! | file | what it does |
//! |---|---|
//! | `vocabulary` | which dialects there are, their names for attributes and algorithms |
//! | `script` | elements that are given out without being in the file |
//! | `head`, `device`, `data` | what differs by more than its name |

mod data;
mod device;
mod head;
mod script;
mod vocabulary;

use std::borrow::Cow;
use std::io::Read;

use super::error::Fault;
use super::limits::Limits;
use super::xml::{Cursor, Element};
use crate::token::Fragment;
use device::Device;
use head::Cipher;
use script::{Event, Script};
pub use vocabulary::Dialect;

/// A file as a walk through the elements of RFC 6030, whatever it has.
pub(super) struct Document<R> {
    cursor: Cursor<R>,
    dialect: Dialect,
    /// What is remembered of a file that is not of RFC 6030.
    old: Option<Box<Old>>,
}

/// What is remembered on the way through an older file.
#[derive(Default)]
struct Old {
    /// What is given out before the file is read on.
    script: Script,
    /// Of all values, if the head names one.
    cipher: Option<Cipher>,
    device: Device,
    /// Facts of the key that are being kept for its `Policy`.
    policy: Vec<(Element, String)>,
    in_policy: bool,
    /// A made-up element is open around the values of a `Data`, which is to be left with it.
    wrapped: bool,
}

/// How deep elements are.
const CONTAINER: usize = 1;
const PACKAGE: usize = 2;
const KEY: usize = 3;

impl<R: Read> Document<R> {
    /// Enters the first element.
    pub(super) fn new(input: R, limits: Limits) -> Result<Self, (Fault, (u64, u64))> {
        let cursor = Cursor::new(input, limits)?;
        let dialect = Dialect::of(cursor.namespace());
        let old = (dialect != Dialect::Rfc6030).then(Box::default);
        Ok(Self { cursor, dialect, old })
    }

    /// The dialect, as far as it has shown: drafts that share the namespace of RFC 6030 are known by
    /// the first element that it does not have.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// As [`Cursor::is_utf8`].
    pub(super) fn is_utf8(&self) -> bool {
        self.cursor.is_utf8()
    }

    /// As [`Cursor::place`].
    pub(super) fn place(&self) -> (u64, u64) {
        self.cursor.place()
    }

    /// As [`Cursor::offset`].
    pub(super) fn offset(&self) -> u64 {
        self.cursor.offset()
    }

    /// As [`Cursor::end`].
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        self.cursor.end()
    }

    /// As [`Cursor::child`].
    pub(super) fn child(&mut self) -> Result<Option<Element>, Fault> {
        if self.old.is_some() {
            return self.old_child();
        }
        match self.cursor.child()? {
            Some(element) if element.is_old() => self.meet(element),
            child => Ok(child),
        }
    }

    /// As [`Cursor::skip`].
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        match &mut self.old {
            Some(old) if old.script.entered() => old.script.skip(),
            _ => self.cursor.skip(),
        }
    }

    /// As [`Cursor::text`].
    pub(super) fn text(&mut self) -> Result<&str, Fault> {
        match &mut self.old {
            Some(old) if old.script.entered() => old.script.text(),
            _ => self.cursor.text(),
        }
    }

    /// As [`Cursor::attribute`].
    pub(super) fn attribute(&self, name: &str) -> Result<Option<Cow<'_, str>>, Fault> {
        match &self.old {
            None => self.cursor.attribute(name),
            Some(old) if old.script.entered() => Ok(old.script.attribute(name).map(Cow::from)),
            Some(_) => vocabulary::attribute(&self.cursor, self.dialect, name),
        }
    }

    /// As [`Cursor::fragment`]. Nothing made up is ever kept as it is.
    pub(super) fn fragment(&mut self, room: &mut u64) -> Result<Fragment, Fault> {
        match &self.old {
            Some(old) if old.script.entered() => {
                Err(Fault::Unexpected { what: "an element".into(), within: "DeviceInfo" })
            }
            _ => self.cursor.fragment(room),
        }
    }

    /// As [`Cursor::other_attributes`].
    pub(super) fn other_attributes(
        &self,
        known: &[&str],
    ) -> Result<Vec<(String, String, String)>, Fault> {
        match &self.old {
            Some(old) if old.script.entered() => Ok(Vec::new()),
            _ => self.cursor.other_attributes(known),
        }
    }

    /// An element that RFC 6030 does not have, under its namespace.
    fn meet(&mut self, element: Element) -> Result<Option<Element>, Fault> {
        let of_draft = matches!(element, Element::Device | Element::MACAlgorithm);
        if !of_draft || self.cursor.depth() != PACKAGE {
            return Ok(Some(Element::Unknown));
        }
        self.dialect = Dialect::PskcDraft;
        let mut old = Box::<Old>::default();
        let given = old.translate(element, &mut self.cursor)?;
        self.old = Some(old);
        match given {
            Some(element) => Ok(Some(element)),
            None => self.old_child(),
        }
    }

    fn old_child(&mut self) -> Result<Option<Element>, Fault> {
        let Self { cursor, old, .. } = self;
        let old = old.get_or_insert_default();
        loop {
            match old.script.next() {
                Some(Event::Enter(element, _) | Event::Real(element)) => return Ok(Some(element)),
                Some(Event::Leave) => return Ok(None),
                Some(Event::Text(_)) => continue,
                None => {}
            }
            match cursor.child()? {
                Some(element) => {
                    if let Some(element) = old.translate(element, cursor)? {
                        return Ok(Some(element));
                    }
                }
                None if old.left(cursor.depth()) => {}
                None => return Ok(None),
            }
        }
    }
}

impl Old {
    /// What to give out for an element that was entered; `None` when it is in the script, or nothing.
    fn translate<R: Read>(
        &mut self,
        element: Element,
        cursor: &mut Cursor<R>,
    ) -> Result<Option<Element>, Fault> {
        Ok(match (cursor.depth(), element) {
            (PACKAGE, Element::Device | Element::KeyPackage) => {
                self.device = Device::default();
                Some(Element::KeyPackage)
            }
            (PACKAGE, Element::EncryptionMethod) => {
                self.cipher = head::encryption_method(cursor, &mut self.script)?;
                None
            }
            (PACKAGE, Element::DigestMethod) => {
                head::digest_method(cursor, self.cipher.is_some(), &mut self.script)?;
                None
            }
            (PACKAGE, Element::MACAlgorithm) => {
                head::mac_algorithm(cursor, &mut self.script)?;
                None
            }
            (KEY, Element::DeviceId | Element::DeviceInfo) => {
                self.device.read(cursor)?;
                self.device.give(&mut self.script);
                None
            }
            (KEY, Element::Key | Element::Secret) => self.device.key(&mut self.script),
            (4, Element::Usage) => {
                device::usage(cursor, &mut self.policy)?;
                Some(Element::AlgorithmParameters)
            }
            (4, Element::StartDate | Element::ExpiryDate) => {
                device::keep(&mut self.policy, element, cursor.text()?.to_owned())?;
                None
            }
            (4, Element::Policy) => {
                self.in_policy = true;
                Some(Element::Policy)
            }
            (4, Element::Data) => {
                self.wrapped = data::named(cursor, self.cipher.as_ref(), &mut self.script)?;
                None
            }
            (_, element) if element.is_old() => Some(Element::Unknown),
            (_, element) => Some(element),
        })
    }

    /// An element was left; the one around it is at `depth`. Whether there is a script to give out
    /// first, which then says when it is left.
    fn left(&mut self, depth: usize) -> bool {
        let policy = std::mem::take(&mut self.policy);
        match depth {
            // Its policy, or a `Data`.
            KEY if std::mem::take(&mut self.in_policy) => self.script.texts(policy),
            KEY if std::mem::take(&mut self.wrapped) => {
                self.script.leave();
                self.policy = policy;
            }
            // The key.
            PACKAGE if !policy.is_empty() => {
                self.script.enter(Element::Policy, Vec::new());
                self.script.texts(policy);
                self.script.leave();
            }
            CONTAINER | PACKAGE => return false,
            _ => {
                self.policy = policy;
                return false;
            }
        }
        self.script.leave();
        true
    }
}

#[cfg(test)]
mod tests;
