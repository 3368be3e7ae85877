//! From an exchange and what the person typed to the parts of a request.

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};

use super::exchange::{Auth, HttpRequest};
pub use super::live::LiveRequest;
use super::template::{Escape, Template, Values};
use super::{Inputs, Target};

/// Why a request cannot be made. Never shows a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A value that no answer has given yet.
    #[error("{{{name}}} is sent, but no answer has given it yet")]
    NotTaken {
        /// Name of the value.
        name: String,
    },
    /// A value that cannot stand where the target puts it.
    #[error("a value cannot stand in {place}: it holds a line break or another control character")]
    Unfit {
        /// The header, or `the path`.
        place: String,
    },
    /// A value that should be a form is none.
    #[error("{{{name}}} is to be sent back as a form, but was not taken as one")]
    NoForm {
        /// Name of the value.
        name: String,
    },
    /// A form that leads to another host.
    #[error("the form {{{name}}} leads to {to}: another host is never followed")]
    Elsewhere {
        /// Name of the value.
        name: String,
        /// Where, without its query.
        to: String,
    },
    /// A form without a field that the target fills in.
    #[error("the form {{{name}}} has no field {field:?}; it has: {known}")]
    NoField {
        /// Name of the value.
        name: String,
        /// The field.
        field: String,
        /// The form's own, comma-separated.
        known: String,
    },
    /// The credential that the target names was not given.
    #[error("the target needs the credential {name:?}, which was not given")]
    NoCredential {
        /// Its name.
        name: String,
    },
}

impl HttpRequest {
    /// Appends path and query to `out`.
    ///
    /// # Errors
    /// [`RequestError::NotTaken`].
    pub fn render_path(
        &self,
        target: &Target,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
        out: &mut Vec<u8>,
    ) -> Result<(), RequestError> {
        fill(&self.path, target, Values { inputs, captured }, out)
    }

    /// The form of an earlier page, filled in; `None` when it sends none back.
    ///
    /// # Errors
    /// Any [`RequestError`] of a form.
    pub fn live(
        &self,
        target: &Target,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> Result<Option<LiveRequest>, RequestError> {
        self.back.as_ref().map(|back| back.request(target, inputs, captured)).transpose()
    }

    /// Appends the body to `out`; nothing when there is none.
    ///
    /// # Errors
    /// [`RequestError::NotTaken`].
    pub fn render_body(
        &self,
        target: &Target,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
        out: &mut Vec<u8>,
    ) -> Result<(), RequestError> {
        match &self.body {
            Some((_, template)) => fill(template, target, Values { inputs, captured }, out),
            None => Ok(()),
        }
    }

    /// Adds the headers that are the same in every request.
    pub fn constant_headers(&self, headers: &mut HeaderMap) {
        if let Some((Some(kind), _)) = &self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, template) in &self.headers {
            if let Some(value) =
                template.constant().and_then(|value| HeaderValue::from_bytes(value).ok())
            {
                headers.insert(name.clone(), value);
            }
        }
    }

    /// Adds the headers that differ from request to request.
    ///
    /// # Errors
    /// Any [`RequestError`]; `credential` gives the value of a named credential.
    pub fn render_headers<'c>(
        &self,
        target: &Target,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
        credential: impl Fn(&str) -> Option<&'c [u8]>,
        headers: &mut HeaderMap,
    ) -> Result<(), RequestError> {
        let values = Values { inputs, captured };
        for (name, template) in &self.headers {
            if template.constant().is_none() {
                let mut value = Vec::new();
                fill(template, target, values, &mut value)?;
                headers.insert(name.clone(), header_value(name, &value)?);
            }
        }
        let Some(auth) = &self.auth else { return Ok(()) };
        let named = |name: &String| {
            credential(name).ok_or_else(|| RequestError::NoCredential { name: name.clone() })
        };
        let mut value = Vec::new();
        match auth {
            Auth::Bearer(name) => {
                value.extend_from_slice(b"Bearer ");
                value.extend_from_slice(named(name)?);
            }
            Auth::Basic(name) => {
                value.extend_from_slice(b"Basic ");
                Escape::Base64.write(named(name)?, &mut value);
            }
            Auth::Person { user, password } => {
                let mut pair = Vec::new();
                fill(user, target, values, &mut pair)?;
                pair.push(b':');
                fill(password, target, values, &mut pair)?;
                value.extend_from_slice(b"Basic ");
                Escape::Base64.write(&pair, &mut value);
            }
        }
        let mut value = header_value(&AUTHORIZATION, &value)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

fn fill(
    template: &Template,
    target: &Target,
    values: Values<'_>,
    out: &mut Vec<u8>,
) -> Result<(), RequestError> {
    template
        .render(out, values)
        .map_err(|index| RequestError::NotTaken { name: target.captures[index].clone() })
}

fn header_value(name: &HeaderName, value: &[u8]) -> Result<HeaderValue, RequestError> {
    HeaderValue::from_bytes(value)
        .map_err(|_| RequestError::Unfit { place: format!("header {name}") })
}
