//! The ways to read a name as a number in a row of names.

use crate::check_digit::CheckDigits;

/// How serial numbers count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spelling {
    /// `ACME0000`, `ACME0001`, …
    Decimal,
    /// The same, with a check digit behind each.
    Luhn,
    /// With two.
    Mod97,
    /// `00A9`, `00AA`, …
    Upper,
    /// `00a9`, `00aa`, …
    Lower,
}

impl Spelling {
    pub(super) const ALL: [Self; 5] =
        [Self::Decimal, Self::Luhn, Self::Mod97, Self::Upper, Self::Lower];
}

/// A name as a number: what stands before it, how many characters it has, its value. Within a
/// spelling, no two names are the same number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Number<'a> {
    pub(super) prefix: &'a str,
    pub(super) width: u8,
    pub(super) value: u64,
}

/// Digits of the longest numbers that fit: decimal and hexadecimal.
const DECIMAL: usize = 18;
const HEXADECIMAL: usize = 15;

impl<'a> Number<'a> {
    /// `None` when `name` is not spelled so.
    pub(super) fn of(name: &'a str, spelling: Spelling) -> Option<Self> {
        let scheme = match spelling {
            Spelling::Decimal => {
                return Self::read(name, 10, DECIMAL, |byte| byte.is_ascii_digit());
            }
            Spelling::Upper => {
                let upper = |byte: &u8| byte.is_ascii_hexdigit() && !byte.is_ascii_lowercase();
                return Self::read(name, 16, HEXADECIMAL, upper);
            }
            Spelling::Lower => {
                let lower = |byte: &u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
                return Self::read(name, 16, HEXADECIMAL, lower);
            }
            Spelling::Luhn => CheckDigits::Luhn,
            Spelling::Mod97 => CheckDigits::Mod97,
        };
        let whole = Self::read(name, 10, DECIMAL, |byte| byte.is_ascii_digit())?;
        let (digits, step) = (scheme.digits(), 10u64.pow(scheme.digits() as u32));
        if usize::from(whole.width) <= digits {
            return None;
        }
        let check = scheme.of(&name.as_bytes()[..name.len() - digits])?;
        (u64::from(check) == whole.value % step)
            .then_some(Self { value: whole.value / step, ..whole })
    }

    fn read(name: &'a str, base: u32, most: usize, is_digit: fn(&u8) -> bool) -> Option<Self> {
        let digits = name.as_bytes().iter().rev().take(most).take_while(|b| is_digit(b)).count();
        let (prefix, number) = name.split_at(name.len() - digits);
        let value = u64::from_str_radix(number, base).ok()?;
        Some(Self { prefix, width: number.len() as u8, value })
    }

    /// Whether it comes right after `before`.
    pub(super) fn follows(&self, before: &Self) -> bool {
        self.value == before.value + 1 && self.width == before.width && self.prefix == before.prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_way_they_are_spelled() {
        let number = |name, spelling| {
            let found = Number::of(name, spelling)?;
            Some((found.prefix.len(), found.width, found.value))
        };
        for (name, spelling, expected) in [
            ("ACME0042", Spelling::Decimal, Some((4, 4, 42))),
            ("ACME", Spelling::Decimal, None),
            ("", Spelling::Decimal, None),
            ("79927398713", Spelling::Luhn, Some((0, 11, 7_992_739_871))),
            ("79927398714", Spelling::Luhn, None),
            ("0", Spelling::Luhn, None),
            ("79444", Spelling::Mod97, Some((0, 5, 794))),
            ("79445", Spelling::Mod97, None),
            ("X00A9", Spelling::Upper, Some((1, 4, 0xa9))),
            ("X00A9", Spelling::Lower, Some((4, 1, 9))),
            ("00aa", Spelling::Lower, Some((0, 4, 0xaa))),
            ("00aa", Spelling::Upper, None),
            ("é1", Spelling::Upper, Some((2, 1, 1))),
            ("00123456789012345678", Spelling::Decimal, Some((2, 18, 123_456_789_012_345_678))),
        ] {
            assert_eq!(number(name, spelling), expected, "{name} {spelling:?}");
        }
    }
}
