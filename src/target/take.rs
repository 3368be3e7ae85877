//! Values taken from an answer and carried to later exchanges.

use hyper::header::HeaderName;
use regex::bytes::Regex;
use serde_json::Value;

use super::answer::unasked;
use super::css::Css;
use super::live::LiveForm;
use super::{Answer, Verdict, html, page};
use crate::charset::Charset;
use crate::radius::dictionary as radius;

/// One value to take.
#[derive(Debug, Clone)]
pub(super) struct Take {
    /// Index of its name among the target's.
    pub(super) index: usize,
    /// Where it stands.
    pub(super) selector: Selector,
    /// Whether the answer may lack it.
    pub(super) optional: bool,
    /// The verdicts at which it is taken; empty for any.
    pub(super) when: Vec<Verdict>,
}

/// Where a value stands in an answer.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    /// `value` of the `<input>` with this name.
    Input(String),
    /// The element that a CSS selector selects. Boxed: the rare one, and the big one.
    Css(Box<Css>),
    /// The form that a CSS selector selects, whole: see [`super::live`].
    Form(Box<Css>),
    /// JSON pointer (RFC 6901); numbers and booleans as text.
    Json(String),
    /// Group `value`, else the first group, else the whole match.
    Regex(Regex),
    /// A header's value.
    Header(HeaderName),
    /// The same of a header's value as [`Self::Regex`] takes of the body.
    HeaderPart(HeaderName, Regex),
    /// The value of a cookie that the answer sets.
    Cookie(String),
    /// The value of a RADIUS attribute.
    Attribute(radius::Selector),
}

impl Selector {
    /// The value, or `None` when the answer does not hold it.
    pub(super) fn find(&self, answer: &Answer<'_>) -> Option<Box<[u8]>> {
        match self {
            Self::Input(name) => html::input_value(answer.body, name.as_bytes()),
            Self::Css(css) => css.find(answer),
            Self::Form(css) => LiveForm::take(css, answer),
            Self::Json(pointer) => match answer.json(pointer)? {
                Value::String(text) => Some(text.as_bytes().into()),
                Value::Number(number) => Some(number.to_string().into_bytes().into()),
                Value::Bool(truth) => Some(truth.to_string().into_bytes().into()),
                _ => None,
            },
            Self::Regex(regex) => part(regex, answer.body),
            Self::HeaderPart(name, regex) => {
                let mut values = answer.headers.get_all(name).iter();
                values.find_map(|value| part(regex, value.as_bytes()))
            }
            Self::Header(name) => Some(answer.headers.get(name)?.as_bytes().into()),
            Self::Cookie(name) => Some(answer.cookie(name)?.into()),
            Self::Attribute(selector) => Some(answer.attribute(*selector).next()?.into()),
        }
    }

    /// The selector in words, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Input(name) => format!("<input name=\"{name}\">"),
            Self::Css(css) => css.to_string(),
            Self::Form(css) => format!("form by {css}"),
            Self::Json(pointer) => format!("JSON value {pointer}"),
            Self::Regex(regex) => format!("regex {regex}"),
            Self::Header(name) => format!("header {name}"),
            Self::HeaderPart(name, regex) => format!("regex {regex} in header {name}"),
            Self::Cookie(name) => format!("cookie {name}"),
            Self::Attribute(selector) => format!("attribute {selector}"),
        }
    }

    /// Why an answer can hold no such value, whatever it says; `None` when it could.
    pub(super) fn obstacle(&self, answer: &Answer<'_>) -> Option<String> {
        match self {
            Self::Header(_) | Self::HeaderPart(..) | Self::Cookie(_) | Self::Attribute(_) => None,
            Self::Json(_) => answer.no_json(),
            _ if answer.compressed().is_some() => {
                answer.compressed().map(|coding| unasked(&coding))
            }
            Self::Css(_) | Self::Form(_) => page::charset(answer).err().map(|label| {
                format!("the page is in the charset {label}, known are {}", Charset::KNOWN)
            }),
            Self::Input(_) | Self::Regex(_) => None,
        }
    }

    /// Where to look when nothing was found: the header, else the body.
    pub(super) fn place<'a>(&self, answer: &Answer<'a>) -> &'a [u8] {
        match self {
            Self::HeaderPart(name, _) => {
                answer.headers.get(name).map_or(answer.body, |value| value.as_bytes())
            }
            _ => answer.body,
        }
    }

    /// A text whose place in the body is the most telling one to show when nothing was found.
    pub(super) fn landmark(&self) -> &str {
        match self {
            Self::Input(name) | Self::Cookie(name) => name,
            Self::Css(css) | Self::Form(css) => css.landmark(),
            Self::Json(pointer) => pointer.rsplit('/').next().unwrap_or_default(),
            Self::Regex(regex) => {
                // Its longest run of plain letters and digits.
                let words = regex.as_str().split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
                words.max_by_key(|word| word.len()).unwrap_or_default()
            }
            Self::Header(name) => name.as_str(),
            Self::HeaderPart(..) | Self::Attribute(_) => "",
        }
    }
}

