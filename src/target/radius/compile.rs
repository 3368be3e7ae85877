//! From the shape of a RADIUS target file to a [`Target`].

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::{Method, RadiusRequest, RadiusSettings, Value, example, raw};
use crate::definition::{Definition, DefinitionError, parse};
use crate::radius::Code;
use crate::radius::dictionary::{Selector as Attribute, Shape, shape};
use crate::target::compile::{self, Fault, Parts, fault, named, rule};
use crate::target::exchange::{Exchange, Request};
use crate::target::raw::Text as RawText;
use crate::target::rule::{Condition, Rule, Text};
use crate::target::take::{Selector, Take};
use crate::target::template::{Escape, Scope, Template, is_input};
use crate::target::{Compiled, Operation, Target, Verdict};

/// Compiles a definition whose kind is `radius`.
pub(in crate::target) fn target(definition: &Definition) -> Result<Target, DefinitionError> {
    let raw: raw::Target = parse(&definition.file, &definition.text)?;
    compiled(raw, definition).map_err(|(at, message)| {
        DefinitionError::at(&definition.file, &definition.text, at, message)
    })
}

fn compiled(raw: raw::Target, definition: &Definition) -> Result<Target, Fault> {
    let captures = captured_names(&raw.operation)?;
    let mut common = Vec::new();
    for (name, value) in &raw.radius.attributes {
        common.push((attribute(name)?, value));
    }
    let mut operations = [const { None }; Operation::ALL.len()];
    for (name, raw) in raw.operation {
        let operation: Operation = named(&name)?;
        if raw.submit.is_empty() {
            let message = format!("{operation} sends nothing: give it a submit exchange");
            return Err(fault(&name, message));
        }
        let scope = Scope { operation, opening: false, captures: &captures };
        let submit = raw
            .submit
            .into_iter()
            .map(|raw| exchange(raw, &common, &scope))
            .collect::<Result<_, _>>()?;
        operations[operation as usize] =
            Some(Compiled { open: Vec::new(), submit, rules: rules(raw.rule)? });
    }
    let raw::Settings { require_message_authenticator, status_server, .. } = raw.radius;
    let mut target = compile::assemble(
        Parts {
            head: raw.target,
            policy: raw.policy,
            operations,
            rules: rules(raw.verdict.rule)?,
            otherwise: raw.verdict.otherwise,
            captures,
            radius: Some(RadiusSettings { require_message_authenticator, status_server }),
        },
        definition,
    )?;
    if let Some(clock) = &target.policy.clock {
        let at = definition.text.find(&clock.path).unwrap_or_default();
        return Err((at, "RADIUS shows no clock: leave it out".to_owned()));
    }
    target.examples = example::examples(raw.example, &target)?;
    Ok(target)
}

fn captured_names(operations: &BTreeMap<RawText, raw::Operation>) -> Result<Vec<String>, Fault> {
    let mut names = BTreeSet::new();
    for exchange in operations.values().flat_map(|raw| &raw.submit) {
        for name in exchange.get_ref().take.keys() {
            compile::check_captured(name)?;
            names.insert(name.get_ref().clone());
        }
    }
    debug_assert!(names.iter().all(|name| !is_input(name)));
    Ok(names.into_iter().collect())
}

fn exchange(
    spanned: Spanned<raw::Exchange>,
    common: &[(Attribute, &Spanned<toml::Value>)],
    scope: &Scope<'_>,
) -> Result<Exchange, Fault> {
    let at = spanned.span().start;
    let raw = spanned.into_inner();
    let text = |text: &RawText| {
        Template::compile(text.get_ref(), Escape::Raw, false, scope)
            .map_err(|message| fault(text, message))
    };
    let (method, password) = match (&raw.password, &raw.chap) {
        (Some(password), None) => (Method::Pap, text(password)?),
        (None, Some(password)) => (Method::Chap, text(password)?),
        _ => {
            return Err((
                at,
                "an exchange sends either password = \"…\" (PAP) or chap = \"…\"".to_owned(),
            ));
        }
    };
    let user = match &raw.user {
        Some(user) => text(user)?,
        None => Template::compile("{user}", Escape::Raw, false, scope)
            .map_err(|message| (at, message))?,
    };
    let mut attributes = Vec::new();
    for (selector, wanted) in common {
        attributes.extend(values(*selector, wanted, scope)?);
    }
    for (name, wanted) in &raw.attributes {
        let selector = attribute(name)?;
        attributes.retain(|(other, _)| *other != selector);
        attributes.extend(values(selector, wanted, scope)?);
    }
    let mut takes = Vec::new();
    for (name, raw) in raw.take {
        let index = scope.captures.iter().position(|capture| capture == name.get_ref());
        // Every name of every take was collected before.
        let index = index.ok_or_else(|| fault(&name, "unknown name"))?;
        takes.push(take(index, raw)?);
    }
    let request = Request::Radius(RadiusRequest { method, user, password, attributes });
    Ok(Exchange { request, takes, rules: rules(raw.rule)? })
}

