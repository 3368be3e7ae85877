//! One value encrypted or decrypted.
//!
//! The layout is that of XML Encryption: IV, then ciphertext, then (GCM) tag (xmlenc-core1 §5.2).
//! To add a cipher: a variant of [`Cipher`], its row in [`CIPHERS`], and its arm in
//! [`Cipher::keyed`].

use aes::cipher::block_padding::{Iso10126, Pkcs7};
use aes::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, Iv,
    KeyInit,
};
use aes_gcm::aead::AeadInOut;
use aes_gcm::aead::consts::U12;
use aes_gcm::{AesGcm, Nonce, Tag};
use zeroize::Zeroizing;

/// The ciphers that are read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes128Cbc,
    Aes192Cbc,
    Aes256Cbc,
    Aes128Gcm,
    Aes192Gcm,
    Aes256Gcm,
}

/// What is known of each cipher: identifier, name for people, key length in bytes.
const CIPHERS: [(Cipher, &str, &str, usize); 6] = [
    (Cipher::Aes128Cbc, "http://www.w3.org/2001/04/xmlenc#aes128-cbc", "AES-128-CBC", 16),
    (Cipher::Aes192Cbc, "http://www.w3.org/2001/04/xmlenc#aes192-cbc", "AES-192-CBC", 24),
    (Cipher::Aes256Cbc, "http://www.w3.org/2001/04/xmlenc#aes256-cbc", "AES-256-CBC", 32),
    (Cipher::Aes128Gcm, "http://www.w3.org/2009/xmlenc11#aes128-gcm", "AES-128-GCM", 16),
    (Cipher::Aes192Gcm, "http://www.w3.org/2009/xmlenc11#aes192-gcm", "AES-192-GCM", 24),
    (Cipher::Aes256Gcm, "http://www.w3.org/2009/xmlenc11#aes256-gcm", "AES-256-GCM", 32),
];

/// A cipher under its key, ready for any number of values.
pub(super) trait Keyed: Send + Sync {
    /// Appends IV, ciphertext and tag to `out`. `iv` is fresh and random for every value.
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>);

    /// The plaintext, or nothing: why it failed must not be told apart.
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>>;
}

impl Cipher {
    /// The cipher that `uri` names.
    pub(super) fn from_uri(uri: &str) -> Option<Self> {
        CIPHERS.iter().find(|row| row.1 == uri).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, usize) {
        CIPHERS.iter().find(|row| row.0 == self).unwrap_or(&CIPHERS[0])
    }

    /// Its identifier.
    pub(super) fn uri(self) -> &'static str {
        self.row().1
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        self.row().2
    }

    /// Length of its key, in bytes.
    pub(super) fn key_len(self) -> usize {
        self.row().3
    }

    /// Length of its IV, in bytes.
    pub(super) fn iv_len(self) -> usize {
        match self {
            Self::Aes128Cbc | Self::Aes192Cbc | Self::Aes256Cbc => 16,
            Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm => 12,
        }
    }

    /// Whether it notices by itself that a value was changed; the others need a `ValueMAC`.
    pub(super) fn authenticates(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes192Gcm | Self::Aes256Gcm)
    }

    /// The cipher under `key`; `None` when the key's length is not [`Cipher::key_len`].
    pub(super) fn keyed(self, key: &[u8]) -> Option<Box<dyn Keyed>> {
        Some(match self {
            Self::Aes128Cbc => Box::new(Cbc::<aes::Aes128Enc, aes::Aes128Dec>::new(key)?),
            Self::Aes192Cbc => Box::new(Cbc::<aes::Aes192Enc, aes::Aes192Dec>::new(key)?),
            Self::Aes256Cbc => Box::new(Cbc::<aes::Aes256Enc, aes::Aes256Dec>::new(key)?),
            Self::Aes128Gcm => Box::new(AesGcm::<aes::Aes128, U12>::new_from_slice(key).ok()?),
            Self::Aes192Gcm => Box::new(AesGcm::<aes::Aes192, U12>::new_from_slice(key).ok()?),
            Self::Aes256Gcm => Box::new(AesGcm::<aes::Aes256, U12>::new_from_slice(key).ok()?),
        })
    }
}

/// CBC with the padding of XML Encryption, the key schedules of both directions prepared.
struct Cbc<E, D> {
    encrypt: E,
    decrypt: D,
}

