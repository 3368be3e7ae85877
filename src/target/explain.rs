//! Why an answer is read as it is: every rule that was tried, and what of it did not hold. For the
//! person who writes a target; a run never asks.

use super::answer::unasked;
use super::exchange::Exchange;
use super::rule::{Condition, JsonTest, Rule, Text};
use super::{Answer, Judged, Operation, Phase, Target, Verdict, mask};

/// Characters of an actual value that a message shows.
const SHOWN: usize = 60;

/// One rule that was held against an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What it would have meant.
    pub verdict: Verdict,
    /// Line of the definition, from 1.
    pub line: usize,
    /// The conditions that do not hold, each with what the answer has instead; none when it
    /// matches.
    pub misses: Vec<String>,
}

/// One value taken from an answer; the value itself is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `{name}` in later templates.
    pub name: String,
    /// Where it stood, in words.
    pub selector: String,
    /// Its length in bytes.
    pub length: usize,
}

impl Target {
    /// The rules tried on the answer to exchange `index` of `phase` of `operation`, in order, up
    /// to the one that matches.
    ///
    /// # Panics
    /// When there is no such exchange.
    #[must_use]
    pub fn explain(
        &self,
        operation: Operation,
        phase: Phase,
        index: usize,
        answer: &Answer<'_>,
    ) -> Vec<Tried> {
        let exchanges = self.exchanges(operation, phase);
        let decides = phase == Phase::Submit && index + 1 == exchanges.len();
        let own = exchanges[index].rules.iter();
        let later = self.compiled(operation).map_or(&[][..], |compiled| &compiled.rules);
        let later = later.iter().chain(&self.rules);
        let asked = decides || !answer.goes_on();
        let mut tried = Vec::new();
        for rule in own.chain(later.filter(|_| asked)) {
            let misses = misses(rule, answer);
            let matches = misses.is_empty();
            tried.push(Tried { verdict: rule.verdict, line: self.line(rule.at), misses });
            if matches {
                break;
            }
        }
        tried
    }

    /// The values that `exchange` takes from an answer so judged.
    #[must_use]
    pub fn taken(&self, exchange: &Exchange, judged: Judged, answer: &Answer<'_>) -> Vec<Taken> {
        let due = |when: &[Verdict]| match judged {
            _ if when.is_empty() => true,
            Judged::Over(verdict, _) => when.contains(&verdict),
            Judged::GoOn => false,
        };
        let found = |take: &super::take::Take| {
            let value = take.selector.find(answer)?;
            Some(Taken {
                name: self.captures[take.index].clone(),
                selector: take.selector.describe(),
                length: value.len(),
            })
        };
        exchange.takes.iter().filter(|take| due(&take.when)).filter_map(found).collect()
    }
}

fn misses(rule: &Rule, answer: &Answer<'_>) -> Vec<String> {
    let mut misses: Vec<String> = rule
        .conditions
        .iter()
        .filter(|condition| !condition.holds(answer))
        .map(|condition| miss(condition, answer))
        .collect();
    if misses.is_empty() && !rule.matches(answer) {
        misses
            .push(format!("a 5xx answer is read only by a rule that names its status ({answer})"));
    }
    misses
}

/// A condition that does not hold, and what is there instead.
fn miss(condition: &Condition, answer: &Answer<'_>) -> String {
    match condition {
        Condition::Status(ranges) => {
            let wanted: Vec<String> = ranges
                .iter()
                .map(|(low, high)| match low == high {
                    true => answer.called(*low).1,
                    false => format!("{low}-{high}"),
                })
                .collect();
            let (what, _) = answer.called(answer.status);
            format!("{what} {} (it is {answer})", wanted.join(", "))
        }
        Condition::Location(test) => format!(
            "location {} ({})",
            words(test),
            answer
                .location()
                .map_or_else(|| "there is none".to_owned(), |text| is(text.as_bytes())),
        ),
        Condition::Header(name, test) => {
            let found = answer.headers.get(name).map(|value| value.as_bytes());
            named(&format!("header {name}"), test.as_ref(), found)
        }
        Condition::Attribute(selector, test) => {
            let found = answer.attribute(*selector).next();
            named(&format!("attribute {selector}"), test.as_ref(), found)
        }
        Condition::Contains(text) => {
            let needle = String::from_utf8_lossy(text.needle());
            format!("contains {needle:?} (it does not{})", compressed(answer))
        }
        Condition::Lacks(text) => {
            format!("lacks {:?} (it is there)", String::from_utf8_lossy(text.needle()))
        }
        Condition::Matches(regex) => {
            format!("matches '{regex}' (it does not{})", compressed(answer))
        }
        Condition::Json(pointer, test) => {
            let wanted = match test {
                JsonTest::Equals(values) => {
                    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                    format!("= {}", values.join(" or "))
                }
                JsonTest::Matches(regex) => format!("matches '{regex}'"),
                JsonTest::Present(true) => "is there".to_owned(),
                JsonTest::Present(false) => "is not there".to_owned(),
            };
            let found = match answer.json(pointer) {
                None => answer.no_json().unwrap_or_else(|| "there is none".to_owned()),
                Some(serde_json::Value::Array(_)) => "it is a list".to_owned(),
                Some(serde_json::Value::Object(_)) => "it is an object".to_owned(),
                Some(value) => is(value.to_string().as_bytes()),
            };
            format!("json {pointer} {wanted} ({found})")
        }
    }
}

