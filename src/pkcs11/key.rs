//! A key in a token, and what the token does with it.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use cryptoki::error::Error;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::fault::{failure, is_data, is_unsupported};
use super::uri::Class;
use super::{KeyKind, Pkcs11Error, ValueCipher};
use crate::custody::{Kcv, OaepHash, RsaPadding, oaep_unpad};
use crate::secret::Secret;

/// A key in a token. Its operations exclude each other: a session does one thing at a time.
pub struct TokenKey {
    session: Mutex<Session>,
    handle: ObjectHandle,
    name: String,
    label: String,
    kind: KeyKind,
    /// Whether the token gives it away.
    readable: bool,
    /// Modulus of RSA, big-endian.
    modulus: Vec<u8>,
}

impl TokenKey {
    pub(super) fn take(
        session: Session,
        handle: ObjectHandle,
        class: Class,
        name: String,
    ) -> Result<Self, Pkcs11Error> {
        let wrong = |problem: String| Pkcs11Error::Kind { key: name.clone(), problem };
        let wanted = match class {
            Class::Secret => &[
                AttributeType::KeyType,
                AttributeType::Label,
                AttributeType::ValueLen,
                AttributeType::Sensitive,
                AttributeType::Extractable,
            ][..],
            Class::Private => {
                &[AttributeType::KeyType, AttributeType::Label, AttributeType::Modulus]
            }
        };
        let attributes = session
            .get_attributes(handle, wanted)
            .map_err(|error| failure(&name, "show its attributes", "attributes", &error))?;
        let (mut key_type, mut label, mut len, mut modulus) = (None, String::new(), 0, Vec::new());
        let (mut sensitive, mut extractable) = (true, false);
        for attribute in attributes {
            match attribute {
                Attribute::KeyType(found) => key_type = Some(found),
                Attribute::Label(found) => label = String::from_utf8_lossy(&found).into_owned(),
                Attribute::ValueLen(found) => len = found.into(),
                Attribute::Sensitive(found) => sensitive = found,
                Attribute::Extractable(found) => extractable = found,
                Attribute::Modulus(found) => modulus = found,
                _ => {}
            }
        }
        let leading = modulus.iter().take_while(|byte| **byte == 0).count();
        modulus.drain(..leading);
        let kind = match (class, key_type) {
            (Class::Private, Some(KeyType::RSA)) if (256..=1024).contains(&modulus.len()) => {
                KeyKind::Rsa
            }
            (Class::Private, Some(KeyType::RSA)) => {
                return Err(wrong(format!(
                    "an RSA key of {} bits; 2048 to 8192 are accepted",
                    modulus.len() * 8
                )));
            }
            (Class::Secret, Some(KeyType::AES)) if matches!(len, 16 | 24 | 32) => {
                KeyKind::Aes { bytes: len }
            }
            // So `softhsm2-util --import --aes` leaves them, which SoftHSM itself cannot use.
            (Class::Secret, Some(KeyType::AES)) => {
                return Err(wrong(
                    "the token does not say how long this AES key is (CKA_VALUE_LEN)".into(),
                ));
            }
            (_, Some(other)) => return Err(wrong(format!("a key of the kind {other}"))),
            (_, None) => return Err(wrong("the token does not say what kind of key it is".into())),
        };
        let readable = class == Class::Secret && extractable && !sensitive;
        let session = Mutex::new(session);
        Ok(Self { session, handle, name, label, kind, readable, modulus })
    }

    /// What it was called: the URI without its query.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its label in the token, which is the `KeyName` of files under it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key itself, if the token gives it away (CKA_EXTRACTABLE and not CKA_SENSITIVE).
    ///
    /// # Errors
    /// Those of the token.
    pub fn value(&self) -> Result<Option<Secret>, Pkcs11Error> {
        match self.readable {
            true => value_of(&self.session(), self.handle)
                .map(Some)
                .map_err(|error| self.failed("give its value", "CKA_VALUE", &error)),
            false => Ok(None),
        }
    }

    /// Its check value, made in the token: by AES-CMAC, or by what AES-CMAC is made of.
    ///
    /// # Errors
    /// When the token permits neither; for RSA, [`Pkcs11Error::Kind`].
    pub fn kcv(&self) -> Result<Kcv, Pkcs11Error> {
        if self.kind == KeyKind::Rsa {
            let problem = "an RSA key has no check value".to_owned();
            return Err(Pkcs11Error::Kind { key: self.name.clone(), problem });
        }
        let session = self.session();
        let tag = session.sign(&Mechanism::AesCMac, self.handle, &[0; 16]).or_else(|_| {
            let block = |text: [u8; 16]| session.encrypt(&Mechanism::AesEcb, self.handle, &text);
            let zero: [u8; 16] = block([0; 16])?.try_into().map_err(|_| Error::InvalidValue)?;
            // NIST SP 800-38B §6.2: the text of one whole block goes in under the subkey K1.
            block(doubled(zero))
        });
        let operation = "make a check value (CKA_SIGN or CKA_ENCRYPT)";
        let mechanism = "CKM_AES_CMAC, nor CKM_AES_ECB";
        let tag = tag.map_err(|error| self.failed(operation, mechanism, &error))?;
        let tag = tag.try_into().map_err(|_| Error::InvalidValue);
        Ok(Kcv::of_tag(tag.map_err(|error| self.failed(operation, mechanism, &error))?))
    }

