//! Names, numbers and shapes of the attributes that an authentication may carry; the rest are
//! known by number.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// How the value of an attribute is to be read (RFC 2865 §5, RFC 8044 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// UTF-8.
    Text,
    /// Octets: written as text, or as hexadecimal after `0x`.
    Octets,
    /// 32 bits, big-endian.
    Integer,
    /// An IPv4 address.
    Address,
    /// An IPv6 address.
    Address6,
    /// Octets that must not be shown or set by hand.
    Hidden,
}

macro_rules! dictionary {
    ($($constant:ident = $kind:literal, $name:literal, $shape:ident;)+) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: u8 = $kind;
        )+
        const KNOWN: &[(u8, &str, Shape)] = &[$(($kind, $name, Shape::$shape)),+];
    };
}

dictionary! {
    USER_NAME = 1, "User-Name", Text;
    USER_PASSWORD = 2, "User-Password", Hidden;
    CHAP_PASSWORD = 3, "CHAP-Password", Hidden;
    NAS_IP_ADDRESS = 4, "NAS-IP-Address", Address;
    NAS_PORT = 5, "NAS-Port", Integer;
    SERVICE_TYPE = 6, "Service-Type", Integer;
    FRAMED_PROTOCOL = 7, "Framed-Protocol", Integer;
    FRAMED_IP_ADDRESS = 8, "Framed-IP-Address", Address;
    FILTER_ID = 11, "Filter-Id", Text;
    LOGIN_IP_HOST = 14, "Login-IP-Host", Address;
    LOGIN_SERVICE = 15, "Login-Service", Integer;
    REPLY_MESSAGE = 18, "Reply-Message", Text;
    STATE = 24, "State", Octets;
    CLASS = 25, "Class", Octets;
    VENDOR_SPECIFIC = 26, "Vendor-Specific", Octets;
    SESSION_TIMEOUT = 27, "Session-Timeout", Integer;
    IDLE_TIMEOUT = 28, "Idle-Timeout", Integer;
    TERMINATION_ACTION = 29, "Termination-Action", Integer;
    CALLED_STATION_ID = 30, "Called-Station-Id", Text;
    CALLING_STATION_ID = 31, "Calling-Station-Id", Text;
    NAS_IDENTIFIER = 32, "NAS-Identifier", Text;
    PROXY_STATE = 33, "Proxy-State", Octets;
    CHAP_CHALLENGE = 60, "CHAP-Challenge", Octets;
    NAS_PORT_TYPE = 61, "NAS-Port-Type", Integer;
    PORT_LIMIT = 62, "Port-Limit", Integer;
    PROMPT = 76, "Prompt", Integer;
    CONNECT_INFO = 77, "Connect-Info", Text;
    EAP_MESSAGE = 79, "EAP-Message", Octets;
    MESSAGE_AUTHENTICATOR = 80, "Message-Authenticator", Hidden;
    NAS_PORT_ID = 87, "NAS-Port-Id", Text;
    CHARGEABLE_USER_IDENTITY = 89, "Chargeable-User-Identity", Octets;
    NAS_IPV6_ADDRESS = 95, "NAS-IPv6-Address", Address6;
    ERROR_CAUSE = 101, "Error-Cause", Integer;
}

/// The name of attribute `kind`, where this dictionary has one.
#[must_use]
pub fn name(kind: u8) -> Option<&'static str> {
    KNOWN.iter().find(|known| known.0 == kind).map(|known| known.1)
}

/// The shape of attribute `kind`; octets when it is not known.
#[must_use]
pub fn shape(kind: u8) -> Shape {
    KNOWN.iter().find(|known| known.0 == kind).map_or(Shape::Octets, |known| known.2)
}

/// Which attribute: `NAS-Identifier`, `32`, or `26.311.1` for type 1 of vendor 311.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Selector {
    /// An attribute of the packet itself.
    Plain(u8),
    /// One within a Vendor-Specific attribute.
    Vendor {
        /// The vendor's number at IANA.
        vendor: u32,
        /// The vendor's own type.
        kind: u8,
    },
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(known) = KNOWN.iter().find(|known| known.1.eq_ignore_ascii_case(text)) {
            return Ok(Self::Plain(known.0));
        }
        let parsed = match text.split('.').collect::<Vec<_>>()[..] {
            [kind] => kind.parse().ok().filter(|&kind| kind != 0).map(Self::Plain),
            ["26", vendor, kind] => match (vendor.parse(), kind.parse()) {
                (Ok(vendor), Ok(kind)) => Some(Self::Vendor { vendor, kind }),
                _ => None,
            },
            _ => None,
        };
        parsed.ok_or_else(|| {
            format!(
                "unknown RADIUS attribute {text:?}: give a name of RFC 2865 (NAS-Identifier), a number \
                 (32), or 26.VENDOR.TYPE"
            )
        })
    }
}

/// The name, the number, or `26.VENDOR.TYPE`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(kind) => match name(*kind) {
                Some(name) => f.write_str(name),
                None => write!(f, "{kind}"),
            },
            Self::Vendor { vendor, kind } => write!(f, "26.{vendor}.{kind}"),
        }
    }
}

