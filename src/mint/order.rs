//! A production order: a TOML file that a person can review and sign, with several kinds of keys in
//! one batch. `docs/orders.md` is its manual.

mod shape;

use std::ops::Range;
use std::path::Path;

use shape::Shape;

use super::Spec;
use crate::definition::{DefinitionError, parse};
use crate::interrupt::read_text;
use crate::inventory::SerialRange;
use crate::serial::Serial;
use crate::token::Token;

/// What is to be made: lots, one after the other, in one batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// Identifier of the batch.
    pub id: Option<String>,
    /// The lots, each of one kind of key; every one was checked, and no two share a serial.
    lots: Vec<Spec>,
    /// The order as it was written, when it was.
    text: Option<String>,
}

impl Order {
    /// An order of one lot, which must have been checked ([`Spec::check`]).
    #[must_use]
    pub fn single(spec: Spec) -> Self {
        Self { id: None, lots: vec![spec], text: None }
    }

    /// Reads the order in the file `path`.
    ///
    /// # Errors
    /// [`DefinitionError`] with line and column of what is wrong.
    pub fn read(path: &Path) -> Result<Self, DefinitionError> {
        let file = path.display().to_string();
        let text =
            read_text(path).map_err(|error| DefinitionError::unreadable(file.clone(), &error))?;
        Self::parse(&file, text)
    }

    /// Reads `text`, the content of `file`.
    ///
    /// # Errors
    /// As [`Order::read`].
    pub fn parse(file: &str, text: String) -> Result<Self, DefinitionError> {
        let shape: Shape = parse(file, &text)?;
        let wrong = |at: usize, why: String| DefinitionError::at(file, &text, at, why);
        let at = shape.defaults.span().start;
        let defaults = shape.defaults.into_inner();
        if defaults.count.is_some() || defaults.serial.is_some() {
            return Err(wrong(
                at,
                "count and serial belong to a [[lot]], not to [defaults]".into(),
            ));
        }
        let mut lots: Vec<Spec> = Vec::new();
        for lot in shape.lot {
            let at = lot.span().start;
            let number = lots.len() + 1;
            let spec = lot
                .into_inner()
                .spec(&defaults)
                .and_then(|spec| spec.check().map(|()| spec).map_err(|error| error.to_string()))
                .map_err(|why| wrong(at, format!("lot {number}: {why}")))?;
            if let Some(other) = lots.iter().position(|other| share_a_serial(other, &spec)) {
                let (first, last) = spec.serial_range();
                let why =
                    format!("lot {number}: {first} to {last} are serials of lot {}", other + 1);
                return Err(wrong(at, why));
            }
            lots.push(spec);
        }
        if lots.is_empty() {
            return Err(DefinitionError::meaning(file, "an order has at least one [[lot]]"));
        }
        if lots.iter().try_fold(0u64, |sum, lot| sum.checked_add(lot.count)).is_none() {
            return Err(DefinitionError::meaning(
                file,
                "the lots have more keys than can be counted",
            ));
        }
        Ok(Self { id: shape.id, lots, text: Some(text) })
    }

    /// The lots; at least one.
    #[must_use]
    pub fn lots(&self) -> &[Spec] {
        &self.lots
    }

    /// The order as it was written in its file, when there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Number of keys.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lots.iter().map(|lot| lot.count).sum()
    }

    /// First and last serial number of each lot.
    pub fn serial_ranges(&self) -> impl Iterator<Item = (String, String)> {
        self.lots.iter().map(Spec::serial_range)
    }

    /// The serial number of key number `number`, counted from 0.
    #[must_use]
    pub fn serial(&self, mut number: u64) -> Option<Serial> {
        for lot in &self.lots {
            if number < lot.count {
                return Some(lot.serial(lot.first_serial + number, lot.width()));
            }
            number -= lot.count;
        }
        None
    }

    /// The keys number `range` of the whole order, counted from 0.
    pub fn part(
        &self,
        range: Range<u64>,
    ) -> impl Iterator<Item = Result<Token, getrandom::Error>> + '_ {
        let mut before = 0;
        self.lots
            .iter()
            .filter_map(move |lot| {
                let start = range.start.saturating_sub(before).min(lot.count);
                let end = range.end.saturating_sub(before).min(lot.count);
                before += lot.count;
                (start < end).then(|| lot.part(start..end))
            })
            .flatten()
    }
}

