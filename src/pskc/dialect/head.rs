//! The head of an older file: `EncryptionMethod` and `DigestMethod` instead of `EncryptionKey` and
//! `MACMethod`.

use std::io::Read;

use zeroize::Zeroizing;

use super::super::error::Fault;
use super::super::uri;
use super::super::xml::{Cursor, Element};
use super::device::keep;
use super::script::Script;
use super::vocabulary;

/// The cipher of all values, which the head names once.
pub(super) struct Cipher {
    /// Its identifier.
    pub(super) method: String,
    /// The IV of all values, when it is not in each.
    pub(super) iv: Vec<u8>,
}

/// Reads `EncryptionMethod`, to its end; gives out the `EncryptionKey` that says the same.
pub(super) fn encryption_method<R: Read>(
    cursor: &mut Cursor<R>,
    script: &mut Script,
) -> Result<Option<Cipher>, Fault> {
    let name = algorithm(cursor)?.ok_or(Fault::Missing("the Algorithm of EncryptionMethod"))?;
    let (mut iv, mut key_name, mut parameters) = (Vec::new(), None, Vec::new());
    while let Some(element) = cursor.child()? {
        match element {
            Element::IV => {
                let text = cursor.text()?;
                let packed: String = text.split_ascii_whitespace().collect();
                iv = data_encoding::BASE64.decode(packed.as_bytes()).map_err(|_| Fault::Value {
                    what: "IV",
                    expected: "canonical base64 (RFC 4648 §4)".into(),
                })?;
            }
            Element::PBESalt => {
                keep(&mut parameters, Element::Specified, cursor.text()?.to_owned())?;
            }
            Element::PBEIterationCount => {
                keep(&mut parameters, Element::IterationCount, cursor.text()?.to_owned())?;
            }
            Element::KeyName => key_name = Some(cursor.text()?.to_owned()),
            _ => cursor.skip()?,
        }
    }
    let Some((method, derived)) = vocabulary::cipher(&name) else { return Ok(None) };
    script.enter(Element::EncryptionKey, Vec::new());
    if let Some(key_len) = derived {
        parameters.push((Element::KeyLength, key_len.to_string()));
        script.enter(Element::DerivedKey, Vec::new());
        let pbkdf2 = format!("{}pbkdf2", uri::PKCS5);
        script.enter(Element::KeyDerivationMethod, vec![("Algorithm", pbkdf2)]);
        script.texts(parameters);
        script.leave();
        script.leave();
    } else if let Some(key_name) = key_name {
        script.text_of(Element::KeyName, Zeroizing::new(key_name));
    }
    script.leave();
    Ok(Some(Cipher { method: method.into_owned(), iv }))
}

/// Reads `DigestMethod`, to its end; gives out `MACMethod` if values are encrypted, as otherwise
/// digests say nothing.
pub(super) fn digest_method<R: Read>(
    cursor: &mut Cursor<R>,
    encrypted: bool,
    script: &mut Script,
) -> Result<(), Fault> {
    let name = algorithm(cursor)?;
    cursor.skip()?;
    if let Some(name) = name.filter(|_| encrypted) {
        mac(&name, script);
    }
    Ok(())
}

/// Reads `MACAlgorithm`, to its end; gives out `MACMethod`.
pub(super) fn mac_algorithm<R: Read>(
    cursor: &mut Cursor<R>,
    script: &mut Script,
) -> Result<(), Fault> {
    let name = cursor.text()?.trim().to_owned();
    mac(&name, script);
    Ok(())
}

/// The key of the MAC is that of the values: the drafts have no other.
fn mac(name: &str, script: &mut Script) {
    script.enter(Element::MACMethod, vec![("Algorithm", vocabulary::mac(name))]);
    script.leave();
}

fn algorithm<R: Read>(cursor: &Cursor<R>) -> Result<Option<String>, Fault> {
    let found = match cursor.attribute("Algorithm")? {
        Some(found) => Some(found),
        None => cursor.attribute("algorithm")?,
    };
    Ok(found.map(|name| name.trim().to_owned()))
}
