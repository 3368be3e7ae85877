//! `Data` (RFC 6030 §4.2): the secret and the numbers of a key, in clear or encrypted.

use std::io::Read;

use super::super::error::Fault;
use super::super::limits::{Limit, Limits};
use super::super::xml::Element;
use super::draft::{Draft, once};
use super::vault::Opened;
use super::{Reader, unexpected, values};
use crate::secret::Secret;

impl<R: Read> Reader<R> {
    pub(super) fn data(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Secret => {
                    let secret = self.secret()?;
                    once(&mut draft.secret, secret, "Secret")?;
                }
                Element::Counter => {
                    if let Some(number) = self.number("Counter")? {
                        once(&mut draft.counter, number, "Counter")?;
                    }
                }
                Element::Time => {
                    if let Some(number) = self.signed("Time")? {
                        once(&mut draft.time, number, "Time")?;
                    }
                }
                Element::TimeInterval => {
                    if let Some(number) = self.signed("TimeInterval")? {
                        once(&mut draft.interval, number, "TimeInterval")?;
                    }
                }
                Element::TimeDrift => {
                    if let Some(number) = self.signed("TimeDrift")? {
                        once(&mut draft.drift, number, "TimeDrift")?;
                    }
                }
                Element::Unknown => {
                    let fragment = self.cursor.fragment(&mut draft.room)?;
                    draft.keep(|details| &mut details.data.other, fragment);
                }
                other => return Err(unexpected(other, "Data")),
            }
        }
        Ok(())
    }

    fn secret(&mut self) -> Result<Secret, Fault> {
        let (plain, sealed) = self.value("Secret", |text, limits| {
            let bytes = values::base64(text).ok_or_else(|| values::not_base64("PlainValue"))?;
            limits.check(Limit::Secret, bytes.len() as u64)?;
            Ok(Secret::new(bytes))
        })?;
        let read = match (&plain, &sealed) {
            (Some(secret), _) => Some(secret.len()),
            (_, Some(Opened::Verified(bytes) | Opened::Unauthenticated(bytes))) => {
                Some(bytes.len())
            }
            _ => None,
        };
        if read == Some(0) {
            return Err(Fault::EmptySecret);
        }
        match (plain, sealed) {
            (Some(secret), None) => {
                if self.vault.has_key() && !self.options.allow_unauthenticated {
                    return Err(Fault::InClear);
                }
                self.summary.in_clear += 1;
                Ok(secret)
            }
            (None, Some(opened)) => {
                let (bytes, count) = match opened {
                    Opened::Verified(bytes) => (bytes, &mut self.summary.verified),
                    Opened::Unauthenticated(bytes) => (bytes, &mut self.summary.unauthenticated),
                    Opened::Locked => (Vec::new().into(), &mut self.summary.locked),
                };
                *count += 1;
                let mut bytes = bytes;
                Ok(Secret::new(std::mem::take(&mut *bytes)))
            }
            _ => Err(Fault::Missing("the value of Secret")),
        }
    }

    /// A number; `None` when it is encrypted and there is no key.
    fn number(&mut self, what: &'static str) -> Result<Option<u64>, Fault> {
        let (plain, sealed) = self.value(what, |text, _| values::plain_integer(text, what))?;
        opened(plain, sealed, what, values::integer)
    }

    /// A number that may be negative.
    fn signed(&mut self, what: &'static str) -> Result<Option<i64>, Fault> {
        let (plain, sealed) = self.value(what, |text, _| values::plain_signed(text, what))?;
        opened(plain, sealed, what, values::signed)
    }

    /// The inside of `Secret`, `Counter` and their like: a plain or an encrypted value.
    fn value<T>(
        &mut self,
        what: &'static str,
        plain: impl Fn(&str, &Limits) -> Result<T, Fault>,
    ) -> Result<(Option<T>, Option<Opened>), Fault> {
        let mut in_clear = None;
        // After an error the stream ends, and nobody misses the buffers.
        let mut sealed = std::mem::take(&mut self.sealed);
        let (mut encrypted, mut mac) = (None, None);
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::PlainValue => {
                    let value = plain(self.cursor.text()?, &self.options.limits)?;
                    once(&mut in_clear, value, "PlainValue")?;
                }
                Element::EncryptedValue => {
                    sealed.value.read(&mut self.cursor, &self.options.limits)?;
                    once(&mut encrypted, (), "EncryptedValue")?;
                }
                Element::ValueMAC => {
                    values::base64_into(self.cursor.text()?, &mut sealed.mac)
                        .ok_or_else(|| values::not_base64("ValueMAC"))?;
                    once(&mut mac, (), "ValueMAC")?;
                }
                other => return Err(unexpected(other, what)),
            }
        }
        if in_clear.is_some() && encrypted.is_some() {
            return Err(Fault::Repeated("the value, in clear and encrypted,"));
        }
        let opened = match encrypted {
            Some(()) => {
                let mac = mac.map(|()| sealed.mac.as_slice());
                let opened = self.vault.open(&sealed.value, mac)?;
                if self.summary.cipher.is_none() {
                    self.summary.cipher = self.vault.cipher_name();
                }
                if matches!(opened, Opened::Locked) && !self.options.locked {
                    return Err(Fault::KeyNeeded(self.vault.describe()));
                }
                Some(opened)
            }
            None => None,
        };
        self.sealed = sealed;
        Ok((in_clear, opened))
    }
}

/// A number, read from what was in clear or encrypted.
fn opened<T>(
    plain: Option<T>,
    sealed: Option<Opened>,
    what: &'static str,
    read: impl FnOnce(&[u8], &'static str) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    match (plain, sealed) {
        (Some(number), None) => Ok(Some(number)),
        (None, Some(Opened::Verified(bytes) | Opened::Unauthenticated(bytes))) => {
            read(&bytes, what).map(Some)
        }
        (None, Some(Opened::Locked)) => Ok(None),
        _ => Err(Fault::Missing(what)),
    }
}
