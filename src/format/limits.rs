//! What a server takes: checked for every key before anything is written.

use regex::Regex;

use super::field::{Choice, Record};
use crate::otp::Hash;
use crate::seen::Seen;
use crate::token::Algorithm;

/// The constraints of a definition.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Whether the file is PSKC, which names every algorithm, and keys that are kept elsewhere.
    pub(super) whole: bool,
    pub(super) algorithms: Option<Vec<Algorithm>>,
    pub(super) hashes: Option<Vec<Hash>>,
    pub(super) digits: Option<Vec<u8>>,
    pub(super) periods: Option<Vec<u32>>,
    pub(super) secret_min: usize,
    pub(super) secret_max: Option<usize>,
    pub(super) hash_by_len: Option<HashByLen>,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// Why no key at all can be written.
    pub(super) refused: Option<String>,
    pub(super) fields: Vec<FieldLimit>,
}

/// A server that takes the hash from the length of the seed.
#[derive(Debug)]
pub(super) struct HashByLen {
    pub(super) lengths: Vec<(usize, String)>,
    pub(super) default: String,
}

/// What a server takes in one field.
#[derive(Debug)]
pub(super) struct FieldLimit {
    pub(super) choice: Choice,
    pub(super) pattern: Option<(String, Regex)>,
    pub(super) max: Option<usize>,
    pub(super) required: bool,
    pub(super) unique: bool,
    pub(super) why: Option<String>,
}

impl HashByLen {
    /// The hash the server will compute with.
    pub(super) fn of(&self, len: usize) -> &str {
        self.lengths.iter().find(|(known, _)| *known == len).map_or(&self.default, |(_, hash)| hash)
    }
}

/// The values of unique fields seen so far, one set for each limit.
#[derive(Debug, Default)]
pub(super) struct Uniques(Vec<Seen>);

impl Uniques {
    fn insert(&mut self, index: usize, value: &str) -> bool {
        if self.0.len() <= index {
            self.0.resize_with(index + 1, Seen::default);
        }
        self.0[index].insert(value)
    }
}

impl Limits {
    /// Adds every way in which `record` is more than the server takes to `faults`.
    pub(super) fn check(&self, record: &Record<'_>, seen: &mut Uniques, faults: &mut Vec<String>) {
        let token = record.token;
        // A file that does not name the algorithm would make an HOTP or TOTP key of it.
        if let Some(carried) = token.carried()
            && !self.whole
        {
            faults.push(format!(
                "algorithm {carried} is none that an import file can say: hotp, totp"
            ));
            return;
        }
        if let Some(why) = &self.refused {
            faults.push(why.clone());
            return;
        }
        one_of(faults, "algorithm", &token.algorithm, self.algorithms.as_deref(), "");
        one_of(faults, "hash", &token.hash, self.hashes.as_deref(), "");
        one_of(faults, "digits", &token.digits, self.digits.as_deref(), "");
        if token.algorithm == Algorithm::Totp {
            one_of(faults, "period", &token.period, self.periods.as_deref(), " s");
        }
        let len = token.secret.len();
        let named = self.whole && len == 0;
        if len < self.secret_min && !named {
            faults
                .push(format!("the secret has {len} bytes, the server wants {}", self.secret_min));
        }
        if let Some(max) = self.secret_max.filter(|max| len > *max) {
            faults.push(format!("the secret has {len} bytes, the server takes up to {max}"));
        }
        if let Some(by_len) = &self.hash_by_len
            && by_len.of(len) != token.hash.name()
        {
            faults.push(format!(
                "the server takes the hash from the seed's length: {len} bytes mean {}, but the key \
                 has {}",
                by_len.of(len),
                token.hash
            ));
        }
        for (index, limit) in self.fields.iter().enumerate() {
            limit.check(index, record, seen, faults);
        }
    }
}

impl FieldLimit {
    fn check(
        &self,
        index: usize,
        record: &Record<'_>,
        seen: &mut Uniques,
        faults: &mut Vec<String>,
    ) {
        let name = &self.choice;
        let why = self.why.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
        let Some(bytes) = self.choice.bytes(record) else {
            if self.required {
                faults.push(format!("the key has no {name}, and the server wants one{why}"));
            }
            return;
        };
        let text = String::from_utf8_lossy(&bytes);
        let shown = if name.is_secret() { String::new() } else { format!(" {text:?}") };
        let chars = text.chars().count();
        if let Some(max) = self.max.filter(|max| chars > *max) {
            faults.push(format!(
                "the {name}{shown} has {chars} characters, the server takes {max}{why}"
            ));
        }
        if let Some((pattern, regex)) = &self.pattern
            && !regex.is_match(&text)
        {
            faults.push(format!("the {name}{shown} is not of the form {pattern}{why}"));
        }
        if self.unique && !seen.insert(index, &text) {
            faults.push(format!("the {name}{shown} comes twice, the server takes it once{why}"));
        }
    }
}

fn one_of<T: PartialEq + std::fmt::Display>(
    faults: &mut Vec<String>,
    what: &str,
    value: &T,
    allowed: Option<&[T]>,
    unit: &str,
) {
    if let Some(allowed) = allowed.filter(|allowed| !allowed.contains(value)) {
        let known: Vec<String> = allowed.iter().map(|value| format!("{value}{unit}")).collect();
        let known = known.join(", ");
        faults.push(format!("{what} {value}{unit} is not among what the server takes: {known}"));
    }
}
