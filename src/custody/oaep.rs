//! The padding of RSAES-OAEP (RFC 8017 §7.1.2 step 3), for tokens that do RSA but not this padding,
//! or not with these hashes. RSA itself stays in the token.

use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

use super::OaepHash;
use crate::secret::Secret;

/// The message in `encoded`, as long as the modulus; the label is empty. Nothing when it is not
/// padded so: all of it is looked at in any case, and where it is wrong is not told.
#[must_use]
pub fn unpad(digest: OaepHash, mgf: OaepHash, encoded: &[u8]) -> Option<Secret> {
    let label = hash(digest, &[]);
    let len = label.len();
    let (first, rest) = encoded.split_first()?;
    if rest.len() < 2 * len + 1 {
        return None;
    }
    let (masked_seed, masked_block) = rest.split_at(len);
    let mut seed = Zeroizing::new(masked_seed.to_vec());
    mask(mgf, masked_block, &mut seed);
    let mut block = Zeroizing::new(masked_block.to_vec());
    mask(mgf, &seed, &mut block);

    let (found, padded) = block.split_at(len);
    let mut good = first.ct_eq(&0) & found.ct_eq(&label);
    // Zeros, a one, the message.
    let (mut start, mut zeros) = (0_u32, Choice::from(1));
    for (at, byte) in padded.iter().enumerate() {
        let one = zeros & byte.ct_eq(&1);
        start = u32::conditional_select(&start, &(at as u32 + 1), one);
        good &= !zeros | byte.ct_eq(&0) | one;
        zeros &= byte.ct_eq(&0);
    }
    good &= !zeros;
    bool::from(good).then(|| Secret::from(&padded[start as usize..]))
}

/// Takes the mask that `seed` gives (MGF1, RFC 8017 §B.2.1) off `text`, or puts it on.
fn mask(hash_of_mgf: OaepHash, seed: &[u8], text: &mut [u8]) {
    let len = hash(hash_of_mgf, &[]).len();
    for (counter, chunk) in (0_u32..).zip(text.chunks_mut(len)) {
        let block = Zeroizing::new(hash(hash_of_mgf, &[seed, &counter.to_be_bytes()].concat()));
        chunk.iter_mut().zip(block.iter()).for_each(|(byte, mask)| *byte ^= mask);
    }
}

fn hash(hash: OaepHash, text: &[u8]) -> Vec<u8> {
    match hash {
        OaepHash::Sha1 => Sha1::digest(text).to_vec(),
        OaepHash::Sha224 => Sha224::digest(text).to_vec(),
        OaepHash::Sha256 => Sha256::digest(text).to_vec(),
        OaepHash::Sha384 => Sha384::digest(text).to_vec(),
        OaepHash::Sha512 => Sha512::digest(text).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [OaepHash; 5] =
        [OaepHash::Sha1, OaepHash::Sha224, OaepHash::Sha256, OaepHash::Sha384, OaepHash::Sha512];

    /// RFC 8017 §7.1.1 step 2, for a modulus of 256 bytes; `head` stands for the leading zero, and
    /// `between` for the padding.
    fn padded(
        digest: OaepHash,
        mgf: OaepHash,
        head: u8,
        between: &[u8],
        message: &[u8],
    ) -> Vec<u8> {
        let label = hash(digest, &[]);
        let mut seed: Vec<u8> = (0..label.len() as u8).collect();
        let mut block = [&label, between, message].concat();
        mask(mgf, &seed, &mut block);
        mask(mgf, &block, &mut seed);
        [&[head], &*seed, &block].concat()
    }

    fn between(digest: OaepHash, message: &[u8]) -> Vec<u8> {
        let mut zeros = vec![0; 256 - 2 - 2 * hash(digest, &[]).len() - message.len()];
        zeros.push(1);
        zeros
    }

    #[test]
    fn every_pair_of_hashes_and_length_of_message() {
        for digest in ALL {
            for mgf in ALL {
                for message in [&b""[..], b"\x00", b"\x01\x01", &[7; 32], &[0; 64]] {
                    let between = between(digest, message);
                    let encoded = padded(digest, mgf, 0, &between, message);
                    assert_eq!(encoded.len(), 256);
                    let opened = unpad(digest, mgf, &encoded).unwrap();
                    assert_eq!(opened.expose(), message);
                }
            }
        }
    }

    #[test]
    fn anything_else_is_nothing() {
        let (digest, mgf) = (OaepHash::Sha256, OaepHash::Sha1);
        let good = between(digest, &[7; 16]);
        let encoded = padded(digest, mgf, 0, &good, &[7; 16]);
        assert!(unpad(OaepHash::Sha1, mgf, &encoded).is_none());
        assert!(unpad(digest, OaepHash::Sha256, &encoded).is_none());
        assert!(unpad(digest, mgf, &padded(digest, mgf, 1, &good, &[7; 16])).is_none());
        let mut no_one = good.clone();
        *no_one.last_mut().unwrap() = 0;
        assert!(unpad(digest, mgf, &padded(digest, mgf, 0, &no_one, &[0; 16])).is_none());
        let mut other = good;
        other[3] = 2;
        assert!(unpad(digest, mgf, &padded(digest, mgf, 0, &other, &[7; 16])).is_none());
        for at in 0..256 {
            let mut changed = encoded.clone();
            changed[at] ^= 0x40;
            assert!(unpad(digest, mgf, &changed).is_none_or(|opened| opened.expose() != [7; 16]));
        }
        for cut in [0, 1, 64, 65] {
            assert!(unpad(digest, mgf, &encoded[..cut]).is_none());
        }
    }
}
