//! A cipher whose key is in a PKCS #11 token: the token works on every value, one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{Cipher, Family, Keyed, Mode, Opener};
use crate::pkcs11::{KeyKind, Pkcs11Error, TokenKey, ValueCipher};
use crate::secret::Secret;

/// Under a key in a token.
pub(in crate::pskc) struct InToken {
    key: Arc<TokenKey>,
    cipher: ValueCipher,
    failure: Failure,
}

/// What a token said when it failed, which is not a fault of the value it was given.
#[derive(Clone, Default)]
pub(in crate::pskc) struct Failure(Arc<Mutex<Option<Pkcs11Error>>>);

impl Failure {
    /// Keeps the first error, and gives nothing for it.
    pub(in crate::pskc) fn note<T>(&self, result: Result<Option<T>, Pkcs11Error>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            None
        })
    }

    /// The first error, once.
    pub(in crate::pskc) fn take(&self) -> Option<Pkcs11Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl InToken {
    /// `cipher` under `key`; nothing when this is no key for it.
    pub(in crate::pskc) fn new(
        key: &Arc<TokenKey>,
        cipher: Cipher,
        failure: &Failure,
    ) -> Option<Self> {
        if key.kind() != (KeyKind::Aes { bytes: cipher.key_len }) {
            return None;
        }
        let cipher = value_cipher(cipher)?;
        Some(Self { key: Arc::clone(key), cipher, failure: failure.clone() })
    }
}

/// What a token calls `cipher`.
pub(in crate::pskc) fn value_cipher(cipher: Cipher) -> Option<ValueCipher> {
    match (cipher.family, cipher.mode) {
        (Family::Aes, Mode::Cbc) => Some(ValueCipher::Cbc),
        (Family::Aes, Mode::Gcm) => Some(ValueCipher::Gcm),
        (Family::Aes, Mode::Wrap) => Some(ValueCipher::Wrap),
        (Family::Aes, Mode::PaddedWrap) => Some(ValueCipher::PaddedWrap),
        _ => None,
    }
}

impl Opener for InToken {
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let opened = self.failure.note(self.key.open(self.cipher, sealed))?;
        let plain = opened.expose();
        let len = match self.cipher {
            ValueCipher::Cbc => unpadded(plain)?,
            _ => plain.len(),
        };
        Some(Zeroizing::new(plain[..len].to_vec()))
    }
}

impl Keyed for InToken {
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let plain = match self.cipher {
            ValueCipher::Cbc => padded(plain),
            _ => Secret::from(plain),
        };
        out.extend_from_slice(&self.failure.note(self.key.seal(self.cipher, iv, &plain))?);
        Some(())
    }
}

/// xmlenc-core1 §5.2.2: only the last byte of the padding has a prescribed value.
fn unpadded(blocks: &[u8]) -> Option<usize> {
    let padding = usize::from(*blocks.last()?);
    if !(1..=16).contains(&padding) {
        return None;
    }
    blocks.len().checked_sub(padding)
}

fn padded(plain: &[u8]) -> Secret {
    let padding = 16 - plain.len() % 16;
    let mut blocks = Vec::with_capacity(plain.len() + padding);
    blocks.extend_from_slice(plain);
    blocks.resize(plain.len() + padding, padding as u8);
    Secret::new(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_xml_encryption() {
        for len in 0..40 {
            let blocks = padded(&vec![7; len]);
            assert!(blocks.len().is_multiple_of(16) && blocks.len() > len);
            assert_eq!(unpadded(blocks.expose()), Some(len));
        }
        let mut random = [9; 16];
        random[15] = 5;
        assert_eq!(unpadded(&random), Some(11));
        for last in [0, 17, 255] {
            random[15] = last;
            assert_eq!(unpadded(&random), None);
        }
        assert_eq!(unpadded(&[]), None);
    }
}