fn compressed(answer: &Answer<'_>) -> String {
    answer.compressed().map_or_else(String::new, |coding| format!(": {}", unasked(&coding)))
}

fn named(what: &str, test: Option<&Text>, found: Option<&[u8]>) -> String {
    let found = found.map_or_else(|| "there is none".to_owned(), is);
    match test {
        Some(test) => format!("{what} {} ({found})", words(test)),
        None => format!("{what} ({found})"),
    }
}

fn words(test: &Text) -> String {
    match test {
        Text::Equals(text) => format!("= {text:?}"),
        Text::Octets(octets) => format!("= 0x{}", data_encoding::HEXLOWER.encode(octets)),
        Text::StartsWith(text) => format!("begins with {text:?}"),
        Text::Contains(text) => format!("contains {text:?}"),
        Text::Matches(regex) => format!("matches '{regex}'"),
    }
}

/// What an answer has, shortened, and whatever looks like a token masked.
fn is(value: &[u8]) -> String {
    let shown = mask::line(value, &[]);
    let mut short: String = shown.chars().take(SHOWN).collect();
    if short.len() < shown.len() {
        short.push('…');
    }
    format!("it is {short}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Site, TARGETS};
    use hyper::HeaderMap;

    fn target() -> Target {
        Target::load(&TARGETS.find("portal-html").unwrap()).unwrap()
    }

    #[test]
    fn rules_are_told_up_to_the_one_that_matches() {
        let (target, site) = (target(), Site::default());
        let mut headers = HeaderMap::new();
        headers.insert("location", "/new-pin".parse().unwrap());
        let answer = Answer::new(303, &headers, b"", &site);
        let tried = target.explain(Operation::Login, Phase::Submit, 0, &answer);
        assert_eq!(tried.len(), 2, "{tried:?}");
        assert_eq!(tried[0].verdict, Verdict::Accepted);
        assert_eq!(tried[0].misses, ["location = \"/portal\" (it is /new-pin)"]);
        let line = target.definition().text.lines().nth(tried[1].line - 1);
        assert_eq!((tried[1].verdict, line), (Verdict::NewPin, Some("[[verdict.rule]]")));
        assert!(tried[1].misses.is_empty());
    }

    #[test]
    fn no_token_is_told() {
        let (target, site) = (target(), Site::default());
        let mut headers = HeaderMap::new();
        headers.insert("location", "/portal?ticket=0123456789abcdef".parse().unwrap());
        let answer = Answer::new(503, &headers, b"", &site);
        let tried = target.explain(Operation::Login, Phase::Submit, 0, &answer);
        let text = format!("{tried:?}");
        assert!(text.contains("status 303 (it is HTTP 503)"), "{text}");
        assert!(text.contains("it is /portal?ticket=***"), "{text}");
    }

    #[test]
    fn a_body_of_another_kind_is_told() {
        let (target, site) =
            (Target::load(&TARGETS.find("portal-json").unwrap()).unwrap(), Site::default());
        let mut headers = HeaderMap::new();
        headers.insert("content-type", "text/html".parse().unwrap());
        let answer = Answer::new(200, &headers, b"<p>", &site);
        let text = format!("{:?}", target.explain(Operation::Login, Phase::Submit, 0, &answer));
        assert!(text.contains("(the body is no JSON, its Content-Type is text/html)"), "{text}");
        let answer = Answer::new(200, &headers, b"\x1f\x8b\x08", &site);
        let text = format!("{:?}", target.explain(Operation::Login, Phase::Submit, 0, &answer));
        assert!(text.contains("(the body is compressed (gzip)"), "{text}");
    }

    #[test]
    fn what_is_taken_is_named_and_not_shown() {
        let (target, site, headers) = (target(), Site::default(), HeaderMap::new());
        let page = br#"<input name="csrf" value="secret-token">"#;
        let answer = Answer::new(200, &headers, page, &site);
        let exchange = &target.exchanges(Operation::Login, Phase::Open)[0];
        let taken = target.taken(exchange, Judged::GoOn, &answer);
        assert_eq!((taken[0].name.as_str(), taken[0].length), ("csrf", 12));
        assert!(!format!("{taken:?}").contains("secret-token"));
    }
}
