//! PINs: which ones may be chosen, and how they are kept.
//!
//! A PIN has 4 to 6 characters (RFC 6030 §5 `MinLength`, `MaxLength`), is compared octet by octet
//! without any normalisation, and is kept as `HMAC-SHA256(K, salt ‖ PIN)`: the salt is random per
//! choice, `K` is one key per store that never enters the database. Six characters cannot withstand
//! guessing by whoever has salt and hash, however slow the hash; without `K` there is nothing to
//! guess at.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Fewest characters of a PIN.
pub(super) const MIN: usize = 4;
/// Most characters of a PIN.
pub(super) const MAX: usize = 6;

/// Why a new PIN was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PinFault {
    /// The two entries differ.
    Differ,
    /// Not 4 to 6 characters (Unicode scalar values).
    Length,
    /// It holds a blank, a control character or one that cannot be seen.
    Character,
}

/// A new PIN that satisfies the policy, typed twice alike.
pub(super) struct NewPin(Zeroizing<String>);

impl NewPin {
    /// Checks the two entries of a new PIN: length first, then characters, then equality.
    pub(super) fn choose(
        pin: Zeroizing<String>,
        again: &Zeroizing<String>,
    ) -> Result<Self, PinFault> {
        if !(MIN..=MAX).contains(&pin.chars().take(MAX + 1).count()) {
            return Err(PinFault::Length);
        }
        if pin.chars().any(unseen) {
            return Err(PinFault::Character);
        }
        if !bool::from(pin.as_bytes().ct_eq(again.as_bytes())) {
            return Err(PinFault::Differ);
        }
        Ok(Self(pin))
    }
}

impl fmt::Debug for NewPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPin([redacted])")
    }
}

/// Characters that a person could not know to have typed: blanks, controls, invisible format and
/// direction marks, and the replacement character, which stands for octets that were no UTF-8.
fn unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A PIN as it is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PinHash {
    pub(super) salt: [u8; 16],
    pub(super) mac: [u8; 32],
}

impl fmt::Debug for PinHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinHash([redacted])")
    }
}

/// The keyed hash of one store.
#[derive(Clone)]
pub(super) struct PinKeeper(Hmac<Sha256>);

impl PinKeeper {
    pub(super) fn new(key: &Secret) -> Self {
        Self(Hmac::new_from_slice(key.expose()).expect("HMAC takes keys of any length"))
    }

    /// The kept form of a new PIN, under a fresh salt.
    pub(super) fn keep(&self, pin: &NewPin) -> Result<PinHash, getrandom::Error> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        Ok(PinHash { salt, mac: self.mac(&salt, pin.0.as_bytes()) })
    }

    /// Whether `octets` are the kept PIN. Takes the same time when there is none to compare with.
    pub(super) fn verify(&self, kept: Option<&PinHash>, octets: &[u8]) -> bool {
        let none = PinHash { salt: [0; 16], mac: [0; 32] };
        let against = kept.unwrap_or(&none);
        let same = self.mac(&against.salt, octets).ct_eq(&against.mac);
        bool::from(same) & kept.is_some()
    }

    fn mac(&self, salt: &[u8; 16], octets: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(salt).chain_update(octets).finalize().into_bytes().into()
    }
}

impl fmt::Debug for PinKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinKeeper([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(pin: &str, again: &str) -> Result<NewPin, PinFault> {
        NewPin::choose(Zeroizing::new(pin.into()), &Zeroizing::new(again.into()))
    }

    #[test]
    fn four_to_six_characters_not_octets() {
        for good in
            ["1234", "ab12", "12345", "123456", "éàüñ", "été2026".get(..8).unwrap(), "🔑🔑🔑🔑"]
        {
            assert!(choose(good, good).is_ok(), "{good}");
        }
        let million = "1".repeat(1_000_000);
        for bad in ["", "1", "123", "1234567", "éàü", &"x".repeat(64), &million] {
            assert_eq!(choose(bad, bad).unwrap_err(), PinFault::Length, "{} octets", bad.len());
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for bad in
            ["12 34", "12\t4", "123\0", "12\u{202e}4", "12\u{200b}4", "12\u{a0}4", "12\u{fffd}4"]
        {
            assert_eq!(choose(bad, bad).unwrap_err(), PinFault::Character, "{bad:?}");
        }
    }

    #[test]
    fn typed_twice_alike() {
        for other in ["1235", "123", "12345", "", "1234 "] {
            assert_eq!(choose("1234", other).unwrap_err(), PinFault::Differ);
        }
    }

    #[test]
    fn only_the_very_same_octets_verify() {
        let keeper = PinKeeper::new(&Secret::random(32).unwrap());
        let kept = keeper.keep(&choose("Ab12", "Ab12").unwrap()).unwrap();
        assert!(keeper.verify(Some(&kept), b"Ab12"));
        for other in ["Ab1", "Ab123", "ab12", "AB12", "Ab12 ", " Ab12", ""] {
            assert!(!keeper.verify(Some(&kept), other.as_bytes()), "{other:?}");
        }
        assert!(!keeper.verify(None, b""));
        assert!(!PinKeeper::new(&Secret::random(32).unwrap()).verify(Some(&kept), b"Ab12"));
        assert_ne!(kept, keeper.keep(&choose("Ab12", "Ab12").unwrap()).unwrap());
    }
}
