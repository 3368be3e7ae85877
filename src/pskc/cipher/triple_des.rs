//! Key wrap of 3DES (RFC 3217 §3; xmlenc-core1 §5.6.2).
//!
//! A check value is appended, the whole encrypted under a random IV, turned back to front with that
//! IV, and encrypted again under a fixed one. RFC 3217 wraps keys of 3DES alone, of 24 bytes; other
//! multiples of 8 are met in files, and their parity bits are left as they are.

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit, KeyInit};
use des::TdesEde3;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Keyed, Opener};

const FIXED_IV: [u8; BLOCK] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];
const BLOCK: usize = 8;

/// The key wrap under its key.
pub(super) struct TripleDesWrap(TdesEde3);

impl TripleDesWrap {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        TdesEde3::new_from_slice(key).ok().map(Self)
    }

    fn encrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) -> Option<()> {
        let len = data.len();
        let cipher = cbc::Encryptor::inner_iv_init(&self.0, iv.into());
        cipher.encrypt_padded::<NoPadding>(data, len).ok().map(|_| ())
    }

    fn decrypt(&self, iv: &[u8; BLOCK], data: &mut [u8]) -> Option<()> {
        let cipher = cbc::Decryptor::inner_iv_init(&self.0, iv.into());
        cipher.decrypt_padded::<NoPadding>(data).ok().map(|_| ())
    }
}

impl Keyed for TripleDesWrap {
    fn seal(&self, iv: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let iv: [u8; BLOCK] = iv.try_into().ok()?;
        if plain.is_empty() || !plain.len().is_multiple_of(BLOCK) {
            return None;
        }
        let mut data = Zeroizing::new(Vec::with_capacity(plain.len() + 2 * BLOCK));
        data.extend_from_slice(&iv);
        data.extend_from_slice(plain);
        data.extend_from_slice(&Sha1::digest(plain)[..BLOCK]);
        self.encrypt(&iv, &mut data[BLOCK..])?;
        data.reverse();
        self.encrypt(&FIXED_IV, &mut data)?;
        out.extend_from_slice(&data);
        Some(())
    }
}

impl Opener for TripleDesWrap {
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        if sealed.len() < 3 * BLOCK || !sealed.len().is_multiple_of(BLOCK) {
            return None;
        }
        let mut data = Zeroizing::new(sealed.to_vec());
        self.decrypt(&FIXED_IV, &mut data)?;
        data.reverse();
        let iv: [u8; BLOCK] = data[..BLOCK].try_into().ok()?;
        self.decrypt(&iv, &mut data[BLOCK..])?;
        let (plain, check) = data[BLOCK..].split_at(data.len() - 2 * BLOCK);
        let right: bool = Sha1::digest(plain)[..BLOCK].ct_eq(check).into();
        right.then(|| Zeroizing::new(plain.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3217 §3.4.
    #[test]
    fn agrees_with_rfc_3217() {
        let hex = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
        let key = hex("255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f");
        let wrap = TripleDesWrap::new(&key).unwrap();
        let plain = hex("2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98");
        let mut out = Vec::new();
        wrap.seal(&hex("5dd4cbfc96f5453b"), &plain, &mut out).unwrap();
        assert_eq!(
            out,
            hex("690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4")
        );
        assert_eq!(*wrap.open(&out).unwrap(), plain);
    }
}
