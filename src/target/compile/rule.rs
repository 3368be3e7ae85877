//! Compiling verdict rules.

use memchr::memmem::Finder;
use serde_json::Value;
use toml::Spanned;

use super::exchange::{any_header_name, check_pointer, regex};
use super::{Fault, fault, named};
use crate::target::Verdict;
use crate::target::raw;
use crate::target::rule::{Condition, JsonTest, Rule, Text};

pub(super) fn rules(list: Vec<Spanned<raw::Rule>>) -> Result<Vec<Rule>, Fault> {
    list.into_iter().map(rule).collect()
}

fn rule(spanned: Spanned<raw::Rule>) -> Result<Rule, Fault> {
    let at = spanned.span().start;
    let raw = spanned.into_inner();
    let verdict: Verdict = named(&raw.verdict)?;
    let mut conditions = Vec::new();
    let status = raw.status.as_ref().map(Spanned::span);
    if let Some(statuses) = raw.status {
        conditions.push(Condition::Status(statuses.into_inner().0));
    }
    if let Some(location) = raw.location {
        conditions.push(Condition::Location(match location.get_ref().strip_suffix('*') {
            Some(start) => Text::StartsWith(start.to_owned()),
            None => Text::Equals(location.into_inner()),
        }));
    }
    if let Some(header) = raw.header {
        let test = match (header.equals, header.contains, header.matches) {
            (None, None, None) => None,
            (Some(text), None, None) => Some(Text::Equals(text)),
            (None, Some(text), None) => Some(Text::Contains(text)),
            (None, None, Some(text)) => Some(Text::Matches(regex(&text)?)),
            _ => return Err(fault(&header.name, "give one of equals, contains, matches")),
        };
        conditions.push(Condition::Header(any_header_name(&header.name)?, test));
    }
    for (text, lacks) in [(raw.contains, false), (raw.lacks, true)] {
        if let Some(text) = text {
            if text.get_ref().is_empty() {
                return Err(fault(&text, "an empty text is in every answer"));
            }
            let finder = Finder::new(text.get_ref().as_bytes()).into_owned();
            conditions.push(match lacks {
                false => Condition::Contains(finder),
                true => Condition::Lacks(finder),
            });
        }
    }
    if let Some(text) = raw.matches {
        conditions.push(Condition::Matches(regex(&text)?));
    }
    for (pointer, wanted) in raw.json {
        check_pointer(&pointer)?;
        conditions.push(Condition::Json(pointer.into_inner(), json_test(&wanted)?));
    }
    if conditions.is_empty() {
        return Err((
            at,
            "a rule without a condition matches everything: that is what otherwise is for".into(),
        ));
    }
    let rule = Rule { verdict, at, conditions };
    let passive = matches!(verdict, Verdict::Throttled | Verdict::Locked | Verdict::Error);
    if rule.names_server_fault() && !passive {
        return Err((
            status.map_or(at, |span| span.start),
            format!("a 5xx answer is the server's failure: it cannot mean {verdict}"),
        ));
    }
    Ok(rule)
}

/// A value, a list of values, `{ matches = "…" }` or `{ present = true }`.
fn json_test(wanted: &Spanned<toml::Value>) -> Result<JsonTest, Fault> {
    match wanted.get_ref() {
        toml::Value::Table(table) => {
            let mut entries = table.iter();
            match (entries.next(), entries.next()) {
                (Some((key, toml::Value::Boolean(present))), None) if key == "present" => {
                    Ok(JsonTest::Present(*present))
                }
                (Some((key, toml::Value::String(text))), None) if key == "matches" => {
                    let text = Spanned::new(wanted.span(), text.clone());
                    Ok(JsonTest::Matches(regex(&text)?))
                }
                _ => Err(fault(wanted, "known: { matches = \"regex\" }, { present = true }")),
            }
        }
        toml::Value::Array(list) if !list.is_empty() => {
            let values = list.iter().map(|value| scalar(value, wanted)).collect::<Result<_, _>>();
            Ok(JsonTest::Equals(values?))
        }
        value => Ok(JsonTest::Equals(vec![scalar(value, wanted)?])),
    }
}

fn scalar(value: &toml::Value, at: &Spanned<toml::Value>) -> Result<Value, Fault> {
    match value {
        toml::Value::String(text) => Ok(Value::from(text.as_str())),
        toml::Value::Integer(number) => Ok(Value::from(*number)),
        toml::Value::Boolean(truth) => Ok(Value::from(*truth)),
        toml::Value::Float(number) if number.is_finite() => Ok(Value::from(*number)),
        _ => Err(fault(at, "a JSON value is compared with a text, a number, true or false")),
    }
}
