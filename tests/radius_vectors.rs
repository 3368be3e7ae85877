//! The RADIUS codec against packets that others wrote: those printed in RFC 2865 §7, and those
//! recorded from radclient and FreeRADIUS.

use std::collections::HashMap;

use trousseau::radius::{
    Authenticator, Code, Packet, SharedSecret, Verification, Writer, authenticator, dictionary,
    message_authenticator, password,
};
use trousseau::secret::Secret;

const RFC: &str = include_str!("vectors/radius/rfc2865-section7.txt");
const FREERADIUS: &str = include_str!("vectors/radius/freeradius-3.2.1.txt");

fn secret(text: &str) -> SharedSecret {
    SharedSecret::new(Secret::new(text.as_bytes().to_vec())).unwrap()
}

/// Name → (name of the request it answers, octets).
fn vectors(text: &'static str) -> HashMap<&'static str, (&'static str, Vec<u8>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let [name, request, hex] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            (name, (request, data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()))
        })
        .collect()
}

/// Checks every reply against its request, and against every other request.
fn check_replies(text: &'static str, secret: &SharedSecret) -> usize {
    let vectors = vectors(text);
    let parsed = |name: &str| Packet::parse(&vectors[name].1).unwrap();
    let mut checked = 0;
    for (name, (answers, _)) in vectors.iter().filter(|(_, (answers, _))| *answers != "-") {
        for (other, _) in vectors.iter().filter(|(_, (answers, _))| *answers == "-") {
            let genuine =
                authenticator::verify(&parsed(name), parsed(other).authenticator(), secret);
            assert_eq!(genuine, other == answers, "{name} as an answer to {other}");
            checked += 1;
        }
    }
    checked
}

fn revealed(packet: &Packet<'_>, secret: &SharedSecret) -> Vec<u8> {
    let hidden = packet.first(dictionary::USER_PASSWORD).unwrap();
    password::reveal(hidden, packet.authenticator(), secret).unwrap().to_vec()
}

#[test]
fn the_examples_of_rfc_2865() {
    let secret = secret("xyzzy5461");
    assert_eq!(check_replies(RFC, &secret), 16);
    let vectors = vectors(RFC);
    for (name, plain) in
        [("telnet", "arctangent"), ("challenged", "challenge"), ("answered", "99101462")]
    {
        let packet = Packet::parse(&vectors[name].1).unwrap();
        assert_eq!(revealed(&packet, &secret), plain.as_bytes());
        // Written by us, the attribute has the octets that the RFC prints.
        let mut hidden = Vec::new();
        password::hide(plain.as_bytes(), packet.authenticator(), &secret, &mut hidden).unwrap();
        assert_eq!(Some(&hidden[..]), packet.first(dictionary::USER_PASSWORD));
        assert_eq!(message_authenticator::verify_request(&packet, &secret), Verification::Absent);
    }
    let challenge = Packet::parse(&vectors["challenge"].1).unwrap();
    assert_eq!(challenge.code(), Code::ACCESS_CHALLENGE);
    assert_eq!(
        challenge.text(dictionary::REPLY_MESSAGE),
        "Challenge 32769430.  Enter response at prompt."
    );
    let answered = Packet::parse(&vectors["answered"].1).unwrap();
    assert_eq!(answered.first(dictionary::STATE), challenge.first(dictionary::STATE));
}

#[test]
fn packets_recorded_from_freeradius() {
    let secret = secret("testing123testing123");
    assert_eq!(check_replies(FREERADIUS, &secret), 9);
    let vectors = vectors(FREERADIUS);
    let parsed = |name: &str| Packet::parse(&vectors[name].1).unwrap();
    for name in ["pap", "chap"] {
        let request = parsed(name);
        assert_eq!(message_authenticator::verify_request(&request, &secret), Verification::Valid);
        let reply = parsed(&format!("{name}-accept"));
        let of =
            |request: &Authenticator| message_authenticator::verify_reply(&reply, request, &secret);
        assert_eq!(of(request.authenticator()), Verification::Valid);
        assert_eq!(of(parsed("no-ma").authenticator()), Verification::Invalid);
        assert!(!message_authenticator::is_first(&reply), "3.2.1 puts it last");
        assert_eq!(reply.text(dictionary::REPLY_MESSAGE), "Bonjour");
    }
    assert_eq!(revealed(&parsed("pap"), &secret), b"ab12159753");
    let chap = parsed("chap");
    let value = chap.first(dictionary::CHAP_PASSWORD).unwrap();
    assert!(password::chap_verify(value, b"ab12159753", chap.authenticator()));
    assert!(!password::chap_verify(value, b"ab12159754", chap.authenticator()));
}

#[test]
fn another_secret_verifies_nothing() {
    let other = secret("testing123testing124");
    let vectors = vectors(FREERADIUS);
    let request = Packet::parse(&vectors["pap"].1).unwrap();
    let reply = Packet::parse(&vectors["pap-accept"].1).unwrap();
    assert!(!authenticator::verify(&reply, request.authenticator(), &other));
    assert_eq!(message_authenticator::verify_request(&request, &other), Verification::Invalid);
    assert_ne!(revealed(&request, &other), b"ab12159753");
}

#[test]
fn a_request_of_ours_differs_from_radclients_in_the_order_of_attributes_alone() {
    let secret = secret("testing123testing123");
    let vectors = vectors(FREERADIUS);
    let theirs = Packet::parse(&vectors["pap"].1).unwrap();
    let mut buffer = Vec::new();
    let mut writer = Writer::request(
        &mut buffer,
        Code::ACCESS_REQUEST,
        theirs.identifier(),
        theirs.authenticator(),
    );
    writer.push(dictionary::USER_NAME, b"alice").unwrap();
    writer.push_user_password(b"ab12159753", &secret).unwrap();
    writer.push(dictionary::NAS_IDENTIFIER, b"with-ma").unwrap();
    writer.finish(&secret);
    let ours = Packet::parse(&buffer).unwrap();
    assert_eq!(ours.octets()[..20], theirs.octets()[..20]);
    let without_mac = |packet: &Packet<'_>| -> Vec<(u8, Vec<u8>)> {
        let others = packet.attributes().filter(|a| a.kind != dictionary::MESSAGE_AUTHENTICATOR);
        others.map(|a| (a.kind, a.value.to_vec())).collect()
    };
    assert_eq!(without_mac(&ours), without_mac(&theirs));
}
