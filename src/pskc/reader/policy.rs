//! `Policy` (RFC 6030 §5): what is not understood is kept, too, as it forbids the use of the key.

use std::io::Read;

use super::super::error::Fault;
use super::super::xml::Element;
use super::draft::{Draft, once};
use super::{Reader, values};
use crate::token::{ForeignAttribute, KeyUsage, PinPolicy, PinUsage, ValueFormat};

/// Kinds of use of one key: RFC 6030 has eleven.
const USAGES: usize = 64;

/// Attributes of `PINPolicy`.
const PIN: [&str; 6] =
    ["PINKeyId", "PINUsageMode", "MaxFailedAttempts", "MinLength", "MaxLength", "PINEncoding"];

impl<R: Read> Reader<R> {
    pub(super) fn policy(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::StartDate => {
                    let date = values::date(self.cursor.text()?, "StartDate")?;
                    once(&mut draft.start, date, "StartDate")?;
                }
                Element::ExpiryDate => {
                    let date = values::date(self.cursor.text()?, "ExpiryDate")?;
                    once(&mut draft.expiry, date, "ExpiryDate")?;
                }
                Element::PINPolicy => {
                    let pin = self.pin_policy(draft)?;
                    once(&mut draft.details().policy.pin, pin, "PINPolicy")?;
                }
                Element::KeyUsage => {
                    let usage = KeyUsage::from(self.cursor.text()?.trim());
                    let usages = &mut draft.details().policy.usages;
                    if !usages.contains(&usage) {
                        if usages.len() == USAGES {
                            return Err(Fault::Repeated("KeyUsage, of 64 kinds,"));
                        }
                        usages.push(usage);
                    }
                }
                Element::NumberOfTransactions => {
                    let text = self.cursor.text()?;
                    let number = values::decimal(text, "NumberOfTransactions")?;
                    let slot = &mut draft.details().policy.transactions;
                    once(slot, number, "NumberOfTransactions")?;
                }
                _ => {
                    let fragment = self.cursor.fragment(&mut draft.room)?;
                    draft.keep(|details| &mut details.policy.unknown, fragment);
                }
            }
        }
        Ok(())
    }

    fn pin_policy(&mut self, draft: &mut Draft) -> Result<PinPolicy, Fault> {
        let length = |name| self.length(name, "a length in PINPolicy");
        let text = |name| self.cursor.attribute(name);
        let unknown = self.cursor.other_attributes(&PIN)?.into_iter();
        let mut pin = PinPolicy {
            key_id: text("PINKeyId")?.map(|id| id.into_owned()),
            usage: text("PINUsageMode")?.map(|word| PinUsage::from(&*word)),
            max_failed_attempts: length("MaxFailedAttempts")?,
            min_length: length("MinLength")?,
            max_length: length("MaxLength")?,
            encoding: text("PINEncoding")?.map(|word| ValueFormat::from(&*word)),
            unknown: unknown
                .map(|(namespace, name, value)| ForeignAttribute { namespace, name, value })
                .collect(),
            unknown_elements: Vec::new(),
        };
        while self.cursor.child()?.is_some() {
            pin.unknown_elements.push(self.cursor.fragment(&mut draft.room)?);
        }
        Ok(pin)
    }
}
