//! The Response Authenticator (RFC 2865 §3), which proves that a reply comes from someone who
//! knows the shared secret and answers this very request:
//!
//! > ResponseAuth = MD5(Code+ID+Length+RequestAuth+Attributes+Secret) where + denotes concatenation.

use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

use super::{Authenticator, HEADER_LEN, Packet, SharedSecret};

/// The Response Authenticator of `reply`, a whole packet whose own Authenticator field is not
/// looked at.
pub(super) fn response(
    reply: &[u8],
    request_authenticator: &Authenticator,
    secret: &SharedSecret,
) -> Authenticator {
    Md5::new()
        .chain_update(&reply[..4])
        .chain_update(request_authenticator)
        .chain_update(&reply[HEADER_LEN..])
        .chain_update(secret.octets())
        .finalize()
        .into()
}

/// Whether `reply` answers the request that carried `request_authenticator`, in constant time.
#[must_use]
pub fn verify(
    reply: &Packet<'_>,
    request_authenticator: &Authenticator,
    secret: &SharedSecret,
) -> bool {
    let expected = response(reply.octets(), request_authenticator, secret);
    expected.ct_eq(reply.authenticator()).into()
}
