//! A received datagram, checked once and then read in place.

use std::fmt;

use super::attribute::{self, Attributes};
use super::{Authenticator, Error, HEADER_LEN, MAX_LEN};

/// What a packet is for (RFC 2865 §3, 2866 §3, 5997 §2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code(pub u8);

impl Code {
    /// A user asks to be let in.
    pub const ACCESS_REQUEST: Self = Self(1);
    /// The user may come in.
    pub const ACCESS_ACCEPT: Self = Self(2);
    /// The user may not.
    pub const ACCESS_REJECT: Self = Self(3);
    /// The user is asked for more.
    pub const ACCESS_CHALLENGE: Self = Self(11);
    /// The server is asked whether it lives.
    pub const STATUS_SERVER: Self = Self(12);

    const NAMES: [(Self, &'static str); 5] = [
        (Self::ACCESS_REQUEST, "Access-Request"),
        (Self::ACCESS_ACCEPT, "Access-Accept"),
        (Self::ACCESS_REJECT, "Access-Reject"),
        (Self::ACCESS_CHALLENGE, "Access-Challenge"),
        (Self::STATUS_SERVER, "Status-Server"),
    ];

    /// The code of that name in the RFC's spelling, either case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(code, _)| *code)
    }

    /// Whether it answers an Access-Request.
    #[must_use]
    pub fn is_access_reply(self) -> bool {
        matches!(self, Self::ACCESS_ACCEPT | Self::ACCESS_REJECT | Self::ACCESS_CHALLENGE)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES.iter().find(|(known, _)| known == self) {
            Some((_, name)) => f.pad(name),
            None => write!(f, "code {}", self.0),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A packet whose Length and attribute lengths are known to be right.
///
/// It borrows the datagram: reading a reply copies nothing.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    octets: &'a [u8],
    authenticator: &'a Authenticator,
}

impl<'a> Packet<'a> {
    /// Checks `datagram`.
    ///
    /// RFC 2865 §3: octets beyond Length "MUST be treated as padding and ignored on reception";
    /// a packet shorter than Length is refused, as is one whose attributes do not add up.
    ///
    /// # Errors
    /// [`Error::Short`], [`Error::Length`], [`Error::Attribute`].
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let short = Error::Short { octets: datagram.len() };
        let (header, _) = datagram.split_first_chunk::<4>().ok_or(short)?;
        let authenticator = datagram.get(4..).and_then(<[u8]>::first_chunk).ok_or(short)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if !(HEADER_LEN..=MAX_LEN).contains(&length) || length > datagram.len() {
            return Err(Error::Length { length, octets: datagram.len() });
        }
        let octets = &datagram[..length];
        attribute::check(octets)?;
        Ok(Self { octets, authenticator })
    }

    /// What it is for.
    #[must_use]
    pub fn code(&self) -> Code {
        Code(self.octets[0])
    }

    /// Pairs requests with replies.
    #[must_use]
    pub fn identifier(&self) -> u8 {
        self.octets[1]
    }

    /// Request Authenticator or Response Authenticator, as the code says.
    #[must_use]
    pub fn authenticator(&self) -> &'a Authenticator {
        self.authenticator
    }

    /// The attributes in order.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(self.octets)
    }

    /// The value of the first attribute of type `kind`.
    #[must_use]
    pub fn first(&self, kind: u8) -> Option<&'a [u8]> {
        self.attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The text of all attributes of type `kind`, one after the other: a server may cut a long
    /// Reply-Message into several (RFC 2865 §5.18). Octets that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self, kind: u8) -> String {
        let mut octets = Vec::new();
        for attribute in self.attributes().filter(|attribute| attribute.kind == kind) {
            octets.extend_from_slice(attribute.value);
        }
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// The whole packet, without padding.
    #[must_use]
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }
}

/// Code, identifier and the types and lengths of the attributes; no value, as some are secret.
impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape: Vec<_> =
            self.attributes().map(|attribute| (attribute.kind, attribute.value.len())).collect();
        f.debug_struct("Packet")
            .field("code", &self.code())
            .field("identifier", &self.identifier())
            .field("attributes", &shape)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radius::dictionary;
    use data_encoding::HEXLOWER;

    const ACCEPT: &str =
        "02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103";

    fn octets(hex: &str) -> Vec<u8> {
        HEXLOWER.decode(hex.replace(' ', "").as_bytes()).unwrap()
    }

    #[test]
    fn a_packet_is_read_in_place() {
        let datagram = octets(ACCEPT);
        let packet = Packet::parse(&datagram).unwrap();
        assert_eq!(packet.code(), Code::ACCESS_ACCEPT);
        assert_eq!(packet.identifier(), 0);
        assert_eq!(packet.first(dictionary::LOGIN_IP_HOST), Some(&[192, 168, 1, 3][..]));
        assert_eq!(packet.first(dictionary::STATE), None);
        assert_eq!(packet.attributes().count(), 3);
        assert_eq!(
            format!("{packet:?}"),
            "Packet { code: Access-Accept, identifier: 0, attributes: [(6, 4), (15, 4), (14, 4)] }"
        );
    }

    #[test]
    fn padding_is_ignored() {
        let mut datagram = octets(ACCEPT);
        let length = datagram.len();
        datagram.extend([0; 7]);
        assert_eq!(Packet::parse(&datagram).unwrap().octets().len(), length);
    }

    #[test]
    fn long_messages_are_joined_and_odd_octets_survive() {
        let mut datagram = octets("03000000 00000000000000000000000000000000");
        datagram.extend(b"\x12\x05ab\xc3\x12\x04\xa9\xff");
        datagram[3] = datagram.len() as u8;
        assert_eq!(
            Packet::parse(&datagram).unwrap().text(dictionary::REPLY_MESSAGE),
            "abé\u{fffd}"
        );
    }

    #[test]
    fn bad_lengths_are_refused_by_name() {
        let whole = octets(ACCEPT);
        for cut in 0..HEADER_LEN {
            assert_eq!(Packet::parse(&whole[..cut]).unwrap_err(), Error::Short { octets: cut });
        }
        for cut in HEADER_LEN..whole.len() {
            let error = Packet::parse(&whole[..cut]).unwrap_err();
            assert_eq!(error, Error::Length { length: 38, octets: cut });
        }
        for (length, text) in [
            (19, "the Length field of the RADIUS packet says 19, the datagram has 38 octets"),
            (4097, "the Length field of the RADIUS packet says 4097, the datagram has 38 octets"),
        ] {
            let mut bad = whole.clone();
            bad[2..4].copy_from_slice(&u16::to_be_bytes(length));
            let error = Packet::parse(&bad).unwrap_err();
            assert_eq!(error.to_string(), text);
            assert!(error.hint().contains("UDP port 1812"));
        }
        for length in [0, 1, 19, 255] {
            let mut bad = whole.clone();
            bad[21] = length;
            let error = Packet::parse(&bad).unwrap_err();
            assert_eq!(error, Error::Attribute { offset: 20, kind: 6, length });
        }
        // One octet left over: an attribute without its Length.
        let mut bad = whole;
        bad.push(24);
        bad[3] += 1;
        let error = Packet::parse(&bad).unwrap_err();
        assert_eq!(error, Error::Attribute { offset: 38, kind: 24, length: 0 });
    }

    #[test]
    fn codes_have_the_names_of_the_rfc() {
        assert_eq!(Code::named("access-challenge"), Some(Code(11)));
        assert_eq!(Code::named("Access"), None);
        assert_eq!(Code(40).to_string(), "code 40");
        assert!(!Code::ACCESS_REQUEST.is_access_reply());
    }
}
