//! Templates: text with `{placeholders}`, compiled once to segments, rendered without allocating
//! anything but the output.
//!
//! `{{` and `}}` stand for the braces themselves. In a raw body a placeholder may name its own
//! escaping: `{user:form}`, `{user:json}`, `{user:xml}`, `{user:base64}`; elsewhere the place
//! decides (path and form fields are percent-encoded, JSON strings escaped).

use super::{Inputs, Operation};

/// How a value is written into its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is.
    Raw,
    /// `application/x-www-form-urlencoded`: unreserved bytes, `+` for a space, `%XX`.
    Form,
    /// One path or query component: unreserved bytes and `%XX`.
    Path,
    /// Inside a JSON string (RFC 8259 §7).
    Json,
    /// XML character data or attribute value.
    Xml,
    /// Base64 (RFC 4648 §4).
    Base64,
}

/// A value known only when the request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    User,
    Code,
    Pin,
    Passcode,
    NewPin,
    NewPinConfirmation,
    /// Taken from an earlier answer; index into the target's names.
    Captured(usize),
}

const INPUTS: [(&str, Field); 6] = [
    ("user", Field::User),
    ("code", Field::Code),
    ("pin", Field::Pin),
    ("passcode", Field::Passcode),
    ("new_pin", Field::NewPin),
    ("new_pin_confirmation", Field::NewPinConfirmation),
];

/// Whether `name` is something a person types, so that nothing captured may be called so.
pub(super) fn is_input(name: &str) -> bool {
    INPUTS.iter().any(|(input, _)| *input == name)
}

/// Where a template stands, which decides what it may name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The operation it belongs to.
    pub(super) operation: Operation,
    /// Whether it is sent before the person has read the key.
    pub(super) opening: bool,
    /// Every captured name of the target.
    pub(super) captures: &'a [String],
}

impl Scope<'_> {
    fn field(&self, name: &str) -> Result<Field, String> {
        if let Some(index) = self.captures.iter().position(|capture| capture == name) {
            return Ok(Field::Captured(index));
        }
        let Some((_, field)) = INPUTS.iter().find(|(input, _)| *input == name) else {
            let known: Vec<&str> = INPUTS
                .iter()
                .map(|(input, _)| *input)
                .chain(self.captures.iter().map(String::as_str))
                .collect();
            return Err(format!(
                "unknown placeholder {{{name}}}: neither typed by the person nor taken from an \
                 answer; known: {}",
                known.join(", ")
            ));
        };
        let operation = self.operation.name();
        match field {
            _ if self.opening => Err(format!(
                "{{{name}}} is not typed yet when the page is opened; put it in submit"
            )),
            Field::User => Ok(*field),
            _ if self.operation == Operation::Logout => {
                Err(format!("{{{name}}} is not known at {operation}"))
            }
            Field::NewPin | Field::NewPinConfirmation if self.operation != Operation::NewPin => {
                Err(format!("{{{name}}} is only known at new_pin, not at {operation}"))
            }
            _ => Ok(*field),
        }
    }
}

#[derive(Debug, Clone)]
enum Segment {
    Text(Box<[u8]>),
    Value(Field, Escape),
}

/// A compiled template.
#[derive(Debug, Clone, Default)]
pub(super) struct Template(Vec<Segment>);

/// What a template is filled with.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    /// What the person typed.
    pub(super) inputs: &'a Inputs<'a>,
    /// What was taken from answers, by index.
    pub(super) captured: &'a [Option<Box<[u8]>>],
}

