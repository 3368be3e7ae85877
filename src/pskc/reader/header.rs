//! `EncryptionKey` (RFC 6030 §6.1, §6.2) and `MACMethod` (§6.1.1).

use std::io::Read;

use super::super::cipher::Cipher;
use super::super::dialect::Document;
use super::super::error::{Fault, shown};
use super::super::kdf::Pbkdf2;
use super::super::limits::{Limit, Limits};
use super::super::mac::HmacHash;
use super::super::uri;
use super::super::xml::Element;
use super::{Options, Protection, unexpected, values};

/// `MACMethod`: which MAC, and its key as the file has it.
pub(super) struct MacMethod {
    pub(super) hash: HmacHash,
    pub(super) key: Option<Encrypted>,
}

/// An encrypted value as the file has it: IV, ciphertext, tag.
#[derive(Debug, Default)]
pub(super) struct Encrypted {
    /// Identifier of the cipher.
    pub(super) method: String,
    /// What a method of RSA-OAEP adds.
    pub(super) oaep: Option<Box<Oaep>>,
    pub(super) bytes: Vec<u8>,
}

/// Parameters of RSA-OAEP as the file spells them (xmlenc-core1 §5.5.2).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Oaep {
    pub(super) digest: Option<String>,
    pub(super) mgf: Option<String>,
}

/// What `EncryptionKey` says.
#[derive(Debug, Default)]
pub(super) struct Access {
    pub(super) protection: Protection,
    pub(super) kdf: Option<Pbkdf2>,
    /// The key of the values, once for each recipient.
    pub(super) wrapped: Vec<Wrapped>,
}

/// The key of the values, encrypted for one recipient.
#[derive(Debug)]
pub(super) struct Wrapped {
    /// Of the recipient, in DER; empty if not given.
    pub(super) certificate: Vec<u8>,
    /// Name of the recipient's key, if given.
    pub(super) name: Option<String>,
    pub(super) value: Encrypted,
}

impl Wrapped {
    /// Whether it is under a symmetric key, and not for a certificate.
    pub(super) fn is_symmetric(&self) -> bool {
        Cipher::from_uri(&self.value.method).is_some()
    }
}

/// Reads `EncryptionKey`, to its end.
pub(super) fn encryption_key<R: Read>(
    cursor: &mut Document<R>,
    options: &Options,
) -> Result<Access, Fault> {
    let mut found = Access { protection: Protection::TransportKey(None), ..Access::default() };
    while let Some(element) = cursor.child()? {
        match element {
            Element::KeyName => {
                found.protection = Protection::TransportKey(Some(shown(cursor.text()?.trim())));
            }
            Element::DerivedKey if found.kdf.is_some() => {
                return Err(Fault::Repeated("DerivedKey"));
            }
            Element::DerivedKey => {
                let (protection, kdf) = derived_key(cursor, options)?;
                (found.protection, found.kdf) = (protection, kdf);
            }
            Element::X509Data => {
                cursor.skip()?;
                found.protection = Protection::Certificate;
            }
            Element::EncryptedKey => {
                let limits = &options.limits;
                limits.check(Limit::Recipients, found.wrapped.len() as u64 + 1)?;
                let one = wrapped(cursor, limits)?;
                found.protection = match one.is_symmetric() {
                    true => Protection::WrappedKey(one.name.clone()),
                    false => Protection::Certificate,
                };
                found.wrapped.push(one);
            }
            _ => cursor.skip()?,
        }
    }
    Ok(found)
}

