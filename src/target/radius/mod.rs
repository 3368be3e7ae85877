//! Targets that are spoken to over RADIUS (`kind = "radius"`): the same operations, rules and
//! values to carry on, over packets instead of pages.
//!
//! | a rule or value names | in a RADIUS answer it is |
//! |---|---|
//! | `code` | the packet code: `"Access-Accept"`, `"Access-Reject"`, `"Access-Challenge"` |
//! | `attribute` | an attribute by name, number or `26.VENDOR.TYPE` |
//! | `contains`, `lacks`, `matches`, `regex` | the text of all Reply-Messages |
//!
//! An exchange before the last of its operation goes on when the answer is an Access-Challenge.

pub(super) mod compile;
pub(super) mod example;
mod raw;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

use super::template::{Template, Values};
use super::{Inputs, RequestError, Target};
use crate::radius::dictionary::{self, Selector};
use crate::radius::{self, SharedSecret, Writer};

/// What a target says of its server beside the exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RadiusSettings {
    /// Whether answers without Message-Authenticator are dropped.
    pub require_message_authenticator: bool,
    /// Whether the server answers Status-Server (RFC 5997), so that it can be tried without
    /// asking for a user.
    pub status_server: bool,
}

/// How the password is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Hidden under the shared secret (RFC 2865 §5.2).
    Pap,
    /// As a digest of a challenge (§5.3).
    Chap,
}

/// One Access-Request, compiled.
#[derive(Debug)]
pub struct RadiusRequest {
    pub(super) method: Method,
    pub(super) user: Template,
    pub(super) password: Template,
    pub(super) attributes: Vec<(Selector, Value)>,
}

/// The value of an attribute.
#[derive(Debug)]
pub(super) enum Value {
    /// The same in every request, in the attribute's shape.
    Constant(Vec<u8>),
    /// Filled in.
    Filled(Template),
}

/// One Access-Request with what the person typed. Has no `Debug`: it holds secrets.
#[allow(missing_debug_implementations)]
pub struct RadiusDraft<'r> {
    request: &'r RadiusRequest,
    user: Vec<u8>,
    password: Zeroizing<Vec<u8>>,
    /// In the order of the request's; empty for constants.
    filled: Vec<Vec<u8>>,
}

impl RadiusRequest {
    /// Fills in what the person typed and what was taken from answers.
    ///
    /// # Errors
    /// [`RequestError::NotTaken`].
    pub fn draft(
        &self,
        target: &Target,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> Result<RadiusDraft<'_>, RequestError> {
        let values = Values { inputs, captured };
        let fill = |template: &Template, out: &mut Vec<u8>| {
            template
                .render(out, values)
                .map_err(|index| RequestError::NotTaken { name: target.captures[index].clone() })
        };
        let mut user = Vec::new();
        fill(&self.user, &mut user)?;
        // Room for any password, so that growing leaves no copy behind.
        let mut password = Zeroizing::new(Vec::with_capacity(2 * radius::password::MAX_LEN));
        fill(&self.password, &mut password)?;
        let mut filled = Vec::with_capacity(self.attributes.len());
        for (_, value) in &self.attributes {
            let mut out = Vec::new();
            if let Value::Filled(template) = value {
                fill(template, &mut out)?;
            }
            filled.push(out);
        }
        Ok(RadiusDraft { request: self, user, password, filled })
    }

    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        let attributes = self.attributes.iter().filter_map(|(_, value)| match value {
            Value::Filled(template) => Some(template),
            Value::Constant(_) => None,
        });
        [&self.user, &self.password].into_iter().chain(attributes)
    }
}

impl RadiusDraft<'_> {
    /// Appends the attributes to a packet.
    ///
    /// # Errors
    /// When a value is too long.
    pub fn write(
        &self,
        writer: &mut Writer<'_>,
        secret: &SharedSecret,
    ) -> Result<(), radius::Error> {
        writer.push(dictionary::USER_NAME, &self.user)?;
        match self.request.method {
            Method::Pap => writer.push_user_password(&self.password, secret)?,
            Method::Chap => writer.push_chap_password(1, &self.password)?,
        };
        for (selector, value) in self.attributes() {
            match selector {
                Selector::Plain(kind) => writer.push(kind, value)?,
                Selector::Vendor { vendor, kind } => writer.push_vendor(vendor, kind, value)?,
            };
        }
        Ok(())
    }

    /// What it is made of, in the order in which it is sent, a line each; `mask` hides what the person
    /// types. What is filled in beside the user is not told.
    #[must_use]
    pub fn describe(&self, mask: impl Fn(&[u8]) -> String) -> String {
        let seal = dictionary::display(dictionary::MESSAGE_AUTHENTICATOR, b"");
        let mut out = format!("Message-Authenticator: {seal}\nUser-Name: {}\n", mask(&self.user));
        out.push_str(match self.request.method {
            Method::Pap => "User-Password: ***\n",
            Method::Chap => "CHAP-Password: ***\n",
        });
        for (selector, value) in &self.request.attributes {
            let shown = match (value, selector) {
                (Value::Constant(octets), Selector::Plain(kind)) => {
                    dictionary::display(*kind, octets)
                }
                (Value::Constant(octets), Selector::Vendor { .. }) => {
                    format!("0x{}", data_encoding::HEXLOWER.encode(octets))
                }
                (Value::Filled(_), _) => "***".to_owned(),
            };
            out.push_str(&format!("{selector}: {shown}\n"));
        }
        out
    }

    fn attributes(&self) -> impl Iterator<Item = (Selector, &[u8])> {
        let pairs = self.request.attributes.iter().zip(&self.filled);
        pairs.map(|((selector, value), filled)| match value {
            Value::Constant(octets) => (*selector, octets.as_slice()),
            Value::Filled(_) => (*selector, filled.as_slice()),
        })
    }
}
