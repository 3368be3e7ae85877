//! The secret that client and server share.

use std::fmt;

use hmac::{Hmac, KeyInit};
use md5::Md5;

use crate::secret::Secret;

/// A shared secret, with the HMAC key schedule done once: it would be a third of the digest work
/// of a packet.
#[derive(Clone)]
pub struct SharedSecret {
    secret: Secret,
    keyed: Hmac<Md5>,
}

impl SharedSecret {
    /// Takes the octets as they are: RFC 2865 §3 gives them no encoding ("preferably at least 16
    /// octets", "MUST NOT be empty"; `None` when they are).
    #[must_use]
    pub fn new(secret: Secret) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        // HMAC takes keys of any length.
        let keyed = Hmac::new_from_slice(secret.expose()).ok()?;
        Some(Self { secret, keyed })
    }

    /// The octets, for the digests that RFC 2865 builds by appending them.
    pub(super) fn octets(&self) -> &[u8] {
        self.secret.expose()
    }

    /// HMAC-MD5 keyed with the secret, nothing fed yet.
    pub(super) fn hmac(&self) -> Hmac<Md5> {
        self.keyed.clone()
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_never_shown_and_never_empty() {
        let secret = SharedSecret::new(Secret::new(b"xyzzy5461".to_vec())).unwrap();
        assert_eq!(format!("{secret:?}"), "SharedSecret([redacted])");
        assert!(SharedSecret::new(Secret::default()).is_none());
    }
}