/// `EncryptedKey` (xmlenc-core1 §3.5.1) with the certificate of its recipient, or the name of its
/// key.
fn wrapped<R: Read>(cursor: &mut Document<R>, limits: &Limits) -> Result<Wrapped, Fault> {
    let mut value = Encrypted::default();
    let mut draft = Draft::new(&mut value);
    let (mut certificate, mut name) = (Vec::new(), None);
    while let Some(element) = cursor.child()? {
        if element != Element::KeyInfo {
            draft.take(cursor, element, limits)?;
            continue;
        }
        while let Some(element) = cursor.child()? {
            if element == Element::KeyName {
                name = Some(shown(cursor.text()?.trim()));
                continue;
            }
            if element != Element::X509Data {
                cursor.skip()?;
                continue;
            }
            while let Some(element) = cursor.child()? {
                match element {
                    Element::X509Certificate => {
                        certificate = values::base64(cursor.text()?)
                            .ok_or_else(|| values::not_base64("X509Certificate"))?;
                    }
                    _ => cursor.skip()?,
                }
            }
        }
    }
    draft.finish()?;
    Ok(Wrapped { certificate, name, value })
}

fn derived_key<R: Read>(
    cursor: &mut Document<R>,
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
            Element::MasterKeyName | Element::CarriedKeyName => {
                name = Some(shown(cursor.text()?.trim()))
            }
            _ => cursor.skip()?,
        }
    }
    let kdf = kdf.ok_or(Fault::Missing("KeyDerivationMethod"))?;
    let protection =
        Protection::Passphrase { name, prf: kdf.prf.name(), iterations: kdf.iterations };
    Ok((protection, Some(kdf)))
}

