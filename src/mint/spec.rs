//! What is to be made.

use std::sync::Arc;

use jiff::Timestamp;

use super::CheckDigits;
use crate::otp::Hash;
use crate::serial::{Serial, SerialError};
use crate::token::{Algorithm, Details};

/// A production order: how many keys, which serial numbers, what they compute.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Number of keys.
    pub count: u64,
    /// What every serial number starts with.
    pub serial_prefix: String,
    /// Number of the first key.
    pub first_serial: u64,
    /// Digits of the number in the serial number, padded with zeros; as many as the highest one
    /// needs when `None`.
    pub serial_width: Option<usize>,
    /// Check digits behind the number.
    pub check_digits: Option<CheckDigits>,
    /// HOTP or TOTP.
    pub algorithm: Algorithm,
    /// Hash under HMAC.
    pub hash: Hash,
    /// Digits of a code, 6 to 10.
    pub digits: u8,
    /// Seconds a code is on display, 1 to 3600; TOTP only.
    pub period: u32,
    /// Counter of the first code; HOTP only.
    pub counter: u64,
    /// Bytes of a seed, 16 to 128 (RFC 4226 §4 R6 asks for 16 and recommends 20).
    pub secret_bytes: usize,
    /// Maker, as `oath.ACME`.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Issuer.
    pub issuer: Option<String>,
    /// First instant at which the keys may be used.
    pub start_date: Option<Timestamp>,
    /// Instant from which on they may not.
    pub expiry_date: Option<Timestamp>,
    /// What else RFC 6030 says of each of the keys.
    pub details: Option<Arc<Details>>,
}

impl Default for Spec {
    /// One key as on the leaflet: TOTP, 6 digits, 60 s, SHA-1, 20 bytes.
    fn default() -> Self {
        Self {
            count: 1,
            serial_prefix: String::new(),
            first_serial: 1,
            serial_width: None,
            check_digits: None,
            algorithm: Algorithm::Totp,
            hash: Hash::Sha1,
            digits: 6,
            period: 60,
            counter: 0,
            secret_bytes: 20,
            manufacturer: None,
            model: None,
            issuer: None,
            start_date: None,
            expiry_date: None,
            details: None,
        }
    }
}

/// Why a specification cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// Nothing to make.
    #[error("a batch has at least one key")]
    Empty,
    /// The numbers run out.
    #[error("{count} keys from number {first} on go beyond the largest number, {}", u64::MAX)]
    Numbers {
        /// Keys asked for.
        count: u64,
        /// Number of the first.
        first: u64,
    },
    /// The width asked for does not hold the highest number.
    #[error("the highest number, {highest}, needs {needed} digits, more than the width of {width}")]
    Width {
        /// The highest number.
        highest: u64,
        /// Digits it needs.
        needed: usize,
        /// Width asked for.
        width: usize,
    },
    /// The serial numbers would not be serial numbers.
    #[error("serial numbers such as {example:?}: {source}")]
    Serial {
        /// The highest serial number.
        example: String,
        /// What is wrong with it.
        source: SerialError,
    },
    /// The schemes of check digits are defined over letters and digits.
    #[error("{scheme} check digits behind {prefix:?}: only letters and digits can be checked")]
    Check {
        /// The scheme.
        scheme: CheckDigits,
        /// What every serial number starts with.
        prefix: String,
    },
    /// Keys that could never be used.
    #[error("the expiry date, {expiry}, is not after the start date, {start}")]
    Dates {
        /// First instant of use.
        start: Timestamp,
        /// Last instant of use.
        expiry: Timestamp,
    },
    /// Only HOTP and TOTP keys are made.
    #[error("keys of algorithm {0:?} are not made, only hotp and totp")]
    Algorithm(String),
    /// A number out of its range.
    #[error("{what} is {value}, not {range}")]
    Range {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What it may be.
        range: &'static str,
    },
}

impl SpecError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "set --count to 1 or more",
            Self::Numbers { .. } => "lower --count or --first-serial",
            Self::Width { .. } => "raise --serial-width, or leave it out",
            Self::Serial { .. } => "shorten or change --serial-prefix",
            Self::Check { .. } => "leave other characters out of the prefix, or the check digits",
            Self::Dates { .. } => "set the expiry date behind the start date",
            Self::Algorithm(_) => "set --algorithm to hotp or totp",
            Self::Range { what: "the number of digits", .. } => {
                "set --digits to 6, which nearly every server takes, or to 7, 8, 9 or 10"
            }
            Self::Range { .. } => {
                "give a number within that range; `trousseau mint --help` has more"
            }
        }
    }
}

