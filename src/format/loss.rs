//! What a file does not carry: refused when the key would then give other codes than the server
//! expects, told otherwise.

use std::collections::{BTreeMap, BTreeSet};

use super::field::{CODE_FACTS, Field, Record};
use super::limits::Limits;
use crate::counted::counted;
use crate::token::{Algorithm, Token};

/// How the facts of a key reach the server, or do not.
#[derive(Debug, Default)]
pub(super) struct Carriage {
    /// Whether the file carries all that RFC 6030 says of a key.
    pub(super) details: bool,
    /// In the file.
    pub(super) carried: BTreeSet<Field>,
    /// Not in the file: the server takes this value.
    pub(super) assumed: BTreeMap<Field, String>,
    /// Not in the file: a person chooses it there, once for the whole file.
    pub(super) by_hand: BTreeMap<Field, String>,
}

/// What was seen of it while writing.
#[derive(Debug, Default)]
pub(super) struct Losses {
    chosen: BTreeMap<Field, String>,
    left_out: BTreeMap<Field, u64>,
    /// What else of RFC 6030.
    details: BTreeMap<&'static str, u64>,
}

impl Carriage {
    /// A definition must say of each fact that decides codes how it reaches the server.
    pub(super) fn unexplained(&self, limits: &Limits) -> Vec<Field> {
        let may = |algorithm: Algorithm| {
            limits.algorithms.as_ref().is_none_or(|allowed| allowed.contains(&algorithm))
        };
        let explained = |field: &Field| {
            self.carried.contains(field)
                || self.assumed.contains_key(field)
                || self.by_hand.contains_key(field)
                || match field {
                    Field::Algorithm => single(limits.algorithms.as_ref()).is_some(),
                    Field::Hash => {
                        single(limits.hashes.as_ref()).is_some() || limits.hash_by_len.is_some()
                    }
                    Field::Digits => single(limits.digits.as_ref()).is_some(),
                    Field::Period => {
                        single(limits.periods.as_ref()).is_some() || !may(Algorithm::Totp)
                    }
                    _ => !may(Algorithm::Hotp),
                }
        };
        CODE_FACTS.into_iter().filter(|field| !explained(field)).collect()
    }

    /// The value that a file which does not carry `field` implies, for reading it back.
    pub(super) fn implied(&self, field: &Field, limits: &Limits) -> Option<String> {
        if let Some(value) = self.assumed.get(field) {
            return Some(value.clone());
        }
        match field {
            Field::Algorithm => single(limits.algorithms.as_ref()).map(|a| a.name().to_owned()),
            Field::Hash => single(limits.hashes.as_ref()).map(|hash| hash.name().to_owned()),
            Field::Digits => single(limits.digits.as_ref()).map(ToString::to_string),
            Field::Period => single(limits.periods.as_ref()).map(ToString::to_string),
            _ => None,
        }
    }

    /// Adds what of `record` would be lost to `faults`, and notes what is merely left out.
    pub(super) fn check(&self, record: &Record<'_>, losses: &mut Losses, faults: &mut Vec<String>) {
        let matters = |field: &Field| match field {
            Field::Period => record.token.algorithm == Algorithm::Totp,
            Field::Counter => record.token.algorithm == Algorithm::Hotp,
            _ => true,
        };
        for (field, assumed) in self.assumed.iter().filter(|(field, _)| matters(field)) {
            let value = record.text(field).unwrap_or_default();
            if !self.carried.contains(field) && value != assumed.as_str() {
                faults.push(format!(
                    "the file does not carry the {field}: the server will take {assumed}, but the \
                     key has {value}"
                ));
            }
        }
        for field in self.by_hand.keys().filter(|field| matters(field)) {
            let value = record.text(field).unwrap_or_default();
            let first = losses.chosen.entry(field.clone()).or_insert_with(|| value.clone().into());
            if *first != value {
                faults.push(format!(
                    "the {field} is chosen once for the whole file: keys before have {first}, this \
                     one has {value}"
                ));
            }
        }
        for field in DESCRIPTIVE.iter().filter(|field| !self.carried.contains(field)) {
            if record.text(field).is_some() {
                *losses.left_out.entry(field.clone()).or_default() += 1;
            }
        }
        if !self.details {
            details(record.token, losses, faults);
        }
    }

    /// What a person must know of the file that was written.
    pub(super) fn notes(&self, losses: &Losses) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        for (field, how) in &self.by_hand {
            if let Some(value) = losses.chosen.get(field) {
                notes.push(format!("the file does not carry the {field} ({value}): {how}"));
            }
        }
        if !losses.left_out.is_empty() || !losses.details.is_empty() {
            let fields = losses.left_out.iter().map(|(field, keys)| (field.to_string(), keys));
            let details = losses.details.iter().map(|(name, keys)| ((*name).to_owned(), keys));
            let left: Vec<String> = fields
                .chain(details)
                .map(|(name, keys)| format!("{name} ({})", counted(*keys, "key", "keys")))
                .collect();
            notes.push(format!("the format does not carry: {}", left.join(", ")));
        }
        notes
    }
}

/// What no format but PSKC carries: refused when a server that does not know it would take other
/// codes, or more than the policy of the key permits.
fn details(token: &Token, losses: &mut Losses, faults: &mut Vec<String>) {
    let Some(details) = token.details.as_deref() else { return };
    for denial in [token.computes_otherwise(), token.forbidden()].into_iter().flatten() {
        faults
            .push(format!("the file does not carry this, and the server will not know: {denial}"));
    }
    if let Some(most @ 1..) = details.policy.transactions {
        faults.push(format!(
            "the file does not carry that the key may be used {most} times only \
             (NumberOfTransactions): the server will not count"
        ));
    }
    for name in details.names() {
        *losses.details.entry(name).or_default() += 1;
    }
}

/// Facts that no code depends on.
const DESCRIPTIVE: [Field; 6] = [
    Field::Manufacturer,
    Field::Model,
    Field::Issuer,
    Field::User,
    Field::StartDate,
    Field::ExpiryDate,
];

fn single<T>(values: Option<&Vec<T>>) -> Option<&T> {
    match values.map(Vec::as_slice) {
        Some([one]) => Some(one),
        _ => None,
    }
}
