//! One value encrypted or decrypted.
//!
//! The layout is that of XML Encryption: IV, then ciphertext, then (GCM) tag (xmlenc-core1 §5.2);
//! a key wrap has no IV of its own, or (3DES) hides it. To add a cipher: its rows in [`CIPHERS`],
//! and its arm in [`Cipher::keyed`].

pub(super) mod in_token;
mod modes;
mod triple_des;
mod wrap;

use aes::{
    Aes128, Aes128Dec, Aes128Enc, Aes192, Aes192Dec, Aes192Enc, Aes256, Aes256Dec, Aes256Enc,
};
use aes_gcm::AesGcm;
use aes_gcm::aead::KeyInit as _;
use aes_gcm::aead::consts::U12;
use camellia::{Camellia128, Camellia192, Camellia256};
use des::TdesEde3;
use zeroize::Zeroizing;

use super::uri;
use modes::Cbc;
use triple_des::TripleDesWrap;
use wrap::Wrap;

/// A cipher that is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cipher {
    pub(super) family: Family,
    pub(super) mode: Mode,
    /// Length of its key, in bytes.
    pub(super) key_len: usize,
}

/// The block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Aes,
    Camellia,
    TripleDes,
}

/// What is made of the block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// With the padding of xmlenc-core1 §5.2.2; needs a MAC.
    Cbc,
    /// Authenticates by itself.
    Gcm,
    /// RFC 3394, for Camellia RFC 3657 §2, for 3DES RFC 3217: multiples of 8 bytes.
    Wrap,
    /// RFC 5649: any length.
    PaddedWrap,
}

/// Identifier, as it is written, and name for people.
struct Row(Cipher, &'static str, &'static str);

const fn row(
    family: Family,
    mode: Mode,
    key_len: usize,
    uri: &'static str,
    name: &'static str,
) -> Row {
    Row(Cipher { family, mode, key_len }, uri, name)
}