/// Group `value`, else the first group, else the whole match.
fn part(regex: &Regex, text: &[u8]) -> Option<Box<[u8]>> {
    let found = regex.captures(text)?;
    let group = found.name("value").or_else(|| found.get(1)).or_else(|| found.get(0))?;
    Some(group.as_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Site;
    use hyper::HeaderMap;

    #[test]
    fn every_selector_finds_its_value_or_nothing() {
        let mut headers = HeaderMap::new();
        headers.insert("x-transaction", "t1".parse().unwrap());
        headers.append("set-cookie", "a=1; Path=/".parse().unwrap());
        headers.append("set-cookie", "sid=\"q=r\"; HttpOnly".parse().unwrap());
        let site = Site::default();
        let page = b"<input name=csrf value=h1>\xe9 ticket=\xe8t9;";
        let json = br#"{"d":{"id":"j1","n":7,"b":true,"o":{}}}"#;
        let find = |selector: Selector, body: &[u8]| {
            let answer = Answer::new(200, &headers, body, &site);
            selector.find(&answer).map(|value| value.to_vec())
        };
        let input = |name: &str| Selector::Input(name.to_owned());
        assert_eq!(find(input("csrf"), page), Some(b"h1".to_vec()));
        assert_eq!(find(input("other"), page), None);
        let regex = |text: &str| Selector::Regex(Regex::new(text).unwrap());
        assert_eq!(find(regex("(?-u)ticket=([^;]+);"), page), Some(b"\xe8t9".to_vec()));
        assert_eq!(find(regex("(x)|value=(?<value>..)"), page), Some(b"h1".to_vec()));
        assert_eq!(find(regex("nothing"), page), None);
        let pointer = |text: &str| Selector::Json(text.to_owned());
        assert_eq!(find(pointer("/d/id"), json), Some(b"j1".to_vec()));
        assert_eq!(find(pointer("/d/n"), json), Some(b"7".to_vec()));
        assert_eq!(find(pointer("/d/b"), json), Some(b"true".to_vec()));
        assert_eq!(find(pointer("/d/o"), json), None);
        assert_eq!(find(pointer("/d/id"), page), None);
        let header = Selector::Header(HeaderName::from_static("x-transaction"));
        assert_eq!(find(header, page), Some(b"t1".to_vec()));
        let part = |text: &str| {
            let name = HeaderName::from_static("set-cookie");
            Selector::HeaderPart(name, Regex::new(text).unwrap())
        };
        assert_eq!(find(part("sid=\"(?<value>[^\"]+)\""), page), Some(b"q=r".to_vec()));
        assert_eq!(find(part("csrf"), page), None, "not of the body");
        assert_eq!(find(Selector::Cookie("sid".into()), page), Some(b"\"q=r\"".to_vec()));
        assert_eq!(find(Selector::Cookie("si".into()), page), None);
    }
}
