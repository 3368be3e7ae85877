//! Opening encrypted values: the MAC first, then the cipher.

use std::sync::Arc;

use super::super::cipher::{Cipher, Opener};
use super::super::error::{Fault, shown};
use super::super::mac::Mac;
use super::header::{Access, Encrypted, MacMethod, Oaep, Wrapped};
use super::method::{Method, Rsa, WithIv};
use super::{Options, Protection};
use crate::custody::PrivateKey;
use crate::keystore::BatchKey;
use crate::secret::Secret;

/// Bytes of the shortest MAC key taken; files have 16 and more. Nothing vouches for `MACKey`: of
/// random bytes put in its place, one in 256 is an empty key by its padding, under which anybody
/// can make MACs.
const SHORTEST_MAC_KEY: usize = 14;

/// What opens the values of one file.
pub(super) struct Vault {
    key: Option<BatchKey>,
    access: Access,
    /// The symmetric key, once it is known how long it must be.
    symmetric: Option<Secret>,
    mac_method: Option<MacMethod>,
    mac: Option<Mac>,
    /// What opens the values, once the first was seen.
    values: Option<Values>,
    iv: Option<Vec<u8>>,
    allow_unauthenticated: bool,
}

/// How the values of a file are opened.
struct Values {
    uri: String,
    oaep: Option<Box<Oaep>>,
    method: Method,
    /// If there is a key.
    opener: Option<Box<dyn Opener>>,
}

/// A value that was opened.
pub(super) enum Opened {
    /// Its integrity was verified.
    Verified(zeroize::Zeroizing<Vec<u8>>),
    /// Nothing vouches for it.
    Unauthenticated(zeroize::Zeroizing<Vec<u8>>),
    /// There is no key to open it.
    Locked,
}

impl Vault {
    pub(super) fn new(key: Option<BatchKey>, options: &Options) -> Self {
        Self {
            key,
            access: Access::default(),
            symmetric: None,
            mac_method: None,
            mac: None,
            values: None,
            iv: options.iv.clone(),
            allow_unauthenticated: options.allow_unauthenticated,
        }
    }

    /// Whether a key was given.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Takes what `EncryptionKey` says, and holds it against the key that was given.
    pub(super) fn set_access(&mut self, access: Access) -> Result<(), Fault> {
        if self.access.protection != Protection::None {
            return Err(Fault::Repeated("EncryptionKey"));
        }
        let fits = matches!(
            (&self.key, &access.protection),
            (Some(BatchKey::Passphrase(_)), Protection::Passphrase { .. })
                | (Some(BatchKey::Transport(_)), Protection::TransportKey(_))
                | (Some(BatchKey::Private(_)), Protection::Certificate)
                | (None, _)
        );
        if !fits {
            return Err(Fault::WrongKind(describe(&access.protection)));
        }
        self.access = access;
        Ok(())
    }

    /// Takes what `MACMethod` says. The MAC key is decrypted when first needed.
    pub(super) fn set_mac(&mut self, method: MacMethod) -> Result<(), Fault> {
        match self.mac_method.replace(method) {
            Some(_) => Err(Fault::Repeated("MACMethod")),
            None => Ok(()),
        }
    }