/// What is known of each cipher. Other spellings of its identifier are understood by
/// [`Cipher::from_uri`].
const CIPHERS: [Row; 20] = {
    use Family::{Aes, Camellia, TripleDes};
    use Mode::{Cbc, Gcm, PaddedWrap, Wrap};
    [
        row(Aes, Cbc, 16, "http://www.w3.org/2001/04/xmlenc#aes128-cbc", "AES-128-CBC"),
        row(Aes, Cbc, 24, "http://www.w3.org/2001/04/xmlenc#aes192-cbc", "AES-192-CBC"),
        row(Aes, Cbc, 32, "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "AES-256-CBC"),
        row(Aes, Gcm, 16, "http://www.w3.org/2009/xmlenc11#aes128-gcm", "AES-128-GCM"),
        row(Aes, Gcm, 24, "http://www.w3.org/2009/xmlenc11#aes192-gcm", "AES-192-GCM"),
        row(Aes, Gcm, 32, "http://www.w3.org/2009/xmlenc11#aes256-gcm", "AES-256-GCM"),
        row(Aes, Wrap, 16, "http://www.w3.org/2001/04/xmlenc#kw-aes128", "AES-128-KW"),
        row(Aes, Wrap, 24, "http://www.w3.org/2001/04/xmlenc#kw-aes192", "AES-192-KW"),
        row(Aes, Wrap, 32, "http://www.w3.org/2001/04/xmlenc#kw-aes256", "AES-256-KW"),
        row(Aes, PaddedWrap, 16, "http://www.w3.org/2009/xmlenc11#kw-aes-128-pad", "AES-128-KWP"),
        row(Aes, PaddedWrap, 24, "http://www.w3.org/2009/xmlenc11#kw-aes-192-pad", "AES-192-KWP"),
        row(Aes, PaddedWrap, 32, "http://www.w3.org/2009/xmlenc11#kw-aes-256-pad", "AES-256-KWP"),
        row(TripleDes, Cbc, 24, "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "3DES-CBC"),
        row(TripleDes, Wrap, 24, "http://www.w3.org/2001/04/xmlenc#kw-tripledes", "3DES-KW"),
        row(
            Camellia,
            Cbc,
            16,
            "http://www.w3.org/2001/04/xmldsig-more#camellia128-cbc",
            "Camellia-128-CBC",
        ),
        row(
            Camellia,
            Cbc,
            24,
            "http://www.w3.org/2001/04/xmldsig-more#camellia192-cbc",
            "Camellia-192-CBC",
        ),
        row(
            Camellia,
            Cbc,
            32,
            "http://www.w3.org/2001/04/xmldsig-more#camellia256-cbc",
            "Camellia-256-CBC",
        ),
        row(
            Camellia,
            Wrap,
            16,
            "http://www.w3.org/2001/04/xmldsig-more#kw-camellia128",
            "Camellia-128-KW",
        ),
        row(
            Camellia,
            Wrap,
            24,
            "http://www.w3.org/2001/04/xmldsig-more#kw-camellia192",
            "Camellia-192-KW",
        ),
        row(
            Camellia,
            Wrap,
            32,
            "http://www.w3.org/2001/04/xmldsig-more#kw-camellia256",
            "Camellia-256-KW",
        ),
    ]
};

/// Opens values.
pub(super) trait Opener: Send + Sync {
    /// The plaintext, or nothing: why it failed must not be told apart.
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
}

/// A cipher under its key, ready for any number of values.
pub(super) trait Keyed: Opener {
    /// Appends IV, ciphertext and tag to `out`. `iv` is fresh and random for every value, of
    /// [`Cipher::iv_len`] bytes. `None`, with nothing appended, when the cipher takes no value of
    /// this length.
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Option<()>;
}

impl Cipher {
    /// The cipher that `uri` names, in the spelling of XML Encryption, of RFC 6030 (`#camellia128`
    /// for CBC), or of what is seen in files: fragments under a neighbouring namespace, and
    /// `kw-aes128-pad`.
    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        if let Some(row) = CIPHERS.iter().find(|row| row.1 == uri) {
            return Some(row.0);
        }
        let fragment = [uri::XENC, uri::XENC11, uri::DSIG_MORE]
            .iter()
            .find_map(|namespace| uri.strip_prefix(namespace))?;
        let fragment = match fragment {
            "camellia128" => "camellia128-cbc",
            "camellia192" => "camellia192-cbc",
            "camellia256" => "camellia256-cbc",
            "kw-aes128-pad" => "kw-aes-128-pad",
            "kw-aes192-pad" => "kw-aes-192-pad",
            "kw-aes256-pad" => "kw-aes-256-pad",
            other => other,
        };
        let known = |row: &&Row| row.1.rsplit('#').next() == Some(fragment);
        CIPHERS.iter().find(known).map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        CIPHERS.iter().find(|row| row.0 == self).unwrap_or(&CIPHERS[0])
    }

    /// The cipher of this family and mode for a key of `key_len` bytes.
    pub(super) fn of(family: Family, mode: Mode, key_len: usize) -> Option<Self> {
        let cipher = Self { family, mode, key_len };
        CIPHERS.iter().any(|row| row.0 == cipher).then_some(cipher)
    }

    /// Its identifier.
    pub(super) fn uri(self) -> &'static str {
        self.row().1
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        self.row().2
    }

    /// Length of its IV, in bytes.
    pub(super) fn iv_len(self) -> usize {
        match (self.family, self.mode) {
            (_, Mode::Gcm) => 12,
            (Family::TripleDes, _) => 8,
            (_, Mode::Cbc) => 16,
            (_, Mode::Wrap | Mode::PaddedWrap) => 0,
        }
    }

    /// Whether it notices by itself that a value was changed; the others need a `ValueMAC`.
    pub(super) fn authenticates(self) -> bool {
        self.mode != Mode::Cbc
    }

    /// Whether it can encrypt a value of `len` bytes.
    #[cfg(test)]
    pub(super) fn takes(self, len: usize) -> bool {
        match (self.family, self.mode) {
            (Family::TripleDes, Mode::Wrap) => len > 0 && len.is_multiple_of(8),
            (_, Mode::Wrap) => len >= 16 && len.is_multiple_of(8),
            (_, Mode::PaddedWrap) => len > 0,
            (_, Mode::Cbc | Mode::Gcm) => true,
        }
    }

    /// The cipher under `key`; `None` when the key's length is not [`Cipher::key_len`]. 3DES takes
    /// a key of 16 bytes, too, the first third of which serves as the last (keying option 2).
    pub(super) fn keyed(self, key: &[u8]) -> Option<Box<dyn Keyed>> {
        use Family::{Aes, Camellia, TripleDes};
        Some(match (self.family, self.mode, self.key_len) {
            (Aes, Mode::Cbc, 16) => Box::new(Cbc::<Aes128Enc, Aes128Dec>::new(key)?),
            (Aes, Mode::Cbc, 24) => Box::new(Cbc::<Aes192Enc, Aes192Dec>::new(key)?),
            (Aes, Mode::Cbc, 32) => Box::new(Cbc::<Aes256Enc, Aes256Dec>::new(key)?),
            (Aes, Mode::Gcm, 16) => Box::new(AesGcm::<Aes128, U12>::new_from_slice(key).ok()?),
            (Aes, Mode::Gcm, 24) => Box::new(AesGcm::<Aes192, U12>::new_from_slice(key).ok()?),
            (Aes, Mode::Gcm, 32) => Box::new(AesGcm::<Aes256, U12>::new_from_slice(key).ok()?),
            (Aes, mode, 16) => Box::new(Wrap::<Aes128>::new(key, mode)?),
            (Aes, mode, 24) => Box::new(Wrap::<Aes192>::new(key, mode)?),
            (Aes, mode, 32) => Box::new(Wrap::<Aes256>::new(key, mode)?),
            (Camellia, Mode::Cbc, 16) => Box::new(Cbc::<Camellia128, Camellia128>::new(key)?),
            (Camellia, Mode::Cbc, 24) => Box::new(Cbc::<Camellia192, Camellia192>::new(key)?),
            (Camellia, Mode::Cbc, 32) => Box::new(Cbc::<Camellia256, Camellia256>::new(key)?),
            (Camellia, mode, 16) => Box::new(Wrap::<Camellia128>::new(key, mode)?),
            (Camellia, mode, 24) => Box::new(Wrap::<Camellia192>::new(key, mode)?),
            (Camellia, mode, 32) => Box::new(Wrap::<Camellia256>::new(key, mode)?),
            (TripleDes, mode, _) => {
                let mut three = Zeroizing::new(key.to_vec());
                if three.len() == 16 {
                    three.extend_from_slice(&key[..8]);
                }
                match mode {
                    Mode::Cbc => Box::new(Cbc::<TdesEde3, TdesEde3>::new(&three)?),
                    _ => Box::new(TripleDesWrap::new(&three)?),
                }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_cipher_opens_what_it_sealed_and_nothing_else() {
        for Row(cipher, uri, _) in CIPHERS {
            assert_eq!(Cipher::from_uri(uri), Some(cipher));
            assert_eq!(Cipher::of(cipher.family, cipher.mode, cipher.key_len), Some(cipher));
            assert!(cipher.keyed(&vec![0; cipher.key_len - 1]).is_none());
            let keyed = cipher.keyed(&vec![7; cipher.key_len]).unwrap();
            for len in [0, 1, 8, 15, 16, 20, 32, 64] {
                let plain: Vec<u8> = (0..len).collect();
                let mut sealed = Vec::new();
                let done = keyed.seal(&vec![9; cipher.iv_len()], &plain, &mut sealed);
                assert_eq!(done.is_some(), cipher.takes(plain.len()), "{cipher:?} {len}");
                if done.is_none() {
                    assert!(sealed.is_empty());
                    continue;
                }
                assert_eq!(*keyed.open(&sealed).unwrap(), plain, "{cipher:?} {len}");
                if cipher.authenticates() {
                    for at in 0..sealed.len() {
                        sealed[at] ^= 1;
                        assert!(keyed.open(&sealed).is_none(), "{cipher:?} {len} {at}");
                        sealed[at] ^= 1;
                    }
                }
                for cut in 0..16.min(sealed.len()) {
                    assert!(keyed.open(&sealed[..cut]).is_none(), "{cipher:?} {cut}");
                }
            }
        }
    }

    #[test]
    fn identifiers_are_read_in_the_spellings_that_files_have() {
        let read = |uri: &str| Cipher::from_uri(uri).map(Cipher::name);
        for uri in [
            "http://www.w3.org/2009/xmlenc11#kw-aes-128-pad",
            "http://www.w3.org/2009/xmlenc11#kw-aes128-pad",
            "http://www.w3.org/2001/04/xmlenc#kw-aes128-pad",
        ] {
            assert_eq!(read(uri), Some("AES-128-KWP"), "{uri}");
        }
        for uri in [
            "http://www.w3.org/2001/04/xmldsig-more#camellia256",
            "http://www.w3.org/2001/04/xmldsig-more#camellia256-cbc",
            "http://www.w3.org/2001/04/xmlenc#camellia256-cbc",
        ] {
            assert_eq!(read(uri), Some("Camellia-256-CBC"), "{uri}");
        }
        for uri in ["", "aes128-cbc", "http://example.org/xmlenc#aes128-cbc"] {
            assert_eq!(read(uri), None, "{uri}");
        }
    }

    /// NIST SP 800-38A F.2.1, first block: CBC-AES128.
    #[test]
    fn cbc_agrees_with_nist() {
        let cipher = Cipher::of(Family::Aes, Mode::Cbc, 16).unwrap();
        let keyed = cipher.keyed(&hex("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
        let mut sealed = Vec::new();
        keyed.seal(
            &hex("000102030405060708090a0b0c0d0e0f"),
            &hex("6bc1bee22e409f96e93d7e117393172a"),
            &mut sealed,
        );
        assert_eq!(sealed[16..32], hex("7649abac8119b246cee98e9b12e9197d"));
    }

    /// The GCM specification (McGrew and Viega), test case 2.
    #[test]
    fn gcm_agrees_with_its_specification() {
        let cipher = Cipher::of(Family::Aes, Mode::Gcm, 16).unwrap();
        let keyed = cipher.keyed(&[0; 16]).unwrap();
        let mut sealed = Vec::new();
        keyed.seal(&[0; 12], &[0; 16], &mut sealed);
        assert_eq!(sealed[12..28], hex("0388dace60b6a392f328c2b971b2fe78"));
        assert_eq!(sealed[28..], hex("ab6e47d42cec13bdf53a67b21257bddf"));
    }
}
