//! `Key` (RFC 6030 §4.3) but for its values and its policy.

use std::io::Read;

use super::super::error::Fault;
use super::super::uri;
use super::super::xml::Element;
use super::draft::{Draft, once};
use super::{Reader, unexpected, values};
use crate::token::{Algorithm, ChallengeFormat, FriendlyName, ResponseFormat, ValueFormat};

impl<R: Read> Reader<R> {
    pub(super) fn key(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        draft.has_key = true;
        draft.id = self.cursor.attribute("Id")?.map(|id| id.into_owned());
        draft.algorithm = self.cursor.attribute("Algorithm")?.map(|name| algorithm(&name));
        if let Some(id) = &draft.id
            && !self.current.known
        {
            self.current.set(id);
        }
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Issuer => once(&mut draft.issuer, self.string()?, "Issuer")?,
                Element::UserId => once(&mut draft.user, self.string()?, "UserId")?,
                Element::AlgorithmParameters => self.parameters(draft)?,
                Element::KeyProfileId => {
                    once(&mut draft.details().key_profile, self.string()?, "KeyProfileId")?;
                }
                Element::KeyReference => {
                    once(&mut draft.details().reference, self.string()?, "KeyReference")?;
                }
                Element::FriendlyName => {
                    let language = self.cursor.attribute("xml:lang")?.map(|name| name.into_owned());
                    let name = FriendlyName { text: self.string()?, language };
                    once(&mut draft.details().friendly_name, name, "FriendlyName")?;
                }
                Element::Data => self.data(draft)?,
                Element::Policy => self.policy(draft)?,
                Element::Extensions => {
                    let fragment = self.cursor.fragment(&mut draft.room)?;
                    draft.keep(|details| &mut details.extensions, fragment);
                }
                Element::Unknown => self.cursor.skip()?,
                other => return Err(unexpected(other, "Key")),
            }
        }
        Ok(())
    }

    fn parameters(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Suite => once(&mut draft.suite, self.string()?, "Suite")?,
                Element::ResponseFormat => {
                    let response = ResponseFormat {
                        encoding: self.encoding()?,
                        length: self.length("Length", "Length of ResponseFormat")?,
                        check_digits: self.check_digit()?,
                    };
                    self.cursor.skip()?;
                    once(&mut draft.response, response, "ResponseFormat")?;
                }
                Element::ChallengeFormat => {
                    let challenge = ChallengeFormat {
                        encoding: self.encoding()?,
                        min: self.length("Min", "Min of ChallengeFormat")?,
                        max: self.length("Max", "Max of ChallengeFormat")?,
                        check_digits: self.check_digit()?,
                    };
                    self.cursor.skip()?;
                    let slot = &mut draft.details().parameters.challenge;
                    once(slot, challenge, "ChallengeFormat")?;
                }
                Element::Extensions => {
                    let fragment = self.cursor.fragment(&mut draft.room)?;
                    draft.keep(|details| &mut details.parameters.extensions, fragment);
                }
                _ => self.cursor.skip()?,
            }
        }
        Ok(())
    }

    fn encoding(&self) -> Result<ValueFormat, Fault> {
        let name = self.cursor.attribute("Encoding")?;
        Ok(name.map_or(ValueFormat::Decimal, |name| ValueFormat::from(name.trim_ascii())))
    }

    /// An `xs:unsignedInt`.
    pub(super) fn length(&self, attribute: &str, what: &'static str) -> Result<Option<u32>, Fault> {
        let Some(text) = self.cursor.attribute(attribute)? else { return Ok(None) };
        let number = values::decimal(&text, what)?;
        let small = u32::try_from(number).map_err(|_| values::not(what, "below 4294967296"))?;
        Ok(Some(small))
    }

    /// The text of RFC 6030 says `CheckDigit`, its schema `CheckDigits`.
    fn check_digit(&self) -> Result<bool, Fault> {
        let mut found = false;
        for name in ["CheckDigits", "CheckDigit"] {
            if let Some(value) = self.cursor.attribute(name)? {
                found |= values::boolean(&value, "CheckDigits")?;
            }
        }
        Ok(found)
    }
}

/// The algorithm of a key, in the spellings seen: RFC 6030, its drafts, `#` for `:`, and the bare
/// name, as python-pskc writes it when given that.
pub(super) fn algorithm(name: &str) -> Algorithm {
    let short = name
        .strip_prefix("urn:ietf:params:xml:ns:keyprov:pskc")
        .or_else(|| name.strip_prefix("http://www.ietf.org/keyprov/pskc"))
        .and_then(|rest| rest.strip_prefix([':', '#']));
    match (name, short) {
        (uri::HOTP | "hotp", _) | (_, Some("hotp")) => Algorithm::Hotp,
        (uri::TOTP | "totp", _) | (_, Some("totp")) => Algorithm::Totp,
        _ => Algorithm::Other(name.to_owned()),
    }
}
