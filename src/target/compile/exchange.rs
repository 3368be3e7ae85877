//! Compiling one exchange: request templates and the values to take.

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use regex::bytes::Regex;

use super::{Fault, fault, named, rule};
use crate::target::css::Css;
use crate::target::exchange::{Auth, Exchange, HttpRequest, Request};
use crate::target::live::Back;
use crate::target::raw;
use crate::target::take::{Selector, Take};
use crate::target::template::{Escape, Scope, Template};

/// Set by the transport itself.
const RESERVED: [&str; 6] =
    ["host", "content-length", "transfer-encoding", "connection", "cookie", "accept-encoding"];

pub(super) fn exchange(
    at: usize,
    raw: raw::Exchange,
    scope: &Scope<'_>,
) -> Result<Exchange, Fault> {
    let live = raw.form_from.is_some();
    let needed = |what: &str| {
        (at, format!("an exchange has a {what}, unless it sends a form back by form_from"))
    };
    let method = match &raw.method {
        Some(text) => self::method(text)?,
        None if live => Method::POST,
        None => return Err(needed("method")),
    };
    let path = match &raw.path {
        Some(path) => {
            check_path(path)?;
            template(path, Escape::Path, false, scope)?
        }
        None if live => Template::default(),
        None => return Err(needed("path")),
    };
    let back = match &raw.form_from {
        Some(from) => Some(back(from, &raw, scope)?),
        None => None,
    };
    let mut headers = Vec::new();
    for (name, value) in &raw.headers {
        headers.push((
            header_name(name)?,
            template(value, Escape::Raw, false, scope).and_then(|template| {
                match template.constant().map(HeaderValue::from_bytes) {
                    Some(Err(_)) => Err(fault(value, "a header holds no control characters")),
                    _ => Ok(template),
                }
            })?,
        ));
    }
    let has_type = headers.iter().any(|(name, _)| *name == CONTENT_TYPE);
    let body = if live { None } else { body(at, &raw, has_type, scope)? };
    if let (Some(_), Some(text), "GET" | "HEAD") = (&body, &raw.method, method.as_str()) {
        return Err(fault(text, format!("{method} carries no body")));
    }
    let auth = match raw.auth {
        None => None,
        Some(spanned) => {
            let at = spanned.span().start;
            Some(auth(at, spanned.into_inner(), scope)?)
        }
    };
    let mut takes = Vec::new();
    for (name, take) in raw.take {
        let index = scope.captures.iter().position(|capture| capture == name.get_ref());
        // Every name of every take was collected before.
        let index = index.ok_or_else(|| fault(&name, "unknown name"))?;
        takes.push(self::take(index, take)?);
    }
    let rules = rule::rules(raw.rule)?;
    let request = HttpRequest { method, path, headers, body, auth, follow: raw.follow, back };
    Ok(Exchange { request: Request::Http(request), takes, rules })
}

fn method(text: &raw::Text) -> Result<Method, Fault> {
    Method::from_bytes(text.get_ref().as_bytes())
        .ok()
        .filter(|method| {
            *method != Method::CONNECT && method.as_str() == method.as_str().to_ascii_uppercase()
        })
        .ok_or_else(|| fault(text, "no HTTP method; write \"GET\", \"POST\", …"))
}

/// A form of an earlier page, sent back with what the person types over it.
fn back(from: &raw::Text, raw: &raw::Exchange, scope: &Scope<'_>) -> Result<Back, Fault> {
    if let Some(place) = raw.json.as_ref().map(toml::Spanned::span) {
        return Err((place.start, "a form is sent back as a form: give its fields in form".into()));
    }
    if let Some(body) = &raw.body {
        return Err(fault(body, "a form is sent back as a form: give its fields in form"));
    }
    let index = scope.captures.iter().position(|capture| capture == from.get_ref());
    let index = index.ok_or_else(|| {
        let name = from.get_ref();
        fault(from, format!("no exchange takes {name}: write take.{name} = {{ form = \"form\" }}"))
    })?;
    let placeholder = toml::Spanned::new(from.span(), format!("{{{}}}", from.get_ref()));
    let mut fields = Vec::new();
    for (name, value) in raw.form.iter().flat_map(|form| form.get_ref()) {
        fields.push((name.get_ref().clone(), template(value, Escape::Raw, false, scope)?));
    }
    Ok(Back {
        from: index,
        placeholder: template(&placeholder, Escape::Raw, false, scope)?,
        own: (raw.path.is_some(), raw.method.is_some()),
        fields,
    })
}

