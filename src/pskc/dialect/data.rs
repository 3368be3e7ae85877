//! `Data Name="SECRET"` of older files: one value, instead of an element for each.

use std::io::Read;

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::super::error::Fault;
use super::super::xml::{Cursor, Element};
use super::head::Cipher;
use super::script::Script;
use super::vocabulary;

/// Gives out the `Data` that was entered. True when its values are still to be read from the file,
/// within elements that are made up.
pub(super) fn named<R: Read>(
    cursor: &mut Cursor<R>,
    cipher: Option<&Cipher>,
    script: &mut Script,
) -> Result<bool, Fault> {
    let Some(name) = cursor.attribute("Name")? else {
        script.real(Element::Data);
        return Ok(false);
    };
    let Some(element) = vocabulary::value(&name) else {
        cursor.skip()?;
        return Ok(false);
    };
    let (mut value, mut digest) = (None, None);
    while let Some(child) = cursor.child()? {
        let slot = match child {
            Element::Value => &mut value,
            Element::ValueDigest => &mut digest,
            Element::PlainValue | Element::EncryptedValue
                if value.is_none() && digest.is_none() =>
            {
                script.enter(Element::Data, Vec::new());
                script.enter(element, Vec::new());
                script.real(child);
                return Ok(true);
            }
            Element::Unknown => {
                cursor.skip()?;
                continue;
            }
            other => {
                let what = format!("<{}>", other.name());
                return Err(Fault::Unexpected { what, within: "Data" });
            }
        };
        if slot.replace(Zeroizing::new(cursor.text()?.to_owned())).is_some() {
            return Err(Fault::Repeated(child.name()));
        }
    }
    let Some(value) = value else { return Err(Fault::Missing("Value")) };
    script.enter(Element::Data, Vec::new());
    script.enter(element, Vec::new());
    match cipher {
        // Secrets are then always encrypted. Numbers are when there is a digest: without one they
        // are in clear, and something encrypted is far too long for a number.
        Some(cipher) if element == Element::Secret || digest.is_some() => {
            encrypted(value, cipher, script);
            if let Some(digest) = digest {
                script.text_of(Element::ValueMAC, digest);
            }
        }
        _ => script.text_of(Element::PlainValue, value),
    }
    script.leave();
    script.leave();
    Ok(false)
}

/// Gives out `EncryptedValue`, with the IV where RFC 6030 has it: a MAC must cover it, too.
fn encrypted(value: Zeroizing<String>, cipher: &Cipher, script: &mut Script) {
    let packed: Zeroizing<String> = Zeroizing::new(value.split_ascii_whitespace().collect());
    let value = match BASE64.decode(packed.as_bytes()).map(Zeroizing::new) {
        Ok(bytes) => Zeroizing::new(BASE64.encode(&[&cipher.iv[..], &bytes[..]].concat())),
        // For the reader to refuse.
        Err(_) => value,
    };
    script.enter(Element::EncryptedValue, Vec::new());
    script.enter(Element::EncryptionMethod, vec![("Algorithm", cipher.method.clone())]);
    script.leave();
    script.enter(Element::CipherData, Vec::new());
    script.text_of(Element::CipherValue, value);
    script.leave();
    script.leave();
}
