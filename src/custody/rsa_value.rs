//! Short values under the key of a recipient, as XML Encryption has them (xmlenc-core1 §5.5).

use rand::rngs::SysRng;
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, PrivateKey as RsaKey};
use sha1::Sha1;
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::{CustodyError, PrivateKey, Recipient};
use crate::secret::Secret;

/// How a value was padded before RSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaPadding {
    /// RSAES-OAEP (RFC 8017 §7.1) with an empty label.
    Oaep {
        /// Hash of the label.
        digest: OaepHash,
        /// Hash of the mask generation function, MGF1.
        mgf: OaepHash,
    },
    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2). A wrong key or a changed value gives random bytes, not an
    /// error, so that nobody can ask which it was: what is opened must be authenticated otherwise.
    Pkcs1,
}

/// A hash within OAEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum OaepHash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Recipient {
    /// Encrypts `value` by OAEP with SHA-256 for the label and SHA-1 for MGF1, which is all that
    /// XML Encryption 1.0 can say; MGF1 asks nothing of its hash that SHA-1 has lost.
    ///
    /// # Errors
    /// [`CustodyError::Random`], also when `value` is longer than the key can take.
    pub fn encrypt(&self, value: &Secret) -> Result<Vec<u8>, CustodyError> {
        self.key()
            .encrypt(&mut SysRng, Oaep::<Sha256, Sha1>::new_with_mgf_hash(), value.expose())
            .map_err(|error| CustodyError::Random(format!(" (sealing failed: {error})")))
    }
}

impl PrivateKey {
    /// Decrypts `value`; nothing when it cannot, whatever the reason.
    ///
    /// As [`PrivateKey::open`], this is for a command that the key's owner runs.
    #[must_use]
    pub fn decrypt(&self, padding: RsaPadding, value: &[u8]) -> Option<Secret> {
        let key = self.key();
        let plain = match padding {
            RsaPadding::Pkcs1 => key.pkcs1v15_decrypt(value),
            RsaPadding::Oaep { digest, mgf } => match digest {
                OaepHash::Sha1 => oaep::<Sha1>(key, mgf, value),
                OaepHash::Sha224 => oaep::<Sha224>(key, mgf, value),
                OaepHash::Sha256 => oaep::<Sha256>(key, mgf, value),
                OaepHash::Sha384 => oaep::<Sha384>(key, mgf, value),
                OaepHash::Sha512 => oaep::<Sha512>(key, mgf, value),
            },
        };
        plain.ok().map(Secret::new)
    }
    /// Whether `certificate`, in DER, is of this key: a hint for choosing among recipients, not a
    /// proof of anything.
    #[must_use]
    pub fn is_in(&self, certificate: &[u8]) -> bool {
        memchr::memmem::find(certificate, &self.key().n().to_be_bytes_trimmed_vartime()).is_some()
    }
}

fn oaep<D>(key: &RsaKey, mgf: OaepHash, value: &[u8]) -> rsa::Result<Vec<u8>>
where
    D: Digest + FixedOutputReset,
{
    match mgf {
        OaepHash::Sha1 => key.decrypt(Oaep::<D, Sha1>::new_with_mgf_hash(), value),
        OaepHash::Sha224 => key.decrypt(Oaep::<D, Sha224>::new_with_mgf_hash(), value),
        OaepHash::Sha256 => key.decrypt(Oaep::<D, Sha256>::new_with_mgf_hash(), value),
        OaepHash::Sha384 => key.decrypt(Oaep::<D, Sha384>::new_with_mgf_hash(), value),
        OaepHash::Sha512 => key.decrypt(Oaep::<D, Sha512>::new_with_mgf_hash(), value),
    }
}
