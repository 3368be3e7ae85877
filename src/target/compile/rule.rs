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
        let test = test(&header, |text| Ok(Text::Equals(text.get_ref().clone())))?;
        conditions.push(Condition::Header(any_header_name(&header.name)?, test));
    }
    conditions.extend(of_body(raw.contains, raw.lacks, raw.matches)?);
    for (pointer, wanted) in raw.json {
        check_pointer(&pointer)?;
        conditions.push(Condition::Json(pointer.into_inner(), json_test(&wanted)?));
    }
    any(at, &conditions)?;
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

/// The test on a named value; `equals` reads what it is to be equal to.
pub(in crate::target) fn test(
    raw: &raw::Named,
    equals: impl FnOnce(&raw::Text) -> Result<Text, Fault>,
) -> Result<Option<Text>, Fault> {
    Ok(match (&raw.equals, &raw.contains, &raw.matches) {
        (None, None, None) => None,
        (Some(text), None, None) => Some(equals(text)?),
        (None, Some(text), None) => Some(Text::Contains(text.clone())),
        (None, None, Some(text)) => Some(Text::Matches(regex(text)?)),
        _ => return Err(fault(&raw.name, "give one of equals, contains, matches")),
    })
}

/// The conditions on the body, whatever that is in this kind of target.
pub(in crate::target) fn of_body(
    contains: Option<raw::Text>,
    lacks: Option<raw::Text>,
    matches: Option<raw::Text>,
) -> Result<Vec<Condition>, Fault> {
    let mut conditions = Vec::new();
    for (text, lacks) in [(contains, false), (lacks, true)] {
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
    if let Some(text) = matches {
        conditions.push(Condition::Matches(regex(&text)?));
    }
    Ok(conditions)
}

/// Refuses the rule at `at` when it has no condition.
pub(in crate::target) fn any(at: usize, conditions: &[Condition]) -> Result<(), Fault> {
    if conditions.is_empty() {
        return Err((
            at,
            "a rule without a condition matches everything: that is what otherwise is for".into(),
        ));
    }
    Ok(())
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