impl Spec {
    /// Whether it can be met.
    ///
    /// # Errors
    /// [`SpecError`] with the first reason why not.
    pub fn check(&self) -> Result<(), SpecError> {
        if self.count == 0 {
            return Err(SpecError::Empty);
        }
        let numbers = SpecError::Numbers { count: self.count, first: self.first_serial };
        let highest = self.first_serial.checked_add(self.count - 1).ok_or(numbers.clone())?;
        highest.checked_add(1).ok_or(numbers)?;
        let needed = decimal_width(highest);
        if let Some(width) = self.serial_width.filter(|width| *width < needed) {
            return Err(SpecError::Width { highest, needed, width });
        }
        // Longer than a serial number can be, and so never padded into memory.
        let width = self.width().min(Serial::MAX_LEN + 1);
        let mut example = format!("{}{highest:0width$}", self.serial_prefix);
        if let Some(scheme) = self.check_digits {
            if scheme.of(example.as_bytes()).is_none() {
                return Err(SpecError::Check { scheme, prefix: self.serial_prefix.clone() });
            }
            example.extend(std::iter::repeat_n('0', scheme.digits()));
        }
        Serial::new(&example).map_err(|source| SpecError::Serial { example, source })?;
        if let Algorithm::Other(name) = &self.algorithm {
            return Err(SpecError::Algorithm(name.clone()));
        }
        if let (Some(start), Some(expiry)) = (self.start_date, self.expiry_date)
            && expiry <= start
        {
            return Err(SpecError::Dates { start, expiry });
        }
        let range = |what, value, range: std::ops::RangeInclusive<u64>, text| {
            let error = SpecError::Range { what, value, range: text };
            if range.contains(&value) { Ok(()) } else { Err(error) }
        };
        range("the number of digits", self.digits.into(), 6..=10, "6 to 10")?;
        range("the period", self.period.into(), 1..=3600, "1 to 3600 seconds")?;
        if self.algorithm == Algorithm::Totp {
            range("the counter", self.counter, 0..=0, "0: only HOTP keys count")?;
        }
        range("the length of a seed", self.secret_bytes as u64, 16..=128, "16 to 128 bytes")
    }

    /// Digits of the number in a serial number.
    pub(super) fn width(&self) -> usize {
        let highest = self.first_serial.saturating_add(self.count.saturating_sub(1));
        self.serial_width.unwrap_or_else(|| decimal_width(highest))
    }

    /// The first and the last serial number, of a checked specification.
    #[must_use]
    pub fn serial_range(&self) -> (String, String) {
        let width = self.width();
        let serial = |number| self.serial(number, width).to_string();
        (serial(self.first_serial), serial(self.first_serial + (self.count - 1)))
    }
}

fn decimal_width(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(spec: Spec) -> String {
        spec.check().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_met_is_refused_with_its_numbers() {
        let good = Spec { serial_prefix: "ACME".into(), ..Spec::default() };
        assert_eq!(good.check(), Ok(()));
        assert_eq!(refusal(Spec { count: 0, ..good.clone() }), "a batch has at least one key");
        assert!(refusal(Spec { count: u64::MAX, ..good.clone() }).contains("go beyond"));
        assert!(
            refusal(Spec { first_serial: u64::MAX, count: 2, ..good.clone() })
                .contains("go beyond")
        );
        assert_eq!(
            refusal(Spec { count: 1000, serial_width: Some(3), ..good.clone() }),
            "the highest number, 1000, needs 4 digits, more than the width of 3"
        );
        assert!(refusal(Spec { serial_prefix: "A B".into(), ..good.clone() }).contains("' '"));
        assert!(
            refusal(Spec { serial_width: Some(usize::MAX), ..good.clone() })
                .contains("more than 64")
        );
        assert!(refusal(Spec { digits: 5, ..good.clone() }).ends_with("is 5, not 6 to 10"));
        assert!(refusal(Spec { period: 0, ..good.clone() }).contains("1 to 3600"));
        assert_eq!(
            refusal(Spec { counter: 5, ..good.clone() }),
            "the counter is 5, not 0: only HOTP keys count"
        );
        assert!(refusal(Spec { secret_bytes: 10, ..good }).contains("16 to 128 bytes"));
    }
}
