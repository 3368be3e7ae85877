//! Writing packets: attribute by attribute into the caller's buffer, sealed at the end.

use super::message_authenticator as mac;
use super::{
    Authenticator, Code, Error, HEADER_LEN, MAX_LEN, MAX_VALUE_LEN, Packet, SharedSecret,
    authenticator, dictionary, password,
};

/// Builds one packet, its Message-Authenticator first.
///
/// The octets are no packet before [`Writer::finish`] has written the length and sealed them.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    request_authenticator: Authenticator,
    is_reply: bool,
}

impl<'b> Writer<'b> {
    /// Begins an Access-Request or Status-Server in `buffer`, whose content is lost.
    ///
    /// `authenticator` must be unpredictable and new for every request (RFC 2865 §3); a
    /// retransmission is the same octets again, not a new packet (RFC 5080 §2.2.2).
    pub fn request(
        buffer: &'b mut Vec<u8>,
        code: Code,
        identifier: u8,
        authenticator: &Authenticator,
    ) -> Self {
        Self::begin(buffer, code, identifier, authenticator, false)
    }

    /// Begins the reply to `request` in `buffer`, whose content is lost. Every Proxy-State of the
    /// request is copied, in order (RFC 2865 §5.33).
    ///
    /// # Errors
    /// [`Error::PacketLength`] when the Proxy-States fill the packet.
    pub fn reply(buffer: &'b mut Vec<u8>, code: Code, request: &Packet<'_>) -> Result<Self, Error> {
        let mut writer =
            Self::begin(buffer, code, request.identifier(), request.authenticator(), true);
        for attribute in request.attributes().filter(|a| a.kind == dictionary::PROXY_STATE) {
            writer.push(attribute.kind, attribute.value)?;
        }
        Ok(writer)
    }

    fn begin(
        buffer: &'b mut Vec<u8>,
        code: Code,
        identifier: u8,
        authenticator: &Authenticator,
        is_reply: bool,
    ) -> Self {
        buffer.clear();
        buffer.extend_from_slice(&[code.0, identifier, 0, 0]);
        buffer.extend_from_slice(authenticator);
        buffer.extend_from_slice(&[dictionary::MESSAGE_AUTHENTICATOR, 2 + mac::LEN as u8]);
        buffer.extend_from_slice(&[0; mac::LEN]);
        Self { buffer, request_authenticator: *authenticator, is_reply }
    }

    /// Appends an attribute. An empty value is left out altogether, as RFC 2865 §5 asks.
    ///
    /// # Errors
    /// [`Error::ValueLength`], [`Error::PacketLength`]; nothing is appended then.
    pub fn push(&mut self, kind: u8, value: &[u8]) -> Result<&mut Self, Error> {
        if !value.is_empty() {
            self.header(kind, value.len())?;
            self.buffer.extend_from_slice(value);
        }
        Ok(self)
    }

