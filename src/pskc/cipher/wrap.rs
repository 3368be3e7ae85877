//! Key wrap of a block cipher with blocks of 16 bytes: RFC 3394, and RFC 5649 with padding. With
//! Camellia for AES it is RFC 3657 §2.

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes_kw::cipher::common::InnerInit;
use aes_kw::{AesKw, AesKwp, IV_LEN};
use zeroize::Zeroizing;

use super::{Keyed, Mode, Opener};

/// A key wrap under its key.
pub(super) struct Wrap<C> {
    plain: AesKw<C>,
    padded: AesKwp<C>,
    mode: Mode,
}

impl<C: KeyInit> Wrap<C> {
    pub(super) fn new(key: &[u8], mode: Mode) -> Option<Self> {
        let cipher = || C::new_from_slice(key).ok();
        let (plain, padded) = (AesKw::inner_init(cipher()?), AesKwp::inner_init(cipher()?));
        Some(Self { plain, padded, mode })
    }
}

impl<C> Keyed for Wrap<C>
where
    C: BlockCipherEncrypt<BlockSize = U16> + BlockCipherDecrypt<BlockSize = U16> + Send + Sync,
{
    fn seal(&self, _iv: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let start = out.len();
        out.resize(start + plain.len().next_multiple_of(8) + IV_LEN, 0);
        let buffer = &mut out[start..];
        let done = match self.mode {
            _ if plain.is_empty() => None,
            Mode::Wrap if plain.len() < 16 => None,
            Mode::Wrap => self.plain.wrap_key(plain, buffer).ok().map(|_| ()),
            _ => self.padded.wrap_key(plain, buffer).ok().map(|_| ()),
        };
        if done.is_none() {
            out.truncate(start);
        }
        done
    }
}

impl<C> Opener for Wrap<C>
where
    C: BlockCipherDecrypt<BlockSize = U16> + Send + Sync,
{
    /// Some writers put RFC 5649 under the name of RFC 3394 when a value has not its length. The
    /// two check values differ in every bit that counts, so that neither is taken for the other.
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let room = sealed.len().checked_sub(IV_LEN)?;
        // Eight bytes are a check value that is not even encrypted: "right" under every key.
        if room == 0 {
            return None;
        }
        let mut plain = Zeroizing::new(vec![0; room]);
        let wrapped = match self.mode {
            Mode::Wrap if sealed.len() >= 24 => {
                self.plain.unwrap_key(sealed, &mut plain).ok().map(<[u8]>::len)
            }
            _ => None,
        };
        let len = match wrapped {
            Some(len) => len,
            None => self.padded.unwrap_key(sealed, &mut plain).ok()?.len(),
        };
        plain.truncate(len);
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cipher, Family};
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn sealed(mode: Mode, key: &str, plain: &str) -> String {
        let key = hex(key);
        let keyed = Cipher::of(Family::Aes, mode, key.len()).unwrap().keyed(&key).unwrap();
        let mut out = Vec::new();
        keyed.seal(&[], &hex(plain), &mut out).unwrap();
        data_encoding::HEXLOWER.encode(&out)
    }

    #[test]
    fn agrees_with_rfc_3394_section_4_1() {
        assert_eq!(
            sealed(
                Mode::Wrap,
                "000102030405060708090a0b0c0d0e0f",
                "00112233445566778899aabbccddeeff"
            ),
            "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"
        );
    }

    #[test]
    fn a_check_value_with_nothing_behind_it_is_no_value() {
        for mode in [Mode::Wrap, Mode::PaddedWrap] {
            let keyed = Cipher::of(Family::Aes, mode, 16).unwrap().keyed(&[7; 16]).unwrap();
            for text in ["a65959a600000000", "a6a6a6a6a6a6a6a6", ""] {
                assert!(keyed.open(&hex(text)).is_none(), "{mode:?} {text}");
            }
        }
    }

    #[test]
    fn agrees_with_rfc_5649_section_6() {
        let key = "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8";
        assert_eq!(
            sealed(Mode::PaddedWrap, key, "c37b7e6492584340bed12207808941155068f738"),
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"
        );
        assert_eq!(
            sealed(Mode::PaddedWrap, key, "466f7250617369"),
            "afbeb0f07dfbf5419200f2ccb50bb24f"
        );
    }
}
