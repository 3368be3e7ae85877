//! Codes from a key: `Truncate(HMAC(K, C))`, RFC 4226 §5.3.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::Hash;
use crate::secret::Secret;

/// A code as the key displays it: a number and how many digits it is shown with (6 to 10).
///
/// `Display` gives the digits alone (`159753`); [`Code::grouped`] gives them as the key shows
/// them (`159 753`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    value: u32,
    digits: u8,
}

impl Code {
    /// A code of `digits` digits; `value` is cut to them.
    #[must_use]
    pub fn new(value: u32, digits: u8) -> Self {
        let value = 10u32.checked_pow(u32::from(digits)).map_or(value, |m| value % m);
        Self { value, digits }
    }

    /// The number shown, without leading zeros.
    #[must_use]
    pub fn value(self) -> u32 {
        self.value
    }

    /// How many digits are shown.
    #[must_use]
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// In groups of three (`159 753`), four when eight digits are shown (`1597 5312`).
    #[must_use]
    pub fn grouped(self) -> String {
        let text = self.to_string();
        let size = if self.digits.is_multiple_of(4) { 4 } else { 3 };
        let mut out = String::with_capacity(text.len() + 3);
        for (index, digit) in text.chars().enumerate() {
            if index > 0 && index % size == 0 {
                out.push(' ');
            }
            out.push(digit);
        }
        out
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$}", self.value, width = usize::from(self.digits))
    }
}

/// A code alone opens nothing once it is used, but until then it is half a login.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code([redacted; {} digits])", self.digits)
    }
}

/// A key ready to give codes: the HMAC is keyed once, so each code costs two short digests.
#[derive(Clone)]
pub struct Generator {
    keyed: Keyed,
    digits: u8,
}

// The 512-bit state is the rare one and the big one: boxed, it keeps a fleet of SHA-1 keys small.
#[derive(Clone)]
enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Box<Hmac<Sha512>>),
}

impl Generator {
    /// Keys the HMAC with `secret`; codes will have `digits` digits.
    #[must_use]
    pub fn new(secret: &Secret, hash: Hash, digits: u8) -> Self {
        let key = secret.expose();
        const ANY: &str = "HMAC takes keys of any length";
        let keyed = match hash {
            Hash::Sha1 => Keyed::Sha1(Hmac::new_from_slice(key).expect(ANY)),
            Hash::Sha256 => Keyed::Sha256(Hmac::new_from_slice(key).expect(ANY)),
            Hash::Sha512 => Keyed::Sha512(Box::new(Hmac::new_from_slice(key).expect(ANY))),
        };
        Self { keyed, digits }
    }

    /// The code at `counter`: the event counter of HOTP, or the time step of TOTP.
    #[must_use]
    pub fn code(&self, counter: u64) -> Code {
        let message = counter.to_be_bytes();
        match &self.keyed {
            Keyed::Sha1(mac) => {
                self.truncate(&mac.clone().chain_update(message).finalize().into_bytes())
            }
            Keyed::Sha256(mac) => {
                self.truncate(&mac.clone().chain_update(message).finalize().into_bytes())
            }
            Keyed::Sha512(mac) => {
                self.truncate(&Hmac::clone(mac).chain_update(message).finalize().into_bytes())
            }
        }
    }

    /// Dynamic truncation, RFC 4226 §5.3 steps 2 and 3.
    fn truncate(&self, digest: &[u8]) -> Code {
        let offset = usize::from(digest[digest.len() - 1] & 0x0f);
        let word: [u8; 4] = digest[offset..offset + 4].try_into().expect("four bytes");
        Code::new(u32::from_be_bytes(word) & 0x7fff_ffff, self.digits)
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("digits", &self.digits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;
    use crate::otp::time_step;

    #[test]
    fn rfc4226_appendix_d() {
        let generator = Generator::new(&Secret::from(&b"12345678901234567890"[..]), Hash::Sha1, 6);
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in expected.iter().enumerate() {
            assert_eq!(generator.code(counter as u64).to_string(), *code, "counter {counter}");
        }
    }

    #[test]
    fn rfc6238_appendix_b() {
        let seed = b"1234567890".repeat(7);
        let generator = |hash, len: usize| Generator::new(&Secret::from(&seed[..len]), hash, 8);
        let (sha1, sha256, sha512) =
            (generator(Hash::Sha1, 20), generator(Hash::Sha256, 32), generator(Hash::Sha512, 64));
        let table = [
            (59, "94287082", "46119246", "90693936"),
            (1_111_111_109, "07081804", "68084774", "25091201"),
            (1_111_111_111, "14050471", "67062674", "99943326"),
            (1_234_567_890, "89005924", "91819424", "93441116"),
            (2_000_000_000, "69279037", "90698825", "38618901"),
            (20_000_000_000, "65353130", "77737706", "47863826"),
        ];
        for (unix, code1, code256, code512) in table {
            let step = time_step(unix * SECOND, 30);
            assert_eq!(sha1.code(step).to_string(), code1, "sha1 at {unix}");
            assert_eq!(sha256.code(step).to_string(), code256, "sha256 at {unix}");
            assert_eq!(sha512.code(step).to_string(), code512, "sha512 at {unix}");
        }
    }

    #[test]
    fn grouping_is_the_display_of_the_key() {
        assert_eq!(Code::new(159_753, 6).grouped(), "159 753");
        assert_eq!(Code::new(42, 6).grouped(), "000 042");
        assert_eq!(Code::new(12_345_678, 8).grouped(), "1234 5678");
        assert_eq!(Code::new(2_147_483_647, 10).to_string(), "2147483647");
    }
}
