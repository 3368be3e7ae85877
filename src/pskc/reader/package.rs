//! One `KeyPackage` (RFC 6030 §4) becomes one token.

use std::io::Read;

use jiff::Timestamp;

use super::super::error::{Fault, shown};
use super::super::limits::{Limit, Limits};
use super::super::uri;
use super::super::xml::Element;
use super::vault::Opened;
use super::{Reader, unexpected, values};
use crate::otp::Hash;
use crate::secret::Secret;
use crate::serial::Serial;
use crate::token::{Algorithm, DEFAULT_PERIOD, Token};

/// What was read of one package so far.
#[derive(Default)]
struct Draft {
    serial: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    device_user: Option<String>,
    device_start: Option<Timestamp>,
    device_expiry: Option<Timestamp>,
    has_key: bool,
    id: Option<String>,
    algorithm: Option<Algorithm>,
    issuer: Option<String>,
    user: Option<String>,
    suite: Option<String>,
    digits: Option<u64>,
    /// Whether `Encoding` is `DECIMAL`.
    decimal: Option<bool>,
    check_digit: bool,
    reference: bool,
    secret: Option<Secret>,
    counter: Option<u64>,
    time: Option<u64>,
    period: Option<u64>,
    drift: Option<u64>,
    start: Option<Timestamp>,
    expiry: Option<Timestamp>,
}

/// Sets what may be given once.
fn once<T>(slot: &mut Option<T>, value: T, what: &'static str) -> Result<(), Fault> {
    match slot.replace(value) {
        Some(_) => Err(Fault::Repeated(what)),
        None => Ok(()),
    }
}

