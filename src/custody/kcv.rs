//! Key check values: how two people make sure that they hold the same key without showing it.

use std::fmt;
use std::str::FromStr;

use aes::cipher::consts::U16;
use aes::{Aes128, Aes192, Aes256};
use cmac::{Cmac, KeyInit, Mac};

use super::CustodyError;
use crate::secret::Secret;

/// Key check value of an AES key: the leftmost 3 bytes of the AES-CMAC (NIST SP 800-38B, RFC 4493)
/// of one block of zeros, as ANSI X9.24-1 and ISO 9797-1 (MAC algorithm 5) have it for AES.
///
/// It may be public. It tells 1 wrong key in 16,777,216 from the right one: enough against slips,
/// not against somebody who searches for a key with the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kcv([u8; 3]);

impl Kcv {
    /// The check value of `key`, of 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// [`CustodyError::KeyLength`].
    pub fn of(key: &Secret) -> Result<Self, CustodyError> {
        let tag = cmac(key, &[0; 16])?;
        Ok(Self::of_tag(tag))
    }

    /// The check value of a key kept elsewhere, by its AES-CMAC of a block of zeros.
    #[must_use]
    pub fn of_tag(tag: [u8; 16]) -> Self {
        Self([tag[0], tag[1], tag[2]])
    }
}

/// The AES-CMAC of `message`.
pub(super) fn cmac(key: &Secret, message: &[u8]) -> Result<[u8; 16], CustodyError> {
    let key = key.expose();
    match key.len() {
        16 => under::<Cmac<Aes128>>(key, message),
        24 => under::<Cmac<Aes192>>(key, message),
        32 => under::<Cmac<Aes256>>(key, message),
        _ => Err(CustodyError::KeyLength { bits: key.len() * 8 }),
    }
}

fn under<M>(key: &[u8], message: &[u8]) -> Result<[u8; 16], CustodyError>
where
    M: Mac<OutputSize = U16> + KeyInit,
{
    let mut mac = <M as KeyInit>::new_from_slice(key)
        .map_err(|_| CustodyError::KeyLength { bits: key.len() * 8 })?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

impl fmt::Display for Kcv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&data_encoding::HEXUPPER.encode(&self.0))
    }
}

impl FromStr for Kcv {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        data_encoding::HEXUPPER_PERMISSIVE
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| <[u8; 3]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| "a key check value has 6 hexadecimal digits".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, message: &str) -> String {
        let message = data_encoding::HEXLOWER.decode(message.as_bytes()).unwrap();
        data_encoding::HEXLOWER.encode(&cmac(&Secret::from_hex(key).unwrap(), &message).unwrap())
    }

    const K128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const K192: &str = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
    const K256: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
    const BLOCK: &str = "6bc1bee22e409f96e93d7e117393172a";
    const FORTY: &str =
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411";

    #[test]
    fn rfc_4493_and_sp_800_38b_vectors() {
        for (key, message, expected) in [
            (K128, "", "bb1d6929e95937287fa37d129b756746"),
            (K128, BLOCK, "070a16b46b4d4144f79bdd9dd04a287c"),
            (K128, FORTY, "dfa66747de9ae63030ca32611497c827"),
        ] {
            assert_eq!(tag(key, message), expected);
        }
        for (message, expected) in [
            ("", "d17ddf46adaacde531cac483de7a9367"),
            (BLOCK, "9e99a7bf31e710900662f65e617c5184"),
            (FORTY, "8a1de5be2eb31aad089a82e6ee908b0e"),
        ] {
            assert_eq!(tag(K192, message), expected);
        }
        for (message, expected) in [
            ("", "028962f61b7bf89efc6b551f4667d983"),
            (BLOCK, "28a7023f452e8f82bd4bf28d8c37c35c"),
            (FORTY, "aaf3d8f1de5640c232f5b169b9c911e6"),
        ] {
            assert_eq!(tag(K256, message), expected);
        }
    }

    /// Expected values from `head -c16 /dev/zero | openssl mac -cipher AES-N-CBC -macopt
    /// hexkey:KEY CMAC`.
    #[test]
    fn check_values_equal_those_of_openssl() {
        for (key, expected) in [
            (K128, "7AD386"),
            (K192, "3A072A"),
            (K256, "1A0B2D"),
            ("00000000000000000000000000000000", "763CBC"),
        ] {
            let kcv = Kcv::of(&Secret::from_hex(key).unwrap()).unwrap();
            assert_eq!(kcv.to_string(), expected);
        }
    }

    #[test]
    fn other_lengths_have_no_check_value() {
        for length in [0, 8, 15, 20, 33] {
            let error = Kcv::of(&Secret::new(vec![1; length])).unwrap_err();
            assert!(error.to_string().ends_with(&format!("not {}", length * 8)), "{error}");
        }
    }

    #[test]
    fn reads_either_case_and_nothing_else() {
        let kcv: Kcv = "a1B2c3".parse().unwrap();
        assert_eq!(kcv.to_string(), "A1B2C3");
        for bad in ["", "a1b2", "a1b2c3d4", "a1b2cg"] {
            assert!(bad.parse::<Kcv>().is_err(), "{bad}");
        }
    }
}
