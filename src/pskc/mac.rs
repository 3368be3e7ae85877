//! `ValueMAC` (RFC 6030 §6.1.1): HMAC over IV and ciphertext, under a key of its own.

use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// An HMAC under its key, ready for any number of values.
pub(super) enum Mac {
    Sha1(Hmac<Sha1>),
    Sha224(Hmac<Sha224>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

/// The hash under an HMAC: of a `ValueMAC`, or of PBKDF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum HmacHash {
    /// What every reader has.
    #[default]
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Identifier, name for people, bytes.
const HASHES: [(HmacHash, &str, &str, usize); 5] = [
    (HmacHash::Sha1, "http://www.w3.org/2000/09/xmldsig#hmac-sha1", "HMAC-SHA1", 20),
    (HmacHash::Sha224, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha224", "HMAC-SHA224", 28),
    (HmacHash::Sha256, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "HMAC-SHA256", 32),
    (HmacHash::Sha384, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha384", "HMAC-SHA384", 48),
    (HmacHash::Sha512, "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512", "HMAC-SHA512", 64),
];

impl HmacHash {
    /// The hash of the MAC that `uri` names; both namespaces are seen for SHA-1.
    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        let name = uri
            .strip_prefix("http://www.w3.org/2000/09/xmldsig#")
            .or_else(|| uri.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#"))?;
        HASHES.iter().find(|row| row.1.rsplit('#').next() == Some(name)).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, usize) {
        HASHES.iter().find(|row| row.0 == self).unwrap_or(&HASHES[0])
    }

    /// Its identifier.
    pub(super) fn uri(self) -> &'static str {
        self.row().1
    }

    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().2
    }

    /// Bytes of a MAC, and of the key that is made for it.
    pub(super) fn len(self) -> usize {
        self.row().3
    }
}

macro_rules! each {
    ($mac:expr, $hmac:ident => $work:expr) => {
        match $mac {
            Mac::Sha1($hmac) => $work,
            Mac::Sha224($hmac) => $work,
            Mac::Sha256($hmac) => $work,
            Mac::Sha384($hmac) => $work,
            Mac::Sha512($hmac) => $work,
        }
    };
}

impl Mac {
    /// The MAC of `hash` under `key`, of any length.
    pub(super) fn new(hash: HmacHash, key: &[u8]) -> Self {
        const ANY: &str = "HMAC takes keys of every length";
        match hash {
            HmacHash::Sha1 => Self::Sha1(Hmac::new_from_slice(key).expect(ANY)),
            HmacHash::Sha224 => Self::Sha224(Hmac::new_from_slice(key).expect(ANY)),
            HmacHash::Sha256 => Self::Sha256(Hmac::new_from_slice(key).expect(ANY)),
            HmacHash::Sha384 => Self::Sha384(Hmac::new_from_slice(key).expect(ANY)),
            HmacHash::Sha512 => Self::Sha512(Hmac::new_from_slice(key).expect(ANY)),
        }
    }

    /// Appends the MAC of `data` to `out`.
    pub(super) fn compute(&self, data: &[u8], out: &mut Vec<u8>) {
        each!(self, hmac => {
            out.extend_from_slice(&hmac.clone().chain_update(data).finalize().into_bytes());
        });
    }

    /// Whether `mac`, whole, is the MAC of `data`; in constant time.
    pub(super) fn verify(&self, data: &[u8], mac: &[u8]) -> bool {
        each!(self, hmac => hmac.clone().chain_update(data).verify_slice(mac).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 and RFC 4231, test case 2.
    #[test]
    fn agrees_with_the_rfcs() {
        for (hash, start) in [
            (HmacHash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (HmacHash::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f"),
            (HmacHash::Sha256, "5bdcc146bf60754e6a042426089575c7"),
            (HmacHash::Sha384, "af45d2e376484031617f78d2b58a6b1b"),
            (HmacHash::Sha512, "164b7a7bfcf819e2e395fbe73b56e0a3"),
        ] {
            let mac = Mac::new(hash, b"Jefe");
            let mut out = Vec::new();
            mac.compute(b"what do ya want for nothing?", &mut out);
            assert!(data_encoding::HEXLOWER.encode(&out).starts_with(start), "{hash:?}");
            assert!(mac.verify(b"what do ya want for nothing?", &out));
            assert!(!mac.verify(b"what do ya want for nothing", &out));
            // A prefix is no MAC, nor is nothing at all.
            assert!(!mac.verify(b"what do ya want for nothing?", &out[..10]));
            assert!(!mac.verify(b"what do ya want for nothing?", b""));
        }
    }

    #[test]
    fn unknown_macs_are_not_taken_for_another() {
        assert_eq!(HmacHash::from_uri(HmacHash::Sha1.uri()), Some(HmacHash::Sha1));
        for uri in ["", "hmac-sha1", "http://www.w3.org/2000/09/xmldsig#hmac-zha9"] {
            assert_eq!(HmacHash::from_uri(uri), None, "{uri}");
        }
    }
}
