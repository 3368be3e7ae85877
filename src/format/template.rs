//! A text per key, by template: XML, JSON, YAML, URIs.
//!
//! The templates know the fields of one record and the filters of the codecs, nothing else: no
//! files, no environment, no includes. minijinja is built without its `debug` feature, whose output
//! prints the variables, seeds among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use zeroize::Zeroizing;

use super::codec::{CODECS, Codec};
use super::field::{Field, NAMED, Record};
use super::shape::{Escape, TemplateShape};
use crate::secret::Secret;

/// The compiled templates of a definition.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    pub(super) separator: String,
    /// The settings that the head names.
    head_settings: Vec<Field>,
    pub(super) foot: String,
    /// Whether each key has a file of its own.
    pub(super) file_per_key: bool,
    /// The fields that the templates name.
    pub(super) fields: Vec<Field>,
}

impl Templates {
    /// Compiles; refuses names that no record has.
    pub(super) fn compile(shape: &TemplateShape) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).build() {
            environment.set_syntax(syntax);
        }
        let escape = shape.escape;
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(
            move |out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value| {
                let text = printable(value)?;
                out.write_str(&escaped(escape, &text)).map_err(Error::from)
            },
        );
        for (name, codec) in CODECS {
            environment
                .add_filter(name.replace('-', "_"), move |value: Value| encode(codec, &value));
        }
        for (name, escape) in [("xml", Escape::Xml), ("json", Escape::Json)] {
            environment.add_filter(name, move |value: Value| {
                printable(&value).map(|text| escaped(escape, &text).to_string())
            });
        }
        let mut fields = fields(&mut environment, "record", &shape.record)?;
        if let Some(file) = &shape.file {
            let named = self::fields(&mut environment, "file", file)?;
            if let Some(field) = named.iter().find(|field| field.is_secret()) {
                return Err(format!("template.file: the {field} in the name of a file"));
            }
            fields.extend(named);
        }
        let head_settings = self::fields(&mut environment, "head", &shape.head)?;
        if let Some(field) = head_settings.iter().find(|f| !matches!(f, Field::Setting(_))) {
            return Err(format!("template.head: {field}: the head has no key, only set.NAME"));
        }
        fields.extend(head_settings.iter().cloned());
        for (name, text) in [("foot", &shape.foot), ("separator", &shape.separator)] {
            if text.contains("{{") || text.contains("{%") {
                return Err(format!("template.{name} is plain text: fields stand in record only"));
            }
        }
        Ok(Self {
            environment,
            separator: shape.separator.clone(),
            head_settings,
            foot: shape.foot.clone(),
            file_per_key: shape.file.is_some(),
            fields,
        })
    }

    /// What stands before the first key.
    pub(super) fn head(&self, settings: &BTreeMap<String, String>) -> Result<String, String> {
        for field in &self.head_settings {
            if let Field::Setting(name) = field
                && !settings.contains_key(name)
            {
                return Err(format!(
                    "template.head: {field} has no value: give one with --set {name}=VALUE"
                ));
            }
        }
        let set = Value::from_pairs(settings.clone());
        self.environment
            .get_template("head")
            .and_then(|template| template.render(Value::from_pairs([("set", set)])))
            .map_err(|error| format!("template.head: {error}"))
    }

    /// The text of one key; `index` counts from 1.
    pub(super) fn write(
        &self,
        record: &Record<'_>,
        index: u64,
        out: &mut String,
        faults: &mut Vec<String>,
    ) {
        match self.render("record", record, index) {
            Ok(text) => out.push_str(&text),
            Err(why) => faults.push(why),
        }
    }

    /// The name of a key's own file; it stays in its folder.
    pub(super) fn file_name(&self, record: &Record<'_>, index: u64) -> Result<String, String> {
        let name = self.render("file", record, index)?;
        let fault =
            if name.is_empty() || name.starts_with('-') || matches!(name.as_str(), "." | "..") {
                "cannot be the name of a file"
            } else if name.contains(['/', '\\']) {
                "holds a separator of folders"
            } else if name.len() > 255 {
                "is longer than 255 bytes"
            } else {
                return Ok(name.to_string());
            };
        Err(format!("template.file: {:?} {fault}", *name))
    }

    fn render(
        &self,
        template: &str,
        record: &Record<'_>,
        index: u64,
    ) -> Result<Zeroizing<String>, String> {
        self.environment
            .get_template(template)
            .and_then(|template| template.render(context(record, index)))
            .map(Zeroizing::new)
            // `{error}` alone: anything longer prints the variables.
            .map_err(|error| format!("template.{template}: {error}"))
    }
}

/// Compiles one template; gives the fields it names, which must exist.
fn fields(
    environment: &mut Environment<'static>,
    name: &'static str,
    text: &str,
) -> Result<Vec<Field>, String> {
    let fault = |why: String| format!("template.{name}: {why}");
    environment
        .add_template_owned(name, text.to_owned())
        .map_err(|error| fault(error.to_string()))?;
    let template = environment.get_template(name).map_err(|error| fault(error.to_string()))?;
    template
        .undeclared_variables(true)
        .iter()
        .filter(|name| !matches!(name.as_str(), "index" | "roster" | "set"))
        .map(|name| Field::parse(name).map_err(fault))
        .collect()
}