/// `KeyDerivationMethod` with `PBKDF2-params` (RFC 8018 appendix A.2), whatever their namespaces.
fn derivation<R: Read>(cursor: &mut Document<R>, limits: &Limits) -> Result<Pbkdf2, Fault> {
    let method =
        cursor.attribute("Algorithm")?.ok_or(Fault::Missing("the derivation Algorithm"))?;
    if !uri::is_pbkdf2(&method) {
        return Err(Fault::Unsupported { what: "the key derivation", uri: shown(&method) });
    }
    let mut salt = None;
    let mut iterations = None;
    let mut key_len = None;
    let mut prf = HmacHash::Sha1;
    // KeyDerivationMethod / PBKDF2-params / Salt / Specified: flattened, as only leaves matter.
    let mut depth = 0;
    loop {
        match cursor.child()? {
            Some(Element::Specified) => {
                let text = cursor.text()?;
                let bytes = values::base64(text).ok_or_else(|| values::not_base64("the salt"))?;
                limits.check(Limit::Salt, bytes.len() as u64)?;
                if salt.replace(bytes).is_some() {
                    return Err(Fault::Repeated("the salt"));
                }
            }
            Some(Element::IterationCount) => {
                let count = values::decimal(cursor.text()?, "IterationCount")?;
                limits.check(Limit::Iterations, count)?;
                let count = u32::try_from(count).ok().filter(|count| *count > 0);
                let count = count.ok_or_else(|| values::not("IterationCount", "1 or more"))?;
                if iterations.replace(count).is_some() {
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
fn pseudo_random<R: Read>(cursor: &mut Document<R>) -> Result<HmacHash, Fault> {
    let attribute = cursor.attribute("Algorithm")?.map(|name| name.into_owned());
    let text = cursor.text()?.trim();
    let name = attribute.as_deref().unwrap_or(text);
    if name.is_empty() {
        return Ok(HmacHash::Sha1);
    }
    let fragment =
        name.rsplit('#').next().unwrap_or(name).to_ascii_lowercase().replace("hmacwith", "hmac-");
    HmacHash::from_uri(&format!("{}{fragment}", uri::DS))
        .ok_or_else(|| Fault::Unsupported { what: "the PRF", uri: shown(name) })
}

/// Reads `MACMethod`, to its end; `None` when it names no algorithm, as python-pskc leaves it
/// beside values that need no MAC.
pub(super) fn mac_method<R: Read>(
    cursor: &mut Document<R>,
    limits: &Limits,
) -> Result<Option<MacMethod>, Fault> {
    let Some(name) = cursor.attribute("Algorithm")?.map(|name| name.into_owned()) else {
        cursor.skip()?;
        return Ok(None);
    };
    let hash = HmacHash::from_uri(&name)
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
    Ok(Some(MacMethod { hash, key }))
}

/// Reads the inside of an element of xmlenc's `EncryptedDataType`, to its end.
fn encrypted<R: Read>(cursor: &mut Document<R>, limits: &Limits) -> Result<Encrypted, Fault> {
    let mut value = Encrypted::default();
    value.read(cursor, limits)?;
    Ok(value)
}

impl Encrypted {
    /// The same, in place of what this was before.
    pub(super) fn read<R: Read>(
        &mut self,
        cursor: &mut Document<R>,
        limits: &Limits,
    ) -> Result<(), Fault> {
        let mut draft = Draft::new(self);
        while let Some(element) = cursor.child()? {
            draft.take(cursor, element, limits)?;
        }
        draft.finish()
    }
}

/// An encrypted value being read.
struct Draft<'a> {
    value: &'a mut Encrypted,
    has_value: bool,
}

impl<'a> Draft<'a> {
    fn new(value: &'a mut Encrypted) -> Self {
        value.method.clear();
        value.oaep = None;
        value.bytes.clear();
        Self { value, has_value: false }
    }

    /// Takes a child of `EncryptedDataType`.
    fn take<R: Read>(
        &mut self,
        cursor: &mut Document<R>,
        element: Element,
        limits: &Limits,
    ) -> Result<(), Fault> {
        match element {
            Element::EncryptionMethod => self.method(cursor),
            Element::CipherData => self.data(cursor, limits),
            _ => cursor.skip(),
        }
    }

    fn method<R: Read>(&mut self, cursor: &mut Document<R>) -> Result<(), Fault> {
        let method = cursor
            .attribute("Algorithm")?
            .ok_or(Fault::Missing("the Algorithm of EncryptionMethod"))?;
        if !self.value.method.is_empty() {
            return Err(Fault::Repeated("EncryptionMethod"));
        }
        self.value.method.push_str(&method);
        while let Some(element) = cursor.child()? {
            let name = cursor.attribute("Algorithm")?.map(|name| name.into_owned());
            match element {
                Element::DigestMethod => self.oaep().digest = name,
                Element::MGF => self.oaep().mgf = name,
                // PBES2 of PKCS #5, with the cipher within it (draft-ietf-keyprov-pskc-02).
                Element::EncryptionScheme => {
                    let name = name.ok_or(Fault::Missing("the Algorithm of EncryptionScheme"))?;
                    self.value.method = name;
                }
                Element::OAEPparams if !cursor.text()?.trim().is_empty() => {
                    return Err(Fault::Unsupported {
                        what: "a label of RSA-OAEP,",
                        uri: "OAEPparams".into(),
                    });
                }
                Element::OAEPparams => continue,
                _ => {}
            }
            cursor.skip()?;
        }
        Ok(())
    }

    fn oaep(&mut self) -> &mut Oaep {
        self.value.oaep.get_or_insert_default()
    }

    fn data<R: Read>(&mut self, cursor: &mut Document<R>, limits: &Limits) -> Result<(), Fault> {
        while let Some(element) = cursor.child()? {
            match element {
                Element::CipherValue if self.has_value => {
                    return Err(Fault::Repeated("CipherValue"));
                }
                Element::CipherValue => {
                    self.has_value = true;
                    values::base64_into(cursor.text()?, &mut self.value.bytes)
                        .ok_or_else(|| values::not_base64("CipherValue"))?;
                    // IV, one block of padding and a tag on top of the secret itself.
                    let len = self.value.bytes.len().saturating_sub(48);
                    limits.check(Limit::Secret, len as u64)?;
                }
                other => return Err(unexpected(other, "CipherData")),
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Fault> {
        if self.value.method.is_empty() {
            return Err(Fault::Missing("EncryptionMethod"));
        }
        if !self.has_value {
            return Err(Fault::Missing("CipherValue"));
        }
        Ok(())
    }
}