    /// Appends text in as many attributes as it needs, cut between characters.
    ///
    /// # Errors
    /// [`Error::PacketLength`]; what fitted before is kept.
    pub fn push_text(&mut self, kind: u8, text: &str) -> Result<&mut Self, Error> {
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = rest.len().min(MAX_VALUE_LEN);
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            self.push(kind, &rest.as_bytes()[..end])?;
            rest = &rest[end..];
        }
        Ok(self)
    }

    /// Appends a vendor's attribute in a Vendor-Specific one of its own (RFC 2865 §5.26).
    ///
    /// # Errors
    /// As [`Writer::push`]; the value may have 247 octets.
    pub fn push_vendor(&mut self, vendor: u32, kind: u8, value: &[u8]) -> Result<&mut Self, Error> {
        self.header(dictionary::VENDOR_SPECIFIC, 4 + 2 + value.len())?;
        self.buffer.extend_from_slice(&vendor.to_be_bytes());
        // `header` has refused a value whose length does not fit.
        self.buffer.extend_from_slice(&[kind, (2 + value.len()) as u8]);
        self.buffer.extend_from_slice(value);
        Ok(self)
    }

    /// Appends a User-Password, hidden.
    ///
    /// # Errors
    /// [`Error::PasswordLength`], [`Error::PacketLength`]; nothing is appended then.
    pub fn push_user_password(
        &mut self,
        password: &[u8],
        secret: &SharedSecret,
    ) -> Result<&mut Self, Error> {
        if password.len() > password::MAX_LEN {
            return Err(Error::PasswordLength { octets: password.len() });
        }
        self.header(dictionary::USER_PASSWORD, password.len().max(1).next_multiple_of(16))?;
        password::hide(password, &self.request_authenticator, secret, self.buffer)?;
        Ok(self)
    }

    /// Appends a CHAP-Password whose challenge is the packet's own Request Authenticator.
    ///
    /// # Errors
    /// [`Error::PacketLength`].
    pub fn push_chap_password(
        &mut self,
        identifier: u8,
        password: &[u8],
    ) -> Result<&mut Self, Error> {
        let value = password::chap(identifier, password, &self.request_authenticator);
        self.push(dictionary::CHAP_PASSWORD, &value)
    }

    /// Writes the length, the Message-Authenticator and, in a reply, the Response Authenticator.
    pub fn finish(self, secret: &SharedSecret) {
        // `header` keeps the packet within 4096 octets.
        let length = self.buffer.len() as u16;
        self.buffer[2..4].copy_from_slice(&length.to_be_bytes());
        let at = HEADER_LEN + 2;
        let mac = mac::compute(self.buffer, &self.request_authenticator, at, secret);
        self.buffer[at..at + mac::LEN].copy_from_slice(&mac);
        if self.is_reply {
            let seal = authenticator::response(self.buffer, &self.request_authenticator, secret);
            self.buffer[4..HEADER_LEN].copy_from_slice(&seal);
        }
    }

    fn header(&mut self, kind: u8, octets: usize) -> Result<(), Error> {
        if octets > MAX_VALUE_LEN {
            return Err(Error::ValueLength { kind, octets });
        }
        if self.buffer.len() + 2 + octets > MAX_LEN {
            return Err(Error::PacketLength { kind });
        }
        self.buffer.extend_from_slice(&[kind, 2 + octets as u8]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radius::Verification;
    use crate::secret::Secret;
    use proptest::prelude::*;

    fn secret() -> SharedSecret {
        SharedSecret::new(Secret::new(b"xyzzy5461".to_vec())).unwrap()
    }

    #[test]
    fn a_request_and_its_reply_check_out() {
        let mut buffer = Vec::new();
        let mut request = Writer::request(&mut buffer, Code::ACCESS_REQUEST, 9, &[3; 16]);
        request.push(dictionary::USER_NAME, b"alice").unwrap();
        request.push_user_password(b"ab12159753", &secret()).unwrap();
        request.push(dictionary::PROXY_STATE, b"p1").unwrap();
        request.push(dictionary::PROXY_STATE, b"p2").unwrap();
        request.finish(&secret());
        let request = Packet::parse(&buffer).unwrap();
        assert!(mac::is_first(&request));
        assert_eq!(mac::verify_request(&request, &secret()), Verification::Valid);

        let mut buffer = Vec::new();
        let mut reply = Writer::reply(&mut buffer, Code::ACCESS_CHALLENGE, &request).unwrap();
        reply.push_text(dictionary::REPLY_MESSAGE, &"é".repeat(200)).unwrap();
        reply.push_vendor(311, 1, b"x").unwrap();
        reply.finish(&secret());
        let reply = Packet::parse(&buffer).unwrap();
        assert_eq!((reply.code(), reply.identifier()), (Code::ACCESS_CHALLENGE, 9));
        assert!(mac::is_first(&reply));
        assert!(authenticator::verify(&reply, request.authenticator(), &secret()));
        assert!(!authenticator::verify(&reply, &[4; 16], &secret()));
        assert_eq!(
            mac::verify_reply(&reply, request.authenticator(), &secret()),
            Verification::Valid
        );
        assert_eq!(mac::verify_reply(&reply, &[4; 16], &secret()), Verification::Invalid);
        assert_eq!(reply.text(dictionary::REPLY_MESSAGE), "é".repeat(200));
        let states: Vec<_> = reply
            .attributes()
            .filter(|a| a.kind == dictionary::PROXY_STATE)
            .map(|a| a.value)
            .collect();
        assert_eq!(states, [b"p1", b"p2"]);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_the_packet_whole() {
        let mut buffer = Vec::new();
        let mut request = Writer::request(&mut buffer, Code::ACCESS_REQUEST, 0, &[0; 16]);
        let long = [b'x'; 254];
        let error = request.push(dictionary::USER_NAME, &long).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a RADIUS attribute holds at most 253 octets, 1 was given 254"
        );
        request.push_vendor(1, 1, &long[..248]).unwrap_err();
        request.push_user_password(&long, &secret()).unwrap_err();
        while request.push(dictionary::REPLY_MESSAGE, &long[..253]).is_ok() {}
        let error = request.push(dictionary::STATE, &long[..253]).unwrap_err();
        assert_eq!(error, Error::PacketLength { kind: dictionary::STATE });
        request.finish(&secret());
        let packet = Packet::parse(&buffer).unwrap();
        assert_eq!(mac::verify_request(&packet, &secret()), Verification::Valid);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut buffer = Vec::new();
        let mut request = Writer::request(&mut buffer, Code::ACCESS_REQUEST, 1, &[5; 16]);
        request.push(dictionary::USER_NAME, b"bob").unwrap();
        request.finish(&secret());
        for bit in 0..buffer.len() * 8 {
            let mut bad = buffer.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let valid = Packet::parse(&bad)
                .is_ok_and(|packet| mac::verify_request(&packet, &secret()) == Verification::Valid);
            assert!(!valid, "bit {bit}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            identifier: u8,
            authenticator: [u8; 16],
            attributes in proptest::collection::vec(
                (1u8.., proptest::collection::vec(any::<u8>(), 1..=MAX_VALUE_LEN)), 0..15),
        ) {
            let mut buffer = Vec::new();
            let mut writer =
                Writer::request(&mut buffer, Code::ACCESS_REQUEST, identifier, &authenticator);
            for (kind, value) in &attributes {
                writer.push(*kind, value).unwrap();
            }
            writer.finish(&secret());
            let packet = Packet::parse(&buffer).unwrap();
            prop_assert_eq!(packet.identifier(), identifier);
            prop_assert_eq!(packet.authenticator(), &authenticator);
            let read: Vec<_> =
                packet.attributes().skip(1).map(|a| (a.kind, a.value.to_vec())).collect();
            prop_assert_eq!(read, attributes);
        }

        #[test]
        fn no_datagram_panics(mut datagram in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(length) = datagram.get_mut(2..4) {
                // Half of the random lengths are made plausible, or nearly nothing would be read.
                if length[0] % 2 == 0 {
                    length[0] = 0;
                }
            }
            if let Ok(packet) = Packet::parse(&datagram) {
                let total: usize = packet.attributes().map(|a| a.value.len() + 2).sum();
                prop_assert_eq!(total + HEADER_LEN, packet.octets().len());
                let _ = packet.attributes().flat_map(|a| a.vendor()).count();
                let _ = mac::verify_request(&packet, &secret());
                let _ = authenticator::verify(&packet, &[0; 16], &secret());
            }
        }
    }
}
