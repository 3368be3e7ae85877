//! Verdict rules: ordered, the first that matches wins.

use hyper::header::HeaderName;
use memchr::memmem::Finder;
use regex::bytes::Regex;
use serde_json::Value;

use super::{Answer, Verdict};
use crate::radius::dictionary::Selector;

/// One rule: all its conditions must hold.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// What the answer then means.
    pub(super) verdict: Verdict,
    /// Byte offset in the definition, for messages.
    pub(super) at: usize,
    pub(super) conditions: Vec<Condition>,
}

/// One condition on an answer.
#[derive(Debug, Clone)]
pub(super) enum Condition {
    /// The status is within one of the ranges, bounds included.
    Status(Vec<(u16, u16)>),
    /// The answer redirects there.
    Location(Text),
    /// The header is there and, when a text is given, its value is so.
    Header(HeaderName, Option<Text>),
    /// The RADIUS attribute is there and, when a text is given, one of its values is so.
    Attribute(Selector, Option<Text>),
    /// The body holds this text.
    Contains(Finder<'static>),
    /// The body does not hold this text.
    Lacks(Finder<'static>),
    /// The body matches.
    Matches(Regex),
    /// The JSON value at the pointer is so.
    Json(String, JsonTest),
}

/// A test on a short text.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Equals(String),
    /// As [`Text::Equals`], for what is no text.
    Octets(Vec<u8>),
    StartsWith(String),
    Contains(String),
    Matches(Regex),
}

/// A test on a JSON value.
#[derive(Debug, Clone)]
pub(super) enum JsonTest {
    /// One of these values.
    Equals(Vec<Value>),
    /// A string that matches.
    Matches(Regex),
    /// There, or not there.
    Present(bool),
}

impl Rule {
    /// Whether every condition holds.
    pub(super) fn matches(&self, answer: &Answer<'_>) -> bool {
        // The server failed: only a rule that names that status may say what it means.
        (answer.status < 500 || self.names_server_fault())
            && self.conditions.iter().all(|condition| condition.holds(answer))
    }

    /// Whether it names a 5xx status.
    pub(super) fn names_server_fault(&self) -> bool {
        self.conditions.iter().any(|condition| {
            matches!(condition, Condition::Status(ranges) if ranges.iter().any(|range| range.1 >= 500))
        })
    }

    /// Whether `self` matches whatever `later` matches, so that `later` never decides.
    pub(super) fn covers(&self, later: &Self) -> bool {
        self.conditions.iter().all(|own| later.conditions.iter().any(|other| other.implies(own)))
    }
}

impl Condition {
    /// Whether it holds.
    pub(super) fn holds(&self, answer: &Answer<'_>) -> bool {
        match self {
            Self::Status(ranges) => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&answer.status))
            }
            Self::Location(test) => {
                answer.location().is_some_and(|location| test.holds(location.as_bytes()))
            }
            Self::Header(name, test) => {
                let mut values = answer.headers.get_all(name).iter();
                values.any(|value| test.as_ref().is_none_or(|test| test.holds(value.as_bytes())))
            }
            Self::Attribute(selector, test) => answer
                .attribute(*selector)
                .any(|value| test.as_ref().is_none_or(|test| test.holds(value))),
            Self::Contains(text) => text.find(answer.body).is_some(),
            Self::Lacks(text) => text.find(answer.body).is_none(),
            Self::Matches(regex) => regex.is_match(answer.body),
            Self::Json(pointer, test) => test.holds(answer.json(pointer)),
        }
    }

    /// Whether `other` holds whenever `self` does, as far as can be told from their texts.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Status(own), Self::Status(other)) => {
                own.iter().all(|a| other.iter().any(|b| b.0 <= a.0 && a.1 <= b.1))
            }
            (Self::Location(own), Self::Location(other)) => own.implies(other),
            (Self::Header(own, test), Self::Header(other, wanted)) => {
                own == other && Text::narrows(test.as_ref(), wanted.as_ref())
            }
            (Self::Attribute(own, test), Self::Attribute(other, wanted)) => {
                own == other && Text::narrows(test.as_ref(), wanted.as_ref())
            }
            (Self::Contains(own), Self::Contains(other)) => other.find(own.needle()).is_some(),
            (Self::Lacks(own), Self::Lacks(other)) => own.find(other.needle()).is_some(),
            (Self::Matches(own), Self::Matches(other)) => own.as_str() == other.as_str(),
            (Self::Json(own, test), Self::Json(other, wanted)) => {
                own == other && test.implies(wanted)
            }
            _ => false,
        }
    }
}

