//! Secrets as a type: seeds, transport keys, PINs.
//!
//! A [`Secret`] never shows itself: `Debug` is redacted, there is no `Display` and no
//! serialisation, its memory is wiped on drop, and reading it takes the visible verb
//! [`Secret::expose`]. Nothing else in the crate may hold secret bytes for longer than a call.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes, wiped on drop, redacted in `Debug`, compared in constant time.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of `bytes`; the caller's buffer is the secret's buffer, no copy remains.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// `len` bytes from the operating system's CSPRNG.
    ///
    /// # Errors
    /// When the operating system has no entropy to give.
    pub fn random(len: usize) -> Result<Self, getrandom::Error> {
        let mut bytes = vec![0u8; len];
        getrandom::fill(&mut bytes)?;
        Ok(Self::new(bytes))
    }

    /// Reads hexadecimal text of either case; `None` when it is not (nothing of it is echoed).
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().map(Self::new)
    }

    /// The bytes themselves. Every call is a place where a secret may escape: keep them few.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes as lower-case hexadecimal, wiped on drop.
    #[must_use]
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret([redacted; {} bytes])", self.0.len())
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

/// `text` with everything that looks like a key in it replaced by asterisks, for messages that quote
/// a file: the file may be the wrong one. Every character keeps its place.
///
/// What looks like a key: 22 characters or more of base64, base32 or hexadecimal in a row (16 bytes
/// in the shortest of them), unless they are a word in lower case or read like a path.
#[must_use]
pub fn veil(text: &str) -> String {
    let mut veiled = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let of_key = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
        let run = &rest[..rest.find(|c| !of_key(c)).unwrap_or(rest.len())];
        if run.is_empty() {
            let other = rest.find(of_key).unwrap_or(rest.len());
            veiled.push_str(&rest[..other]);
            rest = &rest[other..];
            continue;
        }
        // An equals sign ends a key; before one it parts it from its name, as in `secret=…`.
        let padding = rest[run.len()..].bytes().take_while(|b| *b == b'=').count();
        if looks_like_key(run) {
            veiled.extend(std::iter::repeat_n('*', run.len() + padding));
        } else {
            veiled.push_str(&rest[..run.len() + padding]);
        }
        rest = &rest[run.len() + padding..];
    }
    veiled
}

fn looks_like_key(run: &str) -> bool {
    /// Characters of 16 bytes in base64 and in base32.
    const SHORTEST: usize = 22;
    const BASE32: usize = 26;
    let kind = |c: char| match c {
        'a'..='z' => Some('a'),
        'A'..='Z' => Some('A'),
        '0'..='9' => Some('0'),
        _ => None,
    };
    // No word has so many letters; and one key in a thousand has no digit in base32.
    let whole = run.split(|c| kind(c).is_none()).any(|part| {
        part.len() >= BASE32
            || part.len() >= SHORTEST && part.bytes().any(|b| !b.is_ascii_lowercase())
    });
    // Words joined by signs change little between kinds of characters, keys all the time.
    let kinds: Vec<char> = run.chars().filter_map(kind).collect();
    let changes = kinds.windows(2).filter(|two| two[0] != two[1]).count();
    whole || run.len() >= SHORTEST && changes >= 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_redacted() {
        let secret = Secret::new(b"12345678901234567890".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret([redacted; 20 bytes])");
    }

    #[test]
    fn hex_takes_either_case_and_refuses_the_rest() {
        let lower = Secret::from_hex("00ff10").unwrap();
        assert_eq!(lower, Secret::from_hex("00FF10").unwrap());
        assert_eq!(lower.expose(), [0, 255, 16]);
        assert_eq!(*lower.to_hex(), "00ff10");
        for bad in ["0", "0g", "00 11", "0x00"] {
            assert!(Secret::from_hex(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn random_secrets_differ() {
        assert_ne!(Secret::random(20).unwrap(), Secret::random(20).unwrap());
    }

    #[test]
    fn keys_are_veiled_and_words_are_not() {
        for key in [
            "00112233445566778899aabbccddeeff",
            "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "ABEiM0RVZneImaq7zN3u/w==",
            "/wARIjNEVWZ3iJmqu8zd7v8A-_8=",
        ] {
            let veiled = veil(&format!("é: {key}, then"));
            assert_eq!(veiled, format!("é: {}, then", "*".repeat(key.len())));
        }
        for words in [
            "unknown field `lifetime`, expected one of `a_much_longer_name`, `x`",
            "path = \"/api/v1/validate/check/triggerchallenge\"",
            "privacyidea-csv-users FR0000000001 alice.martin@example.com",
            "key ACME00000001: 550e8400-e29b",
        ] {
            assert_eq!(veil(words), words);
        }
    }

    /// Whatever the digits of a key are, and whatever stands before it.
    #[test]
    fn keys_of_any_digits_are_veiled() {
        use data_encoding::{
            BASE32, BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER,
        };
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(6238);
        for round in 0..3_000 {
            let mut key = [0u8; 32];
            random.fill(&mut key[..]);
            let key = &key[..if round % 2 == 0 { 20 } else { 32 }];
            let mut texts: Vec<String> = [HEXLOWER, HEXUPPER, BASE32, BASE32_NOPAD]
                .iter()
                .flat_map(|encoding| [encoding.encode(key), encoding.encode(key).to_lowercase()])
                .collect();
            texts.extend([BASE64, BASE64_NOPAD, BASE64URL_NOPAD].iter().map(|e| e.encode(key)));
            for text in texts {
                for before in ["", "secret=", "?a=b&secret=", "serial_T1-", "/etc/"] {
                    let veiled = veil(&format!("{before}{text}&digits=6"));
                    assert!(!veiled.contains(&text), "{before}{text} in {veiled}");
                }
            }
        }
        for lower in ["mfrggzdfmztwq2lknnwg23tpobyxe43u", "abcdefghijklmnopqrstuvwxyzabcdef"] {
            assert_eq!(veil(&format!("secret={lower}&x")), format!("secret={}&x", "*".repeat(32)));
        }
    }
}