    /// Whether `certificate`, in DER, is of this key: a hint for choosing among recipients.
    #[must_use]
    pub fn is_in(&self, certificate: &[u8]) -> bool {
        !self.modulus.is_empty() && memchr::memmem::find(certificate, &self.modulus).is_some()
    }

    /// Opens `value` by RSA; nothing when it is not for this key, or damaged. A token that has not
    /// this OAEP does the RSA alone, and the padding comes off here.
    ///
    /// # Errors
    /// Those of the token.
    pub fn decrypt_rsa(
        &self,
        padding: RsaPadding,
        value: &[u8],
    ) -> Result<Option<Secret>, Pkcs11Error> {
        let session = self.session();
        let (mechanism, name) = match padding {
            RsaPadding::Pkcs1 => (Mechanism::RsaPkcs, "CKM_RSA_PKCS"),
            RsaPadding::Oaep { digest, mgf } => {
                let (digest, _) = of(digest);
                let (_, mgf) = of(mgf);
                let params = PkcsOaepParams::new(digest, mgf, PkcsOaepSource::empty());
                (Mechanism::RsaPkcsOaep(params), "CKM_RSA_PKCS_OAEP, nor CKM_RSA_X_509")
            }
        };
        let opened = session.decrypt(&mechanism, self.handle, value);
        let opened = match (opened, padding) {
            (Err(Error::Pkcs11(rv, _)), RsaPadding::Oaep { digest, mgf })
                if is_unsupported(&rv) =>
            {
                let encoded = session.decrypt(&Mechanism::RsaX509, self.handle, value);
                return self.answer("decrypt (CKA_DECRYPT)", name, encoded).map(|encoded| {
                    let encoded = Secret::new(encoded?);
                    // Some tokens leave the zeros of the front away.
                    let mut whole = vec![0; self.modulus.len().saturating_sub(encoded.len())];
                    whole.extend_from_slice(encoded.expose());
                    let whole = Secret::new(whole);
                    oaep_unpad(digest, mgf, whole.expose())
                });
            }
            (opened, _) => opened,
        };
        Ok(self.answer("decrypt (CKA_DECRYPT)", name, opened)?.map(Secret::new))
    }

    /// Opens a value; nothing when it does not belong to this key, or is damaged. For
    /// [`ValueCipher::Cbc`] the padding is still on it.
    ///
    /// # Errors
    /// Those of the token.
    pub fn open(&self, cipher: ValueCipher, sealed: &[u8]) -> Result<Option<Secret>, Pkcs11Error> {
        let session = self.session();
        let name = mechanism_name(cipher);
        let split = |at: usize| sealed.split_at_checked(at).filter(|(_, rest)| !rest.is_empty());
        let opened = match cipher {
            ValueCipher::Cbc => {
                let Some((iv, body)) = split(16) else { return Ok(None) };
                let Ok(iv) = iv.try_into() else { return Ok(None) };
                if !body.len().is_multiple_of(16) {
                    return Ok(None);
                }
                session.decrypt(&Mechanism::AesCbc(iv), self.handle, body)
            }
            ValueCipher::Gcm => {
                let Some((iv, body)) = split(12).filter(|(_, body)| body.len() >= 16) else {
                    return Ok(None);
                };
                let mut iv = iv.to_vec();
                GcmParams::new(&mut iv, b"", 128.into()).and_then(|params| {
                    session.decrypt(&Mechanism::AesGcm(params), self.handle, body)
                })
            }
            ValueCipher::Wrap | ValueCipher::PaddedWrap => {
                let unwrapped = self.unwrap(&session, cipher, sealed);
                let opened = self.answer("unwrap (CKA_UNWRAP)", name, unwrapped)?;
                return Ok(opened);
            }
        };
        Ok(self.answer("decrypt (CKA_DECRYPT)", name, opened)?.map(Secret::new))
    }

