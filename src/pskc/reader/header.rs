//! `EncryptionKey` (RFC 6030 §6.1, §6.2) and `MACMethod` (§6.1.1).

use std::io::Read;

use super::super::error::{Fault, shown};
use super::super::kdf::Pbkdf2;
use super::super::limits::Limits;
use super::super::mac::MacHash;
use super::super::uri;
use super::super::xml::{Cursor, Element};
use super::{Options, Protection, unexpected, values};

/// `MACMethod`: which MAC, and its key as the file has it.
pub(super) struct MacMethod {
    pub(super) hash: MacHash,
    pub(super) key: Option<Encrypted>,
}

/// An encrypted value as the file has it: IV, ciphertext, tag.
#[derive(Debug, Default)]
pub(super) struct Encrypted {
    /// Identifier of the cipher.
    pub(super) method: String,
    pub(super) bytes: Vec<u8>,
}

/// Reads `EncryptionKey`, to its end.
pub(super) fn encryption_key<R: Read>(
    cursor: &mut Cursor<R>,
    options: &Options,
) -> Result<(Protection, Option<Pbkdf2>), Fault> {
    let mut found = (Protection::TransportKey(None), None);
    while let Some(element) = cursor.child()? {
        match element {
            Element::KeyName => {
                found.0 = Protection::TransportKey(Some(shown(cursor.text()?.trim())));
            }
            Element::DerivedKey => found = derived_key(cursor, options)?,
            Element::X509Data => {
                cursor.skip()?;
                found.0 = Protection::Certificate;
            }
            _ => cursor.skip()?,
        }
    }
    Ok(found)
}

fn derived_key<R: Read>(
    cursor: &mut Cursor<R>,
    options: &Options,
) -> Result<(Protection, Option<Pbkdf2>), Fault> {
    let mut kdf = None;
    let mut name = None;
    while let Some(element) = cursor.child()? {
        match element {
            Element::KeyDerivationMethod if kdf.is_some() => {
                return Err(Fault::Repeated("KeyDerivationMethod"));
            }
            Element::KeyDerivationMethod => kdf = Some(derivation(cursor, &options.limits)?),
            Element::MasterKeyName => name = Some(shown(cursor.text()?.trim())),
            _ => cursor.skip()?,
        }
    }
    let kdf = kdf.ok_or(Fault::Missing("KeyDerivationMethod"))?;
    let protection =
        Protection::Passphrase { name, prf: kdf.prf.name(), iterations: kdf.iterations };
    Ok((protection, Some(kdf)))
}

/// `KeyDerivationMethod` with `PBKDF2-params` (RFC 8018 appendix A.2), whatever their namespaces.
fn derivation<R: Read>(cursor: &mut Cursor<R>, limits: &Limits) -> Result<Pbkdf2, Fault> {
    let method =
        cursor.attribute("Algorithm")?.ok_or(Fault::Missing("the derivation Algorithm"))?;
    if !uri::is_pbkdf2(&method) {
        return Err(Fault::Unsupported { what: "the key derivation", uri: shown(&method) });
    }
    let mut salt = None;
    let mut iterations = None;
    let mut key_len = None;
    let mut prf = MacHash::Sha1;
    // KeyDerivationMethod / PBKDF2-params / Salt / Specified: flattened, as only leaves matter.
    let mut depth = 0;
    loop {
        match cursor.child()? {
            Some(Element::Specified) => {
                let text = cursor.text()?;
                let bytes = values::base64(text).ok_or_else(|| values::not_base64("the salt"))?;
                if bytes.len() > 1024 {
                    return Err(Fault::Limit {
                        what: "the length of the salt, in bytes,",
                        limit: 1024,
                    });
                }
                if salt.replace(bytes).is_some() {
                    return Err(Fault::Repeated("the salt"));
                }
            }
            Some(Element::IterationCount) => {
                let count = values::decimal(cursor.text()?, "IterationCount")?;
                let limit = u64::from(limits.iterations);
                if count > limit {
                    return Err(Fault::Limit { what: "IterationCount", limit });
                }
                if count == 0 {
                    return Err(values::not("IterationCount", "1 or more"));
                }
                if iterations.replace(count as u32).is_some() {
                    return Err(Fault::Repeated("IterationCount"));
                }
            }
            Some(Element::KeyLength) => {
                key_len = match values::decimal(cursor.text()?, "KeyLength")? {
                    len @ (16 | 24 | 32) => Some(len as usize),
                    _ => return Err(values::not("KeyLength", "16, 24 or 32")),
                };
            }
            Some(Element::PRF) => prf = pseudo_random(cursor)?,
            // PBKDF2-params has no name of its own here: its namespace differs from file to file.
            Some(Element::Salt | Element::Unknown) => depth += 1,
            Some(other) => return Err(unexpected(other, "KeyDerivationMethod")),
            None if depth == 0 => break,
            None => depth -= 1,
        }
    }
    Ok(Pbkdf2 {
        salt: salt.ok_or(Fault::Missing("the salt of PBKDF2"))?,
        iterations: iterations.ok_or(Fault::Missing("IterationCount"))?,
        key_len,
        prf,
    })
}

