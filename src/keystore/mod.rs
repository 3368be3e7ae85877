//! Keys under which batches travel: what they are, where they are read from, how a new one is made.
//!
//! May use [`crate::secret`], [`crate::custody`] for private keys, [`crate::pkcs11`] for keys in
//! tokens, and files; knows nothing of PSKC, which gives these keys their use.
//! A key never comes from an argument or the environment, where other processes could see it.

mod entropy;
mod source;

pub use entropy::Entropy;
pub use source::{KeystoreError, NewTransportKey, Source};

use std::sync::Arc;

use crate::custody::PrivateKey;
use crate::pkcs11::{Pkcs11Error, TokenKey};
use crate::secret::Secret;

/// The key of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchKey {
    /// A pre-shared symmetric key of 16, 24 or 32 bytes (RFC 6030 §6.1).
    Transport(Secret),
    /// A passphrase, UTF-8, from which the key is derived by PBKDF2 (RFC 6030 §6.2).
    Passphrase(Secret),
    /// The private key of a recipient's certificate (RFC 6030 §6.3): for reading only.
    Private(Arc<PrivateKey>),
    /// A key that stays in its token: of AES, or the private key of a certificate.
    Token(Arc<TokenKey>),
}

impl BatchKey {
    /// Reads a transport key: hexadecimal text (blanks around it allowed), or the raw bytes.
    ///
    /// # Errors
    /// [`KeystoreError::TransportKey`] when it is neither; nothing of it is echoed.
    pub fn transport(content: &Secret, from: &str) -> Result<Self, KeystoreError> {
        let text = std::str::from_utf8(content.expose()).map(str::trim).ok();
        let key = text.and_then(Secret::from_hex).filter(|key| !key.is_empty());
        // 32 characters of hexadecimal text are a key of 16 bytes, not a raw one of 32; with a slip
        // among them, they are no key at all.
        if key.is_none()
            && let Some(character) = text.and_then(slip)
        {
            return Err(KeystoreError::Mistyped { from: from.to_owned(), character });
        }
        let key = key.unwrap_or_else(|| content.clone());
        match key.len() {
            16 | 24 | 32 => Ok(Self::Transport(key)),
            bytes => Err(KeystoreError::TransportKey { from: from.to_owned(), bytes }),
        }
    }

    /// Reads an unencrypted RSA private key in PEM.
    ///
    /// # Errors
    /// [`KeystoreError::Private`] with the reason.
    pub fn private(content: &Secret, from: &str) -> Result<Self, KeystoreError> {
        let key = PrivateKey::from_pem(from, content).map_err(Box::new)?;
        Ok(Self::Private(Arc::new(key)))
    }

    /// The key of a token: itself, if the token gives it away, as it then works at full speed.
    ///
    /// # Errors
    /// Those of the token.
    pub fn in_token(key: TokenKey) -> Result<Self, Pkcs11Error> {
        Ok(match key.value()? {
            Some(value) => Self::Transport(value),
            None => Self::Token(Arc::new(key)),
        })
    }

    /// Reads a passphrase: the first line, without its end.
    ///
    /// # Errors
    /// [`KeystoreError::Passphrase`] when that line is empty or not UTF-8.
    pub fn passphrase(content: &Secret, from: &str) -> Result<Self, KeystoreError> {
        let line = content.expose().split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let problem = match std::str::from_utf8(line) {
            Ok("") => "is empty",
            Ok(_) => return Ok(Self::Passphrase(Secret::from(line))),
            Err(_) => "is not UTF-8",
        };
        Err(KeystoreError::Passphrase { from: from.to_owned(), problem })
    }
}

/// In a text that is nearly all hexadecimal digits, the first character that is none, from 1. Random
/// bytes are text of that kind less than once in 10^12 keys.
fn slip(text: &str) -> Option<usize> {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    let all = text.chars().count();
    let wrong = text.chars().position(|c| !c.is_ascii_hexdigit())?;
    (all >= 16 && digits * 4 >= all * 3).then_some(wrong + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(bytes: &[u8]) -> Secret {
        Secret::from(bytes)
    }

    #[test]
    fn transport_keys_are_hexadecimal_text_or_raw_bytes() {
        let hex = b" 12345678901234567890123456789012\r\n";
        let Ok(BatchKey::Transport(key)) = BatchKey::transport(&secret(hex), "f") else {
            panic!("not read")
        };
        assert_eq!(*key.to_hex(), "12345678901234567890123456789012");
        let raw = [0xa5u8; 32];
        assert_eq!(
            BatchKey::transport(&secret(&raw), "f").unwrap(),
            BatchKey::Transport(secret(&raw))
        );
    }

    #[test]
    fn a_wrong_length_is_named_and_the_key_is_not() {
        let error = BatchKey::transport(&secret(b"0011223344"), "key.hex").unwrap_err();
        assert_eq!(
            error.to_string(),
            "key.hex: a transport key has 16, 24 or 32 bytes, this one has 5"
        );
        assert!(error.hint().contains("hexadecimal"));
    }

    #[test]
    fn a_mistyped_key_is_not_taken_for_raw_bytes() {
        for (text, character) in [
            ("O0112233445566778899aabbccddeeff", 1),
            ("00112233445566778899aabbccddee f\n", 31),
            ("  0011223344556677l899aabbccddeeff", 17),
        ] {
            let error = BatchKey::transport(&secret(text.as_bytes()), "key.hex").unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "key.hex: character {character} of the transport key is no hexadecimal digit"
                )
            );
        }
        // Raw bytes that happen to be text stay raw bytes.
        assert!(BatchKey::transport(&secret(b"sixteen letters!"), "f").is_ok());
    }

    #[test]
    fn a_passphrase_is_the_first_line() {
        for content in ["pässwörd", "pässwörd\n", "pässwörd\r\nmore"] {
            assert_eq!(
                BatchKey::passphrase(&secret(content.as_bytes()), "f").unwrap(),
                BatchKey::Passphrase(secret("pässwörd".as_bytes()))
            );
        }
        for (bad, problem) in [(&b"\nnext"[..], "is empty"), (b"\xff\n", "is not UTF-8")] {
            let error = BatchKey::passphrase(&secret(bad), "words").unwrap_err().to_string();
            assert_eq!(error, format!("words: the passphrase (its first line) {problem}"));
        }
    }
}
