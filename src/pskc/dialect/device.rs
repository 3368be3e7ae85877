//! A device of an older file: it may have several keys, which RFC 6030 puts into a package each.

use std::io::Read;

use jiff::civil::Date;

use super::super::error::Fault;
use super::super::xml::{Cursor, Element};
use super::script::Script;

/// Bytes of the facts of a device, which are given out with each of its keys.
const ROOM: usize = 16 * 1024;

/// What is known of the device that is being read.
#[derive(Default)]
pub(super) struct Device {
    facts: Vec<(Element, String)>,
    keys: u64,
}

impl Device {
    /// Reads `DeviceInfo`, under whatever name, to its end.
    pub(super) fn read<R: Read>(&mut self, cursor: &mut Cursor<R>) -> Result<(), Fault> {
        if self.keys > 0 || !self.facts.is_empty() {
            // It would be that of some keys and not of others.
            return Err(Fault::Unexpected { what: "<DeviceInfo>".into(), within: "Device" });
        }
        let mut room = ROOM;
        while let Some(element) = cursor.child()? {
            let (element, text) = match element {
                Element::Expiry => (Element::ExpiryDate, date(cursor.text()?)?),
                Element::Unknown | Element::Extensions => {
                    cursor.skip()?;
                    continue;
                }
                known => (known, cursor.text()?.to_owned()),
            };
            room = room.checked_sub(text.len()).ok_or_else(|| Fault::Value {
                what: "DeviceInfo",
                expected: format!("at most {ROOM} bytes of text"),
            })?;
            keep(&mut self.facts, element, text)?;
        }
        Ok(())
    }

    /// Gives out `DeviceInfo`.
    pub(super) fn give(&self, script: &mut Script) {
        script.enter(Element::DeviceInfo, Vec::new());
        script.texts(self.facts.clone());
        script.leave();
    }

    /// A key was entered: what to give out, if not the script. A second one comes with a package and
    /// the facts of the device.
    pub(super) fn key(&mut self, script: &mut Script) -> Option<Element> {
        self.keys += 1;
        if self.keys == 1 {
            return Some(Element::Key);
        }
        script.leave();
        script.enter(Element::KeyPackage, Vec::new());
        if !self.facts.is_empty() {
            self.give(script);
        }
        script.real(Element::Key);
        None
    }
}

/// What `Usage` says of the use of a key is part of the policy.
pub(super) fn usage<R: Read>(
    cursor: &Cursor<R>,
    policy: &mut Vec<(Element, String)>,
) -> Result<(), Fault> {
    for name in ["OTP", "CR", "Integrity", "Encrypt", "Unlock"] {
        if let Some(value) = cursor.attribute(name)?
            && matches!(value.trim(), "true" | "1")
        {
            let usage = (Element::KeyUsage, name.to_owned());
            if !policy.contains(&usage) {
                policy.push(usage);
            }
        }
    }
    Ok(())
}

/// Keeps a fact that there may be once.
pub(super) fn keep(
    facts: &mut Vec<(Element, String)>,
    element: Element,
    text: String,
) -> Result<(), Fault> {
    if facts.iter().any(|(known, _)| *known == element) {
        return Err(Fault::Repeated(element.name()));
    }
    facts.push((element, text));
    Ok(())
}

/// An `Expiry`. The drafts show only `01/01/2008`: which number is the day is nowhere said, so it
/// must show.
fn date(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let parts: Vec<&str> = text.split('/').collect();
    let [first, second, year] = parts[..] else { return Ok(text.to_owned()) };
    let number = |part: &str| part.parse::<i8>().ok().filter(|_| part.len() <= 2);
    let date = match (number(first), number(second), year.parse::<i16>()) {
        (Some(day), Some(month), Ok(year)) if day > 12 || day == month => {
            Date::new(year, month, day).ok()
        }
        (Some(month), Some(day), Ok(year)) if day > 12 => Date::new(year, month, day).ok(),
        _ => None,
    };
    date.map(|date| format!("{date}T00:00:00Z")).ok_or_else(|| Fault::Value {
        what: "Expiry",
        expected: "a date of which day and month can be told apart, such as 2008-06-05T00:00:00Z"
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_when_it_can_mean_one_day_only() {
        for (text, expected) in [
            ("01/01/2008", "2008-01-01T00:00:00Z"),
            ("31/05/2009", "2009-05-31T00:00:00Z"),
            (" 5/31/2009 ", "2009-05-31T00:00:00Z"),
            ("2009-05-31T00:00:00Z", "2009-05-31T00:00:00Z"),
        ] {
            assert_eq!(date(text).unwrap(), expected);
        }
        for text in ["05/06/2009", "31/31/2009", "29/02/2009", "1/1/x", "//", "+1/+1/2008/"] {
            let told = date(text).map_err(|fault| fault.to_string());
            match text.matches('/').count() {
                2 => assert!(told.unwrap_err().starts_with("Expiry is not a date"), "{text}"),
                _ => assert_eq!(told.unwrap(), text),
            }
        }
    }
}
