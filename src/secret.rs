//! Secrets as a type: seeds, transport keys, PINs.
//!
//! A [`Secret`] never shows itself: `Debug` is redacted, there is no `Display` and no
//! serialisation, its memory is wiped on drop, and reading it takes the visible verb
//! [`Secret::expose`]. Nothing else in the crate may hold secret bytes for longer than a call.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes, wiped on drop, redacted in `Debug`, compared in constant time.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of `bytes`; the caller's buffer is the secret's buffer, no copy remains.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// `len` bytes from the operating system's CSPRNG.
    ///
    /// # Errors
    /// When the operating system has no entropy to give.
    pub fn random(len: usize) -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0u8; len];
        getrandom::fill(&mut bytes)?;
        Ok(Self::new(bytes))
    }

    /// Reads hexadecimal text of either case; `None` when it is not (nothing of it is echoed).
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().map(Self::new)
    }

    /// The bytes themselves. Every call is a place where a secret may escape: keep them few.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes as lower-case hexadecimal, wiped on drop.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret([redacted; {} bytes])", self.0.len())
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_redacted() {
        let secret = Secret::new(b"12345678901234567890".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret([redacted; 20 bytes])");
    }

    #[test]
    fn hex_takes_either_case_and_refuses_the_rest() {
        let lower = Secret::from_hex("00ff10").unwrap();
        assert_eq!(lower, Secret::from_hex("00FF10").unwrap());
        assert_eq!(lower.expose(), [0, 255, 16]);
        assert_eq!(*lower.to_hex(), "00ff10");
        for bad in ["0", "0g", "00 11", "0x00"] {
            assert!(Secret::from_hex(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn random_secrets_differ() {
        assert_ne!(Secret::random(20).unwrap(), Secret::random(20).unwrap());
    }
}
