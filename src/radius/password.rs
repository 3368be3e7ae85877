//! Passwords on the wire: hidden (PAP, RFC 2865 §5.2) or proven (CHAP, §5.3).
//!
//! ```text
//! b1 = MD5(S + RA)       c(1) = p1 xor b1
//! b2 = MD5(S + c(1))     c(2) = p2 xor b2      …
//! ```
//! S is the shared secret, RA the Request Authenticator, p the password in blocks of 16 octets,
//! the last one filled up with zeros.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Authenticator, Error, SharedSecret};

const BLOCK: usize = 16;

/// The most octets a password may have.
pub const MAX_LEN: usize = 128;

/// Appends `password` to `out`, hidden: 16 to 128 octets (an empty password is one block too).
///
/// # Errors
/// [`Error::PasswordLength`]; nothing is appended then.
pub fn hide(
    password: &[u8],
    request_authenticator: &Authenticator,
    secret: &SharedSecret,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if password.len() > MAX_LEN {
        return Err(Error::PasswordLength { octets: password.len() });
    }
    let mut previous = *request_authenticator;
    for start in (0..password.len().max(1)).step_by(BLOCK) {
        let part = &password[start..password.len().min(start + BLOCK)];
        previous = mask(secret, &previous);
        previous.iter_mut().zip(part).for_each(|(masked, plain)| *masked ^= plain);
        out.extend_from_slice(&previous);
    }
    Ok(())
}

/// The password within `hidden`, without the zeros at its end.
///
/// # Errors
/// [`Error::HiddenLength`].
pub fn reveal(
    hidden: &[u8],
    request_authenticator: &Authenticator,
    secret: &SharedSecret,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (blocks, rest) = hidden.as_chunks::<BLOCK>();
    if blocks.is_empty() || !rest.is_empty() || hidden.len() > MAX_LEN {
        return Err(Error::HiddenLength { octets: hidden.len() });
    }
    // Filled to its full size at once, so that no growing leaves a copy behind.
    let mut password = Zeroizing::new(hidden.to_vec());
    let mut previous = request_authenticator;
    for (at, block) in blocks.iter().enumerate() {
        let mask = mask(secret, previous);
        let plain = &mut password[at * BLOCK..(at + 1) * BLOCK];
        plain.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
        previous = block;
    }
    let end = password.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    password.truncate(end);
    Ok(password)
}

/// The value of a CHAP-Password: `identifier`, then MD5(identifier + password + challenge).
///
/// The challenge is the value of CHAP-Challenge, or the Request Authenticator when there is none.
#[must_use]
pub fn chap(identifier: u8, password: &[u8], challenge: &[u8]) -> [u8; 17] {
    let digest = Md5::new()
        .chain_update([identifier])
        .chain_update(password)
        .chain_update(challenge)
        .finalize();
    let mut value = [identifier; 17];
    value[1..].copy_from_slice(&digest);
    value
}

/// Whether `value`, a CHAP-Password, proves `password`, in constant time.
#[must_use]
pub fn chap_verify(value: &[u8], password: &[u8], challenge: &[u8]) -> bool {
    value
        .first()
        .is_some_and(|&identifier| chap(identifier, password, challenge).ct_eq(value).into())
}

fn mask(secret: &SharedSecret, previous: &[u8; BLOCK]) -> [u8; BLOCK] {
    Md5::new().chain_update(secret.octets()).chain_update(previous).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use proptest::prelude::*;

    fn secret() -> SharedSecret {
        SharedSecret::new(Secret::new(b"xyzzy5461".to_vec())).unwrap()
    }

    #[test]
    fn blocks_are_chained_and_the_limit_is_128() {
        let mut out = Vec::new();
        hide(&[b'a'; 33], &[7; 16], &secret(), &mut out).unwrap();
        assert_eq!(out.len(), 48);
        assert_ne!(out[..16], out[16..32], "equal blocks must not look equal");
        assert_eq!(*reveal(&out, &[7; 16], &secret()).unwrap(), [b'a'; 33]);
        assert_ne!(*reveal(&out, &[8; 16], &secret()).unwrap(), [b'a'; 33]);

        out.clear();
        let error = hide(&[b'a'; 129], &[7; 16], &secret(), &mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a RADIUS User-Password holds at most 128 octets, this one has 129"
        );
        assert!(out.is_empty());
    }

    #[test]
    fn an_empty_password_is_one_block() {
        let mut out = Vec::new();
        hide(b"", &[7; 16], &secret(), &mut out).unwrap();
        assert_eq!(out.len(), 16);
        assert!(reveal(&out, &[7; 16], &secret()).unwrap().is_empty());
    }

    #[test]
    fn odd_lengths_are_no_hidden_password() {
        for octets in [0, 1, 15, 17, 144] {
            let error = reveal(&vec![1; octets], &[0; 16], &secret()).unwrap_err();
            assert_eq!(error, Error::HiddenLength { octets });
        }
    }

    #[test]
    fn chap_is_proven_for_the_right_password_and_challenge_only() {
        let value = chap(22, b"ab12159753", b"challenge");
        assert!(chap_verify(&value, b"ab12159753", b"challenge"));
        assert!(!chap_verify(&value, b"ab12159754", b"challenge"));
        assert!(!chap_verify(&value, b"ab12159753", b"other"));
        assert!(!chap_verify(&value[..16], b"ab12159753", b"challenge"));
        assert!(!chap_verify(&[], b"", b""));
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_revealed(
            password in proptest::collection::vec(1u8.., 0..=MAX_LEN),
            authenticator: [u8; 16],
        ) {
            let mut out = Vec::new();
            hide(&password, &authenticator, &secret(), &mut out).unwrap();
            prop_assert_eq!(&*reveal(&out, &authenticator, &secret()).unwrap(), &password);
        }
    }
}
