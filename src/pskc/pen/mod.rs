//! From a token to the bytes of its `KeyPackage`: the hot path of minting.
//!
//! The keys are prepared once per file ([`Sealer`]); each thread writes with a [`Pen`] of its own,
//! which appends templates, escaped text and base64 to a buffer and touches nothing else. What few
//! keys have is written by `details`.

mod details;
mod text;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::sealer::Sealer;
use super::uri;
use super::writer::WriteError;
use crate::keystore::Entropy;
use crate::token::{Algorithm, DEFAULT_PERIOD, Device, Token};
use text::{Text, push_number};

pub(super) use text::{push, push_base64, push_xml};

/// Writes tokens; reuses its buffers.
pub(super) struct Pen<'a> {
    sealer: &'a Sealer,
    entropy: Entropy,
    sealed: Vec<u8>,
    mac: Vec<u8>,
}

impl<'a> Pen<'a> {
    pub(super) fn new(sealer: &'a Sealer) -> Self {
        Self { sealer, entropy: Entropy::new(), sealed: Vec::new(), mac: Vec::new() }
    }

    /// Appends the `KeyPackage` of `token` to `out`, its elements in the order of the schema
    /// (RFC 6030 §11). On an error `out` may end in a part of it.
    pub(super) fn write(&mut self, token: &Token, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let details = token.details.as_deref();
        let is_reference = details.is_some_and(|details| details.reference.is_some());
        if token.secret.is_empty() && !is_reference {
            return Err(WriteError::NoSecret { serial: token.serial.to_string() });
        }
        self.sealer.receiver.check_token(token)?;
        let text = Text(token);
        push(out, &["<KeyPackage><DeviceInfo>"]);
        text.element("Manufacturer", token.manufacturer.as_deref(), out)?;
        text.element("SerialNo", Some(token.serial.as_str()), out)?;
        text.element("Model", token.model.as_deref(), out)?;
        if let Some(details) = details {
            text.device(&details.device, out)?;
        }
        push(out, &["</DeviceInfo>"]);
        if let Some(module) = details.and_then(|details| details.crypto_module.as_ref()) {
            text.crypto_module(module, out)?;
        }
        push(out, &["<Key Id=\""]);
        text.escaped("Id", &token.key_id, out)?;
        push(out, &["\""]);
        let algorithm = match &token.algorithm {
            Algorithm::Hotp => uri::HOTP,
            Algorithm::Totp => uri::TOTP,
            Algorithm::Other(name) => name,
        };
        if !algorithm.is_empty() {
            push(out, &[" Algorithm=\""]);
            text.escaped("Algorithm", algorithm, out)?;
            push(out, &["\""]);
        }
        push(out, &[">"]);
        text.element("Issuer", token.issuer.as_deref(), out)?;
        let suite = self.sealer.receiver.suite(token.hash);
        match details {
            None if !matches!(token.algorithm, Algorithm::Other(_)) => {
                push(out, &["<AlgorithmParameters>"]);
                if let Some(suite) = suite {
                    push(out, &["<Suite>", suite, "</Suite>"]);
                }
                push(out, &["<ResponseFormat Length=\""]);
                push_number(out, token.digits.into());
                push(out, &["\" Encoding=\"DECIMAL\"/></AlgorithmParameters>"]);
            }
            None => {}
            Some(details) => {
                text.parameters(suite, &details.parameters, out)?;
                text.names(details, out)?;
            }
        }
        self.data(token, out)?;
        let lent = |device: &Device| device.lends.user && device.user == token.user;
        if !details.is_some_and(|details| lent(&details.device)) {
            text.element("UserId", token.user.as_deref(), out)?;
        }
        match details {
            None if token.start_date.is_some() || token.expiry_date.is_some() => {
                push(out, &["<Policy>"]);
                text.date("StartDate", token.start_date, out);
                text.date("ExpiryDate", token.expiry_date, out);
                push(out, &["</Policy>"]);
            }
            None => {}
            Some(details) => text.policy(details, self.sealer.receiver, out)?,
        }
        push(out, &["</Key>"]);
        if let Some(details) = details {
            details::fragments(&details.package_extensions, out);
        }
        push(out, &["</KeyPackage>\n"]);
        Ok(())
    }

    /// `Data`, if it holds anything.
    fn data(&mut self, token: &Token, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let start = out.len();
        push(out, &["<Data>"]);
        let inside = out.len();
        if !token.secret.is_empty() {
            push(out, &["<Secret>"]);
            self.secret(token, out)?;
            push(out, &["</Secret>"]);
        }
        match (&token.algorithm, token.details.as_deref()) {
            (Algorithm::Totp, None) => details::number("TimeInterval", token.period, out),
            (Algorithm::Hotp, None) => details::number("Counter", token.counter, out),
            (Algorithm::Other(_), None) => {
                // Made by hand: no file says that there is more than the values of always.
                if token.counter != 0 {
                    details::number("Counter", token.counter, out);
                }
                if token.period != DEFAULT_PERIOD {
                    details::number("TimeInterval", token.period, out);
                }
            }
            (_, Some(details)) => details::numbers(token, &details.data, out),
        }
        if out.len() == inside {
            out.truncate(start);
        } else {
            push(out, &["</Data>"]);
        }
        Ok(())
    }

    fn secret(&mut self, token: &Token, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let secret = &token.secret;
        let Some(under) = &self.sealer.under else {
            let text = Zeroizing::new(BASE64.encode(secret.expose()));
            push(out, &["<PlainValue>", &text, "</PlainValue>"]);
            return Ok(());
        };
        let mut iv = [0; 16];
        let iv = &mut iv[..under.cipher.iv_len()];
        self.entropy.fill(iv)?;
        self.sealed.clear();
        if under.keyed.seal(iv, secret.expose(), &mut self.sealed).is_none() {
            if let Some(error) = under.failure.take() {
                return Err(Box::new(error).into());
            }
            return Err(WriteError::SecretLength {
                serial: token.serial.to_string(),
                cipher: under.cipher.name(),
                bytes: secret.len(),
            });
        }
        out.extend_from_slice(&under.before);
        push_base64(out, &self.sealed);
        push(out, &["</xenc:CipherValue></xenc:CipherData></EncryptedValue>"]);
        if let Some((_, mac)) = &under.mac {
            self.mac.clear();
            mac.compute(&self.sealed, &mut self.mac);
            push(out, &["<ValueMAC>"]);
            push_base64(out, &self.mac);
            push(out, &["</ValueMAC>"]);
        }
        Ok(())
    }
}
