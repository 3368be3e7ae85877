//! What `inspect` shows of the details of keys: in words, or as a part of a JSON object.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::token::{Denial, Details, Fragment, PinPolicy, PinUsage, Token, date_text};

/// What the keys of a batch say beyond the usual, with how many say it.
#[derive(Default)]
pub(super) struct Tally {
    policies: BTreeMap<String, u64>,
    facts: BTreeMap<&'static str, u64>,
    other: u64,
}

impl Tally {
    /// Policies listed: a genuine batch has one or two.
    const POLICIES: usize = 20;

    pub(super) fn add(&mut self, token: &Token) {
        let Some(details) = token.details.as_deref() else { return };
        let own = ["PIN policy", "key usages", "number of transactions"];
        for name in details.names().into_iter().filter(|name| !own.contains(name)) {
            *self.facts.entry(name).or_default() += 1;
        }
        let Some(words) = policy(token, details) else { return };
        if self.policies.len() < Self::POLICIES || self.policies.contains_key(&words) {
            *self.policies.entry(words).or_default() += 1;
        } else {
            self.other += 1;
        }
    }

    /// Rows of a summary: label and text.
    pub(super) fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows: Vec<_> = self
            .policies
            .iter()
            .map(|(words, count)| ("policy", format!("{count} x {words}")))
            .collect();
        if self.other > 0 {
            rows.push(("policy", format!("{} of further kinds", self.other)));
        }
        if !self.facts.is_empty() {
            let facts: Vec<String> =
                self.facts.iter().map(|(name, count)| format!("{count} x {name}")).collect();
            rows.push(("details", facts.join(", ")));
        }
        rows
    }
}

/// The policy in words, if it says anything.
fn policy(token: &Token, details: &Details) -> Option<String> {
    let policy = &details.policy;
    let mut parts = Vec::new();
    if !policy.usages.is_empty() {
        let usages: Vec<&str> = policy.usages.iter().map(|usage| usage.as_str()).collect();
        parts.push(format!("usages {}", usages.join(", ")));
    }
    if let Some(transactions) = policy.transactions {
        parts.push(format!("{transactions} transactions"));
    }
    parts.extend(policy.pin.as_ref().map(pin));
    let denial = token.computes_otherwise().or_else(|| token.forbidden());
    // What is said already need not be said again.
    if let Some(denial) = denial.filter(|denial| !matches!(denial, Denial::Exhausted)) {
        parts.push(format!("not to be used: {denial}"));
    }
    (!parts.is_empty()).then(|| super::inspect::clean(&parts.join("; ")))
}

fn pin(pin: &PinPolicy) -> String {
    let mut words = "PIN".to_owned();
    match (pin.min_length, pin.max_length) {
        (Some(min), Some(max)) if min == max => words.push_str(&format!(" of {min} characters")),
        (Some(min), Some(max)) => words.push_str(&format!(" of {min} to {max} characters")),
        (Some(min), None) => words.push_str(&format!(" of {min} characters or more")),
        (None, Some(max)) => words.push_str(&format!(" of {max} characters at most")),
        (None, None) => {}
    }
    if let Some(encoding) = &pin.encoding {
        words.push_str(&format!(", {encoding}"));
    }
    words.push_str(match &pin.usage {
        Some(PinUsage::Local) => ", asked for by the device",
        Some(PinUsage::Prepend) => ", before the code",
        Some(PinUsage::Append) => ", behind the code",
        Some(PinUsage::Algorithmic) => ", part of the computation",
        _ => "",
    });
    if let Some(attempts) = pin.max_failed_attempts {
        words.push_str(&format!(", blocked after {attempts} wrong ones"));
    }
    words
}

/// The details of one key as `--json` shows them: what it does not have is left out; the content of
/// extensions only when `reveal`, as it may be secret.
pub(super) fn shown(details: &Details, reveal: bool) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = match &value {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if !empty {
            out.insert(name.to_owned(), value);
        }
    };
    let Details { device, parameters, data, policy, .. } = details;
    put("issue_number", json!(device.issue_number));
    put("device_binding", json!(device.binding));
    put("device_start_date", json!(device.start_date.map(date_text)));
    put("device_expiry_date", json!(device.expiry_date.map(date_text)));
    put("device_user", json!(device.user));
    put("crypto_module", json!(details.crypto_module.as_ref().map(|module| &module.id)));
    put("suite", json!(parameters.suite));
    if let Some(format) = &parameters.challenge {
        let encoding = format.encoding.as_str();
        let (min, max, check) = (format.min, format.max, format.check_digits);
        let value = json!({"encoding": encoding, "min": min, "max": max, "check_digits": check});
        put("challenge_format", value);
    }
    if let Some(format) = &parameters.response {
        let (encoding, check) = (format.encoding.as_str(), format.check_digits);
        let value = json!({"encoding": encoding, "length": format.length, "check_digits": check});
        put("response_format", value);
    }
    put("key_profile", json!(details.key_profile));
    put("key_reference", json!(details.reference));
    put("friendly_name", json!(details.friendly_name.as_ref().map(|name| &name.text)));
    let language = details.friendly_name.as_ref().and_then(|name| name.language.as_ref());
    put("friendly_name_language", json!(language));
    put("further_counter", json!(data.counter));
    put("time", json!(data.time));
    put("further_interval", json!(data.interval));
    put("time_drift", json!(data.drift));
    if let Some(pin) = &policy.pin {
        let value = json!({
            "key_id": pin.key_id,
            "usage": pin.usage.as_ref().map(PinUsage::as_str),
            "min_length": pin.min_length,
            "max_length": pin.max_length,
            "encoding": pin.encoding.as_ref().map(|encoding| encoding.as_str()),
            "max_failed_attempts": pin.max_failed_attempts,
        });
        put("pin_policy", value);
    }
    let usages: Vec<&str> = policy.usages.iter().map(|usage| usage.as_str()).collect();
    put("usages", json!(usages));
    put("transactions", json!(policy.transactions));
    put("not_understood", json!(policy.not_understood()));
    let extension = |fragment: &Fragment| {
        let mut value = json!({"namespace": fragment.namespace(), "name": fragment.name()});
        if reveal {
            value["xml"] = json!(fragment.expose_xml());
        }
        value
    };
    put("extensions", details.fragments().map(extension).collect());
    Value::Object(out)
}
