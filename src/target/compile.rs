//! From the shape of a target file to a [`Target`], every fault with its place.

mod exchange;
pub(super) mod rule;

pub(super) use exchange::regex;

use std::collections::BTreeSet;

use toml::Spanned;

use super::rule::Rule;
use super::template::is_input;
use super::{
    ClockSource, Compiled, Exchange, Operation, PinCharacters, PinPosition, Policy, RadiusSettings,
    Target, Verdict, example, radius, raw,
};
use crate::definition::{Definition, DefinitionError, parse};

/// A fault of meaning: byte offset in the definition, and what is wrong.
pub(super) type Fault = (usize, String);

/// Compiles a definition.
pub(super) fn target(definition: &Definition) -> Result<Target, DefinitionError> {
    let at =
        |(at, message): Fault| DefinitionError::at(&definition.file, &definition.text, at, message);
    let raw::Kind { target: raw::KindHead { kind } } = parse(&definition.file, &definition.text)?;
    match kind.get_ref().as_str() {
        "http" => compiled(parse(&definition.file, &definition.text)?, definition).map_err(at),
        "radius" => radius::compile::target(definition),
        _ => Err(at(fault(&kind, "unknown kind; this version speaks \"http\" and \"radius\""))),
    }
}

fn compiled(raw: raw::Target, definition: &Definition) -> Result<Target, Fault> {
    let captures = captured_names(&raw.operation)?;
    let mut operations = [const { None }; Operation::ALL.len()];
    for (name, raw) in raw.operation {
        let operation: Operation = named(&name)?;
        operations[operation as usize] = Some(self::operation(&name, operation, raw, &captures)?);
    }
    let parts = Parts {
        head: raw.target,
        policy: raw.policy,
        operations,
        rules: rule::rules(raw.verdict.rule)?,
        otherwise: raw.verdict.otherwise,
        captures,
        radius: None,
    };
    let mut target = assemble(parts, definition)?;
    target.examples = example::examples(raw.example, &target)?;
    Ok(target)
}

/// A target but for its examples, whatever its kind.
pub(super) struct Parts {
    pub(super) head: raw::Head,
    pub(super) policy: raw::Policy,
    pub(super) operations: [Option<Compiled>; Operation::ALL.len()],
    pub(super) rules: Vec<Rule>,
    pub(super) otherwise: raw::Text,
    pub(super) captures: Vec<String>,
    pub(super) radius: Option<RadiusSettings>,
}

/// Puts the parts together and checks how they fit.
pub(super) fn assemble(parts: Parts, definition: &Definition) -> Result<Target, Fault> {
    let Parts { head, policy, operations, rules, otherwise, captures, radius } = parts;
    let raw::Head { name, title, kind: _ } = head;
    check_reachable(&operations, &rules)?;
    let has = |operation: Operation| operations[operation as usize].is_some();
    let policy = self::policy(policy, &name, has)?;
    let otherwise: Verdict = named(&otherwise)?;
    let target = Target {
        name: name.into_inner(),
        title,
        policy,
        radius,
        examples: Vec::new(),
        operations,
        rules,
        otherwise,
        captures,
        source: definition.clone(),
    };
    check_order(&target, definition)?;
    Ok(target)
}

fn captured_names(
    operations: &std::collections::BTreeMap<raw::Text, raw::Operation>,
) -> Result<Vec<String>, Fault> {
    let mut names = BTreeSet::new();
    for exchange in operations.values().flat_map(|raw| raw.open.iter().chain(&raw.submit)) {
        for name in exchange.get_ref().take.keys() {
            check_captured(name)?;
            names.insert(name.get_ref().clone());
        }
    }
    Ok(names.into_iter().collect())
}