impl<R: Read> Reader<R> {
    /// Reads a package to its end; `None` when it holds no key.
    pub(super) fn package(&mut self) -> Result<Option<Token>, Fault> {
        let mut draft = Draft::default();
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::DeviceInfo => self.device(&mut draft)?,
                Element::Key if draft.has_key => return Err(Fault::Repeated("Key")),
                Element::Key => self.key(&mut draft)?,
                Element::CryptoModuleInfo | Element::Extensions => self.cursor.skip()?,
                other => return Err(unexpected(other, "KeyPackage")),
            }
        }
        if !draft.has_key {
            return Ok(None);
        }
        self.token(draft).map(Some)
    }

    fn string(&mut self) -> Result<String, Fault> {
        Ok(self.cursor.text()?.trim().to_owned())
    }

    fn device(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Manufacturer => {
                    once(&mut draft.manufacturer, self.string()?, "Manufacturer")?;
                }
                Element::SerialNo => {
                    let serial = self.string()?;
                    self.current.set(&serial);
                    once(&mut draft.serial, serial, "SerialNo")?;
                }
                Element::Model => once(&mut draft.model, self.string()?, "Model")?,
                Element::UserId => once(&mut draft.device_user, self.string()?, "UserId")?,
                Element::StartDate => {
                    let date = values::date(self.cursor.text()?, "StartDate")?;
                    once(&mut draft.device_start, date, "StartDate")?;
                }
                Element::ExpiryDate => {
                    let date = values::date(self.cursor.text()?, "ExpiryDate")?;
                    once(&mut draft.device_expiry, date, "ExpiryDate")?;
                }
                _ => self.cursor.skip()?,
            }
        }
        Ok(())
    }

    fn key(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        draft.has_key = true;
        draft.id = self.cursor.attribute("Id")?.map(|id| id.into_owned());
        draft.algorithm = self.cursor.attribute("Algorithm")?.map(|name| algorithm(&name));
        if let Some(id) = &draft.id
            && !self.current.known
        {
            self.current.set(id);
        }
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Issuer => once(&mut draft.issuer, self.string()?, "Issuer")?,
                Element::UserId => once(&mut draft.user, self.string()?, "UserId")?,
                Element::AlgorithmParameters => self.parameters(draft)?,
                Element::KeyReference => {
                    draft.reference = true;
                    self.cursor.skip()?;
                }
                Element::Data => self.data(draft)?,
                Element::Policy => self.policy(draft)?,
                Element::KeyProfileId | Element::FriendlyName | Element::Extensions => {
                    self.cursor.skip()?;
                }
                Element::Unknown => self.cursor.skip()?,
                other => return Err(unexpected(other, "Key")),
            }
        }
        Ok(())
    }

    fn parameters(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Suite => once(&mut draft.suite, self.string()?, "Suite")?,
                Element::ResponseFormat => {
                    if let Some(length) = self.cursor.attribute("Length")? {
                        draft.digits = Some(values::decimal(&length, "Length of ResponseFormat")?);
                    }
                    draft.decimal =
                        self.cursor.attribute("Encoding")?.map(|name| name == "DECIMAL");
                    draft.check_digit = self.check_digit()?;
                    self.cursor.skip()?;
                }
                Element::ChallengeFormat => {
                    self.check_digit()?;
                    self.cursor.skip()?;
                }
                _ => self.cursor.skip()?,
            }
        }
        Ok(())
    }

    /// The text of RFC 6030 says `CheckDigit`, its schema `CheckDigits`.
    fn check_digit(&self) -> Result<bool, Fault> {
        let mut found = false;
        for name in ["CheckDigits", "CheckDigit"] {
            if let Some(value) = self.cursor.attribute(name)? {
                found |= values::boolean(&value, "CheckDigits")?;
            }
        }
        Ok(found)
    }

    fn data(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Secret => {
                    let secret = self.secret()?;
                    once(&mut draft.secret, secret, "Secret")?;
                }
                Element::Counter => {
                    let number = self.number("Counter")?;
                    once(&mut draft.counter, number, "Counter")?;
                }
                Element::Time => {
                    let number = self.number("Time")?;
                    once(&mut draft.time, number, "Time")?;
                }
                Element::TimeInterval => {
                    let number = self.number("TimeInterval")?;
                    once(&mut draft.period, number, "TimeInterval")?;
                }
                Element::TimeDrift => {
                    let number = self.number("TimeDrift")?;
                    once(&mut draft.drift, number, "TimeDrift")?;
                }
                Element::Unknown => self.cursor.skip()?,
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

    fn number(&mut self, what: &'static str) -> Result<u64, Fault> {
        let (plain, sealed) = self.value(what, |text, _| values::plain_integer(text, what))?;
        match (plain, sealed) {
            (Some(number), None) => Ok(number),
            (None, Some(Opened::Verified(bytes) | Opened::Unauthenticated(bytes))) => {
                values::integer(&bytes, what)
            }
            (None, Some(Opened::Locked)) => Err(Fault::KeyNeeded(self.vault.describe())),
            _ => Err(Fault::Missing(what)),
        }
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

    fn policy(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::StartDate => {
                    let date = values::date(self.cursor.text()?, "StartDate")?;
                    once(&mut draft.start, date, "StartDate")?;
                }
                Element::ExpiryDate => {
                    let date = values::date(self.cursor.text()?, "ExpiryDate")?;
                    once(&mut draft.expiry, date, "ExpiryDate")?;
                }
                Element::NumberOfTransactions => {
                    values::decimal(self.cursor.text()?, "NumberOfTransactions")?;
                }
                Element::PINPolicy => {
                    for name in ["MinLength", "MaxLength", "MaxFailedAttempts"] {
                        if let Some(value) = self.cursor.attribute(name)? {
                            values::decimal(&value, "a length in PINPolicy")?;
                        }
                    }
                    self.cursor.skip()?;
                }
                _ => self.cursor.skip()?,
            }
        }
        Ok(())
    }

    /// Puts the token together; every default is the one of the standards.
    fn token(&mut self, draft: Draft) -> Result<Token, Fault> {
        let algorithm = draft.algorithm.unwrap_or_else(|| algorithm(""));
        let computes = matches!(algorithm, Algorithm::Hotp | Algorithm::Totp);
        let hash = match draft.suite.as_deref() {
            None | Some("") => Hash::Sha1,
            Some(suite) => match suite.parse() {
                Ok(hash) => hash,
                // Taking it for SHA-1, as other readers do, gives codes that never work.
                Err(_) if computes => {
                    return Err(Fault::Unsupported { what: "the Suite", uri: shown(suite) });
                }
                Err(_) => Hash::Sha1,
            },
        };
        if computes {
            if draft.decimal == Some(false) {
                return Err(values::not("Encoding of ResponseFormat", "DECIMAL"));
            }
            if draft.check_digit {
                return Err(Fault::Unsupported {
                    what: "a check digit after the code,",
                    uri: "CheckDigits".into(),
                });
            }
        }
        let digits = match draft.digits {
            None => 6,
            Some(digits @ 6..=10) => digits as u8,
            Some(digits @ 0..=255) if !computes => digits as u8,
            Some(_) => return Err(values::not("Length of ResponseFormat", "6 to 10")),
        };
        let period = match draft.period {
            None => DEFAULT_PERIOD,
            Some(period @ 1..=31_536_000) => period as u32,
            Some(_) => return Err(values::not("TimeInterval", "1 second to a year")),
        };
        let secret = match draft.secret {
            Some(secret) => secret,
            None if draft.reference => {
                self.summary.references += 1;
                Secret::default()
            }
            None => return Err(Fault::Missing("Secret")),
        };
        let id = draft.id.filter(|id| !id.is_empty());
        let serial = draft.serial.filter(|serial| !serial.is_empty());
        // Files without serial numbers name keys by id; those without either, by position.
        let key_id = id
            .or_else(|| serial.clone())
            .unwrap_or_else(|| format!("key-{}", self.summary.keys + 1));
        let serial = match serial {
            Some(serial) => Serial::new(serial)?,
            None => Serial::new(&key_id)?,
        };
        if !self.ids.insert(&key_id) {
            return Err(Fault::DuplicateId);
        }
        Ok(Token {
            serial,
            key_id,
            algorithm,
            hash,
            digits,
            period,
            counter: draft.counter.unwrap_or(0),
            secret,
            manufacturer: draft.manufacturer,
            model: draft.model,
            issuer: draft.issuer,
            user: draft.user.or(draft.device_user),
            start_date: draft.start.or(draft.device_start),
            expiry_date: draft.expiry.or(draft.device_expiry),
            details: None,
        })
    }
}

/// The algorithm of a key, in the spellings seen: RFC 6030, its drafts, `#` for `:`, and the bare
/// name, as python-pskc writes it when given that.
fn algorithm(name: &str) -> Algorithm {
    let short = name
        .strip_prefix("urn:ietf:params:xml:ns:keyprov:pskc")
        .or_else(|| name.strip_prefix("http://www.ietf.org/keyprov/pskc"))
        .and_then(|rest| rest.strip_prefix([':', '#']));
    match (name, short) {
        (uri::HOTP | "hotp", _) | (_, Some("hotp")) => Algorithm::Hotp,
        (uri::TOTP | "totp", _) | (_, Some("totp")) => Algorithm::Totp,
        _ => Algorithm::Other(name.to_owned()),
    }
}
