//! A transport key sealed for the holder of an X.509 certificate, and its text form.
//!
//! ```text
//! trousseau-key-envelope 1
//! # remarks for people, with the openssl command that opens it
//! recipient: subject of the certificate (RFC 4514)
//! certificate-sha256: 64 hexadecimal digits, of its DER form
//! method: rsa-oaep-sha256
//! key-bits: 128 | 192 | 256
//! key-kcv: 6 hexadecimal digits
//! data: base64
//! ```
//!
//! `rsa-oaep-sha256` is RSAES-OAEP (RFC 8017 §7.1) with SHA-256, MGF1 with SHA-256 and an empty
//! label. It hides the key from all but the recipient and says nothing about who sealed it.

use std::fmt::Write as _;

use jiff::Timestamp;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::{Decode, DecodePem, Encode};
use x509_cert::ext::pkix::KeyUsage;

use super::text::Fields;
use super::{CustodyError, Kcv};
use crate::secret::Secret;

const MAGIC: &str = "trousseau-key-envelope 1";
const METHOD: &str = "rsa-oaep-sha256";
const NAMES: &[&str] =
    &["recipient", "certificate-sha256", "method", "key-bits", "key-kcv", "data"];
/// Shortest RSA key accepted, in bits (NIST SP 800-131A).
const SHORTEST: u32 = 2048;
/// Longest RSA key accepted, in bits: a longer one only serves to keep the processor busy.
const LONGEST: u32 = 8192;

/// Somebody for whom a key can be sealed: an X.509 certificate, checked for the purpose.
#[derive(Debug, Clone)]
pub struct Recipient {
    subject: String,
    sha256: [u8; 32],
    der: Vec<u8>,
    key: rsa::PublicKey,
}

impl Recipient {
    /// Reads a certificate, PEM or DER, and checks that it is valid `now`, that its key is RSA of
    /// 2048 to 8192 bits, and that its key usage, if stated, allows key encipherment (RFC 5280
    /// §4.2.1.3). Whom to trust is for the caller to decide: no chain is built.
    ///
    /// # Errors
    /// [`CustodyError::Certificate`] or [`CustodyError::Validity`].
    pub fn from_certificate(
        file: &str,
        content: &[u8],
        now: Timestamp,
    ) -> Result<Self, CustodyError> {
        let wrong = |problem: &str| CustodyError::Certificate {
            file: file.to_owned(),
            problem: problem.to_owned(),
        };
        let read = match content.starts_with(&[0x30]) {
            true => Certificate::from_der(content),
            false => Certificate::from_pem(content),
        };
        let certificate = read.map_err(|error| wrong(&format!("not a certificate: {error}")))?;
        let body = certificate.tbs_certificate();
        let validity = body.validity();
        let from = timestamp(validity.not_before).ok_or_else(|| wrong("its dates are absurd"))?;
        let to = timestamp(validity.not_after).ok_or_else(|| wrong("its dates are absurd"))?;
        if now < from || now > to {
            return Err(CustodyError::Validity { file: file.to_owned(), from, to, now });
        }
        let usage =
            body.get_extension::<KeyUsage>().map_err(|_| wrong("its key usage is garbled"))?;
        if usage.is_some_and(|(_, usage)| !usage.key_encipherment()) {
            return Err(wrong("its key usage does not allow key encipherment"));
        }
        let info =
            body.subject_public_key_info().to_der().map_err(|_| wrong("its key is garbled"))?;
        let key = <rsa::PublicKey as rsa::pkcs8::DecodePublicKey>::from_public_key_der(&info)
            .map_err(|_| wrong("its key is not RSA (or is garbled)"))?;
        let bits = key.n().bit_width();
        if !(SHORTEST..=LONGEST).contains(&bits) {
            return Err(wrong(&format!(
                "its RSA key has {bits} bits; {SHORTEST} to {LONGEST} are accepted"
            )));
        }
        let der = certificate.to_der().map_err(|_| wrong("it cannot be encoded again"))?;
        let subject = body.subject().to_string().chars().map(crate::terminal::printable).collect();
        Ok(Self { subject, sha256: Sha256::digest(&der).into(), der, key })
    }

    /// Subject of the certificate (RFC 4514).
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub(super) fn key(&self) -> &rsa::PublicKey {
        &self.key
    }

    /// Seals `key` for this recipient.
    ///
    /// # Errors
    /// [`CustodyError::KeyLength`] or [`CustodyError::Random`].
    pub fn seal(&self, key: &Secret) -> Result<Envelope, CustodyError> {
        let key_kcv = Kcv::of(key)?;
        let data = self
            .key
            .oaep_encrypt::<Sha256>(key.expose())
            .map_err(|error| CustodyError::Random(format!(" (sealing failed: {error})")))?;
        Ok(Envelope {
            recipient: self.subject.clone(),
            certificate_sha256: self.sha256,
            key_bits: key.len() * 8,
            key_kcv,
            data,
        })
    }
}

