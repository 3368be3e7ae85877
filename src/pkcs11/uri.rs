//! Names of keys in tokens, RFC 7512.
//!
//! ```text
//! pkcs11:token=LABEL;object=LABEL;id=%01?module-path=/path/to/module.so&pin-source=file:/path
//! ```
//! Of the path: `token`, `manufacturer`, `model`, `serial`, `slot-id` choose the token; `object`,
//! `id`, `type` the key. Of the query: `module-path`, `pin-source` (a file). Anything else is
//! refused: what is not understood must not be taken for a match (§2.4).

use std::fmt;
use std::path::{Path, PathBuf};

use super::Pkcs11Error;

/// The name of a key in a token. `Display` gives it without its query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyUri {
    pub(super) token: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) model: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) slot_id: Option<u64>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) class: Option<Class>,
    pub(super) module_path: Option<PathBuf>,
    pub(super) pin_source: Option<PathBuf>,
}

/// `type=`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Secret,
    Private,
}

impl KeyUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// [`Pkcs11Error::Uri`] with what is wrong, or [`Pkcs11Error::PinValue`]; no value of the query
    /// is echoed.
    pub fn parse(text: &str) -> Result<Self, Pkcs11Error> {
        let wrong = |problem: String| Pkcs11Error::Uri(problem);
        let rest =
            text.strip_prefix("pkcs11:").ok_or_else(|| wrong("it begins with `pkcs11:`".into()))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::default();
        for part in path.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = pair(part)?;
            match name {
                "token" => set(&mut uri.token, name, words(name, value)?)?,
                "manufacturer" => set(&mut uri.manufacturer, name, words(name, value)?)?,
                "model" => set(&mut uri.model, name, words(name, value)?)?,
                "serial" => set(&mut uri.serial, name, words(name, value)?)?,
                "object" => set(&mut uri.object, name, words(name, value)?)?,
                "id" => set(&mut uri.id, name, bytes(name, value)?)?,
                "slot-id" => {
                    let number = value.parse().map_err(|_| wrong("slot-id is a number".into()))?;
                    set(&mut uri.slot_id, name, number)?;
                }
                "type" => {
                    let class = match value {
                        "secret-key" => Class::Secret,
                        "private" => Class::Private,
                        _ => return Err(wrong("type is secret-key or private here".into())),
                    };
                    set(&mut uri.class, name, class)?;
                }
                _ => return Err(wrong(format!("the attribute {name:?} is not used here"))),
            }
        }
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = pair(part)?;
            match name {
                "module-path" => set(&mut uri.module_path, name, words(name, value)?.into())?,
                "pin-source" => set(&mut uri.pin_source, name, file(&words(name, value)?)?)?,
                "pin-value" => return Err(Pkcs11Error::PinValue),
                _ => return Err(wrong(format!("the query attribute {name:?} is not used here"))),
            }
        }
        Ok(uri)
    }

    /// The module to load.
    ///
    /// # Errors
    /// [`Pkcs11Error::NoModule`].
    pub fn module(&self) -> Result<&Path, Pkcs11Error> {
        let missing = || Pkcs11Error::NoModule { uri: self.to_string() };
        self.module_path.as_deref().ok_or_else(missing)
    }

    /// The file with the PIN.
    #[must_use]
    pub fn pin_file(&self) -> Option<&Path> {
        self.pin_source.as_deref()
    }

    /// The label of the key, which a new key must have.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }
}

fn pair(part: &str) -> Result<(&str, &str), Pkcs11Error> {
    part.split_once('=').ok_or_else(|| Pkcs11Error::Uri("its parts are NAME=VALUE".into()))
}

fn set<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), Pkcs11Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Pkcs11Error::Uri(format!("{name} stands there twice"))),
    }
}

fn words(name: &str, value: &str) -> Result<String, Pkcs11Error> {
    let text = String::from_utf8(bytes(name, value)?)
        .map_err(|_| Pkcs11Error::Uri(format!("{name} is not UTF-8")))?;
    match text.chars().any(char::is_control) {
        false => Ok(text),
        true => Err(Pkcs11Error::Uri(format!("{name} holds control characters"))),
    }
}

/// Undoes percent-encoding.
fn bytes(name: &str, value: &str) -> Result<Vec<u8>, Pkcs11Error> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            out.push(first);
            continue;
        }
        let digits = rest.get(..2).and_then(|two| {
            let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
            Some(digit(two[0])? << 4 | digit(two[1])?)
        });
        let byte = digits.ok_or_else(|| {
            Pkcs11Error::Uri(format!("{name} has a % without two hexadecimal digits"))
        })?;
        out.push(byte);
        rest = &rest[2..];
    }
    Ok(out)
}