impl Template {
    /// Compiles `text`; `own` is the escaping of its place, `escapes` whether a placeholder may
    /// choose another.
    pub(super) fn compile(
        text: &str,
        own: Escape,
        escapes: bool,
        scope: &Scope<'_>,
    ) -> Result<Self, String> {
        let mut template = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            template.text(&rest.as_bytes()[..at]);
            let tail = &rest[at..];
            if tail.starts_with("{{") || tail.starts_with("}}") {
                template.text(&tail.as_bytes()[..1]);
                rest = &tail[2..];
                continue;
            }
            let end = tail.find('}').filter(|_| tail.starts_with('{')).ok_or_else(|| {
                format!("a lone brace in {text:?}; write {{{{ or }}}} for the character itself")
            })?;
            let (name, escape) = match tail[1..end].split_once(':') {
                None => (&tail[1..end], own),
                Some((name, escape)) if escapes => (name, named_escape(escape)?),
                Some(_) => {
                    return Err(format!(
                        "{}: only a raw body chooses its escaping; here the place decides",
                        &tail[..=end]
                    ));
                }
            };
            template.0.push(Segment::Value(scope.field(name)?, escape));
            rest = &tail[end + 1..];
        }
        template.text(rest.as_bytes());
        Ok(template)
    }

    /// Adds literal text.
    pub(super) fn text(&mut self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        if let Some(Segment::Text(last)) = self.0.last_mut() {
            let mut joined = std::mem::take(last).into_vec();
            joined.extend_from_slice(text);
            *last = joined.into();
        } else {
            self.0.push(Segment::Text(text.into()));
        }
    }

    /// The same with its literal text escaped, so that only values are left to escape.
    pub(super) fn escaped(self, escape: Escape) -> Self {
        let escaped = |segment| match segment {
            Segment::Text(text) => {
                let mut out = Vec::new();
                escape.write(&text, &mut out);
                Segment::Text(out.into())
            }
            value @ Segment::Value(..) => value,
        };
        Self(self.0.into_iter().map(escaped).collect())
    }

    /// Adds another template.
    pub(super) fn append(&mut self, other: Self) {
        for segment in other.0 {
            match segment {
                Segment::Text(text) => self.text(&text),
                value @ Segment::Value(..) => self.0.push(value),
            }
        }
    }

    /// Appends the rendered text to `out`.
    ///
    /// # Errors
    /// The index of a captured value that no answer has given yet.
    pub(super) fn render(&self, out: &mut Vec<u8>, values: Values<'_>) -> Result<(), usize> {
        for segment in &self.0 {
            match segment {
                Segment::Text(text) => out.extend_from_slice(text),
                Segment::Value(field, escape) => {
                    let value = match *field {
                        Field::User => values.inputs.user.as_bytes(),
                        Field::Code => values.inputs.code.as_bytes(),
                        Field::Pin => values.inputs.pin.as_bytes(),
                        Field::Passcode => values.inputs.passcode.as_bytes(),
                        Field::NewPin => values.inputs.new_pin.as_bytes(),
                        Field::NewPinConfirmation => values.inputs.new_pin_confirmation.as_bytes(),
                        Field::Captured(index) => {
                            values.captured.get(index).and_then(Option::as_deref).ok_or(index)?
                        }
                    };
                    escape.write(value, out);
                }
            }
        }
        Ok(())
    }

    /// The text, when there is nothing to fill in.
    pub(super) fn constant(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [] => Some(b""),
            [Segment::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Indices of the captured values it names.
    pub(super) fn captures(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Value(Field::Captured(index), _) => Some(*index),
            _ => None,
        })
    }
}

fn named_escape(name: &str) -> Result<Escape, String> {
    Ok(match name {
        "raw" => Escape::Raw,
        "form" => Escape::Form,
        "path" => Escape::Path,
        "json" => Escape::Json,
        "xml" => Escape::Xml,
        "base64" => Escape::Base64,
        _ => {
            return Err(format!(
                "unknown escaping {name:?}; known: raw, form, path, json, xml, base64"
            ));
        }
    })
}

impl Escape {
    /// Appends `value` so escaped to `out`.
    pub(super) fn write(self, value: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Raw => out.extend_from_slice(value),
            Self::Form | Self::Path => percent(value, self == Self::Form, out),
            Self::Json => json(value, out),
            Self::Xml => xml(value, out),
            Self::Base64 => {
                out.extend_from_slice(data_encoding::BASE64.encode(value).as_bytes());
            }
        }
    }
}

