//! The words of the definition language: what can stand in a column, a condition or a template.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use crate::roster::Person;
use crate::token::{Token, date_text};

/// One fact about a key or its holder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Field {
    Serial,
    KeyId,
    Secret,
    Algorithm,
    Hash,
    Digits,
    Period,
    Counter,
    Manufacturer,
    Model,
    Issuer,
    StartDate,
    ExpiryDate,
    User,
    Pin,
    /// A further column of the roster: `roster.upn`.
    Roster(String),
    /// A setting of the definition, given with `--set`: `set.realm`.
    Setting(String),
}

/// The fields that have a name of their own, by that name.
pub(super) const NAMED: [(&str, Field); 15] = [
    ("serial", Field::Serial),
    ("key_id", Field::KeyId),
    ("secret", Field::Secret),
    ("algorithm", Field::Algorithm),
    ("hash", Field::Hash),
    ("digits", Field::Digits),
    ("period", Field::Period),
    ("counter", Field::Counter),
    ("manufacturer", Field::Manufacturer),
    ("model", Field::Model),
    ("issuer", Field::Issuer),
    ("start_date", Field::StartDate),
    ("expiry_date", Field::ExpiryDate),
    ("user", Field::User),
    ("pin", Field::Pin),
];

/// The facts that decide which codes a key gives.
pub(super) const CODE_FACTS: [Field; 5] =
    [Field::Algorithm, Field::Hash, Field::Digits, Field::Period, Field::Counter];

impl Field {
    /// Reads a field name.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, field)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(field.clone());
        }
        match text.split_once('.') {
            Some(("roster", name)) if !name.is_empty() => Ok(Self::Roster(name.to_lowercase())),
            Some(("set", name)) if !name.is_empty() => Ok(Self::Setting(name.to_owned())),
            _ => {
                let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
                Err(format!(
                    "there is no field {text:?}; known: {}, roster.COLUMN, set.NAME",
                    names.join(", ")
                ))
            }
        }
    }

    /// Whether its value may not appear in any message.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret | Self::Pin)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roster(name) => write!(f, "roster.{name}"),
            Self::Setting(name) => write!(f, "set.{name}"),
            named => {
                f.write_str(NAMED.iter().find(|(_, field)| field == named).map_or("?", |(n, _)| n))
            }
        }
    }
}

/// One key, with its holder and the settings of the export: what a record is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) token: &'a Token,
    pub(super) person: Option<&'a Person>,
    pub(super) settings: &'a BTreeMap<String, String>,
}

impl Record<'_> {
    /// The value as bytes: UTF-8 text for all but the seed and the PIN; `None` when the key has
    /// none, or an empty one.
    pub(super) fn bytes(&self, field: &Field) -> Option<Cow<'_, [u8]>> {
        match field {
            Field::Secret => Some(Cow::Borrowed(self.token.secret.expose())),
            Field::Pin => self.person?.pin.as_ref().map(|pin| Cow::Borrowed(pin.expose())),
            _ => match self.text(field)? {
                Cow::Borrowed(text) => Some(Cow::Borrowed(text.as_bytes())),
                Cow::Owned(text) => Some(Cow::Owned(text.into_bytes())),
            },
        }
    }

    /// The value as text; `None` for the secret fields, and for what the key does not have.
    pub(super) fn text(&self, field: &Field) -> Option<Cow<'_, str>> {
        let token = self.token;
        let text = match field {
            Field::Secret | Field::Pin => return None,
            Field::Serial => token.serial.as_str().into(),
            Field::KeyId => token.key_id.as_str().into(),
            Field::Algorithm => token.algorithm.name().into(),
            Field::Hash => token.hash.name().into(),
            Field::Digits => token.digits.to_string().into(),
            Field::Period => token.period.to_string().into(),
            Field::Counter => token.counter.to_string().into(),
            Field::Manufacturer => token.manufacturer.as_deref()?.into(),
            Field::Model => token.model.as_deref()?.into(),
            Field::Issuer => token.issuer.as_deref()?.into(),
            Field::StartDate => instant(token.start_date?).into(),
            Field::ExpiryDate => instant(token.expiry_date?).into(),
            Field::User => {
                let holder = self.person.map(|person| person.user.as_str());
                holder.or(token.user.as_deref())?.into()
            }
            Field::Roster(name) => self.person?.fields.get(name)?.as_str().into(),
            Field::Setting(name) => self.settings.get(name)?.as_str().into(),
        };
        (!Cow::as_ref(&text).is_empty()).then_some(text)
    }
}

/// RFC 3339 in UTC.
fn instant(timestamp: Timestamp) -> String {
    date_text(timestamp)
}

/// `upn or user`: the first field that has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice(pub(super) Vec<Field>);

impl Choice {
    /// Reads `A`, `A or B`, `A or B or C`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        text.split(" or ").map(|name| Field::parse(name.trim())).collect::<Result<_, _>>().map(Self)
    }

    /// The first value there is.
    pub(super) fn bytes<'a>(&self, record: &'a Record<'_>) -> Option<Cow<'a, [u8]>> {
        self.0.iter().find_map(|field| record.bytes(field))
    }

    /// The field of the key that reading this back fills: the last one that is no setting and no
    /// column of the roster.
    pub(super) fn target(&self) -> Option<&Field> {
        self.0.iter().rev().find(|field| !matches!(field, Field::Roster(_) | Field::Setting(_)))
    }

    /// Whether any of them is secret.
    pub(super) fn is_secret(&self) -> bool {
        self.0.iter().any(Field::is_secret)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, field) in self.0.iter().enumerate() {
            write!(f, "{}{field}", if index > 0 { " or " } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for (name, _) in NAMED {
            assert_eq!(Field::parse(name).unwrap().to_string(), name);
        }
        assert_eq!(Choice::parse("roster.UPN or user").unwrap().to_string(), "roster.upn or user");
        assert!(Choice::parse("user or colour").unwrap_err().contains("no field \"colour\""));
    }
}
