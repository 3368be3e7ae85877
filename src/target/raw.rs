//! The shape of a target file, as serde reads it; meaning is checked in [`super::compile`].

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

pub(super) type Text = Spanned<String>;

/// What is looked at first: the rest of the shape depends on it.
#[derive(serde::Deserialize)]
pub(super) struct Kind {
    pub(super) target: KindHead,
}

#[derive(serde::Deserialize)]
pub(super) struct KindHead {
    pub(super) kind: Text,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) target: Head,
    pub(super) policy: Policy,
    pub(super) operation: BTreeMap<Text, Operation>,
    pub(super) verdict: Verdicts<Rule>,
    #[serde(default)]
    pub(super) example: Vec<Spanned<Example>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    pub(super) name: Text,
    pub(super) title: String,
    /// Looked at before, as [`Kind`].
    #[allow(dead_code)]
    pub(super) kind: Text,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    pub(super) window_back: Spanned<u32>,
    pub(super) window_forward: Spanned<u32>,
    pub(super) max_drift_steps: u32,
    pub(super) resync_steps: Option<Spanned<u32>>,
    pub(super) monotonic: bool,
    pub(super) lock_after: Option<Spanned<u32>>,
    pub(super) lock_seconds: Option<u32>,
    pub(super) pin_min: u8,
    pub(super) pin_max: Spanned<u8>,
    pub(super) pin_characters: Option<Text>,
    pub(super) pin: Text,
    pub(super) new_pin_means: Option<Text>,
    pub(super) clock: Option<Clock>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Clock {
    pub(super) path: Text,
    pub(super) time: Text,
    pub(super) unit: Text,
    pub(super) rate: Option<Text>,
}

/// For rules of any kind of target. (The bound is given since serde would want `R: Default`, too.)
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "R: Deserialize<'de>"))]
pub(super) struct Verdicts<R> {
    pub(super) otherwise: Text,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<R>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    #[serde(default)]
    pub(super) open: Vec<Spanned<Exchange>>,
    #[serde(default)]
    pub(super) submit: Vec<Spanned<Exchange>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Rule>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) method: Option<Text>,
    pub(super) path: Option<Text>,
    pub(super) form_from: Option<Text>,
    #[serde(default)]
    pub(super) headers: BTreeMap<Text, Text>,
    pub(super) form: Option<Spanned<BTreeMap<Text, Text>>>,
    pub(super) json: Option<Spanned<toml::Value>>,
    pub(super) body: Option<Text>,
    pub(super) auth: Option<Spanned<Auth>>,
    #[serde(default)]
    pub(super) follow: bool,
    #[serde(default)]
    pub(super) take: BTreeMap<Text, Spanned<Take>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Rule>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub(super) basic: Option<String>,
    pub(super) bearer: Option<String>,
    pub(super) user: Option<Text>,
    pub(super) password: Option<Text>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Take {
    pub(super) input: Option<String>,
    pub(super) css: Option<Text>,
    pub(super) attribute: Option<Text>,
    pub(super) form: Option<Text>,
    pub(super) json: Option<Text>,
    pub(super) regex: Option<Text>,
    pub(super) header: Option<Text>,
    pub(super) cookie: Option<String>,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) when: Vec<Text>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) verdict: Text,
    pub(super) status: Option<Spanned<Statuses>>,
    pub(super) location: Option<Text>,
    pub(super) header: Option<Named>,
    pub(super) contains: Option<Text>,
    pub(super) lacks: Option<Text>,
    pub(super) matches: Option<Text>,
    #[serde(default)]
    pub(super) json: BTreeMap<Text, Spanned<toml::Value>>,
}

/// A test on a value with a name: a header, a RADIUS attribute.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) name: Text,
    pub(super) equals: Option<Text>,
    pub(super) contains: Option<String>,
    pub(super) matches: Option<Text>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub(super) name: String,
    pub(super) operation: Text,
    #[serde(default)]
    pub(super) open: bool,
    pub(super) exchange: Option<Spanned<usize>>,
    #[serde(default)]
    pub(super) inputs: Inputs,
    #[serde(default)]
    pub(super) given: BTreeMap<Text, String>,
    pub(super) request: Option<ExampleRequest>,
    pub(super) answer: ExampleAnswer,
    pub(super) verdict: Option<Text>,
    #[serde(default)]
    pub(super) taken: BTreeMap<Text, String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Inputs {
    pub(super) user: String,
    pub(super) code: String,
    pub(super) pin: String,
    pub(super) passcode: String,
    pub(super) new_pin: String,
    pub(super) new_pin_confirmation: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleRequest {
    pub(super) line: String,
    #[serde(default)]
    pub(super) headers: BTreeMap<Text, String>,
    pub(super) body: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleAnswer {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<Text, String>,
    #[serde(default)]
    pub(super) body: String,
}

/// A number, a text such as `"2xx"` or `"500-599"`, or a list of either; ranges, bounds included.
pub(super) struct Statuses(pub(super) Vec<(u16, u16)>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl<'de> Visitor<'de> for StatusVisitor {
    type Value = Statuses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status (303), a class (\"2xx\"), a range (\"500-599\"), or a list of these")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Statuses, E> {
        match u16::try_from(number) {
            Ok(status @ 100..=599) => Ok(Statuses(vec![(status, status)])),
            _ => Err(E::custom(format!("{number} is no HTTP status: they run from 100 to 599"))),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Statuses, E> {
        let class = text.strip_suffix("xx").and_then(|digit| digit.parse::<u16>().ok());
        if let Some(class @ 1..=5) = class {
            return Ok(Statuses(vec![(class * 100, class * 100 + 99)]));
        }
        let range = text
            .split_once('-')
            .and_then(|(low, high)| Some((low.parse::<u16>().ok()?, high.parse::<u16>().ok()?)));
        match range {
            Some((low, high)) if (100..=599).contains(&low) && (low..=599).contains(&high) => {
                Ok(Statuses(vec![(low, high)]))
            }
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Statuses, A::Error> {
        let mut ranges = Vec::new();
        while let Some(Statuses(more)) = list.next_element()? {
            ranges.extend(more);
        }
        if ranges.is_empty() {
            return Err(de::Error::invalid_length(0, &self));
        }
        Ok(Statuses(ranges))
    }

    // Without this, a table would be reported without saying what is wanted instead.
    fn visit_map<A: MapAccess<'de>>(self, _map: A) -> Result<Statuses, A::Error> {
        Err(de::Error::invalid_type(de::Unexpected::Map, &self))
    }
}