/// Whether something taken from an answer may be called so.
pub(super) fn check_captured(name: &raw::Text) -> Result<(), Fault> {
    let text = name.get_ref();
    if is_input(text) {
        return Err(fault(name, format!("{{{text}}} is what the person types; call it otherwise")));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || !text.chars().all(plain) {
        return Err(fault(name, "a name is of letters, digits and _"));
    }
    Ok(())
}

fn operation(
    name: &raw::Text,
    operation: Operation,
    raw: raw::Operation,
    captures: &[String],
) -> Result<Compiled, Fault> {
    if raw.submit.is_empty() {
        return Err(fault(name, format!("{operation} sends nothing: give it a submit exchange")));
    }
    let side = |list: Vec<Spanned<raw::Exchange>>, opening| -> Result<Vec<Exchange>, Fault> {
        let scope = super::template::Scope { operation, opening, captures };
        let exchange = |raw: Spanned<raw::Exchange>| {
            exchange::exchange(raw.span().start, raw.into_inner(), &scope)
        };
        list.into_iter().map(exchange).collect()
    };
    Ok(Compiled {
        open: side(raw.open, true)?,
        submit: side(raw.submit, false)?,
        rules: rule::rules(raw.rule)?,
    })
}

/// Refuses a rule that an earlier one always forestalls.
fn check_reachable(operations: &[Option<Compiled>], shared: &[Rule]) -> Result<(), Fault> {
    let check = |lists: &[&[Rule]]| {
        let all: Vec<&Rule> = lists.iter().copied().flatten().collect();
        for (index, later) in all.iter().enumerate() {
            if all[..index].iter().any(|earlier| earlier.covers(later)) {
                return Err((
                    later.at,
                    "this rule can never decide: an earlier one matches all that it matches"
                        .to_owned(),
                ));
            }
        }
        Ok(())
    };
    check(&[shared])?;
    for compiled in operations.iter().flatten() {
        check(&[&compiled.rules])?;
        for exchange in compiled.open.iter().chain(&compiled.submit) {
            check(&[&exchange.rules])?;
        }
        // A shared rule is only idle when every operation forestalls it, which is no fault; but
        // what comes before the operation's own rules on its last exchange may forestall those.
        if let Some(last) = compiled.submit.last() {
            check(&[&last.rules, &compiled.rules])?;
        }
    }
    Ok(())
}

/// Refuses an exchange that sends a value which only it, or a later exchange of the same
/// operation, takes.
fn check_order(target: &Target, definition: &Definition) -> Result<(), Fault> {
    let takes = |exchanges: &[&Exchange], name: usize| {
        exchanges.iter().any(|exchange| exchange.takes.iter().any(|take| take.index == name))
    };
    for operation in Operation::ALL {
        let Some(compiled) = target.compiled(*operation) else { continue };
        let own: Vec<&Exchange> = compiled.open.iter().chain(&compiled.submit).collect();
        let others: Vec<&Exchange> = Operation::ALL
            .iter()
            .filter(|other| *other != operation)
            .filter_map(|other| target.compiled(*other))
            .flat_map(|compiled| compiled.open.iter().chain(&compiled.submit))
            .collect();
        for (index, exchange) in own.iter().enumerate() {
            for name in exchange.templates().flat_map(super::template::Template::captures) {
                if !takes(&own[..index], name) && !takes(&others, name) {
                    let text = &target.captures[name];
                    let at = definition.text.find(&format!("{{{text}}}")).unwrap_or_default();
                    return Err((
                        at,
                        format!("{operation} sends {{{text}}} before any answer has given it"),
                    ));
                }
            }
        }
    }
    Ok(())
}

fn policy(
    raw: raw::Policy,
    name: &raw::Text,
    has: impl Fn(Operation) -> bool,
) -> Result<Policy, Fault> {
    if !has(Operation::Login) {
        return Err(fault(name, "there is no [operation.login]: nothing could be tested"));
    }
    let three_steps = has(Operation::FirstCode);
    if three_steps != has(Operation::NewPin) {
        return Err(fault(name, "first_code and new_pin belong together: declare both or neither"));
    }
    let new_pin_accepts = match &raw.new_pin_means {
        None if three_steps => {
            return Err(fault(name, "[policy] lacks new_pin_means = \"confirm\" or \"accepted\""));
        }
        None => false,
        Some(means) => match means.get_ref().as_str() {
            "confirm" if has(Operation::Confirm) => false,
            "confirm" => return Err(fault(means, "\"confirm\" needs an [operation.confirm]")),
            "accepted" if has(Operation::Confirm) => {
                return Err(fault(
                    means,
                    "with \"accepted\", the third step is a login: remove [operation.confirm]",
                ));
            }
            "accepted" => true,
            _ => return Err(fault(means, "known: \"confirm\", \"accepted\"")),
        },
    };
    if has(Operation::Confirm) && !three_steps {
        return Err(fault(name, "confirm is the third step: first_code and new_pin are missing"));
    }
    for window in [&raw.window_back, &raw.window_forward] {
        if *window.get_ref() > 1000 {
            return Err(fault(window, "a window of more than 1000 steps is no window"));
        }
    }
    if let Some(steps) = &raw.resync_steps {
        if !has(Operation::Resync) {
            return Err(fault(
                steps,
                "who is asked for the next code sends it: give [operation.resync]",
            ));
        }
        let window = *raw.window_back.get_ref().max(raw.window_forward.get_ref());
        if !(window + 1..=1000).contains(steps.get_ref()) {
            return Err(fault(
                steps,
                "resync_steps lies beyond the window, and is 1000 at most: leave it out for none",
            ));
        }
    }
    if raw.pin_min > *raw.pin_max.get_ref() {
        return Err(fault(&raw.pin_max, format!("pin_max is below pin_min ({})", raw.pin_min)));
    }
    let pin_characters = match &raw.pin_characters {
        None => PinCharacters::default(),
        Some(word) => pin_characters(word, raw.pin_min)?,
    };
    if let Some(zero) = raw.lock_after.as_ref().filter(|after| *after.get_ref() == 0) {
        return Err(fault(
            zero,
            "an account is never locked after 0 failures: leave lock_after out",
        ));
    }
    let pin_position = match raw.pin.get_ref().as_str() {
        "before" => PinPosition::Before,
        "after" => PinPosition::After,
        _ => return Err(fault(&raw.pin, "known: \"before\" (PIN, then code), \"after\"")),
    };
    Ok(Policy {
        window_back: raw.window_back.into_inner(),
        window_forward: raw.window_forward.into_inner(),
        max_drift_steps: raw.max_drift_steps,
        resync_steps: raw.resync_steps.map_or(0, Spanned::into_inner),
        monotonic: raw.monotonic,
        lock_after: raw.lock_after.map(Spanned::into_inner),
        lock_seconds: raw.lock_seconds,
        pin_min: raw.pin_min,
        pin_max: raw.pin_max.into_inner(),
        pin_characters,
        pin_position,
        three_steps,
        new_pin_accepts,
        clock: raw.clock.map(clock).transpose()?,
    })
}

fn pin_characters(word: &raw::Text, pin_min: u8) -> Result<PinCharacters, Fault> {
    let known = PinCharacters::NAMES.iter().find(|(name, _)| name == word.get_ref());
    match known {
        None => {
            let names = PinCharacters::NAMES.map(|(name, _)| format!("\"{name}\""));
            Err(fault(word, format!("known: {}", names.join(", "))))
        }
        Some((_, PinCharacters::LettersAndDigits)) if pin_min < 2 => {
            Err(fault(word, "a letter and a digit are two characters: pin_min is at least 2"))
        }
        Some((_, characters)) => Ok(*characters),
    }
}

fn clock(raw: raw::Clock) -> Result<ClockSource, Fault> {
    exchange::check_path(&raw.path)?;
    exchange::check_pointer(&raw.time)?;
    raw.rate.as_ref().map_or(Ok(()), exchange::check_pointer)?;
    let unit = match raw.unit.get_ref().as_str() {
        "s" => 1_000_000,
        "ms" => 1000,
        "us" => 1,
        _ => return Err(fault(&raw.unit, "known: \"s\", \"ms\", \"us\"")),
    };
    Ok(ClockSource {
        path: raw.path.into_inner(),
        time: raw.time.into_inner(),
        unit,
        rate: raw.rate.map(Spanned::into_inner),
    })
}

/// A fault at a value.
pub(super) fn fault<T>(at: &Spanned<T>, message: impl Into<String>) -> Fault {
    (at.span().start, message.into())
}

/// A value of a closed list, by name.
pub(super) fn named<T: std::str::FromStr + Listed>(text: &raw::Text) -> Result<T, Fault> {
    text.get_ref().parse().map_err(|_| {
        fault(text, format!("unknown {} {:?}; known: {}", T::WHAT, text.get_ref(), T::list()))
    })
}

/// A closed list that can be told.
pub(super) trait Listed {
    /// What one of them is called.
    const WHAT: &'static str;
    /// All names, comma-separated.
    fn list() -> String;
}

impl Listed for Verdict {
    const WHAT: &'static str = "verdict";

    fn list() -> String {
        Self::ALL.iter().map(|verdict| verdict.name()).collect::<Vec<_>>().join(", ")
    }
}

impl Listed for Operation {
    const WHAT: &'static str = "operation";

    fn list() -> String {
        Self::ALL.iter().map(|operation| operation.name()).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests;
