//! Who signs: a private key and its certificate.

use std::sync::Arc;

use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use x509_cert::der::{Decode, SliceReader};
use zeroize::Zeroizing;

use super::algorithm::{Hash, Method};
use super::certificate::KeyKind;
use super::{Certificate, SignatureError, pem};
use crate::secret::Secret;

/// Something that can sign: a key in a file, or one that never leaves its device.
pub trait Sign: Send + Sync {
    /// The algorithm.
    fn method(&self) -> Method;
    /// The certificate of its key.
    fn certificate(&self) -> &Certificate;
    /// Signs `data`, which it hashes itself: for RSA as RFC 8017 §8.2 has it, for ECDSA the two
    /// numbers one after the other (XML Signature 1.1 §6.4.3).
    ///
    /// # Errors
    /// [`SignatureError::Making`].
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignatureError>;
}

/// A private key that was in a file.
pub struct FileSigner {
    key: Key,
    certificate: Certificate,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl FileSigner {
    /// Reads an unencrypted private key in PEM (PKCS #8, PKCS #1 or SEC 1) and the certificate it
    /// belongs to, which must be valid `now` and fit for signing.
    ///
    /// # Errors
    /// [`SignatureError::Key`], [`SignatureError::Certificate`], [`SignatureError::Weak`],
    /// [`SignatureError::Validity`] or [`SignatureError::Mismatch`].
    pub fn open(
        (key_file, key): (&str, &Secret),
        (certificate_file, certificate): (&str, &[u8]),
        now: Timestamp,
    ) -> Result<Arc<dyn Sign>, SignatureError> {
        let certificate = Certificate::read(certificate_file, certificate)?;
        let unfit = |problem: &str| SignatureError::Certificate {
            whose: certificate_file.to_owned(),
            problem: problem.to_owned(),
        };
        certificate.check_validity(now)?;
        if !certificate.may_sign() {
            return Err(unfit("its key usage does not allow signatures"));
        }
        let wrong =
            |problem: &str| SignatureError::Key { file: key_file.into(), problem: problem.into() };
        let text = std::str::from_utf8(key.expose()).map_err(|_| wrong("not a PEM text"))?;
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type:") {
            return Err(wrong("the private key is encrypted"));
        }
        let mismatch = || SignatureError::Mismatch {
            key: key_file.to_owned(),
            certificate: certificate_file.to_owned(),
        };
        let parts = Parts::read(text).ok_or_else(|| wrong("no RSA or EC private key in it"))?;
        let key = match (parts, certificate.kind()) {
            (Parts::Rsa(der), KeyKind::Rsa) => {
                let pair = RsaKeyPair::from_der(&der).map_err(|rejected| {
                    wrong(&format!("the RSA key cannot be used: {rejected}"))
                })?;
                if pair.public().as_ref() != certificate.public_key() {
                    return Err(mismatch());
                }
                Key::Rsa(Box::new(pair))
            }
            (Parts::Ec(scalar), KeyKind::P256) => {
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &scalar,
                    certificate.public_key(),
                    &SystemRandom::new(),
                );
                Key::P256(Box::new(pair.map_err(|_| mismatch())?))
            }
            (_, KeyKind::P384) => {
                return Err(unfit("its key is on the curve P-384; RSA and P-256 are signed with"));
            }
            _ => return Err(mismatch()),
        };
        Ok(Arc::new(Self { key, certificate }))
    }
}

impl Sign for FileSigner {
    fn method(&self) -> Method {
        match self.key {
            Key::Rsa(_) => Method::Rsa(Hash::Sha256),
            Key::P256(_) => Method::Ecdsa(Hash::Sha256),
        }
    }

    fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let random = SystemRandom::new();
        let failed = |_| SignatureError::Making("the key cannot sign");
        match &self.key {
            Key::Rsa(pair) => {
                let mut value = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, data, &mut value).map_err(failed)?;
                Ok(value)
            }
            Key::P256(pair) => Ok(pair.sign(&random, data).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

impl std::fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileSigner({:?}, key redacted)", self.certificate)
    }
}

impl std::fmt::Debug for dyn Sign + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sign({:?})", self.certificate())
    }
}

/// What of a private key is needed: `RSAPrivateKey` in DER, or the number of an EC key.
enum Parts {
    Rsa(Zeroizing<Vec<u8>>),
    Ec(Zeroizing<Vec<u8>>),
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        if let Some(der) = pem::decode(text, &["RSA PRIVATE KEY"]) {
            return Some(Self::Rsa(der));
        }
        if let Some(der) = pem::decode(text, &["EC PRIVATE KEY"]) {
            return Self::ec(&der);
        }
        // PrivateKeyInfo (RFC 5208 §5): version, algorithm, key.
        let der = pem::decode(text, &["PRIVATE KEY"])?;
        let outer = AnyRef::from_der(&der).ok()?;
        let mut reader = SliceReader::new(outer.value()).ok()?;
        let _version = AnyRef::decode(&mut reader).ok()?;
        let algorithm = AnyRef::decode(&mut reader).ok()?;
        let key = <&OctetStringRef>::decode(&mut reader).ok()?;
        let mut inner = SliceReader::new(algorithm.value()).ok()?;
        let oid: ObjectIdentifier = ObjectIdentifier::decode(&mut inner).ok()?;
        match oid.to_string().as_str() {
            "1.2.840.113549.1.1.1" => Some(Self::Rsa(Zeroizing::new(key.as_bytes().to_vec()))),
            "1.2.840.10045.2.1" => Self::ec(key.as_bytes()),
            _ => None,
        }
    }

    /// `ECPrivateKey` (RFC 5915 §3): version, key.
    fn ec(der: &[u8]) -> Option<Self> {
        let outer = AnyRef::from_der(der).ok()?;
        let mut reader = SliceReader::new(outer.value()).ok()?;
        let _version = AnyRef::decode(&mut reader).ok()?;
        let key = <&OctetStringRef>::decode(&mut reader).ok()?;
        Some(Self::Ec(Zeroizing::new(key.as_bytes().to_vec())))
    }
}
