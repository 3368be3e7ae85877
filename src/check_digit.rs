//! Check digits of serial numbers: one slip of the pen is noticed when a serial is typed.
//!
//! Both schemes run over the whole serial number before them, a letter counting as its two-digit
//! number (A = 10 … Z = 35, small letters alike), as ISIN (ISO 6166) and IBAN (ISO 13616) do.

use crate::named::named;

named! {
    /// How the check digits behind a serial number are computed.
    CheckDigits {
        /// One digit, ISO/IEC 7812-1 annex B: every wrong digit, most exchanged neighbours.
        Luhn = "luhn",
        /// Two digits, ISO/IEC 7064 MOD 97-10: nearly every slip there is.
        Mod97 = "mod97",
    }
}

impl CheckDigits {
    /// How many digits they are.
    #[must_use]
    pub fn digits(self) -> usize {
        match self {
            Self::Luhn => 1,
            Self::Mod97 => 2,
        }
    }

    /// The check digits of `body`, a number of [`CheckDigits::digits`] digits; `None` when it holds
    /// something other than ASCII letters and digits.
    #[must_use]
    pub fn of(self, body: &[u8]) -> Option<u8> {
        match self {
            Self::Luhn => luhn(body),
            Self::Mod97 => mod97(body),
        }
    }
}

/// The number a character counts as.
fn value(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(36).map(|value| value as u8)
}

fn luhn(body: &[u8]) -> Option<u8> {
    let (mut sum, mut double) = (0u32, true);
    let mut add = |digit: u8| {
        let digit = u32::from(digit) << u32::from(double);
        sum += digit / 10 + digit % 10;
        double = !double;
    };
    for byte in body.iter().rev() {
        let value = value(*byte)?;
        add(value % 10);
        if value >= 10 {
            add(value / 10);
        }
    }
    Some(((10 - sum % 10) % 10) as u8)
}

fn mod97(body: &[u8]) -> Option<u8> {
    let mut rest = 0u32;
    for byte in body {
        let value = u32::from(value(*byte)?);
        rest = (rest * if value >= 10 { 100 } else { 10 } + value) % 97;
    }
    Some((98 - rest * 100 % 97) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_have_their_check_digits() {
        // A payment card in every manual, and two ISINs.
        for (body, digit) in [
            ("7992739871", 3),
            ("411111111111111", 1),
            ("US037833100", 5),
            ("GB000263494", 6),
            ("0", 0),
        ] {
            assert_eq!(CheckDigits::Luhn.of(body.as_bytes()), Some(digit), "{body}");
        }
        // ISO/IEC 7064's own example; an IBAN with its country at the end; a legal entity.
        for (body, digits) in [
            ("794", 44),
            ("WEST12345698765432GB", 82),
            ("370400440532013000DE", 89),
            ("HWUPKR0MPOU8FGXBT3", 94),
        ] {
            assert_eq!(CheckDigits::Mod97.of(body.as_bytes()), Some(digits), "{body}");
        }
        assert_eq!(CheckDigits::Luhn.of(b"A-1"), None);
        assert_eq!(CheckDigits::Mod97.of("é".as_bytes()), None);
    }

    #[test]
    fn a_wrong_digit_never_has_the_same_check_digits() {
        for scheme in [CheckDigits::Luhn, CheckDigits::Mod97] {
            for at in 0..8 {
                let mut found = std::collections::HashSet::new();
                for digit in b'0'..=b'9' {
                    let mut serial = *b"12345678";
                    serial[at] = digit;
                    found.insert(scheme.of(&serial));
                }
                assert_eq!(found.len(), 10, "{scheme} at {at}");
            }
        }
    }
}
