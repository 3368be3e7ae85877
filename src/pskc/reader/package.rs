//! `KeyPackage` (RFC 6030 §4): the device, its crypto module, and the key within.

use std::io::Read;

use super::super::error::Fault;
use super::super::limits::Limit;
use super::super::xml::Element;
use super::draft::{Draft, once};
use super::{Reader, unexpected, values};
use crate::token::{CryptoModule, Token};

impl<R: Read> Reader<R> {
    /// Reads a package to its end; `None` when it holds no key.
    pub(super) fn package(&mut self) -> Result<Option<Token>, Fault> {
        let mut draft = Draft::new(self.options.limits.get(Limit::Extensions));
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::DeviceInfo => self.device(&mut draft)?,
                Element::Key if draft.has_key => return Err(Fault::Repeated("Key")),
                Element::Key => self.key(&mut draft)?,
                Element::CryptoModuleInfo => self.crypto_module(&mut draft)?,
                Element::Extensions => {
                    let fragment = self.cursor.fragment(&mut draft.room)?;
                    draft.keep(|details| &mut details.package_extensions, fragment);
                }
                other => return Err(unexpected(other, "KeyPackage")),
            }
        }
        if !draft.has_key {
            self.summary.without_key += 1;
            return Ok(None);
        }
        self.token(draft).map(Some)
    }

    /// The text of the open element, without the blanks around it.
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        Ok(self.cursor.text()?.trim().to_owned())
    }

    fn device(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Manufacturer => {
                    once(&mut draft.manufacturer, self.string()?, "Manufacturer")?;
                }
                Element::SerialNo => {
                    let serial = self.string()?;
                    self.current.set(&serial);
                    once(&mut draft.serial, serial, "SerialNo")?;
                }
                Element::Model => once(&mut draft.model, self.string()?, "Model")?,
                Element::IssueNo => {
                    once(&mut draft.details().device.issue_number, self.string()?, "IssueNo")?;
                }
                Element::DeviceBinding => {
                    once(&mut draft.details().device.binding, self.string()?, "DeviceBinding")?;
                }
                Element::UserId => once(&mut draft.device_user, self.string()?, "UserId")?,
                Element::StartDate => {
                    let date = values::date(self.cursor.text()?, "StartDate")?;
                    once(&mut draft.device_start, date, "StartDate")?;
                }
                Element::ExpiryDate => {
                    let date = values::date(self.cursor.text()?, "ExpiryDate")?;
                    once(&mut draft.device_expiry, date, "ExpiryDate")?;
                }
                Element::Extensions => {
                    let fragment = self.cursor.fragment(&mut draft.room)?;
                    draft.keep(|details| &mut details.device.extensions, fragment);
                }
                _ => self.cursor.skip()?,
            }
        }
        Ok(())
    }

    fn crypto_module(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        let (mut id, mut extensions) = (None, Vec::new());
        while let Some(element) = self.cursor.child()? {
            match element {
                Element::Id => once(&mut id, self.string()?, "Id of CryptoModuleInfo")?,
                Element::Extensions => extensions.push(self.cursor.fragment(&mut draft.room)?),
                _ => self.cursor.skip()?,
            }
        }
        let module = CryptoModule { id: id.unwrap_or_default(), extensions };
        once(&mut draft.details().crypto_module, module, "CryptoModuleInfo")
    }
}
