//! From a token to the bytes of its `KeyPackage`: the hot path of minting.
//!
//! The keys are prepared once per file ([`Sealer`]); each thread writes with a [`Pen`] of its own,
//! which appends templates, escaped text and base64 to a buffer and touches nothing else.

use data_encoding::BASE64;
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::cipher::{Cipher, Family, Keyed, Mode};
use super::kdf::{ITERATIONS, Pbkdf2, SALT};
use super::mac::{HMAC_SHA1_URI, Mac, MacHash};
use super::uri;
use super::writer::WriteError;
use crate::keystore::{BatchKey, Entropy};
use crate::otp::Hash;
use crate::secret::Secret;
use crate::token::{Algorithm, Token};

/// How values are encrypted; the length of the key chooses between AES-128, 192 and 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encryption {
    /// AES-CBC with HMAC-SHA1 `ValueMAC`: what every reader has (RFC 6030 §6.1).
    #[default]
    AesCbc,
    /// AES-GCM (xmlenc-core1 §5.2.4), which authenticates by itself; few readers have it.
    AesGcm,
}

/// Everything about a file that is not a token, prepared once: its head, cipher and MAC.
pub struct Sealer {
    head: Vec<u8>,
    under: Option<Under>,
}

struct Under {
    cipher: Cipher,
    keyed: Box<dyn Keyed>,
    mac: Option<Mac>,
    /// What stands before the base64 of each value.
    before: Vec<u8>,
}

const TAIL: &[u8] = b"</KeyContainer>\n";

impl Sealer {
    /// A file under `key`. A passphrase takes a fraction of a second to become a key.
    ///
    /// # Errors
    /// [`WriteError::KeyLength`], or [`WriteError::Random`].
    pub fn new(key: &BatchKey, encryption: Encryption) -> Result<Self, WriteError> {
        match key {
            BatchKey::Transport(key) => {
                let mut name = Vec::from(&b"<EncryptionKey><ds:KeyName>"[..]);
                name.extend_from_slice(b"Pre-shared-key</ds:KeyName></EncryptionKey>\n");
                Self::under(key, encryption, &name)
            }
            BatchKey::Private(_) => Err(WriteError::ForReading),
            BatchKey::Passphrase(words) => {
                let mut salt = vec![0; SALT];
                getrandom::fill(&mut salt)?;
                let key_len = 16;
                let kdf = Pbkdf2 {
                    salt,
                    iterations: ITERATIONS,
                    key_len: Some(key_len),
                    prf: MacHash::Sha1,
                };
                let head = derived_key(&kdf, key_len);
                Self::under(&kdf.derive(words, key_len), encryption, head.as_bytes())
            }
        }
    }

    /// A file with secrets in clear, for receivers that read nothing else.
    #[must_use]
    pub fn in_clear() -> Self {
        let mut head = Vec::new();
        open_container(&mut head);
        Self { head, under: None }
    }

    fn under(key: &Secret, encryption: Encryption, key_info: &[u8]) -> Result<Self, WriteError> {
        let mode = match encryption {
            Encryption::AesCbc => Mode::Cbc,
            Encryption::AesGcm => Mode::Gcm,
        };
        let cipher = Cipher::of(Family::Aes, mode, key.len())
            .ok_or(WriteError::KeyLength { bytes: key.len() })?;
        let keyed = cipher.keyed(key.expose()).ok_or(WriteError::KeyLength { bytes: key.len() })?;
        let mut head = Vec::new();
        open_container(&mut head);
        head.extend_from_slice(key_info);
        let method = format!(
            "<xenc:EncryptionMethod Algorithm=\"{}\"/><xenc:CipherData><xenc:CipherValue>",
            cipher.uri()
        );
        let mut mac = None;
        if !cipher.authenticates() {
            let mac_key = Secret::random(20)?;
            let mut iv = [0; 16];
            getrandom::fill(&mut iv)?;
            let mut sealed = Vec::new();
            let _ = keyed.seal(&iv, mac_key.expose(), &mut sealed);
            push(&mut head, &["<MACMethod Algorithm=\"", HMAC_SHA1_URI, "\"><MACKey>", &method]);
            push_base64(&mut head, &sealed);
            push(&mut head, &["</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>\n"]);
            mac = Some(Mac::new(MacHash::Sha1, mac_key.expose()));
        }
        let before = format!("<EncryptedValue>{method}").into_bytes();
        Ok(Self { head, under: Some(Under { cipher, keyed, mac, before }) })
    }

    /// In words, for people: `AES-128-CBC with HMAC-SHA1`.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.under {
            None => "secrets in clear".into(),
            Some(under) if under.mac.is_some() => format!("{} with HMAC-SHA1", under.cipher.name()),
            Some(under) => under.cipher.name().into(),
        }
    }

    /// What stands before the first key.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What stands after the last.
    pub(super) fn tail(&self) -> &'static [u8] {
        TAIL
    }

    /// Something to write tokens with: one per thread.
    pub(super) fn pen(&self) -> Pen<'_> {
        Pen { sealer: self, entropy: Entropy::new(), sealed: Vec::new(), mac: Vec::new() }
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.describe())
    }
}