fn context(record: &Record<'_>, index: u64) -> Value {
    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    for (name, field) in &NAMED {
        let value = match field {
            Field::Secret | Field::Pin => {
                record.bytes(field).map(|bytes| Value::from_object(Hidden(Secret::from(&*bytes))))
            }
            _ => record.text(field).map(|text| Value::from(text.as_ref())),
        };
        values.insert(name, value.unwrap_or(Value::from(())));
    }
    let token = record.token;
    values.insert("digits", Value::from(token.digits));
    values.insert("period", Value::from(token.period));
    values.insert("counter", Value::from(token.counter));
    values.insert("index", Value::from(index));
    let roster = record.person.map(|person| person.fields.clone()).unwrap_or_default();
    values.insert("roster", Value::from_pairs(roster));
    values.insert("set", Value::from_pairs(record.settings.clone()));
    Value::from_pairs(values)
}

/// A seed or PIN as the templates see it: nothing but the filters of the codecs can open it.
#[derive(Debug)]
struct Hidden(Secret);

impl Object for Hidden {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.to_owned())
}

fn encode(codec: Codec, value: &Value) -> Result<String, Error> {
    let text = match value.downcast_object_ref::<Hidden>() {
        Some(Hidden(secret)) => codec.encode(secret.expose()),
        None => codec.encode(printable(value)?.as_bytes()),
    };
    text.map(|text| text.to_string()).ok_or_else(|| refused("the bytes are no text"))
}

/// A value as text: a seed without an encoding, a value that the key does not have and a control
/// character are refused.
fn printable(value: &Value) -> Result<Zeroizing<String>, Error> {
    if value.is_none() || value.is_undefined() {
        return Err(refused("the key has no value for a field that is printed"));
    }
    if value.downcast_object_ref::<Hidden>().is_some() {
        return Err(refused("a secret is printed without an encoding (hex, base32_nopad, …)"));
    }
    let text = Zeroizing::new(value.to_string());
    if text.chars().any(char::is_control) {
        return Err(refused("a value holds a control character"));
    }
    Ok(text)
}

fn escaped(escape: Escape, text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    if escape == Escape::Url {
        return Codec::Url.encode(text.as_bytes()).unwrap_or_default();
    }
    for c in text.chars() {
        match (escape, c) {
            (Escape::Xml, '&') => out.push_str("&amp;"),
            (Escape::Xml, '<') => out.push_str("&lt;"),
            (Escape::Xml, '>') => out.push_str("&gt;"),
            (Escape::Xml, '"') => out.push_str("&quot;"),
            (Escape::Xml, '\'') => out.push_str("&#39;"),
            (Escape::Json, '"') => out.push_str("\\\""),
            (Escape::Json, '\\') => out.push_str("\\\\"),
            (_, c) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serial::Serial;
    use crate::token::Token;

    fn shape(escape: Escape, record: &str) -> TemplateShape {
        let (head, separator, foot) = <(String, String, String)>::default();
        TemplateShape { escape, file: None, record: record.into(), head, separator, foot }
    }

    fn render(escape: Escape, record: &str, issuer: &str) -> Result<String, String> {
        let templates = Templates::compile(&shape(escape, record))?;
        let secret = Secret::from(&b"12345678901234567890"[..]);
        let mut token = Token::totp60(Serial::new("A1").unwrap(), secret);
        token.issuer = Some(issuer.to_owned());
        let settings = BTreeMap::new();
        let record = Record { token: &token, person: None, settings: &settings };
        let (mut out, mut faults) = (String::new(), Vec::new());
        templates.write(&record, 1, &mut out, &mut faults);
        if faults.is_empty() { Ok(out) } else { Err(faults.join("; ")) }
    }

    #[test]
    fn every_value_is_escaped() {
        let record = "{{ issuer }}";
        assert_eq!(render(Escape::Xml, record, "A&<\"B'>").unwrap(), "A&amp;&lt;&quot;B&#39;&gt;");
        assert_eq!(render(Escape::Json, record, r#"a"b\"#).unwrap(), r#"a\"b\\"#);
        assert_eq!(render(Escape::Url, record, "a b&é").unwrap(), "a%20b%26%C3%A9");
        // JSON within a JSON string, as Keycloak wants it.
        assert_eq!(render(Escape::Json, "{{ issuer|json }}", "\"").unwrap(), r#"\\\""#);
    }

    #[test]
    fn secrets_go_through_an_encoding_and_into_no_message() {
        let good = render(Escape::None, "{{ secret|base32_nopad }}", "").unwrap();
        assert_eq!(good, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for record in ["{{ secret }}", "{{ secret|xml }}", "{{ secret|hex }}{{ model }}"] {
            let why = render(Escape::None, record, "").unwrap_err();
            assert!(!why.contains("1234567890") && !why.contains("31323334"), "{why}");
        }
        let around = render(Escape::None, "{{ secret|upper }}{{ secret|string }}", "").unwrap();
        assert!(!around.contains("1234567890"), "{around}");
    }

    #[test]
    fn injections_and_mistakes_are_refused() {
        assert!(render(Escape::None, "{{ issuer }}", "a\nb").unwrap_err().contains("control"));
        let unknown = Templates::compile(&shape(Escape::None, "{{ colour }}")).unwrap_err();
        assert!(unknown.contains("no field \"colour\""), "{unknown}");
        let syntax = Templates::compile(&shape(Escape::None, "{{ serial ")).unwrap_err();
        assert!(syntax.starts_with("template.record: syntax error"), "{syntax}");
        assert!(render(Escape::None, "{{ model }}", "x").unwrap_err().contains("no value"));
    }
}