/// `PRF`: empty for HMAC-SHA1, an attribute by the standard, text in files of python-pskc.
fn pseudo_random<R: Read>(cursor: &mut Cursor<R>) -> Result<MacHash, Fault> {
    let attribute = cursor.attribute("Algorithm")?.map(|name| name.into_owned());
    let text = cursor.text()?.trim();
    let name = attribute.as_deref().unwrap_or(text);
    if name.is_empty() {
        return Ok(MacHash::Sha1);
    }
    let fragment =
        name.rsplit('#').next().unwrap_or(name).to_ascii_lowercase().replace("hmacwith", "hmac-");
    MacHash::from_uri(&format!("{}{fragment}", uri::DS))
        .ok_or_else(|| Fault::Unsupported { what: "the PRF", uri: shown(name) })
}

/// Reads `MACMethod`, to its end.
pub(super) fn mac_method<R: Read>(
    cursor: &mut Cursor<R>,
    limits: &Limits,
) -> Result<MacMethod, Fault> {
    let name =
        cursor.attribute("Algorithm")?.ok_or(Fault::Missing("the Algorithm of MACMethod"))?;
    let hash = MacHash::from_uri(&name)
        .ok_or_else(|| Fault::Unsupported { what: "the MAC", uri: shown(&name) })?;
    let mut key = None;
    while let Some(element) = cursor.child()? {
        match element {
            Element::MACKey if key.is_some() => return Err(Fault::Repeated("MACKey")),
            Element::MACKey => key = Some(encrypted(cursor, limits)?),
            Element::MACKeyReference => {
                return Err(Fault::Unsupported {
                    what: "a MAC key kept elsewhere, MACKeyReference",
                    uri: shown(cursor.text()?.trim()),
                });
            }
            _ => cursor.skip()?,
        }
    }
    Ok(MacMethod { hash, key })
}

/// Reads the inside of an element of xmlenc's `EncryptedDataType`, to its end.
pub(super) fn encrypted<R: Read>(
    cursor: &mut Cursor<R>,
    limits: &Limits,
) -> Result<Encrypted, Fault> {
    let mut value = Encrypted::default();
    let mut has_value = false;
    while let Some(element) = cursor.child()? {
        match element {
            Element::EncryptionMethod => {
                let method = cursor
                    .attribute("Algorithm")?
                    .ok_or(Fault::Missing("the Algorithm of EncryptionMethod"))?;
                if !value.method.is_empty() {
                    return Err(Fault::Repeated("EncryptionMethod"));
                }
                value.method = method.into_owned();
                cursor.skip()?;
            }
            Element::CipherData => {
                while let Some(element) = cursor.child()? {
                    match element {
                        Element::CipherValue if has_value => {
                            return Err(Fault::Repeated("CipherValue"));
                        }
                        Element::CipherValue => {
                            has_value = true;
                            value.bytes = values::base64(cursor.text()?)
                                .ok_or_else(|| values::not_base64("CipherValue"))?;
                            // IV, one block of padding and a tag on top of the secret itself.
                            if value.bytes.len() > limits.secret + 48 {
                                let limit = limits.secret as u64;
                                return Err(Fault::Limit {
                                    what: "the length of an encrypted value, in bytes,",
                                    limit,
                                });
                            }
                        }
                        other => return Err(unexpected(other, "CipherData")),
                    }
                }
            }
            _ => cursor.skip()?,
        }
    }
    if value.method.is_empty() {
        return Err(Fault::Missing("EncryptionMethod"));
    }
    if !has_value {
        return Err(Fault::Missing("CipherValue"));
    }
    Ok(value)
}
