//! Opening encrypted values: the MAC first, then the cipher.

use super::super::cipher::{Cipher, Keyed};
use super::super::error::{Fault, shown};
use super::super::kdf::Pbkdf2;
use super::super::mac::Mac;
use super::header::{Encrypted, MacMethod};
use super::{Options, Protection};
use crate::keystore::BatchKey;
use crate::secret::Secret;

/// What opens the values of one file.
pub(super) struct Vault {
    key: Option<BatchKey>,
    protection: Protection,
    kdf: Option<Pbkdf2>,
    /// The symmetric key, once it is known how long it must be.
    symmetric: Option<Secret>,
    mac_method: Option<MacMethod>,
    mac: Option<Mac>,
    /// The cipher of the values, keyed if there is a key.
    cipher: Option<(Cipher, Option<Box<dyn Keyed>>)>,
    allow_unauthenticated: bool,
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
            protection: Protection::None,
            kdf: None,
            symmetric: None,
            mac_method: None,
            mac: None,
            cipher: None,
            allow_unauthenticated: options.allow_unauthenticated,
        }
    }

    /// Whether a key was given.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Takes what `EncryptionKey` says, and holds it against the key that was given.
    pub(super) fn set_protection(
        &mut self,
        protection: &Protection,
        kdf: Option<Pbkdf2>,
    ) -> Result<(), Fault> {
        if self.protection != Protection::None {
            return Err(Fault::Repeated("EncryptionKey"));
        }
        let fits = matches!(
            (&self.key, protection),
            (Some(BatchKey::Passphrase(_)), Protection::Passphrase { .. })
                | (Some(BatchKey::Transport(_)), Protection::TransportKey(_))
                | (None, _)
        );
        if !fits {
            return Err(Fault::WrongKind(describe(protection)));
        }
        self.protection = protection.clone();
        self.kdf = kdf;
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
        self.cipher.as_ref().map(|(cipher, _)| cipher.name())
    }

    /// Opens one value. `mac` is its `ValueMAC`.
    pub(super) fn open(&mut self, value: &Encrypted, mac: Option<&[u8]>) -> Result<Opened, Fault> {
        let cipher = self.prepare(&value.method)?;
        if self.has_key() {
            self.prepare_mac()?;
        }
        let Some((_, Some(keyed))) = &self.cipher else { return Ok(Opened::Locked) };
        match (&self.mac, mac) {
            (Some(check), Some(mac)) if check.verify(&value.bytes, mac) => {
                keyed.open(&value.bytes).map(Opened::Verified).ok_or(Fault::Sealed)
            }
            (Some(check), Some(mac)) if self.allow_unauthenticated => {
                // Drafts of the format had the MAC over the plaintext.
                let plain = keyed.open(&value.bytes).ok_or(Fault::Sealed)?;
                match check.verify(&plain, mac) {
                    true => Ok(Opened::Unauthenticated(plain)),
                    false => Err(Fault::Sealed),
                }
            }
            (Some(_), Some(_)) => Err(Fault::Sealed),
            (None, Some(_)) => {
                Err(Fault::Missing("MACMethod, without which ValueMAC says nothing,"))
            }
            (_, None) if cipher.authenticates() => {
                keyed.open(&value.bytes).map(Opened::Verified).ok_or(Fault::Sealed)
            }
            (_, None) if self.allow_unauthenticated => {
                keyed.open(&value.bytes).map(Opened::Unauthenticated).ok_or(Fault::Sealed)
            }
            (_, None) => Err(Fault::Unauthenticated),
        }
    }

    /// The cipher of `method`, under the key if there is one. One cipher serves a whole file
    /// (RFC 6030 §6).
    fn prepare(&mut self, method: &str) -> Result<Cipher, Fault> {
        if let Some((cipher, _)) = &self.cipher {
            return match cipher.uri() == method {
                true => Ok(*cipher),
                false => Err(Fault::Unexpected {
                    what: format!("a second cipher, {:?},", shown(method)),
                    within: "EncryptedValue",
                }),
            };
        }
        let cipher = supported(method)?;
        let keyed = if self.has_key() { Some(self.keyed(cipher)?) } else { None };
        self.cipher = Some((cipher, keyed));
        Ok(cipher)
    }

    fn prepare_mac(&mut self) -> Result<(), Fault> {
        if self.mac.is_some() {
            return Ok(());
        }
        let Some(method) = self.mac_method.take() else { return Ok(()) };
        let mac = match &method.key {
            Some(sealed) => {
                let cipher = supported(&sealed.method)?;
                let key = self.keyed(cipher)?.open(&sealed.bytes).ok_or(Fault::Sealed)?;
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

    fn keyed(&mut self, cipher: Cipher) -> Result<Box<dyn Keyed>, Fault> {
        if self.symmetric.is_none() {
            self.symmetric = Some(self.symmetric_key(cipher)?);
        }
        let Some(key) = &self.symmetric else { return Err(Fault::KeyNeeded("a key".into())) };
        cipher.keyed(key.expose()).ok_or(Fault::KeyLength {
            cipher: cipher.name(),
            expected: cipher.key_len(),
            found: key.len(),
        })
    }

    fn symmetric_key(&self, cipher: Cipher) -> Result<Secret, Fault> {
        match (&self.key, &self.kdf) {
            (Some(BatchKey::Transport(key)), None) => Ok(key.clone()),
            (Some(BatchKey::Passphrase(words)), Some(kdf)) => {
                Ok(kdf.derive(words, kdf.key_len.unwrap_or(cipher.key_len())))
            }
            (Some(_), _) => Err(Fault::WrongKind(describe(&self.protection))),
            (None, _) => Err(Fault::KeyNeeded(describe(&self.protection))),
        }
    }

    /// How the file is encrypted, in words.
    pub(super) fn describe(&self) -> String {
        describe(&self.protection)
    }
}

fn supported(method: &str) -> Result<Cipher, Fault> {
    Cipher::from_uri(method)
        .ok_or_else(|| Fault::Unsupported { what: "the encryption", uri: shown(method) })
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