/// Whether two checked lots have a serial number in common, or may.
fn share_a_serial(one: &Spec, other: &Spec) -> bool {
    let range = |spec: &Spec| {
        let (first, last) = spec.serial_range();
        SerialRange::new(&spec.serial_prefix, &first, &last, spec.count)
    };
    matches!((range(one), range(other)), (Ok(one), Ok(other)) if one.overlaps(&other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::Hash;
    use crate::token::{Algorithm, Denial, KeyUsage, PinUsage, Policy};

    fn order(text: &str) -> Result<Order, String> {
        Order::parse("order.toml", text.to_owned()).map_err(|error| error.to_string())
    }

    const TWO: &str = r#"
id = "PO-7"
[defaults]
manufacturer = "oath.AC"
digits = 8
[[lot]]
count = 3
serial = { prefix = "T", first = 8, width = 4, check = "luhn" }
[[lot]]
count = 2
serial = { oath = { manufacturer = "AC", type = "H1" }, check = "mod97" }
algorithm = "hotp"
hash = "sha256"
counter = 5
digits = 6
secret-bytes = 32
start-date = 2027-01-01T00:00:00+01:00
"#;

    #[test]
    fn lots_follow_each_other_with_their_own_facts() {
        let order = order(TWO).unwrap();
        assert_eq!((order.id.as_deref(), order.count()), (Some("PO-7"), 5));
        let tokens: Vec<Token> = order.part(0..5).map(Result::unwrap).collect();
        let serials: Vec<&str> = tokens.iter().map(|token| token.serial.as_str()).collect();
        assert_eq!(serials[..3], ["T00082", "T00090", "T00108"]);
        assert!(serials[3].starts_with("ACH1000001") && serials[3].len() == 12, "{serials:?}");
        assert_eq!((&tokens[0].algorithm, tokens[0].digits), (&Algorithm::Totp, 8));
        assert_eq!((&tokens[4].algorithm, tokens[4].hash), (&Algorithm::Hotp, Hash::Sha256));
        assert_eq!((tokens[4].digits, tokens[4].secret.len()), (6, 32));
        assert_eq!((tokens[0].counter, tokens[4].counter), (0, 5));
        assert_eq!(tokens[4].start_date.unwrap().to_string(), "2026-12-31T23:00:00Z");
        assert!(tokens.iter().all(|token| token.manufacturer.as_deref() == Some("oath.AC")));
        // Any part is the same part.
        for (start, end) in [(0, 2), (2, 4), (3, 5), (5, 9)] {
            let part: Vec<_> =
                order.part(start..end).map(|token| token.unwrap().serial.to_string()).collect();
            let (start, end) = (start.min(5) as usize, end.min(5) as usize);
            assert_eq!(part, serials[start..end]);
        }
    }

    #[test]
    fn details_are_those_of_the_lot_or_the_defaults() {
        let order = order(
            r#"
[defaults]
friendly-name = { text = "Clé", language = "fr" }
policy = { usages = ["otp"], transactions = 500, pin = { usage = "prepend", min-length = 4 } }
[[lot]]
count = 1
serial = { prefix = "A" }
crypto-module = "CM-1"
challenge-format = { encoding = "decimal", min = 4, max = 8, check-digits = true }
[[lot]]
count = 1
serial = { prefix = "B" }
friendly-name = "Key"
key-profile = "p"
issue-number = "2"
device-binding = "IMEI"
response-format = { check-digits = true }
policy = {}
[[lot]]
count = 1
serial = { prefix = "C" }
friendly-name = "Plain"
policy = { pin = { key-id = "x", max-length = 8, max-failed-attempts = 3, encoding = "DECIMAL" } }
"#,
        )
        .unwrap();
        let tokens: Vec<Token> = order.part(0..3).map(Result::unwrap).collect();
        let details = |at: usize| tokens[at].details.as_deref().unwrap();
        let name = details(0).friendly_name.as_ref().unwrap();
        assert_eq!((name.text.as_str(), name.language.as_deref()), ("Clé", Some("fr")));
        assert_eq!(details(0).policy.usages, [KeyUsage::Otp]);
        assert_eq!(details(0).policy.transactions, Some(500));
        let pin = details(0).policy.pin.as_ref().unwrap();
        assert_eq!((pin.usage.as_ref(), pin.min_length), (Some(&PinUsage::Prepend), Some(4)));
        assert_eq!(details(0).crypto_module.as_ref().unwrap().id, "CM-1");
        assert!(details(0).parameters.challenge.as_ref().unwrap().check_digits);
        assert_eq!(details(1).friendly_name.as_ref().unwrap().text, "Key");
        assert_eq!(details(1).policy, Policy::default());
        assert_eq!(details(1).key_profile.as_deref(), Some("p"));
        assert_eq!(details(1).device.issue_number.as_deref(), Some("2"));
        assert_eq!(details(1).device.binding.as_deref(), Some("IMEI"));
        assert_eq!(tokens[1].computes_otherwise(), Some(Denial::CheckDigits));
        let pin = details(2).policy.pin.as_ref().unwrap();
        assert_eq!((pin.max_failed_attempts, pin.max_length), (Some(3), Some(8)));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let second = |lot: &str| {
            order(&format!("[[lot]]\ncount = 9\nserial = {{ prefix = 'A', width = 3 }}\n{lot}"))
                .unwrap_err()
        };
        for (text, place, why) in [
            ("[[lot]]\ncolour = 1\n", ":5:1", "unknown field `colour`"),
            ("[[lot]]\ncount = 1\n", ":4:", "lot 2: nothing says which serial numbers"),
            ("[[lot]]\ncount = 1\nserial = {}\ndigits = 5\n", ":4:", "lot 2: the number of digits"),
            (
                "[[lot]]\ncount = 2\nserial = { prefix = 'A00', first = 9, width = 1 }\n",
                ":4:",
                "lot 2: the highest number, 10, needs 2 digits",
            ),
            (
                "[[lot]]\ncount = 1\nserial = { prefix = 'A00', first = 9 }\n",
                ":4:",
                "lot 2: A009 to A009 are serials of lot 1",
            ),
            (
                "[[lot]]\ncount = 1\nserial = { prefix = 'B-', check = 'luhn' }\n",
                ":4:",
                "only letters and digits can be checked",
            ),
            (
                "[[lot]]\ncount = 1\nserial = { check = 'crc' }\n",
                ":4:",
                "serial.check is \"crc\": luhn or mod97",
            ),
            (
                "[[lot]]\ncount = 1\nserial = {}\nexpiry-date = 2027-01-01\n",
                ":4:",
                "expiry-date is 2027-01-01: a date, a time and an offset",
            ),
            (
                "[[lot]]\ncount = 1\nserial = {}\npolicy = { usages = ['OTP', 'Vote'] }\n",
                ":4:",
                "lot 2: policy.usages is \"Vote\": one of OTP, CR, Encrypt,",
            ),
            (
                "[[lot]]\ncount = 1\nserial = {}\npolicy = { pin = { usage = 'whisper' } }\n",
                ":4:",
                "policy.pin.usage is \"whisper\": one of Local, Prepend, Append, Algorithmic",
            ),
            (
                "[[lot]]\ncount = 1\nserial = {}\n\
                 policy = { pin = { min-length = 6, max-length = 4 } }\n",
                ":4:",
                "policy.pin: min-length, 6, is more than max-length, 4",
            ),
            (
                "[[lot]]\ncount = 1\nserial = {}\npolicy = { colour = 1 }\n",
                ":7:",
                "unknown field `colour`",
            ),
            (
                "[[lot]]\ncount = 1\nserial = {}\n\
                 response-format = { encoding = 'hexadecimal', check-digits = true }\n",
                ":4:",
                "only decimal codes have a check digit",
            ),
            (
                "[[lot]]\ncount = 1\nmanufacturer = 'oath.XY'\n\
                 serial = { oath = { manufacturer = 'AC', type = 'T1' } }\n",
                ":4:",
                "\"oath.XY\", but serial.oath says \"oath.AC\"",
            ),
        ] {
            let said = second(text);
            assert!(
                said.starts_with(&format!("order.toml{place}")) && said.contains(why),
                "{said}"
            );
        }
        assert!(order("id = 'x'\n").unwrap_err().contains("at least one [[lot]]"));
        assert!(order("[defaults]\ncount = 1\n").unwrap_err().contains("belong to a [[lot]]"));
    }
}