fn timestamp(time: x509_cert::time::Time) -> Option<Timestamp> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

/// A sealed transport key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Subject of the certificate it was sealed for.
    pub recipient: String,
    /// SHA-256 of that certificate's DER form.
    pub certificate_sha256: [u8; 32],
    /// Bits of the key inside.
    pub key_bits: usize,
    /// Check value of the key inside.
    pub key_kcv: Kcv,
    /// The RSAES-OAEP ciphertext.
    pub data: Vec<u8>,
}

impl Envelope {
    /// Whether `text` begins as an envelope does.
    #[must_use]
    pub fn is_envelope(text: &Secret) -> bool {
        text.expose().starts_with(b"trousseau-key-envelope")
    }

    /// The text form.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = write!(
            text,
            "{MAGIC}\n\
             # Without trousseau: sed -n 's/^data: //p' FILE | openssl base64 -d -A | openssl pkeyutl \\\n\
             #   -decrypt -inkey KEY -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 \\\n\
             #   -pkeyopt rsa_mgf1_md:sha256 | xxd -p -c 32\n\
             # Compare the key-kcv with the sender's, by telephone or on paper: anybody can seal a key.\n\
             recipient: {recipient}\ncertificate-sha256: {sha256}\nmethod: {METHOD}\n\
             key-bits: {bits}\nkey-kcv: {kcv}\ndata: {data}\n",
            recipient = self.recipient,
            sha256 = data_encoding::HEXLOWER.encode(&self.certificate_sha256),
            bits = self.key_bits,
            kcv = self.key_kcv,
            data = data_encoding::BASE64.encode(&self.data),
        );
        text
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`CustodyError::File`] or [`CustodyError::Line`], with `file` as the place.
    pub fn from_text(file: &str, text: &Secret) -> Result<Self, CustodyError> {
        let fields = Fields::read(file, text, MAGIC, NAMES)?;
        let (line, method) = fields.get("method");
        if method != METHOD {
            return Err(fields.line(line, format!("`method` is not {METHOD}, the only one known")));
        }
        let sha256 = fields.hex("certificate-sha256", 32)?;
        let certificate_sha256 = sha256.expose().try_into().map_err(|_| {
            let (line, _) = fields.get("certificate-sha256");
            fields.line(line, "`certificate-sha256` has 64 hexadecimal digits")
        })?;
        let (line, data) = fields.get("data");
        let data = data_encoding::BASE64
            .decode(data.as_bytes())
            .map_err(|_| fields.line(line, "`data` is not base64"))?;
        Ok(Self {
            recipient: fields.get("recipient").1.chars().map(crate::terminal::printable).collect(),
            certificate_sha256,
            key_bits: fields.parse("key-bits")?,
            key_kcv: fields.parse("key-kcv")?,
            data,
        })
    }
}

/// The recipient's RSA private key.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKey(rsa::PrivateKey);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}

