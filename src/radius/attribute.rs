//! Attributes: "Type, Length, Value" (RFC 2865 §5), and those of vendors within them (§5.26).

use super::{Error, HEADER_LEN, dictionary};

/// One attribute, borrowed from its packet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Type, see [`dictionary`].
    pub kind: u8,
    /// Value, 0 to 253 octets.
    ///
    /// RFC 2865 §5 says that an empty value is never sent, yet RFC 3579 §2.1 begins a
    /// conversation with an empty EAP-Message: it is let through.
    pub value: &'a [u8],
    /// Octet of the packet at which the value begins.
    pub at: usize,
}

impl<'a> Attribute<'a> {
    /// The attributes that a Vendor-Specific attribute carries in the layout that RFC 2865 §5.26
    /// suggests (four octets Vendor-Id, then Type, Length, Value); none when it has another.
    pub fn vendor(&self) -> impl Iterator<Item = VendorAttribute<'a>> + use<'a> {
        let parts = match self.value.split_first_chunk::<4>() {
            Some((vendor, rest)) if self.kind == dictionary::VENDOR_SPECIFIC => {
                Some((u32::from_be_bytes(*vendor), rest))
            }
            _ => None,
        };
        let (vendor, mut rest) = parts.unwrap_or((0, &[]));
        std::iter::from_fn(move || {
            let (&[kind, length], _) = rest.split_first_chunk::<2>()?;
            let value = rest.get(2..usize::from(length))?;
            rest = &rest[usize::from(length)..];
            Some(VendorAttribute { vendor, kind, value })
        })
    }
}

/// The type and the number of octets; no value, as some are secret.
impl std::fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attribute({}, {} octets)", self.kind, self.value.len())
    }
}

/// An attribute of a vendor's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorAttribute<'a> {
    /// The vendor's number at IANA ("SMI Network Management Private Enterprise Code").
    pub vendor: u32,
    /// The vendor's own type.
    pub kind: u8,
    /// The value.
    pub value: &'a [u8],
}

/// The attributes of a packet in order.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Attributes<'a> {
    /// The attributes of `packet`, which [`check`] found right.
    pub(super) fn new(packet: &'a [u8]) -> Self {
        Self { packet, at: HEADER_LEN }
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let (&[kind, length], _) = self.packet.get(self.at..)?.split_first_chunk::<2>()?;
        let at = self.at + 2;
        self.at += usize::from(length);
        Some(Attribute { kind, value: self.packet.get(at..self.at)?, at })
    }
}

/// Whether the attributes of `packet` (header included) fill it exactly.
pub(super) fn check(packet: &[u8]) -> Result<(), Error> {
    let mut offset = HEADER_LEN;
    while let Some(&kind) = packet.get(offset) {
        let length = packet.get(offset + 1).copied().unwrap_or(0);
        let end = offset + usize::from(length);
        if length < 2 || end > packet.len() {
            return Err(Error::Attribute { offset, kind, length });
        }
        offset = end;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vendor_specific(value: &[u8]) -> Vec<(u32, u8, Vec<u8>)> {
        Attribute { kind: dictionary::VENDOR_SPECIFIC, value, at: 0 }
            .vendor()
            .map(|inner| (inner.vendor, inner.kind, inner.value.to_vec()))
            .collect()
    }

    #[test]
    fn vendor_attributes_are_unpacked() {
        let value = b"\0\0\0\x09\x01\x04hi\x02\x03!";
        assert_eq!(vendor_specific(value), [(9, 1, b"hi".to_vec()), (9, 2, b"!".to_vec())]);
    }

    #[test]
    fn other_vendor_layouts_yield_nothing_wrong() {
        for value in [&b""[..], b"\0\0\0", b"\0\0\0\x09", b"\0\0\0\x09\x01", b"\0\0\0\x09\x01\x00"]
        {
            assert_eq!(vendor_specific(value), []);
        }
        // A cut second attribute does not lose the first.
        assert_eq!(vendor_specific(b"\0\0\0\x09\x01\x03a\x02\x09"), [(9, 1, b"a".to_vec())]);
        let other = Attribute { kind: dictionary::STATE, value: b"\0\0\0\x09\x01\x03a", at: 0 };
        assert_eq!(other.vendor().count(), 0);
    }
}