fn body(
    at: usize,
    raw: &raw::Exchange,
    has_type: bool,
    scope: &Scope<'_>,
) -> Result<Option<(Option<&'static str>, Template)>, Fault> {
    let kind = |own| if has_type { None } else { Some(own) };
    match (&raw.form, &raw.json, &raw.body) {
        (None, None, None) => Ok(None),
        (Some(form), None, None) => {
            let mut whole = Template::default();
            for (index, (name, value)) in form.get_ref().iter().enumerate() {
                let mut start = if index == 0 { Vec::new() } else { vec![b'&'] };
                Escape::Form.write(name.get_ref().as_bytes(), &mut start);
                start.push(b'=');
                whole.text(&start);
                whole.append(form_value(value, scope)?);
            }
            Ok(Some((kind("application/x-www-form-urlencoded"), whole)))
        }
        (None, Some(json), None) => {
            let mut whole = Template::default();
            self::json(json.get_ref(), scope, &mut whole)
                .map_err(|message| fault(json, message))?;
            Ok(Some((kind("application/json"), whole)))
        }
        (None, None, Some(text)) if has_type => {
            Ok(Some((None, template(text, Escape::Raw, true, scope)?)))
        }
        (None, None, Some(text)) => {
            Err(fault(text, "a raw body needs headers = { content-type = \"…\" }"))
        }
        _ => Err((at, "an exchange has one body: form, json or body".to_owned())),
    }
}

/// The literal parts of a form value are escaped at load, the rest at render.
fn form_value(value: &raw::Text, scope: &Scope<'_>) -> Result<Template, Fault> {
    template(value, Escape::Form, false, scope).map(|template| template.escaped(Escape::Form))
}

/// Writes `value` as JSON whose strings are templates.
fn json(value: &toml::Value, scope: &Scope<'_>, out: &mut Template) -> Result<(), String> {
    match value {
        toml::Value::String(text) => {
            out.text(b"\"");
            out.append(Template::compile(text, Escape::Json, false, scope)?.escaped(Escape::Json));
            out.text(b"\"");
        }
        toml::Value::Array(list) => {
            out.text(b"[");
            for (index, item) in list.iter().enumerate() {
                out.text(if index == 0 { b"" } else { b"," });
                json(item, scope, out)?;
            }
            out.text(b"]");
        }
        toml::Value::Table(table) => {
            out.text(b"{");
            for (index, (key, item)) in table.iter().enumerate() {
                let mut start = if index == 0 { vec![b'"'] } else { b",\"".to_vec() };
                Escape::Json.write(key.as_bytes(), &mut start);
                start.extend_from_slice(b"\":");
                out.text(&start);
                json(item, scope, out)?;
            }
            out.text(b"}");
        }
        toml::Value::Integer(number) => out.text(number.to_string().as_bytes()),
        toml::Value::Boolean(truth) => out.text(truth.to_string().as_bytes()),
        toml::Value::Float(number) if number.is_finite() => {
            out.text(number.to_string().as_bytes());
        }
        toml::Value::Float(number) => return Err(format!("{number} is no JSON number")),
        toml::Value::Datetime(date) => out.text(format!("\"{date}\"").as_bytes()),
    }
    Ok(())
}

fn auth(at: usize, raw: raw::Auth, scope: &Scope<'_>) -> Result<Auth, Fault> {
    match raw {
        raw::Auth { basic: Some(name), bearer: None, user: None, password: None } => {
            Ok(Auth::Basic(name))
        }
        raw::Auth { basic: None, bearer: Some(name), user: None, password: None } => {
            Ok(Auth::Bearer(name))
        }
        raw::Auth { basic: None, bearer: None, user: Some(user), password: Some(password) } => {
            Ok(Auth::Person {
                user: template(&user, Escape::Raw, false, scope)?,
                password: template(&password, Escape::Raw, false, scope)?,
            })
        }
        _ => Err((
            at,
            "auth is { basic = \"NAME\" }, { bearer = \"NAME\" } (names of credentials), or \
             { user = \"{user}\", password = \"{passcode}\" }"
                .to_owned(),
        )),
    }
}