impl Selector {
    /// The octets of `text` in the shape of this attribute; vendors' attributes are octets.
    ///
    /// # Errors
    /// A sentence that says which shape is wanted, or that the attribute is not set by hand.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        let shape = match self {
            Self::Plain(kind) => shape(kind),
            Self::Vendor { .. } => Shape::Octets,
        };
        let wanted = |what: &str| format!("{text:?} is not {what}");
        match shape {
            Shape::Text => Ok(text.as_bytes().to_vec()),
            Shape::Octets => match text.strip_prefix("0x") {
                Some(hex) => data_encoding::HEXLOWER_PERMISSIVE
                    .decode(hex.as_bytes())
                    .map_err(|_| wanted("hexadecimal after 0x")),
                None => Ok(text.as_bytes().to_vec()),
            },
            Shape::Integer => text
                .parse::<u32>()
                .map(|number| number.to_be_bytes().to_vec())
                .map_err(|_| wanted("a number from 0 to 4294967295")),
            Shape::Address => text
                .parse::<Ipv4Addr>()
                .map(|address| address.octets().to_vec())
                .map_err(|_| wanted("an IPv4 address")),
            Shape::Address6 => text
                .parse::<Ipv6Addr>()
                .map(|address| address.octets().to_vec())
                .map_err(|_| wanted("an IPv6 address")),
            Shape::Hidden => Err("this attribute is computed, it cannot be set".to_owned()),
        }
    }

    /// The values of this attribute in `packet`, in order.
    pub fn values<'a>(
        self,
        packet: &super::Packet<'a>,
    ) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        packet.attributes().flat_map(move |attribute| {
            let (plain, vendor) = match self {
                Self::Plain(kind) => ((attribute.kind == kind).then_some(attribute.value), None),
                Self::Vendor { vendor, kind } => (
                    None,
                    Some(
                        attribute
                            .vendor()
                            .filter(move |inner| inner.vendor == vendor && inner.kind == kind)
                            .map(|inner| inner.value),
                    ),
                ),
            };
            plain.into_iter().chain(vendor.into_iter().flatten())
        })
    }
}

/// `value` as a person reads it: text, number, address, or hexadecimal after `0x`.
#[must_use]
pub fn display(kind: u8, value: &[u8]) -> String {
    match (shape(kind), value) {
        (Shape::Hidden, _) => "[hidden]".to_owned(),
        (Shape::Integer, &[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]).to_string(),
        (Shape::Address, &[a, b, c, d]) => Ipv4Addr::new(a, b, c, d).to_string(),
        (Shape::Address6, octets) if octets.len() == 16 => {
            let mut address = [0; 16];
            address.copy_from_slice(octets);
            Ipv6Addr::from(address).to_string()
        }
        // A server that writes another charset than UTF-8 still says something.
        (Shape::Text, _) => String::from_utf8_lossy(value)
            .replace(char::is_whitespace, " ")
            .replace(char::is_control, "\u{fffd}"),
        _ => match std::str::from_utf8(value) {
            Ok(text) if !text.contains(char::is_control) => text.to_owned(),
            _ => format!("0x{}", data_encoding::HEXLOWER.encode(value)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_named_numbered_or_a_vendors() {
        assert_eq!("nas-identifier".parse(), Ok(Selector::Plain(NAS_IDENTIFIER)));
        assert_eq!("200".parse(), Ok(Selector::Plain(200)));
        assert_eq!("26.311.1".parse(), Ok(Selector::Vendor { vendor: 311, kind: 1 }));
        for bad in ["", "0", "256", "-1", "27.1.1", "26.1", "26.1.1.1", "26.x.1", "Nas"] {
            let error = bad.parse::<Selector>().unwrap_err();
            assert!(error.starts_with(&format!("unknown RADIUS attribute {bad:?}")), "{error}");
        }
    }

    #[test]
    fn values_are_written_in_their_shape_and_shown_again() {
        for (selector, text, octets) in [
            ("NAS-Port", "3", &[0, 0, 0, 3][..]),
            ("NAS-IP-Address", "192.168.1.16", &[192, 168, 1, 16]),
            ("NAS-Identifier", "portail", b"portail"),
            ("State", "0x00ff", &[0, 255]),
            ("State", "SECURID_NPIN|1", b"SECURID_NPIN|1"),
        ] {
            let selector: Selector = selector.parse().unwrap();
            assert_eq!(selector.encode(text).unwrap(), octets);
            let Selector::Plain(kind) = selector else { panic!("no vendor here") };
            assert_eq!(display(kind, octets), text);
        }
        let six: Selector = "NAS-IPv6-Address".parse().unwrap();
        assert_eq!(display(NAS_IPV6_ADDRESS, &six.encode("::1").unwrap()), "::1");
    }

    #[test]
    fn values_of_another_shape_are_refused() {
        for (selector, text, message) in [
            ("NAS-Port", "x", "\"x\" is not a number from 0 to 4294967295"),
            ("NAS-IP-Address", "1.2.3", "\"1.2.3\" is not an IPv4 address"),
            ("NAS-IPv6-Address", "1.2.3.4", "\"1.2.3.4\" is not an IPv6 address"),
            ("State", "0xfg", "\"0xfg\" is not hexadecimal after 0x"),
            ("User-Password", "ab12", "this attribute is computed, it cannot be set"),
        ] {
            let selector: Selector = selector.parse().unwrap();
            assert_eq!(selector.encode(text).unwrap_err(), message);
        }
    }

    #[test]
    fn hidden_values_are_not_shown() {
        assert_eq!(display(USER_PASSWORD, b"ab12"), "[hidden]");
    }

    #[test]
    fn text_is_shown_as_text_whatever_its_bytes() {
        assert_eq!(display(REPLY_MESSAGE, b"a\x1b[2J\r\nb"), "a\u{fffd}[2J  b");
        assert_eq!(display(REPLY_MESSAGE, b"refus\xe9 !"), "refus\u{fffd} !");
        assert_eq!(display(STATE, b"\xe9"), "0xe9");
    }

    #[test]
    fn every_name_and_number_is_there_once() {
        for (at, known) in KNOWN.iter().enumerate() {
            assert!(KNOWN[..at].iter().all(|other| other.0 != known.0 && other.1 != known.1));
        }
    }
}
