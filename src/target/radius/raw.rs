//! The shape of a RADIUS target file, as serde reads it.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::target::raw::{Head, Inputs, Named, Policy, Text, Verdicts};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) target: Head,
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) radius: Settings,
    pub(super) operation: BTreeMap<Text, Operation>,
    pub(super) verdict: Verdicts<Rule>,
    #[serde(default)]
    pub(super) example: Vec<Spanned<Example>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    pub(super) require_message_authenticator: bool,
    pub(super) status_server: bool,
    pub(super) attributes: BTreeMap<Text, Spanned<toml::Value>>,
}

impl Default for Settings {
    fn default() -> Self {
        let attributes = BTreeMap::new();
        Self { require_message_authenticator: true, status_server: false, attributes }
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    #[serde(default)]
    pub(super) submit: Vec<Spanned<Exchange>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Rule>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) user: Option<Text>,
    pub(super) password: Option<Text>,
    pub(super) chap: Option<Text>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<Text, Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) take: BTreeMap<Text, Spanned<Take>>,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Rule>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Take {
    pub(super) attribute: Option<Text>,
    pub(super) regex: Option<Text>,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default)]
    pub(super) when: Vec<Text>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) verdict: Text,
    pub(super) code: Option<Text>,
    pub(super) attribute: Option<Named>,
    pub(super) contains: Option<Text>,
    pub(super) lacks: Option<Text>,
    pub(super) matches: Option<Text>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    pub(super) name: String,
    pub(super) operation: Text,
    pub(super) exchange: Option<Spanned<usize>>,
    #[serde(default)]
    pub(super) inputs: Inputs,
    #[serde(default)]
    pub(super) given: BTreeMap<Text, String>,
    pub(super) request: Option<Request>,
    pub(super) answer: Answer,
    pub(super) verdict: Option<Text>,
    #[serde(default)]
    pub(super) taken: BTreeMap<Text, String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<Text, Spanned<toml::Value>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) code: Text,
    #[serde(default)]
    pub(super) attributes: BTreeMap<Text, Spanned<toml::Value>>,
}
