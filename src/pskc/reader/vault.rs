//! Opening encrypted values: the MAC first, then the cipher.

use std::sync::Arc;

use super::super::cipher::in_token::{Failure, InToken};
use super::super::cipher::{Cipher, Mode, Opener};
use super::super::error::{Fault, shown};
use super::super::mac::Mac;
use super::header::{Access, Encrypted, MacMethod, Oaep, Wrapped};
use super::method::{Method, Rsa, RsaInToken, WithIv};
use super::{Options, Protection};
use crate::custody::RsaPadding;
use crate::keystore::BatchKey;
use crate::pkcs11::{KeyKind, TokenKey};
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
    /// What a token said, if the key is in one.
    failure: Failure,
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
            failure: Failure::default(),
        }
    }

    /// Whether a key was given.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// The key, if it is in a token.
    fn token(&self) -> Option<&Arc<TokenKey>> {
        match &self.key {
            Some(BatchKey::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// Takes what `EncryptionKey` says, and holds it against the key that was given.
    pub(super) fn set_access(&mut self, access: Access) -> Result<(), Fault> {
        if self.access.protection != Protection::None {
            return Err(Fault::Repeated("EncryptionKey"));
        }
        let fits = matches!(
            (&self.key, &access.protection),
            (Some(BatchKey::Passphrase(_)), Protection::Passphrase { .. })
                | (
                    Some(BatchKey::Transport(_)),
                    Protection::TransportKey(_) | Protection::WrappedKey(_)
                )
                | (Some(BatchKey::Private(_)), Protection::Certificate)
                | (None, _)
        ) || self.token().is_some_and(|token| match access.protection {
            Protection::TransportKey(_) | Protection::WrappedKey(_) => token.kind() != KeyKind::Rsa,
            Protection::Certificate => token.kind() == KeyKind::Rsa,
            _ => false,
        });
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
                opener.open(&value.bytes).map(Opened::Verified).ok_or_else(|| self.sealed())
            }
            (Some(check), Some(mac)) if self.allow_unauthenticated => {
                // Drafts of the format had the MAC over the plaintext.
                let plain = opener.open(&value.bytes).ok_or_else(|| self.sealed())?;
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
                opener.open(&value.bytes).map(Opened::Verified).ok_or_else(|| self.sealed())
            }
            (_, None) if self.allow_unauthenticated => {
                opener.open(&value.bytes).map(Opened::Unauthenticated).ok_or_else(|| self.sealed())
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
                let key = opener.open(&sealed.bytes).ok_or_else(|| self.sealed())?;
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
                    Some(BatchKey::Token(key)) if key.kind() == KeyKind::Rsa => {
                        let (key, failure) = (Arc::clone(key), self.failure.clone());
                        Ok(Box::new(RsaInToken { key, padding, failure }))
                    }
                    _ => Err(Fault::WrongKind(describe(&Protection::Certificate))),
                };
            }
        };
        if let Some(token) = self.token()
            && self.access.wrapped.is_empty()
        {
            let inner: Box<dyn Opener> = Box::new(self.in_token(token, cipher)?);
            return Ok(self.with_iv(method, inner));
        }
        if self.symmetric.is_none() {
            self.symmetric = Some(self.symmetric_key(cipher)?);
        }
        let Some(key) = &self.symmetric else { return Err(Fault::KeyNeeded("a key".into())) };
        let inner: Box<dyn Opener> = cipher.keyed(key.expose()).ok_or(Fault::KeyLength {
            cipher: cipher.name(),
            expected: cipher.key_len,
            found: key.len(),
        })?;
        Ok(self.with_iv(method, inner))
    }

    fn with_iv(&self, method: Method, inner: Box<dyn Opener>) -> Box<dyn Opener> {
        match &self.iv {
            Some(iv) if method.takes_iv() => Box::new(WithIv { iv: iv.clone(), inner }),
            _ => inner,
        }
    }

    fn in_token(&self, token: &Arc<TokenKey>, cipher: Cipher) -> Result<InToken, Fault> {
        InToken::new(token, cipher, &self.failure).ok_or_else(|| match token.kind() {
            KeyKind::Aes { bytes } if bytes != cipher.key_len => {
                let (expected, found) = (cipher.key_len, bytes);
                Fault::KeyLength { cipher: cipher.name(), expected, found }
            }
            _ => Fault::WrongKind(self.describe()),
        })
    }

    /// Why a value did not open.
    fn sealed(&self) -> Fault {
        self.failure.take().map_or(Fault::Sealed, |error| Box::new(error).into())
    }

    fn symmetric_key(&self, cipher: Cipher) -> Result<Secret, Fault> {
        match (&self.key, &self.access.kdf) {
            (Some(BatchKey::Transport(key)), None) if self.access.wrapped.is_empty() => {
                Ok(key.clone())
            }
            (Some(BatchKey::Transport(key)), None) => {
                self.unwrap_symmetric(cipher.key_len, |wrap| {
                    wrap.keyed(key.expose()).map(|keyed| keyed as Box<dyn Opener>).ok_or(
                        Fault::KeyLength {
                            cipher: wrap.name(),
                            expected: wrap.key_len,
                            found: key.len(),
                        },
                    )
                })
            }
            (Some(BatchKey::Token(token)), None) if token.kind() == KeyKind::Rsa => self
                .unwrap_rsa(cipher.key_len, |one, padding| {
                    let fits = one.certificate.is_empty() || token.is_in(&one.certificate);
                    let opened = || token.decrypt_rsa(padding, &one.value.bytes);
                    fits.then(opened).and_then(|opened| self.failure.note(opened))
                }),
            (Some(BatchKey::Token(token)), None) => self.unwrap_symmetric(cipher.key_len, |wrap| {
                Ok(Box::new(self.in_token(token, wrap)?) as Box<dyn Opener>)
            }),
            (Some(BatchKey::Passphrase(words)), Some(kdf)) => {
                Ok(kdf.derive(words, kdf.key_len.unwrap_or(cipher.key_len)))
            }
            (Some(BatchKey::Private(key)), None) => {
                self.unwrap_rsa(cipher.key_len, |one, padding| {
                    let fits = one.certificate.is_empty() || key.is_in(&one.certificate);
                    fits.then(|| key.decrypt(padding, &one.value.bytes)).flatten()
                })
            }
            (Some(_), _) => Err(Fault::WrongKind(self.describe())),
            (None, _) => Err(Fault::KeyNeeded(self.describe())),
        }
    }

    /// The key of the values, by the copy of it that was made for the owner of a certificate; `open`
    /// gives nothing for those of others.
    fn unwrap_rsa(
        &self,
        key_len: usize,
        open: impl Fn(&Wrapped, RsaPadding) -> Option<Secret>,
    ) -> Result<Secret, Fault> {
        let wrapped = &self.access.wrapped;
        if wrapped.is_empty() {
            return Err(Fault::Missing("the key of the values, EncryptedKey,"));
        }
        for one in wrapped {
            let Method::Rsa(padding) = Method::of(&one.value)? else { continue };
            if let Some(opened) = open(one, padding).filter(|opened| opened.len() == key_len) {
                return Ok(opened);
            }
        }
        Err(self.sealed())
    }

    /// The key of the values, wrapped under a pre-shared key; `opener` is the cipher under that key.
    fn unwrap_symmetric(
        &self,
        key_len: usize,
        opener: impl Fn(Cipher) -> Result<Box<dyn Opener>, Fault>,
    ) -> Result<Secret, Fault> {
        for one in &self.access.wrapped {
            let Method::Symmetric(wrap) = Method::of(&one.value)? else { continue };
            if !matches!(wrap.mode, Mode::Wrap | Mode::PaddedWrap) {
                return Err(Fault::Unsupported {
                    what: "as a wrap of the key of the values, the encryption",
                    uri: shown(&one.value.method),
                });
            }
            let opened = opener(wrap)?.open(&one.value.bytes);
            if let Some(opened) = opened.filter(|opened| opened.len() == key_len) {
                return Ok(Secret::from(opened.as_slice()));
            }
        }
        Err(self.sealed())
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
        Protection::WrappedKey(None) => "a key wrapped under a transport key".into(),
        Protection::WrappedKey(Some(name)) => {
            format!("a key wrapped under the transport key named {name:?}")
        }
        Protection::Certificate => "the certificate of a recipient (X.509)".into(),
    }
}