fn take(index: usize, raw: toml::Spanned<raw::Take>) -> Result<Take, Fault> {
    let at = raw.span().start;
    let raw = raw.into_inner();
    let when = raw.when.iter().map(named).collect::<Result<_, _>>()?;
    let attribute = match (&raw.css, raw.attribute) {
        (None, Some(attribute)) => {
            return Err(fault(&attribute, "an attribute is of the element that css selects"));
        }
        (_, attribute) => attribute.map(toml::Spanned::into_inner),
    };
    if let Some(text) = &raw.form {
        let more = raw.input.is_some() || raw.css.is_some() || raw.json.is_some();
        if more || raw.regex.is_some() || raw.header.is_some() || raw.cookie.is_some() {
            return Err(fault(text, "a value is taken in one way"));
        }
        let css = Css::new(text.get_ref(), None).map_err(|message| fault(text, message))?;
        let selector = Selector::Form(Box::new(css));
        return Ok(Take { index, selector, optional: raw.optional, when });
    }
    let selector = match (raw.input, raw.css, raw.json, raw.regex, raw.header, raw.cookie) {
        (Some(name), None, None, None, None, None) => Selector::Input(name),
        (None, Some(text), None, None, None, None) => Selector::Css(Box::new(
            Css::new(text.get_ref(), attribute).map_err(|message| fault(&text, message))?,
        )),
        (None, None, Some(pointer), None, None, None) => {
            check_pointer(&pointer)?;
            Selector::Json(pointer.into_inner())
        }
        (None, None, None, Some(text), None, None) => Selector::Regex(regex(&text)?),
        (None, None, None, None, Some(name), None) => Selector::Header(any_header_name(&name)?),
        (None, None, None, Some(text), Some(name), None) => {
            Selector::HeaderPart(any_header_name(&name)?, regex(&text)?)
        }
        (None, None, None, None, None, Some(name)) => Selector::Cookie(name),
        _ => {
            return Err((
                at,
                "a value is taken by one of input, css, form, json, regex, header, cookie; of them, \
                 regex and header may go together"
                    .into(),
            ));
        }
    };
    Ok(Take { index, selector, optional: raw.optional, when })
}

fn template(
    text: &raw::Text,
    own: Escape,
    escapes: bool,
    scope: &Scope<'_>,
) -> Result<Template, Fault> {
    Template::compile(text.get_ref(), own, escapes, scope).map_err(|message| fault(text, message))
}

pub(in crate::target) fn regex(text: &raw::Text) -> Result<Regex, Fault> {
    Regex::new(text.get_ref()).map_err(|error| fault(text, error.to_string()))
}

pub(super) fn any_header_name(name: &raw::Text) -> Result<HeaderName, Fault> {
    HeaderName::from_bytes(name.get_ref().as_bytes())
        .map_err(|_| fault(name, format!("{:?} is no header name", name.get_ref())))
}

fn header_name(name: &raw::Text) -> Result<HeaderName, Fault> {
    let parsed = any_header_name(name)?;
    if RESERVED.contains(&parsed.as_str()) {
        return Err(fault(name, format!("{parsed} is set by the transport; leave it out")));
    }
    Ok(parsed)
}

/// A path begins with `/`: the server's address comes with `--url`.
pub(super) fn check_path(path: &raw::Text) -> Result<(), Fault> {
    let text = path.get_ref();
    if !text.starts_with('/') || text.starts_with("//") {
        return Err(fault(path, "a path begins with one /; the address comes with --url"));
    }
    if text.contains('#') || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fault(path, "a path is of printable ASCII without spaces or #: write %XX"));
    }
    Ok(())
}

/// A JSON pointer is empty or begins with `/` (RFC 6901 §3).
pub(super) fn check_pointer(pointer: &raw::Text) -> Result<(), Fault> {
    let text = pointer.get_ref();
    if text.is_empty() || text.starts_with('/') {
        return Ok(());
    }
    Err(fault(pointer, format!("a JSON pointer begins with /: \"/{text}\"?")))
}
