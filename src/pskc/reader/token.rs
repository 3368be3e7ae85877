//! From what was read of a package to a token; every default is the one of the standards.

use std::io::Read;
use std::sync::Arc;

use super::super::error::Fault;
use super::super::uri;
use super::draft::Draft;
use super::key::algorithm;
use super::{Reader, values};
use crate::otp::Hash;
use crate::secret::Secret;
use crate::serial::Serial;
use crate::token::{Algorithm, DEFAULT_PERIOD, Details, Lends, ResponseFormat, Token, ValueFormat};

impl<R: Read> Reader<R> {
    /// Puts the token together.
    pub(super) fn token(&mut self, mut draft: Draft) -> Result<Token, Fault> {
        let algorithm = draft.algorithm.take().unwrap_or_else(|| algorithm(""));
        let algorithm = if is_computed(&draft) { algorithm } else { carried(algorithm) };
        let computes = matches!(algorithm, Algorithm::Hotp | Algorithm::Totp);
        let hash = hash(&mut draft, computes);
        let digits = digits(&mut draft, computes);
        let period = match draft.interval {
            None => DEFAULT_PERIOD,
            Some(period @ 1..=31_536_000) => period as u32,
            Some(_) if algorithm != Algorithm::Totp => DEFAULT_PERIOD,
            Some(_) => return Err(values::not("TimeInterval", "1 second to a year")),
        };
        numbers(&mut draft, &algorithm);
        let lends = device(&mut draft);
        let mut details = draft.take_details();
        let secret = match (draft.secret, &details) {
            (Some(secret), _) => secret,
            (None, Some(details)) if details.reference.is_some() => {
                self.summary.references += 1;
                Secret::default()
            }
            (None, _) => return Err(Fault::Missing("Secret")),
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
        let borrowed = details.as_mut().map(|details| {
            let device = &mut details.device;
            device.lends = lends;
            let user = device.user.clone().filter(|_| lends.user);
            (user, device.start_date, device.expiry_date)
        });
        let (user, start, expiry) = borrowed.unwrap_or_default();
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
            user: draft.user.or(user),
            start_date: draft.start.or(start),
            expiry_date: draft.expiry.or(expiry),
            details: details.map(|details| self.shared(*details)),
        })
    }

    /// Keys of one batch are mostly alike, and then have the same details.
    fn shared(&mut self, details: Details) -> Arc<Details> {
        match &self.last_details {
            Some(last) if **last == details => Arc::clone(last),
            _ => Arc::clone(self.last_details.insert(Arc::new(details))),
        }
    }
}

/// Whether hash and length of the codes are among those that are computed here.
fn is_computed(draft: &Draft) -> bool {
    let suite = draft.suite.as_deref().unwrap_or_default();
    let decimal = draft.response.as_ref().filter(|it| it.encoding == ValueFormat::Decimal);
    let length = decimal.and_then(|response| response.length);
    (suite.is_empty() || suite.parse::<Hash>().is_ok())
        && length.is_none_or(|length| (6..=10).contains(&length))
}

/// An algorithm of which no code is computed. One unusual key must not keep a whole batch from being
/// read; taking its hash for SHA-1, as other readers do, would give codes that never work.
fn carried(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::Hotp => Algorithm::Other(uri::HOTP.to_owned()),
        Algorithm::Totp => Algorithm::Other(uri::TOTP.to_owned()),
        other => other,
    }
}

fn hash(draft: &mut Draft, computes: bool) -> Hash {
    let Some(suite) = draft.suite.take().filter(|suite| !suite.is_empty()) else {
        return Hash::Sha1;
    };
    let hash = suite.parse().unwrap_or(Hash::Sha1);
    if !computes {
        draft.details().parameters.suite = Some(suite);
    }
    hash
}

fn digits(draft: &mut Draft, computes: bool) -> u8 {
    let Some(response) = draft.response.take() else { return 6 };
    let length = response.length;
    let plain = response.encoding == ValueFormat::Decimal;
    if !computes {
        draft.details().parameters.response = Some(response);
        return length.map_or(6, |length| u8::try_from(length).unwrap_or(u8::MAX));
    }
    if !plain || response.check_digits {
        let length = if plain { None } else { length };
        draft.details().parameters.response = Some(ResponseFormat { length, ..response });
    }
    match length {
        Some(digits @ 6..=10) => digits as u8,
        // Not given, or of codes that are no decimal digits.
        _ => 6,
    }
}

/// Keeps the numbers that the token has no place for.
fn numbers(draft: &mut Draft, algorithm: &Algorithm) {
    let counter = draft.counter.filter(|_| *algorithm != Algorithm::Hotp);
    let interval = draft.interval.filter(|_| *algorithm != Algorithm::Totp);
    let (time, drift) = (draft.time, draft.drift);
    if counter.is_some() || interval.is_some() || time.is_some() || drift.is_some() {
        let data = &mut draft.details().data;
        (data.counter, data.interval, data.time, data.drift) = (counter, interval, time, drift);
    }
}

/// Keeps what is the device's, and says which of it becomes the key's.
fn device(draft: &mut Draft) -> Lends {
    let (user, start, expiry) = (draft.device_user.take(), draft.device_start, draft.device_expiry);
    if user.is_none() && start.is_none() && expiry.is_none() {
        return Lends::default();
    }
    let lends = Lends {
        user: user.is_some() && draft.user.is_none(),
        start_date: start.is_some() && draft.start.is_none(),
        expiry_date: expiry.is_some() && draft.expiry.is_none(),
    };
    let device = &mut draft.details().device;
    (device.user, device.start_date, device.expiry_date) = (user, start, expiry);
    lends
}
