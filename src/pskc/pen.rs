//! From a token to the bytes of its `KeyPackage`: the hot path of minting.
//!
//! The keys are prepared once per file ([`Sealer`]); each thread writes with a [`Pen`] of its own,
//! which appends templates, escaped text and base64 to a buffer and touches nothing else.

use data_encoding::BASE64;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::sealer::Sealer;
use super::uri;
use super::writer::WriteError;
use crate::keystore::Entropy;
use crate::token::{Algorithm, DEFAULT_PERIOD, Token};

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
        if token.secret.is_empty() {
            return Err(WriteError::NoSecret { serial: token.serial.to_string() });
        }
        self.sealer.receiver.check_token(token)?;
        let text = Text(token);
        push(out, &["<KeyPackage><DeviceInfo>"]);
        text.element("Manufacturer", token.manufacturer.as_deref(), out)?;
        text.element("SerialNo", Some(token.serial.as_str()), out)?;
        text.element("Model", token.model.as_deref(), out)?;
        push(out, &["</DeviceInfo><Key Id=\""]);
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
        push(out, &["<AlgorithmParameters>"]);
        if let Some(suite) = self.sealer.receiver.suite(token.hash) {
            push(out, &["<Suite>", suite, "</Suite>"]);
        }
        push(out, &["<ResponseFormat Length=\""]);
        push_number(out, token.digits.into());
        push(out, &["\" Encoding=\"DECIMAL\"/></AlgorithmParameters><Data><Secret>"]);
        self.secret(token, out)?;
        push(out, &["</Secret>"]);
        if token.algorithm != Algorithm::Totp {
            push(out, &["<Counter><PlainValue>"]);
            push_number(out, token.counter);
            push(out, &["</PlainValue></Counter>"]);
        }
        // An unknown algorithm may have both, as OCRA has.
        let timed = token.algorithm != Algorithm::Hotp && token.period != DEFAULT_PERIOD;
        if token.algorithm == Algorithm::Totp || timed {
            push(out, &["<TimeInterval><PlainValue>"]);
            push_number(out, token.period.into());
            push(out, &["</PlainValue></TimeInterval>"]);
        }
        push(out, &["</Data>"]);
        text.element("UserId", token.user.as_deref(), out)?;
        if token.start_date.is_some() || token.expiry_date.is_some() {
            push(out, &["<Policy>"]);
            text.date("StartDate", token.start_date, out);
            text.date("ExpiryDate", token.expiry_date, out);
            push(out, &["</Policy>"]);
        }
        push(out, &["</Key></KeyPackage>\n"]);
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

/// The texts of a token, escaped.
struct Text<'a>(&'a Token);

impl Text<'_> {
    #[inline]
    fn element(
        &self,
        name: &'static str,
        text: Option<&str>,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        if let Some(text) = text {
            push(out, &["<", name, ">"]);
            self.escaped(name, text, out)?;
            push(out, &["</", name, ">"]);
        }
        Ok(())
    }

    fn date(&self, name: &str, date: Option<Timestamp>, out: &mut Vec<u8>) {
        if let Some(date) = date {
            push(out, &["<", name, ">", &date.to_string(), "</", name, ">"]);
        }
    }

    /// Appends `text` so that it means itself in an element and in an attribute.
    #[inline]
    fn escaped(
        &self,
        field: &'static str,
        text: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), WriteError> {
        push_xml(text, out).map_err(|character| self.forbidden(field, character))
    }

    fn forbidden(&self, field: &'static str, character: char) -> WriteError {
        WriteError::Character { serial: self.0.serial.to_string(), field, character }
    }
}

/// Appends `text` so that it means itself in an element and in an attribute; the error is a
/// character that XML cannot carry.
#[inline]
pub(super) fn push_xml(text: &str, out: &mut Vec<u8>) -> Result<(), char> {
    let plain = |byte: u8| byte >= b' ' && !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'');
    if text.bytes().all(plain) && !text.contains(['\u{fffe}', '\u{ffff}']) {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    for character in text.chars() {
        match character {
            '<' => push(out, &["&lt;"]),
            '>' => push(out, &["&gt;"]),
            '&' => push(out, &["&amp;"]),
            '"' => push(out, &["&quot;"]),
            '\'' => push(out, &["&apos;"]),
            '\t' | '\n' | '\r' => push(out, &["&#", &(character as u32).to_string(), ";"]),
            '\0'..=' ' if character != ' ' => return Err(character),
            '\u{fffe}' | '\u{ffff}' => return Err(character),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Ok(())
}

#[inline]
pub(super) fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    use std::io::Write;
    if number < 10 {
        out.push(b'0' + number as u8);
    } else if number < 100 {
        out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
    } else {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "{number}");
    }
}

#[inline]
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut out[start..]);
}