    /// Name of the cipher of the values, once one was opened.
    pub(super) fn cipher_name(&self) -> Option<&'static str> {
        self.values.as_ref().map(|values| values.method.name())
    }

    /// Opens one value. `mac` is its `ValueMAC`.
    pub(super) fn open(&mut self, value: &Encrypted, mac: Option<&[u8]>) -> Result<Opened, Fault> {
        self.prepare(value)?;
        if self.has_key() {
            self.prepare_mac()?;
        }
        let Some(Values { method, opener: Some(opener), .. }) = &self.values else {
            return Ok(Opened::Locked);
        };
        match (&self.mac, mac) {
            (Some(check), Some(mac)) if check.verify(&value.bytes, mac) => {
                opener.open(&value.bytes).map(Opened::Verified).ok_or(Fault::Sealed)
            }
            (Some(check), Some(mac)) if self.allow_unauthenticated => {
                // Drafts of the format had the MAC over the plaintext.
                let plain = opener.open(&value.bytes).ok_or(Fault::Sealed)?;
                match check.verify(&plain, mac) {
                    true => Ok(Opened::Unauthenticated(plain)),
                    false => Err(Fault::Sealed),
                }
            }
            (Some(_), Some(_)) => Err(Fault::Sealed),
            (None, Some(_)) => {
                Err(Fault::Missing("MACMethod, without which ValueMAC says nothing,"))
            }
            (_, None) if method.authenticates() => {
                opener.open(&value.bytes).map(Opened::Verified).ok_or(Fault::Sealed)
            }
            (_, None) if self.allow_unauthenticated => {
                opener.open(&value.bytes).map(Opened::Unauthenticated).ok_or(Fault::Sealed)
            }
            (_, None) => Err(Fault::Unauthenticated),
        }
    }

    /// Gets ready for values encrypted as `value` is. One cipher serves a whole file
    /// (RFC 6030 §6).
    fn prepare(&mut self, value: &Encrypted) -> Result<(), Fault> {
        if let Some(values) = &self.values {
            let same = values.uri == value.method && values.oaep == value.oaep;
            return match same || Method::of(value)? == values.method {
                true => Ok(()),
                false => Err(Fault::Unexpected {
                    what: format!("a second cipher, {:?},", shown(&value.method)),
                    within: "EncryptedValue",
                }),
            };
        }
        let method = Method::of(value)?;
        let opener = if self.has_key() { Some(self.opener(method)?) } else { None };
        let (uri, oaep) = (value.method.clone(), value.oaep.clone());
        self.values = Some(Values { uri, oaep, method, opener });
        Ok(())
    }

    fn prepare_mac(&mut self) -> Result<(), Fault> {
        if self.mac.is_some() {
            return Ok(());
        }
        let Some(method) = self.mac_method.take() else { return Ok(()) };
        let mac = match &method.key {
            Some(sealed) => {
                let opener = self.opener(Method::of(sealed)?)?;
                let key = opener.open(&sealed.bytes).ok_or(Fault::Sealed)?;
                if key.len() < SHORTEST_MAC_KEY {
                    return Err(Fault::Sealed);
                }
                Mac::new(method.hash, &key)
            }
            // Without MACKey the encryption key serves (python-pskc, some drafts).
            None => {
                let key = self.symmetric.as_ref().ok_or(Fault::Missing("MACKey"))?;
                Mac::new(method.hash, key.expose())
            }
        };
        self.mac = Some(mac);
        Ok(())
    }

    fn opener(&mut self, method: Method) -> Result<Box<dyn Opener>, Fault> {
        let cipher = match method {
            Method::Symmetric(cipher) => cipher,
            Method::Rsa(padding) => {
                return match &self.key {
                    Some(BatchKey::Private(key)) => {
                        Ok(Box::new(Rsa { key: Arc::clone(key), padding }))
                    }
                    _ => Err(Fault::WrongKind(describe(&Protection::Certificate))),
                };
            }
        };
        if self.symmetric.is_none() {
            self.symmetric = Some(self.symmetric_key(cipher)?);
        }
        let Some(key) = &self.symmetric else { return Err(Fault::KeyNeeded("a key".into())) };
        let inner: Box<dyn Opener> = cipher.keyed(key.expose()).ok_or(Fault::KeyLength {
            cipher: cipher.name(),
            expected: cipher.key_len,
            found: key.len(),
        })?;
        Ok(match &self.iv {
            Some(iv) if method.takes_iv() => Box::new(WithIv { iv: iv.clone(), inner }),
            _ => inner,
        })
    }

    fn symmetric_key(&self, cipher: Cipher) -> Result<Secret, Fault> {
        match (&self.key, &self.access.kdf) {
            (Some(BatchKey::Transport(key)), None) => Ok(key.clone()),
            (Some(BatchKey::Passphrase(words)), Some(kdf)) => {
                Ok(kdf.derive(words, kdf.key_len.unwrap_or(cipher.key_len)))
            }
            (Some(BatchKey::Private(key)), None) => self.unwrap(key, cipher.key_len),
            (Some(_), _) => Err(Fault::WrongKind(self.describe())),
            (None, _) => Err(Fault::KeyNeeded(self.describe())),
        }
    }

    /// The key of the values, by the copy of it that was made for the owner of `key`.
    fn unwrap(&self, key: &PrivateKey, key_len: usize) -> Result<Secret, Fault> {
        let wrapped = &self.access.wrapped;
        if wrapped.is_empty() {
            return Err(Fault::Missing("the key of the values, EncryptedKey,"));
        }
        let mine = |one: &&Wrapped| one.certificate.is_empty() || key.is_in(&one.certificate);
        for one in wrapped.iter().filter(mine) {
            let Method::Rsa(padding) = Method::of(&one.value)? else { continue };
            let opened = key.decrypt(padding, &one.value.bytes);
            if let Some(opened) = opened.filter(|opened| opened.len() == key_len) {
                return Ok(opened);
            }
        }
        Err(Fault::Sealed)
    }

    /// How the file is encrypted, in words.
    pub(super) fn describe(&self) -> String {
        describe(&self.access.protection)
    }
}

fn describe(protection: &Protection) -> String {
    match protection {
        Protection::None | Protection::TransportKey(None) => "a transport key".into(),
        Protection::TransportKey(Some(name)) => format!("a transport key named {name:?}"),
        Protection::Passphrase { name: Some(name), .. } => format!("a passphrase named {name:?}"),
        Protection::Passphrase { name: None, .. } => "a passphrase".into(),
        Protection::Certificate => "the certificate of a recipient (X.509)".into(),
    }
}
