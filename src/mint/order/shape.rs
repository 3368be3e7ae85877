//! An order as its file has it.

use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::super::details::{ChallengeShape, DetailsShape, NameShape, PolicyShape, ResponseShape};
use super::super::{CheckDigits, Spec};
use crate::token;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) id: Option<String>,
    #[serde(default = "nothing")]
    pub(super) defaults: Spanned<Lot>,
    #[serde(default)]
    pub(super) lot: Vec<Spanned<Lot>>,
}

fn nothing() -> Spanned<Lot> {
    Spanned::new(0..0, Lot::default())
}

/// `[[lot]]`, and `[defaults]` of all.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Lot {
    pub(super) count: Option<u64>,
    pub(super) serial: Option<SerialShape>,
    algorithm: Option<String>,
    hash: Option<String>,
    digits: Option<u8>,
    period: Option<u32>,
    counter: Option<u64>,
    secret_bytes: Option<usize>,
    manufacturer: Option<String>,
    model: Option<String>,
    issuer: Option<String>,
    start_date: Option<Datetime>,
    expiry_date: Option<Datetime>,
    friendly_name: Option<NameShape>,
    crypto_module: Option<String>,
    key_profile: Option<String>,
    issue_number: Option<String>,
    device_binding: Option<String>,
    challenge_format: Option<ChallengeShape>,
    response_format: Option<ResponseShape>,
    policy: Option<PolicyShape>,
}

/// `serial = { … }`: either `prefix` or `oath`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SerialShape {
    prefix: Option<String>,
    oath: Option<OathShape>,
    first: Option<u64>,
    width: Option<usize>,
    check: Option<String>,
}

/// An OATH token identifier: manufacturer prefix (2 characters), token type (2), and 8 of the
/// manufacturer's own, here the number with its check digits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OathShape {
    manufacturer: String,
    r#type: String,
}

impl Lot {
    /// What the lot asks for, where it is silent as `defaults` say.
    pub(super) fn spec(self, defaults: &Self) -> Result<Spec, String> {
        let count = self.count.ok_or("nothing says how many keys: count is missing")?;
        let serial = self.serial.ok_or("nothing says which serial numbers: serial is missing")?;
        let text = |own: Option<String>, default: &Option<String>| own.or_else(|| default.clone());
        let mut spec = Spec {
            count,
            manufacturer: text(self.manufacturer, &defaults.manufacturer),
            model: text(self.model, &defaults.model),
            issuer: text(self.issuer, &defaults.issuer),
            start_date: instant("start-date", self.start_date.or(defaults.start_date))?,
            expiry_date: instant("expiry-date", self.expiry_date.or(defaults.expiry_date))?,
            ..Spec::default()
        };
        if let Some(name) = text(self.algorithm, &defaults.algorithm) {
            spec.algorithm = name.parse()?;
        }
        if let Some(name) = text(self.hash, &defaults.hash) {
            spec.hash = name.parse()?;
        }
        spec.digits = self.digits.or(defaults.digits).unwrap_or(spec.digits);
        spec.period = self.period.or(defaults.period).unwrap_or(spec.period);
        spec.counter = self.counter.or(defaults.counter).unwrap_or(spec.counter);
        let bytes = self.secret_bytes.or(defaults.secret_bytes);
        spec.secret_bytes = bytes.unwrap_or(spec.secret_bytes);
        let details = DetailsShape {
            friendly_name: self.friendly_name.or_else(|| defaults.friendly_name.clone()),
            crypto_module: text(self.crypto_module, &defaults.crypto_module),
            key_profile: text(self.key_profile, &defaults.key_profile),
            issue_number: text(self.issue_number, &defaults.issue_number),
            device_binding: text(self.device_binding, &defaults.device_binding),
            challenge_format: self.challenge_format.or_else(|| defaults.challenge_format.clone()),
            response_format: self.response_format.or_else(|| defaults.response_format.clone()),
            policy: self.policy.or_else(|| defaults.policy.clone()),
            digits: spec.digits,
        };
        spec.details = details.details()?;
        serial.put(&mut spec)?;
        Ok(spec)
    }
}

impl SerialShape {
    fn put(self, spec: &mut Spec) -> Result<(), String> {
        spec.first_serial = self.first.unwrap_or(spec.first_serial);
        spec.check_digits = self.check.map(|name| scheme(&name)).transpose()?;
        spec.serial_width = self.width;
        let Some(OathShape { manufacturer, r#type }) = self.oath else {
            spec.serial_prefix = self.prefix.unwrap_or_default();
            return Ok(());
        };
        if self.prefix.is_some() || self.width.is_some() {
            return Err("serial: oath fixes prefix and width, so they cannot be given, too".into());
        }
        for (name, text) in [("manufacturer", &manufacturer), ("type", &r#type)] {
            let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
            if text.len() != 2 || !text.chars().all(good) {
                return Err(format!(
                    "serial.oath.{name} is {text:?}, not two of A to Z and 0 to 9"
                ));
            }
        }
        let named = format!("oath.{manufacturer}");
        if let Some(other) = spec.manufacturer.as_ref().filter(|other| **other != named) {
            return Err(format!("manufacturer is {other:?}, but serial.oath says {named:?}"));
        }
        spec.manufacturer = Some(named);
        spec.serial_prefix = manufacturer + &r#type;
        spec.serial_width = Some(8 - spec.check_digits.map_or(0, CheckDigits::digits));
        Ok(())
    }
}

fn scheme(name: &str) -> Result<CheckDigits, String> {
    name.parse().map_err(|_| format!("serial.check is {name:?}: luhn or mod97 is wanted"))
}

fn instant(name: &str, date: Option<Datetime>) -> Result<Option<Timestamp>, String> {
    let read = |date: Datetime| {
        token::instant(&date.to_string()).ok_or_else(|| {
            format!(
                "{name} is {date}: a date, a time and an offset are wanted, 2027-01-01T00:00:00Z"
            )
        })
    };
    date.map(read).transpose()
}