impl Text {
    /// Whether `wanted`, a test on a value that is there, holds whenever `test` does.
    fn narrows(test: Option<&Self>, wanted: Option<&Self>) -> bool {
        match (test, wanted) {
            (_, None) => true,
            (Some(test), Some(wanted)) => test.implies(wanted),
            (None, Some(_)) => false,
        }
    }

    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Equals(text) => value == text.as_bytes(),
            Self::Octets(octets) => value == octets,
            Self::StartsWith(text) => value.starts_with(text.as_bytes()),
            Self::Contains(text) => memchr::memmem::find(value, text.as_bytes()).is_some(),
            Self::Matches(regex) => regex.is_match(value),
        }
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Equals(own), other) => other.holds(own.as_bytes()),
            (Self::Octets(own), other) => other.holds(own),
            (Self::StartsWith(own), Self::StartsWith(other)) => own.starts_with(other.as_str()),
            (Self::StartsWith(own) | Self::Contains(own), Self::Contains(other)) => {
                own.contains(other.as_str())
            }
            (Self::Matches(own), Self::Matches(other)) => own.as_str() == other.as_str(),
            _ => false,
        }
    }
}

impl JsonTest {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Equals(wanted) => value.is_some_and(|value| wanted.contains(value)),
            Self::Matches(regex) => {
                value.and_then(Value::as_str).is_some_and(|text| regex.is_match(text.as_bytes()))
            }
            Self::Present(wanted) => value.is_some() == *wanted,
        }
    }

    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Equals(own), other) => own.iter().all(|value| other.holds(Some(value))),
            (Self::Matches(own), Self::Matches(other)) => own.as_str() == other.as_str(),
            (Self::Matches(_), Self::Present(wanted)) => *wanted,
            (Self::Present(own), Self::Present(other)) => own == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Site;
    use hyper::HeaderMap;
    use serde_json::json;

    fn rule(conditions: Vec<Condition>) -> Rule {
        Rule { verdict: Verdict::Accepted, at: 0, conditions }
    }

    fn status(low: u16, high: u16) -> Condition {
        Condition::Status(vec![(low, high)])
    }

    fn contains(text: &str) -> Condition {
        Condition::Contains(Finder::new(text.as_bytes()).into_owned())
    }

    fn location(text: Text) -> Condition {
        Condition::Location(text)
    }

    #[test]
    fn all_conditions_must_hold() {
        let mut headers = HeaderMap::new();
        headers.insert("location", "/portal".parse().unwrap());
        headers.insert("x-reason", "locked out".parse().unwrap());
        let site = Site::default();
        let answer = Answer::new(303, &headers, br#"{"a":{"b":true,"c":"xyz"}}"#, &site);
        let json = |pointer: &str, test| Condition::Json(pointer.to_owned(), test);
        for (condition, expected) in [
            (status(300, 399), true),
            (status(200, 299), false),
            (location(Text::Equals("/portal".into())), true),
            (location(Text::StartsWith("/por".into())), true),
            (location(Text::Equals("/por".into())), false),
            (Condition::Header(HeaderName::from_static("x-reason"), None), true),
            (Condition::Header(HeaderName::from_static("x-other"), None), false),
            (
                Condition::Header(
                    HeaderName::from_static("x-reason"),
                    Some(Text::Contains("lock".into())),
                ),
                true,
            ),
            (contains("xyz"), true),
            (contains("zyx"), false),
            (Condition::Lacks(Finder::new(b"zyx").into_owned()), true),
            (Condition::Matches(Regex::new("(?-u)x.z").unwrap()), true),
            (json("/a/b", JsonTest::Equals(vec![json!(true)])), true),
            (json("/a/b", JsonTest::Equals(vec![json!("true")])), false),
            (json("/a/c", JsonTest::Matches(Regex::new("^x").unwrap())), true),
            (json("/a/d", JsonTest::Present(false)), true),
            (json("/a/d", JsonTest::Equals(vec![json!(1)])), false),
        ] {
            let text = format!("{condition:?}");
            assert_eq!(rule(vec![condition]).matches(&answer), expected, "{text}");
        }
        assert!(!rule(vec![status(303, 303), contains("zyx")]).matches(&answer));
    }

    #[test]
    fn a_server_fault_is_only_read_by_a_rule_that_names_it() {
        let headers = HeaderMap::new();
        let site = Site::default();
        let answer = Answer::new(503, &headers, b"accepted", &site);
        assert!(!rule(vec![contains("accepted")]).matches(&answer));
        assert!(rule(vec![status(503, 503), contains("accepted")]).matches(&answer));
    }

    #[test]
    fn a_rule_covers_what_is_narrower() {
        let wide = rule(vec![status(200, 299)]);
        assert!(wide.covers(&rule(vec![status(200, 200), contains("x")])));
        assert!(!wide.covers(&rule(vec![contains("x")])));
        assert!(!rule(vec![status(200, 200), contains("x")]).covers(&wide));
        assert!(rule(vec![contains("x")]).covers(&rule(vec![contains("axb")])));
        assert!(!rule(vec![contains("axb")]).covers(&rule(vec![contains("x")])));
        let prefix = rule(vec![location(Text::StartsWith("/p".into()))]);
        assert!(prefix.covers(&rule(vec![location(Text::Equals("/portal".into()))])));
        assert!(!prefix.covers(&rule(vec![location(Text::Equals("/login".into()))])));
    }
}