fn open_container(out: &mut Vec<u8>) {
    push(
        out,
        &[
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<KeyContainer Version=\"1.0\" xmlns=\"",
            uri::PSKC,
            "\" xmlns:ds=\"",
            uri::DS,
            "\" xmlns:xenc=\"",
            uri::XENC,
            "\">\n",
        ],
    );
}

/// `EncryptionKey` of a passphrase, as in figure 7 of RFC 6030: the `pkcs5` namespace is the one
/// that FreeIPA and python-pskc both read. The children are without namespace there, too.
fn derived_key(kdf: &Pbkdf2, key_len: usize) -> String {
    format!(
        "<EncryptionKey><xenc11:DerivedKey xmlns:xenc11=\"{}\" xmlns:pkcs5=\"{pkcs5}\">\
         <xenc11:KeyDerivationMethod Algorithm=\"{pkcs5}pbkdf2\"><pkcs5:PBKDF2-params>\
         <Salt xmlns=\"\"><Specified>{}</Specified></Salt>\
         <IterationCount xmlns=\"\">{}</IterationCount>\
         <KeyLength xmlns=\"\">{key_len}</KeyLength><PRF xmlns=\"\"/></pkcs5:PBKDF2-params>\
         </xenc11:KeyDerivationMethod><xenc11:MasterKeyName>Passphrase</xenc11:MasterKeyName>\
         </xenc11:DerivedKey></EncryptionKey>\n",
        uri::XENC11,
        BASE64.encode(&kdf.salt),
        kdf.iterations,
        pkcs5 = uri::PKCS5,
    )
}

/// Writes tokens; reuses its buffers.
pub(super) struct Pen<'a> {
    sealer: &'a Sealer,
    entropy: Entropy,
    sealed: Vec<u8>,
    mac: Vec<u8>,
}

impl Pen<'_> {
    /// Appends the `KeyPackage` of `token` to `out`, its elements in the order of the schema
    /// (RFC 6030 §11). On an error `out` may end in a part of it.
    pub(super) fn write(&mut self, token: &Token, out: &mut Vec<u8>) -> Result<(), WriteError> {
        if token.secret.is_empty() {
            return Err(WriteError::NoSecret { serial: token.serial.to_string() });
        }
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
        match token.hash {
            Hash::Sha1 => {}
            Hash::Sha256 => push(out, &["<Suite>HMAC-SHA256</Suite>"]),
            Hash::Sha512 => push(out, &["<Suite>HMAC-SHA512</Suite>"]),
        }
        push(out, &["<ResponseFormat Length=\""]);
        push_number(out, token.digits.into());
        push(out, &["\" Encoding=\"DECIMAL\"/></AlgorithmParameters><Data><Secret>"]);
        self.secret(&token.secret, out)?;
        push(out, &["</Secret>"]);
        match token.algorithm {
            Algorithm::Totp => {
                push(out, &["<TimeInterval><PlainValue>"]);
                push_number(out, token.period.into());
                push(out, &["</PlainValue></TimeInterval>"]);
            }
            _ => {
                push(out, &["<Counter><PlainValue>"]);
                push_number(out, token.counter);
                push(out, &["</PlainValue></Counter>"]);
            }
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

    fn secret(&mut self, secret: &Secret, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let Some(under) = &self.sealer.under else {
            let text = Zeroizing::new(BASE64.encode(secret.expose()));
            push(out, &["<PlainValue>", &text, "</PlainValue>"]);
            return Ok(());
        };
        let mut iv = [0; 16];
        let iv = &mut iv[..under.cipher.iv_len()];
        self.entropy.fill(iv)?;
        self.sealed.clear();
        let sealed = under.keyed.seal(iv, secret.expose(), &mut self.sealed);
        debug_assert!(sealed.is_some(), "the length was checked");
        out.extend_from_slice(&under.before);
        push_base64(out, &self.sealed);
        push(out, &["</xenc:CipherValue></xenc:CipherData></EncryptedValue>"]);
        if let Some(mac) = &under.mac {
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
                '\0'..=' ' if character != ' ' => return Err(self.forbidden(field, character)),
                '\u{fffe}' | '\u{ffff}' => return Err(self.forbidden(field, character)),
                _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Ok(())
    }

    fn forbidden(&self, field: &'static str, character: char) -> WriteError {
        WriteError::Character { serial: self.0.serial.to_string(), field, character }
    }
}

#[inline]
fn push(out: &mut Vec<u8>, parts: &[&str]) {
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
fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut out[start..]);
}
