//! RADIUS over UDP from one worker thread: requests out, genuine answers back.
//!
//! A socket has 256 identifiers, so there are as many sockets, each with a port of its own, as
//! the requests in flight demand. All of them are connected: the kernel drops what comes from
//! another address, and reports a port where nobody listens.

mod client;
mod counters;
mod error;
mod lane;
mod perform;
mod preflight;
mod retransmission;
mod slots;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use counters::Counters;
pub use error::ExchangeError;
pub(super) use perform::Heard;
pub use retransmission::Retransmission;
pub use slots::Dropped;

use std::time::Instant;

use crate::radius::SharedSecret;

/// How to talk to the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The shared secret.
    pub secret: SharedSecret,
    /// Whether answers without Message-Authenticator are dropped, as they must be wherever the
    /// server sends them (CVE-2024-3596).
    pub require_message_authenticator: bool,
    /// Requests in flight at most; who finds that many waits.
    pub in_flight: usize,
    /// When to send again, and when to give up.
    pub retransmission: Retransmission,
}

/// A genuine answer.
#[derive(Debug)]
pub struct Answer {
    /// The packet, checked; [`crate::radius::Packet::parse`] reads it.
    pub octets: Vec<u8>,
    /// When the request was sent for the first time.
    pub sent: Instant,
    /// When the answer came.
    pub answered: Instant,
    /// How often the request was sent.
    pub transmissions: u32,
}