impl PrivateKey {
    /// Reads an unencrypted RSA key in PEM: PKCS #8 or PKCS #1.
    ///
    /// # Errors
    /// [`CustodyError::PrivateKey`].
    pub fn from_pem(file: &str, content: &Secret) -> Result<Self, CustodyError> {
        let wrong = |problem| CustodyError::PrivateKey { file: file.to_owned(), problem };
        let text =
            std::str::from_utf8(content.expose()).map_err(|_| wrong("not a PEM text"))?.trim();
        let key = if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type:") {
            return Err(wrong("the private key is encrypted"));
        } else if text.contains("BEGIN RSA PRIVATE KEY") {
            rsa::PrivateKey::from_pkcs1_pem(text).ok()
        } else if text.contains("BEGIN PRIVATE KEY") {
            rsa::PrivateKey::from_pkcs8_pem(text).ok()
        } else {
            return Err(wrong("no PEM private key in it"));
        };
        let key = key.ok_or_else(|| wrong("not an RSA private key, or garbled"))?;
        match key.n().bit_width() {
            SHORTEST..=LONGEST => Ok(Self(key)),
            _ => Err(wrong("the RSA key has fewer than 2048 or more than 8192 bits")),
        }
    }

    pub(super) fn key(&self) -> &rsa::PrivateKey {
        &self.0
    }

    /// Opens `envelope`, read from `file`, and holds the key against its check value.
    ///
    /// The RSA operation is blinded, but the crate's timing is not constant (RUSTSEC-2023-0071):
    /// fine for a command that its owner runs, not for a service that others may ask.
    ///
    /// # Errors
    /// [`CustodyError::Sealed`], whatever the reason.
    pub fn open(&self, file: &str, envelope: &Envelope) -> Result<Secret, CustodyError> {
        let sealed = || CustodyError::Sealed {
            file: file.to_owned(),
            recipient: envelope.recipient.clone(),
        };
        let key = self.0.oaep_decrypt::<Sha256>(&envelope.data).map_err(|_| sealed())?;
        let key = Secret::new(key);
        match Kcv::of(&key) {
            Ok(kcv) if kcv == envelope.key_kcv && key.len() * 8 == envelope.key_bits => Ok(key),
            _ => Err(sealed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";

    fn vector(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/custody/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    fn now() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    fn private(name: &str) -> Result<PrivateKey, CustodyError> {
        PrivateKey::from_pem(name, &Secret::new(vector(name)))
    }

    #[test]
    fn sealed_and_opened_for_every_length_of_key() {
        for file in ["recipient.crt", "recipient.der"] {
            let recipient = Recipient::from_certificate(file, &vector(file), now()).unwrap();
            assert_eq!(recipient.subject(), "CN=Key Officer,O=Example Customer,C=FR");
            for length in crate::custody::KEY_LENGTHS {
                let key = Secret::random(length).unwrap();
                let text = Secret::new(recipient.seal(&key).unwrap().to_text().into_bytes());
                let envelope = Envelope::from_text("e", &text).unwrap();
                for name in ["recipient.key", "recipient-pkcs1.key"] {
                    assert_eq!(private(name).unwrap().open("e", &envelope).unwrap(), key);
                }
            }
        }
    }

    #[test]
    fn opens_what_openssl_sealed() {
        let text = Secret::new(vector("openssl.envelope"));
        let envelope = Envelope::from_text("e", &text).unwrap();
        let key = private("recipient.key").unwrap().open("e", &envelope).unwrap();
        assert_eq!(*key.to_hex(), KEY);
    }

    #[test]
    fn wrong_key_damage_and_another_key_inside_look_the_same() {
        let envelope = Envelope::from_text("e", &Secret::new(vector("openssl.envelope"))).unwrap();
        let expected = "e: this private key does not open it; it was sealed for CN=Key \
                        Officer,O=Example Customer,C=FR";
        let wrong = private("other.key").unwrap().open("e", &envelope).unwrap_err();
        assert_eq!(wrong.to_string(), expected);
        let mut damaged = envelope.clone();
        damaged.data[100] ^= 1;
        let key = private("recipient.key").unwrap();
        assert_eq!(key.open("e", &damaged).unwrap_err().to_string(), expected);
        let other = Envelope { key_kcv: "000000".parse().unwrap(), ..envelope };
        assert_eq!(key.open("e", &other).unwrap_err().to_string(), expected);
    }

    #[test]
    fn unfit_certificates_are_refused_with_the_reason() {
        for (file, problem) in [
            ("signing-only.crt", "its key usage does not allow key encipherment"),
            ("short.crt", "its RSA key has 1024 bits; 2048 to 8192 are accepted"),
            ("elliptic.crt", "its key is not RSA (or is garbled)"),
        ] {
            let error = Recipient::from_certificate(file, &vector(file), now()).unwrap_err();
            assert_eq!(error.to_string(), format!("{file}: {problem}"));
        }
        for content in [&b""[..], b"hello", b"\x30\x82", &vector("recipient.key")] {
            let error = Recipient::from_certificate("c", content, now()).unwrap_err().to_string();
            assert!(error.starts_with("c: not a certificate: "), "{error}");
        }
        let late = "2300-01-01T00:00:00Z".parse().unwrap();
        let error = Recipient::from_certificate("c", &vector("recipient.crt"), late).unwrap_err();
        assert!(error.to_string().contains("and now it is 2300-01-01T00:00:00Z"), "{error}");
    }

    #[test]
    fn unfit_private_keys_are_refused_with_the_reason() {
        for (name, problem) in [
            ("recipient-encrypted.key", "the private key is encrypted"),
            ("recipient.crt", "no PEM private key in it"),
            ("recipient.der", "not a PEM text"),
        ] {
            assert_eq!(private(name).unwrap_err().to_string(), format!("{name}: {problem}"));
        }
        let text = String::from_utf8(vector("recipient.key")).unwrap().replace("MII", "MIJ");
        let error = PrivateKey::from_pem("k", &Secret::new(text.into_bytes())).unwrap_err();
        assert_eq!(error.to_string(), "k: not an RSA private key, or garbled");
    }

    #[test]
    fn damaged_envelopes_are_placed() {
        let text = String::from_utf8(vector("openssl.envelope")).unwrap();
        for (from, to, expected) in [
            ("method: rsa-oaep", "method: rsa-1_5", "e:5: `method` is not rsa-oaep-sha256"),
            ("data: ", "data: *", "e:8: `data` is not base64"),
            ("key-kcv: 7", "key-kcv: ", "e:7: `key-kcv`: a key check value has 6"),
        ] {
            let text = Secret::new(text.replacen(from, to, 1).into_bytes());
            let error = Envelope::from_text("e", &text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