fn percent(value: &[u8], form: bool, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in value {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte),
            b'~' if !form => out.push(byte),
            b'*' if form => out.push(byte),
            b' ' if form => out.push(b'+'),
            _ => {
                out.extend_from_slice(&[
                    b'%',
                    HEX[usize::from(byte >> 4)],
                    HEX[usize::from(byte & 15)],
                ]);
            }
        }
    }
}

fn json(value: &[u8], out: &mut Vec<u8>) {
    for chunk in value.utf8_chunks() {
        for &byte in chunk.valid().as_bytes() {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => out.push(byte),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

fn xml(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(captures: &[String]) -> Scope<'_> {
        Scope { operation: Operation::Login, opening: false, captures }
    }

    fn rendered(text: &str, escape: Escape, user: &str) -> String {
        let template = Template::compile(text, escape, true, &scope(&[])).unwrap();
        let inputs = Inputs { user, ..Inputs::default() };
        let mut out = Vec::new();
        template.render(&mut out, Values { inputs: &inputs, captured: &[] }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_escaped_for_their_place() {
        let awkward = "a b+&=é\"<~*\n";
        assert_eq!(
            rendered("u={user}", Escape::Form, awkward),
            "u=a+b%2B%26%3D%C3%A9%22%3C%7E*%0A"
        );
        assert_eq!(rendered("/{user}", Escape::Path, "a b/~?"), "/a%20b%2F~%3F");
        assert_eq!(rendered("\"{user}\"", Escape::Json, "é\"\\\n"), "\"é\\\"\\\\\\u000a\"");
        assert_eq!(rendered("{user:xml}|{user:base64}", Escape::Raw, "<&>"), "&lt;&amp;&gt;|PCY+");
        assert_eq!(rendered("{{\"u\":\"{user:json}\"}}", Escape::Raw, "é"), "{\"u\":\"é\"}");
    }

    #[test]
    fn json_output_is_json_for_any_bytes() {
        let mut out = vec![b'"'];
        Escape::Json.write(&(0..=255).collect::<Vec<u8>>(), &mut out);
        out.push(b'"');
        serde_json::from_slice::<String>(&out).unwrap();
    }

    #[test]
    fn what_is_not_known_there_is_refused() {
        let names = ["csrf".to_owned()];
        let error = |text, scope: &Scope<'_>| {
            Template::compile(text, Escape::Form, false, scope).unwrap_err()
        };
        let login = scope(&names);
        assert_eq!(
            error("{pincode}", &login),
            "unknown placeholder {pincode}: neither typed by the person nor taken from an answer; \
             known: user, code, pin, passcode, new_pin, new_pin_confirmation, csrf"
        );
        assert!(error("a{b", &login).starts_with("a lone brace in \"a{b\""));
        assert!(error("a}b", &login).starts_with("a lone brace"));
        assert!(error("{user:json}", &login).contains("the place decides"));
        assert!(error("{new_pin}", &login).contains("only known at new_pin"));
        let opening = Scope { opening: true, ..login };
        assert!(error("{code}", &opening).contains("put it in submit"));
    }

    #[test]
    fn a_value_not_yet_taken_is_named() {
        let names = ["csrf".to_owned()];
        let template = Template::compile("{csrf}", Escape::Raw, false, &scope(&names)).unwrap();
        let inputs = Inputs::default();
        let mut out = Vec::new();
        assert_eq!(
            template.render(&mut out, Values { inputs: &inputs, captured: &[None] }),
            Err(0)
        );
        let given = [Some(Box::from(&b"t"[..]))];
        template.render(&mut out, Values { inputs: &inputs, captured: &given }).unwrap();
        assert_eq!(out, b"t");
    }
}
