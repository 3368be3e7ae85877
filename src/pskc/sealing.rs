//! How a file is to be encrypted: what the user chooses.

use super::cipher::{Cipher, Family, Mode};
use super::mac::HmacHash;
use super::receiver::Receiver;
use super::writer::WriteError;

/// How values are encrypted; the length of the key chooses between AES-128, 192 and 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Encryption {
    /// AES-CBC with `ValueMAC`: what every reader has (RFC 6030 §6.1).
    #[default]
    AesCbc,
    /// AES-GCM (xmlenc-core1 §5.2.4), which authenticates by itself; few readers have it.
    AesGcm,
    /// AES key wrap (RFC 3394): secrets of 16, 24, 32, … bytes.
    AesKw,
    /// AES key wrap with padding (RFC 5649).
    AesKwPad,
    /// 3DES-CBC with `ValueMAC`, for receivers of old; disallowed for new data since 2024
    /// (NIST SP 800-131A).
    TripleDesCbc,
    /// Key wrap of 3DES (RFC 3217): secrets of a multiple of 8 bytes.
    TripleDesKw,
    /// Camellia-CBC with `ValueMAC`.
    CamelliaCbc,
    /// Key wrap of Camellia (RFC 3657).
    CamelliaKw,
}

impl Encryption {
    /// The cipher for a key of `key_len` bytes.
    pub(super) fn cipher(self, key_len: usize) -> Result<Cipher, WriteError> {
        let (family, mode) = match self {
            Self::AesCbc => (Family::Aes, Mode::Cbc),
            Self::AesGcm => (Family::Aes, Mode::Gcm),
            Self::AesKw => (Family::Aes, Mode::Wrap),
            Self::AesKwPad => (Family::Aes, Mode::PaddedWrap),
            Self::TripleDesCbc => (Family::TripleDes, Mode::Cbc),
            Self::TripleDesKw => (Family::TripleDes, Mode::Wrap),
            Self::CamelliaCbc => (Family::Camellia, Mode::Cbc),
            Self::CamelliaKw => (Family::Camellia, Mode::Wrap),
        };
        let expected = if family == Family::TripleDes { "24" } else { "16, 24 or 32" };
        Cipher::of(family, mode, key_len).ok_or(WriteError::KeyLength { expected, bytes: key_len })
    }

    /// Bytes of the key that is made when the choice is free: the shortest the cipher takes, which
    /// is what most receivers take.
    #[must_use]
    pub fn default_key_len(self) -> usize {
        if matches!(self, Self::TripleDesCbc | Self::TripleDesKw) { 24 } else { 16 }
    }

    /// Whether a MAC stands beside each value.
    #[must_use]
    pub fn has_mac(self) -> bool {
        matches!(self, Self::AesCbc | Self::TripleDesCbc | Self::CamelliaCbc)
    }

    /// Whether it is for receivers of old alone.
    #[must_use]
    pub fn is_legacy(self) -> bool {
        !matches!(self, Self::AesCbc | Self::AesGcm | Self::AesKw | Self::AesKwPad)
    }
}

/// How a file is to be encrypted, beside its key. The default is what every reader has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealing {
    /// Cipher of the values.
    pub encryption: Encryption,
    /// Hash of the MAC; only ciphers that do not authenticate by themselves have one.
    pub mac: HmacHash,
    /// Pseudo-random function of PBKDF2, for files under a passphrase.
    pub prf: HmacHash,
    /// For whom it is written: what it may hold and how it is spelled.
    pub receiver: Receiver,
    /// A key in a token works on every value, as for a receiver that has the same key and knows no
    /// others; the receivers that are known all do.
    pub in_token: bool,
}
