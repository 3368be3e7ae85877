//! What an order says of its keys beyond what makes their codes (RFC 6030 §4.3, §5).

use std::sync::Arc;

use serde::Deserialize;

use crate::token::{
    ChallengeFormat, CryptoModule, Details, FriendlyName, KeyUsage, PinPolicy, PinUsage, Policy,
    ResponseFormat, ValueFormat,
};

/// `policy = { … }`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyShape {
    usages: Option<Vec<String>>,
    transactions: Option<u64>,
    pin: Option<PinShape>,
}

/// `policy.pin = { … }`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PinShape {
    key_id: Option<String>,
    usage: Option<String>,
    min_length: Option<u32>,
    max_length: Option<u32>,
    max_failed_attempts: Option<u32>,
    encoding: Option<String>,
}

/// `friendly-name = "…"`, or with its language.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum NameShape {
    Plain(String),
    Local(LocalShape),
}

/// `friendly-name = { text = "…", language = "fr" }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LocalShape {
    text: String,
    language: String,
}

/// `challenge-format = { … }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ChallengeShape {
    encoding: String,
    min: u32,
    max: u32,
    #[serde(default)]
    check_digits: bool,
}

/// `response-format = { … }`; its length is `digits`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ResponseShape {
    encoding: Option<String>,
    #[serde(default)]
    check_digits: bool,
}

/// All of it, for one lot.
#[derive(Debug, Default)]
pub(super) struct DetailsShape {
    pub(super) friendly_name: Option<NameShape>,
    pub(super) crypto_module: Option<String>,
    pub(super) key_profile: Option<String>,
    pub(super) issue_number: Option<String>,
    pub(super) device_binding: Option<String>,
    pub(super) challenge_format: Option<ChallengeShape>,
    pub(super) response_format: Option<ResponseShape>,
    pub(super) policy: Option<PolicyShape>,
    /// Digits of a code.
    pub(super) digits: u8,
}

impl DetailsShape {
    /// The details, shared by all keys of the lot; `None` when there are none.
    pub(super) fn details(self) -> Result<Option<Arc<Details>>, String> {
        let mut details = Details { key_profile: self.key_profile, ..Details::default() };
        details.device.issue_number = self.issue_number;
        details.device.binding = self.device_binding;
        details.crypto_module =
            self.crypto_module.map(|id| CryptoModule { id, extensions: Vec::new() });
        details.friendly_name = self.friendly_name.map(|name| match name {
            NameShape::Plain(text) => FriendlyName { text, language: None },
            NameShape::Local(LocalShape { text, language }) => {
                FriendlyName { text, language: Some(language) }
            }
        });
        if let Some(shape) = self.challenge_format {
            if shape.min > shape.max {
                return Err("challenge-format: min is more than max".into());
            }
            details.parameters.challenge = Some(ChallengeFormat {
                encoding: format("challenge-format.encoding", &shape.encoding)?,
                min: Some(shape.min),
                max: Some(shape.max),
                check_digits: shape.check_digits,
            });
        }
        if let Some(shape) = self.response_format {
            let name = shape.encoding.as_deref().unwrap_or(ValueFormat::Decimal.as_str());
            let encoding = format("response-format.encoding", name)?;
            let check_digits = shape.check_digits;
            let plain = encoding == ValueFormat::Decimal;
            if check_digits && !plain {
                return Err("response-format: only decimal codes have a check digit".into());
            }
            let length = (!plain).then(|| self.digits.into());
            if check_digits || !plain {
                details.parameters.response =
                    Some(ResponseFormat { encoding, length, check_digits });
            }
        }
        if let Some(shape) = self.policy {
            details.policy = policy(shape)?;
        }
        Ok((!details.is_empty()).then(|| Arc::new(details)))
    }
}

fn policy(shape: PolicyShape) -> Result<Policy, String> {
    let usages = shape.usages.unwrap_or_default();
    let usages = usages.iter().map(|word| {
        let usage = KeyUsage::ALL.iter().find(|usage| usage.as_str().eq_ignore_ascii_case(word));
        let known = KeyUsage::ALL.iter().map(KeyUsage::as_str);
        usage.cloned().ok_or_else(|| unknown("policy.usages", word, known))
    });
    let usages = usages.collect::<Result<_, _>>()?;
    let pin = shape.pin.map(pin).transpose()?;
    Ok(Policy { pin, usages, transactions: shape.transactions, unknown: Vec::new() })
}

fn pin(shape: PinShape) -> Result<PinPolicy, String> {
    if let (Some(min), Some(max)) = (shape.min_length, shape.max_length)
        && min > max
    {
        return Err(format!("policy.pin: min-length, {min}, is more than max-length, {max}"));
    }
    let usage = shape.usage.map(|word| {
        let usage = PinUsage::ALL.iter().find(|usage| usage.as_str().eq_ignore_ascii_case(&word));
        let known = PinUsage::ALL.iter().map(PinUsage::as_str);
        usage.cloned().ok_or_else(|| unknown("policy.pin.usage", &word, known))
    });
    let encoding = shape.encoding.map(|word| format("policy.pin.encoding", &word));
    Ok(PinPolicy {
        key_id: shape.key_id,
        usage: usage.transpose()?,
        max_failed_attempts: shape.max_failed_attempts,
        min_length: shape.min_length,
        max_length: shape.max_length,
        encoding: encoding.transpose()?,
        ..PinPolicy::default()
    })
}

fn format(name: &str, word: &str) -> Result<ValueFormat, String> {
    let format = ValueFormat::ALL.iter().find(|format| format.as_str().eq_ignore_ascii_case(word));
    let known = ValueFormat::ALL.iter().map(ValueFormat::as_str);
    format.cloned().ok_or_else(|| unknown(name, word, known))
}

fn unknown<'a>(name: &str, word: &str, known: impl Iterator<Item = &'a str>) -> String {
    format!("{name} is {word:?}: one of {} is wanted", known.collect::<Vec<_>>().join(", "))
}
