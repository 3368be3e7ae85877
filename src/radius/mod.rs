//! RADIUS packets (RFC 2865, 2869, 3579): reading, writing and checking them. Bytes in, bytes out.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     Code      |  Identifier   |            Length             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     Authenticator (16 octets)                 |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  Attributes: Type, Length (of all three), Value …
//! +-+-+-+-+-+-+-+-+-+-+-+-+-
//! ```
//!
//! [`Packet`] is a checked view of a datagram, [`Writer`] builds one; nothing here owns a socket,
//! a clock or a random number, so that the client (`engine/transport/radius`) and the embedded
//! server (`portal/radius`) can share it: it knows the wire, not who may log in. The digests are
//! those of the `md-5` and `hmac` crates.
//!
//! Every packet this module writes carries a Message-Authenticator as its *first* attribute:
//! MD5 collisions let an attacker on the path turn a reject into an accept ("BlastRADIUS",
//! CVE-2024-3596) by hiding chosen octets in an attribute before it, and nothing can be hidden
//! before the first.

pub mod attribute;
pub mod authenticator;
pub mod dictionary;
pub mod message_authenticator;
pub mod packet;
pub mod password;
mod shared_secret;
pub mod writer;

pub use attribute::{Attribute, Attributes};
pub use message_authenticator::Verification;
pub use packet::{Code, Packet};
pub use shared_secret::SharedSecret;
pub use writer::Writer;

/// The 16 octets that tie a reply to its request, and hide its passwords.
pub type Authenticator = [u8; 16];

/// Octets before the first attribute.
pub const HEADER_LEN: usize = 20;

/// RFC 2865 §3: "the minimum length is 20 and maximum length is 4096".
pub const MAX_LEN: usize = 4096;

/// The longest value of one attribute: its Length octet counts Type and Length too.
pub const MAX_VALUE_LEN: usize = 253;

/// What is wrong with a packet, or with what was to be put into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Fewer octets than a header has.
    #[error("a RADIUS packet has at least 20 octets, this datagram has {octets}")]
    Short {
        /// Octets in the datagram.
        octets: usize,
    },
    /// The Length field is out of bounds or beyond the datagram.
    #[error(
        "the Length field of the RADIUS packet says {length}, the datagram has {octets} octets"
    )]
    Length {
        /// What the field says.
        length: usize,
        /// Octets in the datagram.
        octets: usize,
    },
    /// An attribute is shorter than its own header or runs beyond the packet.
    #[error("RADIUS attribute {kind} at octet {offset} says it is {length} octets long")]
    Attribute {
        /// Octet of the packet at which the attribute begins.
        offset: usize,
        /// Its Type.
        kind: u8,
        /// Its Length.
        length: u8,
    },
    /// A value does not fit into one attribute.
    #[error("a RADIUS attribute holds at most 253 octets, {kind} was given {octets}")]
    ValueLength {
        /// Type of the attribute.
        kind: u8,
        /// Octets given.
        octets: usize,
    },
    /// The attributes do not fit into one packet.
    #[error("a RADIUS packet holds at most 4096 octets, attribute {kind} would exceed that")]
    PacketLength {
        /// Type of the attribute that did not fit.
        kind: u8,
    },
    /// RFC 2865 §5.2 hides at most 128 octets.
    #[error("a RADIUS User-Password holds at most 128 octets, this one has {octets}")]
    PasswordLength {
        /// Octets given.
        octets: usize,
    },
    /// The hidden password is not a whole number of blocks.
    #[error("a hidden User-Password has 16 to 128 octets in blocks of 16, this one has {octets}")]
    HiddenLength {
        /// Octets received.
        octets: usize,
    },
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Short { .. } | Self::Length { .. } | Self::Attribute { .. } => {
                "is the peer a RADIUS server (UDP port 1812), and is nothing between cutting datagrams?"
            }
            Self::ValueLength { .. } | Self::PacketLength { .. } => "shorten the value",
            Self::PasswordLength { .. } => "PIN and code together may not exceed 128 octets",
            Self::HiddenLength { .. } => {
                "the client hides the password in another way than RFC 2865 §5.2"
            }
        }
    }
}
