//! Message-Authenticator (RFC 3579 §3.2): an HMAC over the whole packet.
//!
//! > Message-Authenticator = HMAC-MD5 (Type, Identifier, Length, Request Authenticator, Attributes)
//!
//! "the signature string should be considered to be sixteen octets of zero" while it is computed,
//! and in a reply the *Request* Authenticator stands in the Authenticator field. The MD5 of
//! [`super::authenticator`] can be forged by collision (CVE-2024-3596), the HMAC cannot, and the
//! request has no other protection at all.

use hmac::Mac;
use subtle::ConstantTimeEq;

use super::{Attribute, Authenticator, HEADER_LEN, Packet, SharedSecret, dictionary};

/// Octets of the value.
pub(super) const LEN: usize = 16;

/// What a Message-Authenticator says of its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// There is none: nothing is proven.
    Absent,
    /// It is right.
    Valid,
    /// It is wrong, not of 16 octets, or there are several: discard the packet silently
    /// (RFC 3579 §3.2).
    Invalid,
}

/// Checks that of an Access-Request or Status-Server.
#[must_use]
pub fn verify_request(request: &Packet<'_>, secret: &SharedSecret) -> Verification {
    verify(request, request.authenticator(), secret)
}

/// Checks that of a reply to the request that carried `request_authenticator`.
#[must_use]
pub fn verify_reply(
    reply: &Packet<'_>,
    request_authenticator: &Authenticator,
    secret: &SharedSecret,
) -> Verification {
    verify(reply, request_authenticator, secret)
}

/// Whether it is the first attribute, as the answer to CVE-2024-3596 asks.
#[must_use]
pub fn is_first(packet: &Packet<'_>) -> bool {
    packet.attributes().next().is_some_and(is_message_authenticator)
}

fn is_message_authenticator(attribute: Attribute<'_>) -> bool {
    attribute.kind == dictionary::MESSAGE_AUTHENTICATOR
}

fn verify(
    packet: &Packet<'_>,
    authenticator: &Authenticator,
    secret: &SharedSecret,
) -> Verification {
    let mut found = packet.attributes().filter(|attribute| is_message_authenticator(*attribute));
    let Some(first) = found.next() else {
        return Verification::Absent;
    };
    if found.next().is_some() || first.value.len() != LEN {
        return Verification::Invalid;
    }
    let expected = compute(packet.octets(), authenticator, first.at, secret);
    if expected.ct_eq(first.value).into() { Verification::Valid } else { Verification::Invalid }
}

/// The HMAC of `packet` (header included) with `authenticator` in the place of its own and the
/// 16 octets at `at` taken as zero.
pub(super) fn compute(
    packet: &[u8],
    authenticator: &Authenticator,
    at: usize,
    secret: &SharedSecret,
) -> [u8; LEN] {
    let mut hmac = secret.hmac();
    hmac.update(&packet[..4]);
    hmac.update(authenticator);
    hmac.update(&packet[HEADER_LEN..at]);
    hmac.update(&[0; LEN]);
    hmac.update(&packet[at + LEN..]);
    hmac.finalize().into_bytes().into()
}
