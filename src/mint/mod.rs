//! Making keys: serial numbers in a row, seeds from the operating system's CSPRNG.
//!
//! May use [`crate::token`] and [`crate::keystore`]; writes no file and never holds more than one
//! token. What must not come in: any other source of randomness for seeds.

mod details;
mod order;
mod spec;

pub use crate::check_digit::CheckDigits;
pub use order::Order;
pub use spec::{Spec, SpecError};

use std::ops::Range;

use crate::keystore::Entropy;
use crate::secret::Secret;
use crate::serial::Serial;
use crate::token::Token;

/// All tokens of `spec`, one by one.
///
/// # Errors
/// [`SpecError`] when the specification cannot be met.
pub fn mint(spec: &Spec) -> Result<Mint<'_>, SpecError> {
    spec.check()?;
    Ok(spec.part(0..spec.count))
}

/// A stream of new tokens; see [`mint`].
pub struct Mint<'a> {
    spec: &'a Spec,
    width: usize,
    numbers: Range<u64>,
    entropy: Entropy,
}

impl Spec {
    /// The tokens number `range` of a checked specification, counted from 0: several threads can
    /// each make a part.
    #[must_use]
    pub fn part(&self, range: Range<u64>) -> Mint<'_> {
        let numbers = self.first_serial + range.start..self.first_serial + range.end;
        let count = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        // Parts are small, and fetching is what costs.
        let entropy = Entropy::of(count.saturating_mul(self.secret_bytes));
        Mint { spec: self, width: self.width(), numbers, entropy }
    }
}

impl Mint<'_> {
    fn token(&mut self, number: u64) -> Result<Token, getrandom::Error> {
        let Spec { manufacturer, model, issuer, .. } = self.spec;
        let mut seed = vec![0; self.spec.secret_bytes];
        self.entropy.fill(&mut seed)?;
        let serial = self.spec.serial(number, self.width);
        Ok(Token {
            key_id: serial.as_str().to_owned(),
            serial,
            algorithm: self.spec.algorithm.clone(),
            hash: self.spec.hash,
            digits: self.spec.digits,
            period: self.spec.period,
            counter: self.spec.counter,
            secret: Secret::new(seed),
            manufacturer: manufacturer.clone(),
            model: model.clone(),
            issuer: issuer.clone(),
            user: None,
            start_date: self.spec.start_date,
            expiry_date: self.spec.expiry_date,
            details: self.spec.details.clone(),
        })
    }
}

impl Iterator for Mint<'_> {
    type Item = Result<Token, getrandom::Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let number = self.numbers.next()?;
        Some(self.token(number))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let (low, high) = self.numbers.size_hint();
        (low, high)
    }
}

impl std::fmt::Debug for Mint<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mint").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}

impl Spec {
    /// The serial number of key `number`; the specification was checked, so that it is one.
    fn serial(&self, number: u64, width: usize) -> Serial {
        // Written backwards into a buffer: formatting it takes longer than encrypting the seed.
        let mut text = [b'0'; Serial::MAX_LEN];
        let end = text.len() - self.check_digits.map_or(0, CheckDigits::digits);
        let mut at = end;
        let mut rest = number;
        while rest > 0 {
            at -= 1;
            text[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        at = at.min(end - width);
        let prefix = self.serial_prefix.as_bytes();
        at -= prefix.len();
        text[at..at + prefix.len()].copy_from_slice(prefix);
        let check = self.check_digits.and_then(|scheme| scheme.of(&text[at..end]));
        for (place, digit) in (end..text.len()).rev().zip([1, 10]) {
            text[place] = b'0' + check.unwrap_or_default() / digit % 10;
        }
        let text = std::str::from_utf8(&text[at..]).unwrap_or_default();
        Serial::new(text).unwrap_or_else(|_| unreachable!("the specification was checked"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn spec() -> Spec {
        Spec { count: 1000, serial_prefix: "ACME".into(), ..Spec::default() }
    }

    #[test]
    fn serials_are_padded_in_order_and_unique_and_so_are_seeds() {
        let spec = Spec { first_serial: 1, ..spec() };
        let tokens: Vec<Token> = mint(&spec).unwrap().map(Result::unwrap).collect();
        assert_eq!(tokens.len(), 1000);
        assert_eq!(tokens[0].serial.as_str(), "ACME0001");
        assert_eq!(tokens[999].serial.as_str(), "ACME1000");
        assert!(tokens.is_sorted_by(|one, next| one.serial < next.serial));
        let seeds: HashSet<&[u8]> = tokens.iter().map(|token| token.secret.expose()).collect();
        assert_eq!(seeds.len(), 1000);
        assert!(tokens.iter().all(|token| token.secret.len() == 20));
    }

    #[test]
    fn parts_make_up_the_whole() {
        let spec = Spec { first_serial: 0, serial_width: Some(8), ..spec() };
        let whole: Vec<_> = mint(&spec).unwrap().map(|token| token.unwrap().serial).collect();
        let parts: Vec<_> = [0..1, 1..600, 600..1000]
            .into_iter()
            .flat_map(|range| spec.part(range).map(|token| token.unwrap().serial))
            .collect();
        assert_eq!(whole, parts);
        assert_eq!(whole[0].as_str(), "ACME00000000");
    }

    #[test]
    fn check_digits_stand_behind_the_number() {
        let us = Spec { serial_prefix: "US".into(), serial_width: Some(9), ..spec() };
        let us = Spec { first_serial: 37_833_100, check_digits: Some(CheckDigits::Luhn), ..us };
        assert_eq!(us.serial_range().0, "US0378331005");
        let iso =
            Spec { first_serial: 794, count: 2, check_digits: Some(CheckDigits::Mod97), ..spec() };
        let iso = Spec { serial_prefix: String::new(), ..iso };
        let serials: Vec<_> = mint(&iso).unwrap().map(|token| token.unwrap().serial).collect();
        assert_eq!(serials[0].as_str(), "79444");
        assert_eq!((serials[0].to_string(), serials[1].to_string()), iso.serial_range());
    }
}