    /// Seals a value with `iv`, which stands before it in what comes back; nothing when the cipher
    /// takes no value of this length. For [`ValueCipher::Cbc`] it has its padding already.
    ///
    /// # Errors
    /// Those of the token.
    pub fn seal(
        &self,
        cipher: ValueCipher,
        iv: &[u8],
        plain: &Secret,
    ) -> Result<Option<Vec<u8>>, Pkcs11Error> {
        let session = self.session();
        let name = mechanism_name(cipher);
        let (text, len) = (plain.expose(), plain.len());
        let (operation, sealed) = match cipher {
            ValueCipher::Cbc => {
                let sealed = iv
                    .try_into()
                    .map_err(|_| Error::InvalidValue)
                    .and_then(|iv| session.encrypt(&Mechanism::AesCbc(iv), self.handle, text));
                ("encrypt (CKA_ENCRYPT)", sealed)
            }
            ValueCipher::Gcm => {
                let mut iv = iv.to_vec();
                let sealed = GcmParams::new(&mut iv, b"", 128.into()).and_then(|params| {
                    session.encrypt(&Mechanism::AesGcm(params), self.handle, text)
                });
                ("encrypt (CKA_ENCRYPT)", sealed)
            }
            ValueCipher::Wrap if len < 16 || !len.is_multiple_of(8) => return Ok(None),
            ValueCipher::PaddedWrap if len == 0 => return Ok(None),
            ValueCipher::Wrap | ValueCipher::PaddedWrap => {
                ("wrap (CKA_WRAP)", self.wrap(&session, cipher, plain))
            }
        };
        let sealed = sealed.map_err(|error| self.failed(operation, name, &error))?;
        Ok(Some([iv, &sealed].concat()))
    }

    /// A key wrap works on objects: the value becomes one, for this session, and is gone after it.
    fn wrap(
        &self,
        session: &Session,
        cipher: ValueCipher,
        plain: &Secret,
    ) -> Result<Vec<u8>, Error> {
        let mut template = passing();
        template.push(Attribute::Value(plain.expose().to_vec()));
        let object = session.create_object(&template)?;
        let wrapped = session.wrap_key(&wrap_mechanism(cipher), self.handle, object);
        let _ = session.destroy_object(object);
        wrapped
    }

    fn unwrap(
        &self,
        session: &Session,
        cipher: ValueCipher,
        wrapped: &[u8],
    ) -> Result<Secret, Error> {
        let mechanism = wrap_mechanism(cipher);
        let object = session.unwrap_key(&mechanism, self.handle, wrapped, &passing())?;
        let value = value_of(session, object);
        let _ = session.destroy_object(object);
        value
    }

    /// What the token gave; nothing when the data were wrong.
    fn answer<T>(
        &self,
        operation: &'static str,
        mechanism: &'static str,
        result: Result<T, Error>,
    ) -> Result<Option<T>, Pkcs11Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_data(&error) => Ok(None),
            Err(error) => Err(self.failed(operation, mechanism, &error)),
        }
    }

    fn failed(
        &self,
        operation: &'static str,
        mechanism: &'static str,
        error: &Error,
    ) -> Pkcs11Error {
        failure(&self.name, operation, mechanism, error)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        // A thread that panicked inside a call left nothing half-done here.
        self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A value that only passes through the token: it may be wrapped, and read after unwrapping.
fn passing() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ]
}

fn value_of(session: &Session, object: ObjectHandle) -> Result<Secret, Error> {
    let found = session.get_attributes(object, &[AttributeType::Value])?;
    found
        .into_iter()
        .find_map(|attribute| match attribute {
            Attribute::Value(value) => Some(Secret::new(value)),
            _ => None,
        })
        .ok_or(Error::NotSupported)
}

fn wrap_mechanism(cipher: ValueCipher) -> Mechanism<'static> {
    match cipher {
        ValueCipher::PaddedWrap => Mechanism::AesKeyWrapPad,
        _ => Mechanism::AesKeyWrap,
    }
}

fn mechanism_name(cipher: ValueCipher) -> &'static str {
    match cipher {
        ValueCipher::Cbc => "CKM_AES_CBC",
        ValueCipher::Gcm => "CKM_AES_GCM",
        ValueCipher::Wrap => "CKM_AES_KEY_WRAP",
        ValueCipher::PaddedWrap => "CKM_AES_KEY_WRAP_PAD",
    }
}

fn of(hash: OaepHash) -> (MechanismType, PkcsMgfType) {
    match hash {
        OaepHash::Sha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
        OaepHash::Sha224 => (MechanismType::SHA224, PkcsMgfType::MGF1_SHA224),
        OaepHash::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        OaepHash::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
        OaepHash::Sha512 => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
    }
}

/// Twice `block` in the field of CMAC (NIST SP 800-38B §6.1).
fn doubled(block: [u8; 16]) -> [u8; 16] {
    let number = u128::from_be_bytes(block);
    let reduced = if number >> 127 == 1 { 0x87 } else { 0 };
    ((number << 1) ^ reduced).to_be_bytes()
}

/// The same key in the token is another session: keys are equal when they are one.
impl PartialEq for TokenKey {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for TokenKey {}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({}, {:?})", self.name, self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::doubled;

    /// RFC 4493 §4: subkey generation.
    #[test]
    fn subkeys_are_those_of_rfc_4493() {
        let block = |hex: &str| u128::from_str_radix(hex, 16).unwrap().to_be_bytes();
        let zero = block("7df76b0c1ab899b33e42f047b91b546f");
        let first = doubled(zero);
        assert_eq!(first, block("fbeed618357133667c85e08f7236a8de"));
        assert_eq!(doubled(first), block("f7ddac306ae266ccf90bc11ee46d513b"));
    }
}