impl<E: KeyInit, D: KeyInit> Cbc<E, D> {
    fn new(key: &[u8]) -> Option<Self> {
        let encrypt = E::new_from_slice(key).ok()?;
        Some(Self { encrypt, decrypt: D::new_from_slice(key).ok()? })
    }
}

impl<E, D> Keyed for Cbc<E, D>
where
    E: BlockCipherEncrypt + Send + Sync,
    D: BlockCipherDecrypt + Send + Sync,
{
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        let Ok(start) = <&Iv<cbc::Encryptor<&E>>>::try_from(iv) else {
            unreachable!("the caller asks iv_len")
        };
        out.extend_from_slice(iv);
        let body = out.len();
        out.extend_from_slice(plain);
        let padded = (plain.len() / iv.len() + 1) * iv.len();
        out.resize(body + padded, 0);
        let cipher = cbc::Encryptor::inner_iv_init(&self.encrypt, start);
        let done = cipher.encrypt_padded::<Pkcs7>(&mut out[body..], plain.len());
        debug_assert!(done.is_ok(), "room for the padding was made");
    }

    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, body) = sealed.split_at_checked(D::block_size())?;
        let iv = <&Iv<cbc::Decryptor<&D>>>::try_from(iv).ok()?;
        let mut plain = Zeroizing::new(body.to_vec());
        // xmlenc-core1 §5.2.2: only the last byte of the padding has a prescribed value.
        let len = cbc::Decryptor::inner_iv_init(&self.decrypt, iv)
            .decrypt_padded::<Iso10126>(&mut plain)
            .ok()?
            .len();
        plain.truncate(len);
        Some(plain)
    }
}

impl<C> Keyed for AesGcm<C, U12>
where
    Self: AeadInOut<NonceSize = U12, TagSize = aes_gcm::aead::consts::U16> + Send + Sync,
{
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) {
        let Ok(nonce) = <&Nonce<U12>>::try_from(iv) else { unreachable!("the caller asks iv_len") };
        out.extend_from_slice(iv);
        let body = out.len();
        out.extend_from_slice(plain);
        let tag = self.encrypt_inout_detached(nonce, b"", (&mut out[body..]).into());
        // Fails only for messages of 64 GiB.
        out.extend_from_slice(&tag.unwrap_or_default());
    }

    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, rest) = sealed.split_at_checked(12)?;
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
        let mut plain = Zeroizing::new(body.to_vec());
        self.decrypt_inout_detached(
            <&Nonce<U12>>::try_from(iv).ok()?,
            b"",
            plain.as_mut_slice().into(),
            <&Tag>::try_from(tag).ok()?,
        )
        .ok()?;
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cipher_opens_what_it_sealed_and_nothing_else() {
        for (cipher, uri, _, key_len) in CIPHERS {
            assert_eq!(Cipher::from_uri(uri), Some(cipher));
            assert!(cipher.keyed(&vec![0; key_len - 1]).is_none());
            let keyed = cipher.keyed(&vec![7; key_len]).unwrap();
            for len in [0, 1, 15, 16, 20, 64] {
                let plain: Vec<u8> = (0..len).collect();
                let mut sealed = Vec::new();
                keyed.seal(&vec![9; cipher.iv_len()], &plain, &mut sealed);
                assert_eq!(*keyed.open(&sealed).unwrap(), plain, "{cipher:?} {len}");
                if cipher.authenticates() {
                    sealed[cipher.iv_len()] ^= 1;
                    assert!(keyed.open(&sealed).is_none());
                }
                for cut in 0..cipher.iv_len() {
                    assert!(keyed.open(&sealed[..cut]).is_none());
                }
            }
        }
    }

    /// NIST SP 800-38A F.2.1, first block: CBC-AES128.
    #[test]
    fn cbc_agrees_with_nist() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let keyed = Cipher::Aes128Cbc.keyed(&hex("2b7e151628aed2a6abf7158809cf4f3c")).unwrap();
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
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let keyed = Cipher::Aes128Gcm.keyed(&[0; 16]).unwrap();
        let mut sealed = Vec::new();
        keyed.seal(&[0; 12], &[0; 16], &mut sealed);
        assert_eq!(sealed[12..28], hex("0388dace60b6a392f328c2b971b2fe78"));
        assert_eq!(sealed[28..], hex("ab6e47d42cec13bdf53a67b21257bddf"));
    }
}
