//! What opens a value: a cipher under a key, or RSA under a recipient's.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::cipher::in_token::Failure;
use super::super::cipher::{Cipher, Mode, Opener};
use super::super::error::{Fault, shown};
use super::super::uri;
use super::header::{Encrypted, Oaep};
use crate::custody::{OaepHash, PrivateKey, RsaPadding};
use crate::pkcs11::TokenKey;

/// How a value is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Symmetric(Cipher),
    Rsa(RsaPadding),
}

impl Method {
    /// The method of `value`.
    pub(super) fn of(value: &Encrypted) -> Result<Self, Fault> {
        if let Some(cipher) = Cipher::from_uri(&value.method) {
            return Ok(Self::Symmetric(cipher));
        }
        let fragment = [uri::XENC, uri::XENC11]
            .iter()
            .find_map(|namespace| value.method.strip_prefix(namespace));
        let oaep = value.oaep.as_deref();
        Ok(Self::Rsa(match fragment {
            Some("rsa-1_5" | "rsa_1_5") => RsaPadding::Pkcs1,
            // xmlenc-core1 §5.5.2: here MGF1 is with SHA-1, whatever the digest.
            Some("rsa-oaep-mgf1p") => {
                RsaPadding::Oaep { digest: digest(oaep)?, mgf: OaepHash::Sha1 }
            }
            Some("rsa-oaep") => RsaPadding::Oaep { digest: digest(oaep)?, mgf: mgf(oaep)? },
            _ => {
                return Err(Fault::Unsupported {
                    what: "the encryption",
                    uri: shown(&value.method),
                });
            }
        }))
    }

    /// Its name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Symmetric(cipher) => cipher.name(),
            Self::Rsa(RsaPadding::Oaep { .. }) => "RSA-OAEP",
            Self::Rsa(RsaPadding::Pkcs1) => "RSA-1.5",
        }
    }

    /// Whether it notices by itself that a value was changed.
    pub(super) fn authenticates(self) -> bool {
        match self {
            Self::Symmetric(cipher) => cipher.authenticates(),
            Self::Rsa(padding) => padding != RsaPadding::Pkcs1,
        }
    }

    /// Whether an IV may travel outside its values.
    pub(super) fn takes_iv(self) -> bool {
        matches!(self, Self::Symmetric(cipher) if cipher.mode == Mode::Cbc)
    }
}

fn digest(oaep: Option<&Oaep>) -> Result<OaepHash, Fault> {
    let Some(name) = oaep.and_then(|oaep| oaep.digest.as_deref()) else {
        return Ok(OaepHash::Sha1);
    };
    hash(name.rsplit('#').next().unwrap_or_default())
        .ok_or_else(|| Fault::Unsupported { what: "the digest of RSA-OAEP", uri: shown(name) })
}

fn mgf(oaep: Option<&Oaep>) -> Result<OaepHash, Fault> {
    let Some(name) = oaep.and_then(|oaep| oaep.mgf.as_deref()) else {
        return Ok(OaepHash::Sha1);
    };
    name.strip_prefix(uri::XENC11)
        .and_then(|name| hash(name.strip_prefix("mgf1")?))
        .ok_or_else(|| Fault::Unsupported { what: "the MGF of RSA-OAEP", uri: shown(name) })
}

fn hash(name: &str) -> Option<OaepHash> {
    Some(match name {
        "sha1" => OaepHash::Sha1,
        "sha224" => OaepHash::Sha224,
        "sha256" => OaepHash::Sha256,
        "sha384" => OaepHash::Sha384,
        "sha512" => OaepHash::Sha512,
        _ => return None,
    })
}

/// Opens values under a recipient's key.
pub(super) struct Rsa {
    pub(super) key: Arc<PrivateKey>,
    pub(super) padding: RsaPadding,
}

impl Opener for Rsa {
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let plain = self.key.decrypt(self.padding, sealed)?;
        Some(Zeroizing::new(plain.expose().to_vec()))
    }
}

/// Opens values under a recipient's key that stays in its token.
pub(super) struct RsaInToken {
    pub(super) key: Arc<TokenKey>,
    pub(super) padding: RsaPadding,
    pub(super) failure: Failure,
}

impl Opener for RsaInToken {
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let plain = self.failure.note(self.key.decrypt_rsa(self.padding, sealed))?;
        Some(Zeroizing::new(plain.expose().to_vec()))
    }
}

/// Opens values whose IV travels outside the file.
pub(super) struct WithIv {
    pub(super) iv: Vec<u8>,
    pub(super) inner: Box<dyn Opener>,
}

impl Opener for WithIv {
    fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.inner.open(&[&self.iv, sealed].concat())
    }
}
