//! The same names in a program that was built without the feature: nothing can be opened, and so
//! nothing of the rest can ever be called.

use super::{KeyKind, KeyUri, Pin, PinNeed, Pkcs11Error, ValueCipher};
use crate::custody::{Kcv, RsaPadding};
use crate::secret::Secret;

/// A token; there is none in this program.
#[derive(Debug)]
pub enum CryptoToken {}

/// A key in a token; there is none in this program.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenKey {}

#[allow(missing_docs, clippy::missing_errors_doc, clippy::needless_pass_by_value)]
impl CryptoToken {
    pub fn find(uri: &KeyUri) -> Result<Self, Pkcs11Error> {
        Err(Pkcs11Error::NotBuilt { uri: uri.to_string() })
    }

    pub fn label(&self) -> &str {
        match *self {}
    }

    pub fn need(&self) -> Result<PinNeed, Pkcs11Error> {
        match *self {}
    }

    pub fn log_in(&self, _: Option<&Pin>) -> Result<(), Pkcs11Error> {
        match *self {}
    }

    pub fn key(self, _: &KeyUri) -> Result<TokenKey, Pkcs11Error> {
        match self {}
    }

    pub fn new_key(self, _: &KeyUri, _: usize) -> Result<TokenKey, Pkcs11Error> {
        match self {}
    }
}

#[allow(missing_docs, clippy::missing_errors_doc)]
impl TokenKey {
    pub fn name(&self) -> &str {
        match *self {}
    }

    pub fn label(&self) -> &str {
        match *self {}
    }

    pub fn kind(&self) -> KeyKind {
        match *self {}
    }

    pub fn value(&self) -> Result<Option<Secret>, Pkcs11Error> {
        match *self {}
    }

    pub fn kcv(&self) -> Result<Kcv, Pkcs11Error> {
        match *self {}
    }

    pub fn is_in(&self, _: &[u8]) -> bool {
        match *self {}
    }

    pub fn decrypt_rsa(&self, _: RsaPadding, _: &[u8]) -> Result<Option<Secret>, Pkcs11Error> {
        match *self {}
    }

    pub fn open(&self, _: ValueCipher, _: &[u8]) -> Result<Option<Secret>, Pkcs11Error> {
        match *self {}
    }

    pub fn seal(
        &self,
        _: ValueCipher,
        _: &[u8],
        _: &Secret,
    ) -> Result<Option<Vec<u8>>, Pkcs11Error> {
        match *self {}
    }
}
