//! Recorded RADIUS exchanges inside a target file.

use toml::Spanned;

use super::{Method, RadiusDraft, compile, raw};
use crate::radius::dictionary::{Selector, display};
use crate::radius::{Code, Packet, SharedSecret, Writer};
use crate::secret::Secret;
use crate::target::compile::{Fault, fault, named};
use crate::target::example::{Example, Head, Recorded};
use crate::target::raw::Text as RawText;
use crate::target::{Phase, Target};

/// What is sent and what is answered, as recorded.
#[derive(Debug)]
pub(in crate::target) struct RecordedRadius {
    request: Option<Wanted>,
    /// A whole packet, sealed with a secret of no account.
    pub(in crate::target) answer: Vec<u8>,
}

#[derive(Debug)]
struct Wanted {
    user: Option<String>,
    password: Option<String>,
    /// Each with all its values, in order.
    attributes: Vec<(Selector, Vec<Vec<u8>>)>,
}

pub(super) fn examples(
    list: Vec<Spanned<raw::Example>>,
    target: &Target,
) -> Result<Vec<Example>, Fault> {
    list.into_iter().map(|raw| example(raw.into_inner(), target)).collect()
}

fn example(raw: raw::Example, target: &Target) -> Result<Example, Fault> {
    let code = compile::code(&raw.answer.code)?;
    let attributes = octets(&raw.answer.attributes)?;
    let answer = packet(code, &attributes)
        .ok_or_else(|| fault(&raw.answer.code, "the attributes do not fit into one packet"))?;
    let request = match raw.request {
        None => None,
        Some(raw::Request { user, password, attributes }) => {
            let mut wanted: Vec<(Selector, Vec<Vec<u8>>)> = Vec::new();
            for (selector, octets) in octets(&attributes)? {
                match wanted.iter_mut().find(|(known, _)| *known == selector) {
                    Some((_, values)) => values.push(octets),
                    None => wanted.push((selector, vec![octets])),
                }
            }
            Some(Wanted { user, password, attributes: wanted })
        }
    };
    Example::assemble(
        Head {
            name: raw.name,
            operation: raw.operation,
            phase: Phase::Submit,
            exchange: raw.exchange,
            inputs: raw.inputs,
            given: raw.given,
            verdict: raw.verdict.as_ref().map(named).transpose()?,
            taken: raw.taken,
        },
        Recorded::Radius(RecordedRadius { request, answer }),
        target,
    )
}

type Attributes = std::collections::BTreeMap<RawText, Spanned<toml::Value>>;

/// Every attribute with every value, in order.
fn octets(attributes: &Attributes) -> Result<Vec<(Selector, Vec<u8>)>, Fault> {
    let mut all = Vec::new();
    for (name, value) in attributes {
        all.extend(compile::octets(name, value)?);
    }
    Ok(all)
}

fn packet(code: Code, attributes: &[(Selector, Vec<u8>)]) -> Option<Vec<u8>> {
    let secret = SharedSecret::new(Secret::new(b"example".to_vec()))?;
    let mut octets = Vec::new();
    let mut writer = Writer::request(&mut octets, code, 0, &[0; 16]);
    for (selector, value) in attributes {
        match *selector {
            Selector::Plain(kind) => writer.push(kind, value).ok()?,
            Selector::Vendor { vendor, kind } => writer.push_vendor(vendor, kind, value).ok()?,
        };
    }
    writer.finish(&secret);
    Some(octets)
}

impl RecordedRadius {
    /// Holds what is sent against what was recorded.
    pub(in crate::target) fn compare(&self, draft: &RadiusDraft<'_>) -> Result<(), String> {
        let Some(wanted) = &self.request else { return Ok(()) };
        if let Some(user) = &wanted.user {
            same("User-Name", user.as_bytes(), &draft.user, None)?;
        }
        if let Some(password) = &wanted.password {
            let name = match draft.request.method {
                Method::Pap => "User-Password",
                Method::Chap => "CHAP-Password (in clear)",
            };
            same(name, password.as_bytes(), &draft.password, None)?;
        }
        for (selector, wanted) in &wanted.attributes {
            let found: Vec<&[u8]> = draft
                .attributes()
                .filter(|(other, _)| other == selector)
                .map(|(_, value)| value)
                .collect();
            let kind = match selector {
                Selector::Plain(kind) => Some(*kind),
                Selector::Vendor { .. } => None,
            };
            for index in 0..wanted.len().max(found.len()) {
                let value = wanted.get(index).map(Vec::as_slice).unwrap_or_default();
                let name = selector.to_string();
                same(&name, value, found.get(index).copied().unwrap_or_default(), kind)?;
            }
        }
        Ok(())
    }

    /// The recorded answer.
    pub(in crate::target) fn packet(&self) -> Result<Packet<'_>, String> {
        Packet::parse(&self.answer).map_err(|error| error.to_string())
    }
}

fn same(what: &str, wanted: &[u8], found: &[u8], kind: Option<u8>) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    let show = |octets: &[u8]| match kind {
        Some(kind) => display(kind, octets),
        None => String::from_utf8_lossy(octets).into_owned(),
    };
    Err(format!("{what} wanted: {:?}; found: {:?}", show(wanted), show(found)))
}
