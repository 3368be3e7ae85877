//! RADIUS datagrams: parsed, verified, read, written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trousseau::radius::dictionary::{self, Selector};
use trousseau::radius::{
    Code, Packet, SharedSecret, Verification, Writer, authenticator, message_authenticator,
    password,
};
use trousseau_fuzz::{assert_silent, secret};

const SECRET: &[u8] = b"a shared secret";

fuzz_target!(|input: &[u8]| {
    let shared = SharedSecret::new(secret(SECRET)).expect("not empty");
    let packet = match Packet::parse(input) {
        Ok(packet) => packet,
        Err(error) => {
            assert_silent(&format!("{error} {}", error.hint()), SECRET, input);
            return;
        }
    };
    let octets: usize = packet.attributes().map(|one| one.value.len() + 2).sum();
    assert_eq!(octets + 20, packet.octets().len());
    let request = *packet.authenticator();
    for verified in [
        message_authenticator::verify_request(&packet, &shared),
        message_authenticator::verify_reply(&packet, &[7; 16], &shared),
    ] {
        let there = packet.first(dictionary::MESSAGE_AUTHENTICATOR).is_some();
        assert_eq!(verified == Verification::Absent, !there);
    }
    let _ = authenticator::verify(&packet, &request, &shared);
    for one in packet.attributes() {
        let _ = dictionary::display(one.kind, one.value);
        for inner in one.vendor() {
            let selector = Selector::Vendor { vendor: inner.vendor, kind: inner.kind };
            assert!(selector.values(&packet).any(|value| value == inner.value));
        }
        if let Ok(plain) = password::reveal(one.value, &request, &shared) {
            let mut hidden = Vec::new();
            password::hide(&plain, &request, &shared, &mut hidden).expect("it was not longer");
            // Blocks of zeros at its end are padding.
            let again = password::reveal(&hidden, &request, &shared).expect("whole blocks");
            assert_eq!(*again, *plain);
        }
        let _ = password::chap_verify(one.value, b"1234918273", &request);
    }
    written(&packet, &shared);
});

/// The same attributes in a packet of our own come back, sealed.
fn written(packet: &Packet<'_>, shared: &SharedSecret) {
    let mut buffer = Vec::new();
    let mut writer =
        Writer::request(&mut buffer, Code::ACCESS_REQUEST, packet.identifier(), &[3; 16]);
    let mut pushed = Vec::new();
    for one in packet.attributes().filter(|one| one.kind != dictionary::MESSAGE_AUTHENTICATOR) {
        // The Message-Authenticator that is added may leave no room for the last.
        if writer.push(one.kind, one.value).is_ok() && !one.value.is_empty() {
            pushed.push((one.kind, one.value.to_vec()));
        }
    }
    writer.finish(shared);
    let again = Packet::parse(&buffer).expect("what is written is a packet");
    let found: Vec<_> =
        again.attributes().skip(1).map(|one| (one.kind, one.value.to_vec())).collect();
    assert_eq!(found, pushed);
    let verified = message_authenticator::verify_request(&again, shared);
    assert_eq!(verified, Verification::Valid);

    let mut answer = Vec::new();
    let Ok(mut writer) = Writer::reply(&mut answer, Code::ACCESS_REJECT, &again) else { return };
    let _ = writer.push_text(dictionary::REPLY_MESSAGE, &packet.text(dictionary::REPLY_MESSAGE));
    writer.finish(shared);
    let answer = Packet::parse(&answer).expect("what is written is a packet");
    assert!(authenticator::verify(&answer, again.authenticator(), shared));
    let verified = message_authenticator::verify_reply(&answer, again.authenticator(), shared);
    assert_eq!(verified, Verification::Valid);
}
