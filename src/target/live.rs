//! A form as it stands in a page: where it is sent, how, and with which fields. It is sent back whole,
//! with what the person types over it, as a browser does: so a target need not know the hidden fields.
//!
//! Between the two it is kept as a value like any other: `POST /path` on a line, then the fields as
//! `application/x-www-form-urlencoded`. The charset follows the path when it is not UTF-8: fields go
//! back in the charset of the page, or in that which the form asks for.

use hyper::Method;
use scraper::{ElementRef, Html, Selector};

use super::css::Css;
use super::likeness::Reading;
use super::template::{Escape, Template, Values};
use super::{Answer, Inputs, RequestError, Target, page};
use crate::charset::Charset;

/// A form, collected or read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveForm {
    method: Method,
    /// A path of the host; anything else leads elsewhere.
    path: String,
    charset: Charset,
    fields: Vec<(String, String)>,
}

/// How an exchange sends one back.
#[derive(Debug)]
pub(super) struct Back {
    /// Index of its name among the target's, and the same as a template.
    pub(super) from: usize,
    pub(super) placeholder: Template,
    /// Whether the exchange has an address and a method of its own.
    pub(super) own: (bool, bool),
    /// What the person types over it, unescaped.
    pub(super) fields: Vec<(String, Template)>,
}

/// What to send.
#[derive(Debug)]
pub struct LiveRequest {
    /// The form's own method, unless the exchange has one.
    pub method: Option<Method>,
    /// The form's own address, a path of the host, unless the exchange has one.
    pub path: Option<String>,
    /// Its fields, `application/x-www-form-urlencoded`.
    pub fields: Vec<u8>,
}

impl LiveForm {
    /// The form that `css` selects in the page, as [`Self::write`] writes it.
    pub(super) fn take(css: &Css, answer: &Answer<'_>) -> Option<Box<[u8]>> {
        let charset = page::charset(answer).ok()?;
        let reading = Reading { charset, place: answer.place(), escape: Escape::Form };
        css.read(reading, answer.body, |page| Some(Self::find(css, page, charset, answer)?.write()))
    }

    fn find(css: &Css, page: &Html, charset: Charset, answer: &Answer<'_>) -> Option<Self> {
        let form = css.first(page, |element| element.value().name() == "form")?;
        let method = match form.attr("method") {
            Some(method) if method.trim().eq_ignore_ascii_case("post") => Method::POST,
            _ => Method::GET,
        };
        let path = answer.link(&address(form.attr("action").unwrap_or_default(), charset));
        let wanted = form.attr("accept-charset").unwrap_or_default().split_ascii_whitespace();
        let charset = wanted.filter_map(Charset::named).next().unwrap_or(charset);
        Some(Self { method, path, charset, fields: fields(form) })
    }

    /// As a value that is carried from exchange to exchange.
    pub(super) fn write(&self) -> Box<[u8]> {
        let charset = match self.charset {
            Charset::Utf8 => String::new(),
            other => format!(" {}", other.name()),
        };
        let mut out = format!("{} {}{charset}\n", self.method, self.path).into_bytes();
        encode(&self.fields, self.charset, &mut out);
        out.into()
    }

    /// Reads such a value back; `None` when it is none.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let (head, fields) = std::str::from_utf8(value).ok()?.split_once('\n')?;
        let (method, path) = head.split_once(' ')?;
        let (path, charset) = path
            .rsplit_once(' ')
            .and_then(|(path, name)| Some((path, Charset::named(name)?)))
            .unwrap_or((path, Charset::Utf8));
        let method = [Method::GET, Method::POST].into_iter().find(|one| one.as_str() == method)?;
        let pairs = fields.split('&').filter(|pair| !pair.is_empty());
        let fields = pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name, charset), decode(value, charset))
            })
            .collect();
        Some(Self { method, path: path.to_owned(), charset, fields })
    }

    /// The values of its fields.
    pub(super) fn values(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(_, value)| value.as_str())
    }
}