/// The attribute once for each of its values: constants in its shape, or templates where the shape
/// is that of octets or text.
fn values(
    selector: Attribute,
    wanted: &Spanned<toml::Value>,
    scope: &Scope<'_>,
) -> Result<Vec<(Attribute, Value)>, Fault> {
    let value = |text: String| {
        let template = Template::compile(&text, Escape::Raw, false, scope)
            .map_err(|message| fault(wanted, message))?;
        let Some(constant) = template.constant() else {
            let octets = match selector {
                Attribute::Plain(kind) => matches!(shape(kind), Shape::Text | Shape::Octets),
                Attribute::Vendor { .. } => true,
            };
            if octets {
                return Ok((selector, Value::Filled(template)));
            }
            let message = "this attribute is a number or an address: give it as such";
            return Err(fault(wanted, message));
        };
        let constant = String::from_utf8_lossy(constant).into_owned();
        let octets = selector.encode(&constant).map_err(|message| fault(wanted, message))?;
        Ok((selector, Value::Constant(octets)))
    };
    texts(wanted)?.into_iter().map(value).collect()
}

/// The attribute once for each of its values, constants only.
pub(super) fn octets(
    name: &RawText,
    wanted: &Spanned<toml::Value>,
) -> Result<Vec<(Attribute, Vec<u8>)>, Fault> {
    let selector = attribute(name)?;
    let octets = |text: String| selector.encode(&text).map_err(|message| fault(wanted, message));
    texts(wanted)?.into_iter().map(|text| Ok((selector, octets(text)?))).collect()
}

/// A value, or a list of them, as text.
fn texts(wanted: &Spanned<toml::Value>) -> Result<Vec<String>, Fault> {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        _ => {
            Err(fault(wanted, "the value of an attribute is a text, a number, or a list of these"))
        }
    };
    match wanted.get_ref() {
        toml::Value::Array(list) if list.is_empty() => {
            Err(fault(wanted, "an empty list sends nothing: leave the attribute out"))
        }
        toml::Value::Array(list) => list.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn attribute(name: &RawText) -> Result<Attribute, Fault> {
    name.get_ref().parse().map_err(|message: String| fault(name, message))
}

fn take(index: usize, spanned: Spanned<raw::Take>) -> Result<Take, Fault> {
    let at = spanned.span().start;
    let raw = spanned.into_inner();
    let when = raw.when.iter().map(named).collect::<Result<_, _>>()?;
    let selector = match (raw.attribute, raw.regex) {
        (Some(name), None) => Selector::Attribute(attribute(&name)?),
        (None, Some(text)) => Selector::Regex(compile::regex(&text)?),
        _ => {
            return Err((
                at,
                "a value is taken by attribute, or by regex from Reply-Message".into(),
            ));
        }
    };
    Ok(Take { index, selector, optional: raw.optional, when })
}

fn rules(list: Vec<Spanned<raw::Rule>>) -> Result<Vec<Rule>, Fault> {
    list.into_iter().map(compiled_rule).collect()
}

fn compiled_rule(spanned: Spanned<raw::Rule>) -> Result<Rule, Fault> {
    let at = spanned.span().start;
    let raw = spanned.into_inner();
    let verdict: Verdict = named(&raw.verdict)?;
    let mut conditions = Vec::new();
    if let Some(name) = &raw.code {
        let code = u16::from(code(name)?.0);
        conditions.push(Condition::Status(vec![(code, code)]));
    }
    if let Some(raw) = raw.attribute {
        let selector = attribute(&raw.name)?;
        let test = rule::test(&raw, |text| {
            let octets = selector.encode(text.get_ref()).map_err(|message| fault(text, message))?;
            Ok(Text::Octets(octets))
        })?;
        conditions.push(Condition::Attribute(selector, test));
    }
    conditions.extend(rule::of_body(raw.contains, raw.lacks, raw.matches)?);
    rule::any(at, &conditions)?;
    Ok(Rule { verdict, at, conditions })
}

/// A code that may answer an Access-Request.
pub(super) fn code(name: &RawText) -> Result<Code, Fault> {
    Code::named(name.get_ref()).filter(|code| code.is_access_reply()).ok_or_else(|| {
        let known = "known: \"Access-Accept\", \"Access-Reject\", \"Access-Challenge\"";
        fault(name, format!("{:?} answers no Access-Request; {known}", name.get_ref()))
    })
}
