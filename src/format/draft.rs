//! A key being put together from the cells of a line.

use jiff::Timestamp;

use super::field::Field;
use crate::otp::Hash;
use crate::secret::Secret;
use crate::serial::Serial;
use crate::token::{self, Algorithm, DEFAULT_PERIOD, Token};

/// What is known of a key so far. Two cells that disagree are refused.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) serial: Option<Serial>,
    key_id: Option<String>,
    secret: Option<Secret>,
    algorithm: Option<Algorithm>,
    hash: Option<Hash>,
    digits: Option<u8>,
    period: Option<u32>,
    counter: Option<u64>,
    manufacturer: Option<String>,
    model: Option<String>,
    issuer: Option<String>,
    user: Option<String>,
    start_date: Option<Timestamp>,
    expiry_date: Option<Timestamp>,
}

impl Draft {
    /// Takes the value of `field`; settings, roster columns and PINs are no part of a key and are
    /// passed over.
    pub(super) fn set(&mut self, field: &Field, bytes: &[u8]) -> Result<(), String> {
        if let Field::Secret = field {
            return put(&mut self.secret, field, Some(Secret::from(bytes)));
        }
        if matches!(field, Field::Pin | Field::Roster(_) | Field::Setting(_)) {
            return Ok(());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{field} is not UTF-8"))?;
        match field {
            Field::Serial => {
                put(&mut self.serial, field, Some(Serial::new(text).map_err(|e| e.to_string())?))
            }
            Field::Algorithm => put(&mut self.algorithm, field, Some(text.parse()?)),
            Field::Hash => put(&mut self.hash, field, Some(text.parse()?)),
            Field::Digits => {
                let digits = number(field, text)?;
                if !(4..=10).contains(&digits) {
                    return Err(format!("no key shows {digits} digits"));
                }
                put(&mut self.digits, field, Some(digits))
            }
            Field::Period => {
                let period = number(field, text)?;
                if period == 0 {
                    return Err("a period of 0 s".into());
                }
                put(&mut self.period, field, Some(period))
            }
            Field::Counter => put(&mut self.counter, field, Some(number(field, text)?)),
            Field::KeyId => put(&mut self.key_id, field, Some(text.to_owned())),
            Field::Manufacturer => put(&mut self.manufacturer, field, Some(text.to_owned())),
            Field::Model => put(&mut self.model, field, Some(text.to_owned())),
            Field::Issuer => put(&mut self.issuer, field, Some(text.to_owned())),
            Field::User => put(&mut self.user, field, Some(text.to_owned())),
            Field::StartDate => put(&mut self.start_date, field, Some(instant(field, text)?)),
            Field::ExpiryDate => put(&mut self.expiry_date, field, Some(instant(field, text)?)),
            Field::Secret | Field::Pin | Field::Roster(_) | Field::Setting(_) => Ok(()),
        }
    }

    /// Whether `field` has no value yet, or one that is among `values`.
    pub(super) fn allows(&self, field: &Field, values: &[String]) -> bool {
        self.text(field).is_none_or(|text| values.contains(&text))
    }

    /// The value of a field that conditions ask for.
    fn text(&self, field: &Field) -> Option<String> {
        match field {
            Field::Algorithm => {
                self.algorithm.as_ref().map(|algorithm| algorithm.name().to_owned())
            }
            Field::Hash => self.hash.map(|hash| hash.name().to_owned()),
            Field::Digits => self.digits.map(|digits| digits.to_string()),
            Field::Period => self.period.map(|period| period.to_string()),
            Field::Counter => self.counter.map(|counter| counter.to_string()),
            _ => None,
        }
    }

    /// Number of bytes of the seed, once it is known.
    pub(super) fn secret_len(&self) -> Option<usize> {
        self.secret.as_ref().map(Secret::len)
    }

    /// Takes `value` where nothing is known yet.
    pub(super) fn fill(&mut self, field: &Field, value: &str) -> Result<(), String> {
        if self.text(field).is_none() { self.set(field, value.as_bytes()) } else { Ok(()) }
    }

    /// The key, when all that matters is known.
    pub(super) fn finish(self) -> Result<Token, String> {
        let missing = |field: Field| format!("nothing says what the {field} is");
        let algorithm = self.algorithm.ok_or_else(|| missing(Field::Algorithm))?;
        let serial = self.serial.ok_or_else(|| missing(Field::Serial))?;
        let secret = self.secret.ok_or_else(|| missing(Field::Secret))?;
        if secret.is_empty() {
            return Err("the secret is empty".into());
        }
        let period = match (self.period, &algorithm) {
            (Some(period), _) => period,
            (None, Algorithm::Totp) => return Err(missing(Field::Period)),
            (None, _) => DEFAULT_PERIOD,
        };
        Ok(Token {
            key_id: self.key_id.unwrap_or_else(|| serial.to_string()),
            hash: self.hash.ok_or_else(|| missing(Field::Hash))?,
            digits: self.digits.ok_or_else(|| missing(Field::Digits))?,
            counter: self.counter.unwrap_or(0),
            manufacturer: self.manufacturer,
            model: self.model,
            issuer: self.issuer,
            user: self.user,
            start_date: self.start_date,
            expiry_date: self.expiry_date,
            details: None,
            serial,
            algorithm,
            period,
            secret,
        })
    }
}

fn put<T: PartialEq>(slot: &mut Option<T>, field: &Field, value: Option<T>) -> Result<(), String> {
    if slot.is_some() && *slot != value {
        return Err(format!("two cells disagree about the {field}"));
    }
    *slot = value;
    Ok(())
}

fn number<T: std::str::FromStr>(field: &Field, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no {field}"))
}

fn instant(field: &Field, text: &str) -> Result<Timestamp, String> {
    token::instant(text).ok_or_else(|| format!("{text:?} is no {field}: RFC 3339 is wanted"))
}