impl Back {
    /// Fills it in.
    ///
    /// # Errors
    /// [`RequestError`]: no form was taken, it leads to another host, or it lacks a field.
    pub(super) fn request(
        &self,
        target: &Target,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> Result<LiveRequest, RequestError> {
        let name = || target.captures[self.from].clone();
        let value = captured.get(self.from).and_then(Option::as_deref);
        let value = value.ok_or_else(|| RequestError::NotTaken { name: name() })?;
        let form = LiveForm::read(value).ok_or_else(|| RequestError::NoForm { name: name() })?;
        let (own_path, own_method) = self.own;
        let of_this_host =
            form.path.starts_with('/') && !form.path.starts_with("//") && !form.path.contains('\\');
        if !own_path && !of_this_host {
            let mut to = form.path;
            to.truncate(to.find('?').unwrap_or(to.len()));
            return Err(RequestError::Elsewhere { name: name(), to });
        }
        let mut fields = form.fields;
        for (field, template) in &self.fields {
            let mut typed = Vec::new();
            template
                .render(&mut typed, Values { inputs, captured })
                .map_err(|index| RequestError::NotTaken { name: target.captures[index].clone() })?;
            let typed = String::from_utf8_lossy(&typed).into_owned();
            let Some(at) = fields.iter().position(|(name, _)| name == field) else {
                let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                let (name, field, known) = (name(), field.clone(), known.join(", "));
                return Err(RequestError::NoField { name, field, known });
            };
            fields[at].1 = typed;
            let mut index = 0;
            fields.retain(|(name, _)| {
                index += 1;
                name != field || index == at + 1
            });
        }
        let mut encoded = Vec::new();
        encode(&fields, form.charset, &mut encoded);
        Ok(LiveRequest {
            method: (!own_method).then_some(form.method),
            path: (!own_path).then_some(form.path),
            fields: encoded,
        })
    }
}

/// The fields that a browser sends when the key Enter is pressed (HTML, "constructing the entry
/// list"): the first button is the one pressed.
fn fields(form: ElementRef<'_>) -> Vec<(String, String)> {
    let Ok(controls) = Selector::parse("input, select, textarea, button") else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    let mut pressed = false;
    for control in form.select(&controls) {
        let Some(name) = control.attr("name").filter(|name| !name.is_empty()) else { continue };
        if control.attr("disabled").is_some() {
            continue;
        }
        let kind = control.attr("type").unwrap_or_default().to_ascii_lowercase();
        let own = || control.attr("value").unwrap_or_default().to_owned();
        let value = match (control.value().name(), kind.as_str()) {
            ("select", _) => chosen(control),
            ("textarea", _) => Some(control.text().collect()),
            ("button", "" | "submit") | ("input", "submit") if !pressed => {
                pressed = true;
                Some(own())
            }
            ("button", _) | ("input", "submit" | "button" | "reset" | "image" | "file") => None,
            ("input", "checkbox" | "radio") => {
                control.attr("checked").map(|_| control.attr("value").unwrap_or("on").to_owned())
            }
            _ => Some(own()),
        };
        fields.extend(value.map(|value| (name.to_owned(), value)));
    }
    fields
}

/// The option that is selected, or the first.
fn chosen(select: ElementRef<'_>) -> Option<String> {
    let options = Selector::parse("option").ok()?;
    let mut all = select.select(&options);
    let first = all.next()?;
    let selected = select.select(&options).find(|option| option.attr("selected").is_some());
    let option = selected.unwrap_or(first);
    let text = || option.text().collect::<String>().trim().to_owned();
    Some(option.attr("value").map_or_else(text, str::to_owned))
}

/// The address of a form: its query is in the charset of the page (URL Standard §4.4), and a character
/// that this does not have stands as the reference to it.
fn address(action: &str, charset: Charset) -> Vec<u8> {
    let action = action.split('#').next().unwrap_or_default();
    let (path, query) = action.split_at(action.find('?').unwrap_or(action.len()));
    let mut out = path.as_bytes().to_vec();
    for character in query.chars() {
        match charset.byte(character) {
            Some(byte) => out.push(byte),
            None if charset == Charset::Utf8 => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            None => out.extend_from_slice(format!("%26%23{}%3B", u32::from(character)).as_bytes()),
        }
    }
    out
}

fn encode(fields: &[(String, String)], charset: Charset, out: &mut Vec<u8>) {
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        Escape::Form.write(&charset.encode(name), out);
        out.push(b'=');
        Escape::Form.write(&charset.encode(value), out);
    }
}