/// `file:/path`, `file:///path` or a path.
fn file(source: &str) -> Result<PathBuf, Pkcs11Error> {
    let path = source.strip_prefix("file:").map(|path| path.strip_prefix("//").unwrap_or(path));
    match path.unwrap_or(source) {
        path if path.starts_with('/') => Ok(path.into()),
        _ => Err(Pkcs11Error::Uri("pin-source is file:/absolute/path here".into())),
    }
}

impl fmt::Display for KeyUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let texts = [
            ("token", &self.token),
            ("manufacturer", &self.manufacturer),
            ("model", &self.model),
            ("serial", &self.serial),
            ("object", &self.object),
        ];
        for (name, text) in texts {
            parts.extend(text.as_ref().map(|text| format!("{name}={}", encoded(text.as_bytes()))));
        }
        parts.extend(self.slot_id.map(|id| format!("slot-id={id}")));
        parts.extend(self.id.as_ref().map(|id| format!("id={}", encoded_id(id))));
        parts.extend(self.class.map(|class| match class {
            Class::Secret => "type=secret-key".to_owned(),
            Class::Private => "type=private".to_owned(),
        }));
        write!(f, "pkcs11:{}", parts.join(";"))
    }
}

fn encoded(text: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:@!$'()*+,/".contains(&byte);
    text.iter().fold(String::new(), |out, &byte| match plain(byte) {
        true => out + (byte as char).encode_utf8(&mut [0]),
        false => out + &format!("%{byte:02X}"),
    })
}

pub(super) fn encoded_id(id: &[u8]) -> String {
    id.iter().map(|byte| format!("%{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form of RFC 7512 §3, and what of it comes back.
    #[test]
    fn names_are_read_and_shown_without_their_query() {
        let uri = KeyUri::parse(
            "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;\
             model=1.0;object=my-key;type=private;id=%69%95%3E?module-path=/usr/lib/s.so\
             &pin-source=file:/etc/token_pin",
        )
        .unwrap();
        assert_eq!(uri.token.as_deref(), Some("The Software PKCS#11 Softtoken"));
        assert_eq!(uri.manufacturer.as_deref(), Some("Snake Oil, Inc."));
        assert_eq!(uri.id.as_deref(), Some(&b"\x69\x95\x3e"[..]));
        assert_eq!(uri.class, Some(Class::Private));
        assert_eq!(uri.module().unwrap(), Path::new("/usr/lib/s.so"));
        assert_eq!(uri.pin_file(), Some(Path::new("/etc/token_pin")));
        let shown = uri.to_string();
        assert_eq!(
            shown,
            "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;\
             manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-key;id=%69%95%3E;type=private"
        );
        let again = KeyUri::parse(&shown).unwrap();
        assert_eq!(again, KeyUri { module_path: None, pin_source: None, ..uri });
    }

    #[test]
    fn what_is_not_understood_is_refused_with_the_reason() {
        for (text, problem) in [
            ("token=a", "it begins with `pkcs11:`"),
            ("pkcs11:token", "its parts are NAME=VALUE"),
            ("pkcs11:token=a;token=b", "token stands there twice"),
            ("pkcs11:id=%4", "id has a % without two hexadecimal digits"),
            ("pkcs11:id=%+4", "id has a % without two hexadecimal digits"),
            ("pkcs11:object=%ff", "object is not UTF-8"),
            ("pkcs11:object=a%0a", "object holds control characters"),
            ("pkcs11:type=cert", "type is secret-key or private here"),
            ("pkcs11:slot-id=x", "slot-id is a number"),
            ("pkcs11:library-version=3", "the attribute \"library-version\" is not used here"),
            ("pkcs11:token=a?module-name=x", "the query attribute \"module-name\" is not used"),
            ("pkcs11:token=a?pin-source=|cat%20/etc/pin", "pin-source is file:/absolute/path here"),
            ("pkcs11:token=a?pin-source=file:pin", "pin-source is file:/absolute/path here"),
        ] {
            let error = KeyUri::parse(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
        let error = KeyUri::parse("pkcs11:token=a?pin-value=12345678").unwrap_err();
        assert_eq!(error, Pkcs11Error::PinValue);
        assert!(!format!("{error} {}", error.hint()).contains("12345678"));
        let error = KeyUri::parse("pkcs11:token=a").unwrap().module().unwrap_err();
        assert_eq!(error, Pkcs11Error::NoModule { uri: "pkcs11:token=a".into() });
    }
}
