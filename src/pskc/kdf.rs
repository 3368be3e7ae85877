//! PBKDF2 (RFC 6030 §6.2, RFC 8018 §5.2): from a passphrase to a key.

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::mac::HmacHash;
use crate::secret::Secret;

/// Iterations written, as OWASP asks for each PRF. The default is HMAC-SHA1: every receiver reads
/// it and several ignore any other, which then yields a wrong key in silence. Once per file, that
/// is some 0.1 to 0.5 s (`time trousseau mint --count 3 --passphrase-file F --out G`).
pub(super) fn iterations(prf: HmacHash) -> u32 {
    match prf {
        HmacHash::Sha1 => 1_300_000,
        HmacHash::Sha224 | HmacHash::Sha256 => 600_000,
        HmacHash::Sha384 | HmacHash::Sha512 => 210_000,
    }
}

/// Bytes of salt written.
pub(super) const SALT: usize = 16;

/// The parameters of one derivation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pbkdf2 {
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
    /// Bytes of the key; a file may leave it to the cipher.
    pub(super) key_len: Option<usize>,
    pub(super) prf: HmacHash,
}

impl Pbkdf2 {
    /// The key of `key_len` bytes under `passphrase`.
    pub(super) fn derive(&self, passphrase: &Secret, key_len: usize) -> Secret {
        let mut key = vec![0; key_len];
        let (words, salt, rounds) = (passphrase.expose(), &self.salt[..], self.iterations);
        match self.prf {
            HmacHash::Sha1 => pbkdf2_hmac::<Sha1>(words, salt, rounds, &mut key),
            HmacHash::Sha224 => pbkdf2_hmac::<Sha224>(words, salt, rounds, &mut key),
            HmacHash::Sha256 => pbkdf2_hmac::<Sha256>(words, salt, rounds, &mut key),
            HmacHash::Sha384 => pbkdf2_hmac::<Sha384>(words, salt, rounds, &mut key),
            HmacHash::Sha512 => pbkdf2_hmac::<Sha512>(words, salt, rounds, &mut key),
        }
        Secret::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(prf: HmacHash, words: &str, salt: &[u8], iterations: u32, key_len: usize) -> String {
        let kdf = Pbkdf2 { salt: salt.to_vec(), iterations, key_len: None, prf };
        kdf.derive(&Secret::from(words.as_bytes()), key_len).to_hex().to_string()
    }

    #[test]
    fn agrees_with_rfc_6070_and_figure_7_of_rfc_6030() {
        assert_eq!(
            derive(HmacHash::Sha1, "password", b"salt", 4096, 20),
            "4b007901b765489abead49d926f721d065a429c1"
        );
        let salt = data_encoding::BASE64.decode(b"Ej7/PEpyEpw=").unwrap();
        assert_eq!(
            derive(HmacHash::Sha1, "qwerty", &salt, 1000, 16),
            "651e63cd57008476af1ff6422cd02e41"
        );
    }

    /// RFC 7914 §11.
    #[test]
    fn agrees_with_rfc_7914() {
        let key = derive(HmacHash::Sha256, "passwd", b"salt", 1, 64);
        assert!(
            key.starts_with("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
        );
    }
}