fn decode(text: &str, charset: Charset) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok()))
            .flatten();
        match escaped {
            Some(octet) => {
                out.push(octet);
                at += 3;
                continue;
            }
            None if *byte == b'+' => out.push(b' '),
            None => out.push(*byte),
        }
        at += 1;
    }
    charset.decode(&out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Site;
    use hyper::HeaderMap;

    fn found(page: &(impl AsRef<[u8]> + ?Sized), css: &str, at: &str) -> Option<LiveForm> {
        let headers = HeaderMap::new();
        let site = Site { origin: "https://h".into(), base: "/app".into() };
        let answer = Answer::new(200, &headers, page.as_ref(), &site).on(at);
        let (css, charset) = (Css::new(css, None).unwrap(), page::charset(&answer).ok()?);
        let tree = Html::parse_document(&page::decoded(charset, page.as_ref()));
        let form = LiveForm::find(&css, &tree, charset, &answer);
        let written = form.as_ref().map(LiveForm::write);
        assert_eq!(LiveForm::take(&css, &answer), written);
        form
    }

    #[test]
    fn the_fields_are_those_that_a_browser_sends() {
        let page = r#"<form id=search><input name=q></form>
            <form id=x method=POST action="../go?a=1&amp;b=2">
            <input type=hidden name=__VIEWSTATE value="/wEP+==&quot;"><input name=user>
            <input type=password name=password><input type=checkbox name=stay value=1>
            <input type=checkbox name=agree checked><input type=radio name=r value=a>
            <input type=radio name=r value=b checked><input name=off disabled value=no>
            <select name=lang><option value=fr>F<option value=en selected>E</select>
            <select name=realm><option> first </option><option>second</select>
            <textarea name=note>é &amp; ç</textarea><input type=file name=f><input value=nameless>
            <button type=button name=help value=1></button><input type=submit name=go value=Go>
            <input type=submit name=cancel value=No></form>"#;
        let form = found(page, "form#x", "/app/login/page.aspx?x=1").unwrap();
        assert_eq!((form.method.as_str(), form.path.as_str()), ("POST", "/app/go?a=1&b=2"));
        let fields: Vec<String> = form.fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
        assert_eq!(
            fields,
            [
                "__VIEWSTATE=/wEP+==\"",
                "user=",
                "password=",
                "agree=on",
                "r=b",
                "lang=en",
                "realm=first",
                "note=é & ç",
                "go=Go"
            ]
        );
        assert_eq!(LiveForm::read(&form.write()), Some(form), "and it is carried unharmed");
        assert_eq!(found(page, "form#y", "/"), None);
        assert_eq!(found(page, "input", "/"), None, "an input is no form");
    }

    #[test]
    fn where_it_leads_is_what_a_browser_makes_of_it() {
        for (action, path) in [
            ("", "/app/login?x=1"),
            ("next", "/app/next"),
            ("/other", "/other"),
            ("https://h/full", "/full"),
            ("HTTPS://H:443/full?a=à b", "/full?a=%C3%A0%20b"),
            ("https://evil/steal?t=1", "https://evil/steal?t=1"),
            ("//evil/", "//evil/"),
            ("javascript:go()", "javascript:go()"),
        ] {
            let page = format!("<form action='{action}'><input name=a></form>");
            let form = found(&page, "form", "/app/login?x=1").unwrap();
            assert_eq!((form.method.as_str(), form.path.as_str()), ("GET", path), "{action}");
        }
    }

    #[test]
    fn fields_go_back_in_the_charset_of_the_page() {
        let page = b"<meta charset=iso-8859-1><form action='/\xe9?q=\xe9&#955;'>\
            <input name=\xe9tat value='r\xe9serv\xe9 &euro;&#955;'></form>";
        let form = found(page, "form", "/").unwrap();
        assert_eq!(form.fields, [("état".to_owned(), "réservé €λ".to_owned())]);
        let value = form.write();
        let text = "GET /%C3%A9?q=%E9%26%23955%3B windows-1252\n%E9tat=r%E9serv%E9+%80%26%23955%3B";
        assert_eq!(String::from_utf8_lossy(&value), text);
        let read = LiveForm::read(&value).unwrap();
        assert_eq!(read.values().collect::<Vec<_>>(), ["réservé €&#955;"]);
        assert_eq!(read.write(), value, "and it is carried unharmed");
        let asks = String::from_utf8_lossy(page).replace("<form", "<form accept-charset='x UTF-8'");
        assert_eq!(found(&asks, "form", "/").unwrap().charset, Charset::Utf8);
        let other = String::from_utf8_lossy(page).replace("iso-8859-1", "euc-jp");
        assert_eq!(found(&other, "form", "/"), None);
    }

    #[test]
    fn what_is_no_form_is_not_read_as_one() {
        for value in [&b""[..], b"abc", b"POST /x", b"PUT /x\na=1", b"POST\n", b"\xff \n"] {
            assert_eq!(LiveForm::read(value), None, "{value:?}");
        }
        let form = LiveForm::read(b"POST /x\na=%zz&b&c=%C3%A9+%2").unwrap();
        assert_eq!(form.values().collect::<Vec<_>>(), ["%zz", "", "é %2"]);
    }
}
