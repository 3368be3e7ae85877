//! The same server over RADIUS: New PIN Mode, replays, retransmissions, and what is dropped.

use std::collections::HashSet;
use std::net::UdpSocket;
use std::time::Duration;

use trousseau::portal::RadiusConfig;
use trousseau::radius::{
    Code, Packet, SharedSecret, Verification, Writer, authenticator, dictionary,
    message_authenticator,
};
use trousseau::secret::Secret;

use crate::client::{Bench, user};

fn secret() -> SharedSecret {
    SharedSecret::new(Secret::new(b"testing123testing123".to_vec())).unwrap()
}

fn bench(users: usize) -> Bench {
    Bench::with(users, |config| {
        let listen = "127.0.0.1:0".parse().unwrap();
        config.radius = Some(RadiusConfig { listen, secret: secret() });
    })
}

/// A network access server: one socket, a new identifier and authenticator for each request.
struct Nas {
    socket: UdpSocket,
    asked: u8,
}

/// An answer, found genuine.
struct Heard {
    code: Code,
    text: String,
    state: Option<Vec<u8>>,
}

impl Nas {
    fn new(bench: &Bench) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(bench.portal.radius_addr().unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { socket, asked: 0 }
    }

    fn request(&mut self, n: usize, password: &str, state: Option<&[u8]>) -> Vec<u8> {
        self.asked += 1;
        let mut buffer = Vec::new();
        let seal = [self.asked; 16];
        let mut request = Writer::request(&mut buffer, Code::ACCESS_REQUEST, self.asked, &seal);
        request.push(dictionary::USER_NAME, user(n).as_bytes()).unwrap();
        request.push_user_password(password.as_bytes(), &secret()).unwrap();
        request.push(dictionary::STATE, state.unwrap_or_default()).unwrap();
        request.push(dictionary::PROXY_STATE, b"through a proxy").unwrap();
        request.finish(&secret());
        buffer
    }

    fn receive(&self) -> Vec<u8> {
        let mut datagram = vec![0; 4096];
        let octets = self.socket.recv(&mut datagram).unwrap();
        datagram.truncate(octets);
        datagram
    }

    fn ask(&mut self, n: usize, password: &str, state: Option<&[u8]>) -> Heard {
        let request = self.request(n, password, state);
        self.socket.send(&request).unwrap();
        heard(&self.receive(), &request)
    }
}

/// Reads an answer; every one must be sealed twice over, Message-Authenticator first.
fn heard(reply: &[u8], request: &[u8]) -> Heard {
    let (reply, request) = (Packet::parse(reply).unwrap(), Packet::parse(request).unwrap());
    assert_eq!(reply.identifier(), request.identifier());
    assert!(authenticator::verify(&reply, request.authenticator(), &secret()));
    let seal = message_authenticator::verify_reply(&reply, request.authenticator(), &secret());
    assert_eq!(seal, Verification::Valid);
    assert!(message_authenticator::is_first(&reply));
    assert_eq!(reply.first(dictionary::PROXY_STATE), request.first(dictionary::PROXY_STATE));
    Heard {
        code: reply.code(),
        text: reply.text(dictionary::REPLY_MESSAGE),
        state: reply.first(dictionary::STATE).map(<[u8]>::to_vec),
    }
}

#[test]
fn three_steps_then_logins_and_every_code_once() {
    let bench = bench(1);
    let mut nas = Nas::new(&bench);
    let first = bench.code(0, 0);
    let choose = nas.ask(0, &first, None);
    assert_eq!(choose.code, Code::ACCESS_CHALLENGE);
    assert_eq!(choose.text, "Enter a new PIN of 4 to 6 characters:");
    let short = nas.ask(0, "ab1", choose.state.as_deref());
    assert_eq!(short.code, Code::ACCESS_CHALLENGE);
    assert!(short.text.starts_with("PIN must have 4 to 6 characters."), "{}", short.text);
    let again = nas.ask(0, "ab12", short.state.as_deref());
    assert_eq!(again.text, "Please re-enter new PIN:");
    let differ = nas.ask(0, "ab13", again.state.as_deref());
    assert!(differ.text.starts_with("PINs do not match."), "{}", differ.text);
    let again = nas.ask(0, "ab12", differ.state.as_deref());
    let confirm = nas.ask(0, "ab12", again.state.as_deref());
    assert_eq!(confirm.code, Code::ACCESS_CHALLENGE);
    assert!(confirm.text.starts_with("PIN accepted. Wait for the token code to change"));

    let state = confirm.state.as_deref();
    assert_eq!(nas.ask(0, &format!("ab12{first}"), state).code, Code::ACCESS_REJECT);
    let passcode = format!("ab12{}", bench.next_code(0));
    assert_eq!(nas.ask(0, &passcode, state).code, Code::ACCESS_ACCEPT);
    assert_eq!(nas.ask(0, &passcode, state).code, Code::ACCESS_REJECT, "the State is used up");
    assert_eq!(nas.ask(0, &passcode, None).code, Code::ACCESS_REJECT, "the code is used up");

    let passcode = format!("ab12{}", bench.next_code(0));
    let accept = nas.ask(0, &passcode, None);
    assert_eq!((accept.code, accept.state), (Code::ACCESS_ACCEPT, None));
    // A replay from another port is a replay still; over the pages too.
    assert_eq!(Nas::new(&bench).ask(0, &passcode, None).code, Code::ACCESS_REJECT);
    assert_eq!(bench.login(0, &passcode), 401);
}

#[test]
fn a_code_used_over_http_is_used_over_radius() {
    let bench = bench(1);
    bench.initialise(0, "ab12");
    let passcode = format!("ab12{}", bench.code(0, 0));
    assert_eq!(bench.login(0, &passcode), 200);
    assert_eq!(Nas::new(&bench).ask(0, &passcode, None).code, Code::ACCESS_REJECT);
}

#[test]
fn a_request_sent_again_is_answered_again_and_not_decided_again() {
    let bench = bench(1);
    bench.initialise(0, "ab12");
    let mut nas = Nas::new(&bench);
    let request = nas.request(0, &format!("ab12{}", bench.code(0, 0)), None);
    nas.socket.send(&request).unwrap();
    let reply = nas.receive();
    assert_eq!(heard(&reply, &request).code, Code::ACCESS_ACCEPT);
    for _ in 0..3 {
        nas.socket.send(&request).unwrap();
        assert_eq!(nas.receive(), reply);
    }
    assert_eq!(bench.portal.stats().accepted, 2, "step 3 and one login");
    assert_eq!(bench.portal.stats().rejected, 0);
}

#[test]
fn of_eight_at_once_with_one_code_one_is_let_in() {
    let bench = bench(20);
    for n in 0..20 {
        bench.initialise(n, "ab12");
        let mut nas: Vec<_> = (0..8).map(|_| Nas::new(&bench)).collect();
        let passcode = format!("ab12{}", bench.code(n, 0));
        let requests: Vec<_> = nas.iter_mut().map(|nas| nas.request(n, &passcode, None)).collect();
        for (nas, request) in nas.iter().zip(&requests) {
            nas.socket.send(request).unwrap();
        }
        let answers =
            nas.iter().zip(&requests).map(|(nas, request)| heard(&nas.receive(), request));
        let accepted = answers.filter(|answer| answer.code == Code::ACCESS_ACCEPT).count();
        assert_eq!(accepted, 1, "user {n}");
    }
}

#[test]
fn a_state_is_one_users_and_good_once() {
    let bench = bench(2);
    let mut nas = Nas::new(&bench);
    let choose = nas.ask(0, &bench.code(0, 0), None);
    let state = choose.state.as_deref();
    assert_eq!(nas.ask(1, "ab12", state).code, Code::ACCESS_REJECT, "another user's");
    let mut altered = state.unwrap().to_vec();
    altered[15] ^= 1;
    assert_eq!(nas.ask(0, "ab12", Some(&altered)).code, Code::ACCESS_REJECT, "altered");
    assert_eq!(nas.ask(0, "ab12", Some(b"short")).code, Code::ACCESS_REJECT, "not ours");
    assert_eq!(nas.ask(0, "ab12", state).code, Code::ACCESS_CHALLENGE, "the right one still");
    assert_eq!(nas.ask(0, "ab12", state).code, Code::ACCESS_REJECT, "a second time");
    // Each challenge has a State of its own.
    let states: HashSet<_> = (0..2)
        .map(|_| nas.ask(0, &bench.next_code(0), None).state.unwrap())
        .chain(choose.state)
        .collect();
    assert_eq!(states.len(), 3);
}

#[test]
fn nothing_tells_an_unknown_user_from_a_wrong_pin_or_code() {
    let bench = bench(1);
    bench.initialise(0, "ab12");
    let mut nas = Nas::new(&bench);
    for (n, password) in [
        (0, format!("ab13{}", bench.code(0, 0))),
        (0, "ab12000000".to_owned()),
        (7, "x".to_owned()),
    ] {
        let answer = nas.ask(n, &password, None);
        assert_eq!((answer.code, &*answer.text), (Code::ACCESS_REJECT, ""), "{n}");
    }
}

#[test]
fn what_is_not_sealed_is_dropped_in_silence() {
    let bench = bench(1);
    let mut nas = Nas::new(&bench);
    let good = nas.request(0, &bench.code(0, 0), None);
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let mut without = good.clone();
    without.drain(20..38);
    without[3] -= 18;
    let mut of_another_kind = good.clone();
    of_another_kind[0] = Code::ACCESS_ACCEPT.0;
    for datagram in [&flipped, &without, &of_another_kind, &good[..19].to_vec(), &vec![]] {
        nas.socket.send(datagram).unwrap();
    }
    // Answers come in the order of the requests: the first one heard is that to the status query.
    let mut status = Vec::new();
    Writer::request(&mut status, Code::STATUS_SERVER, 200, &[9; 16]).finish(&secret());
    nas.socket.send(&status).unwrap();
    let reply = nas.receive();
    assert_eq!(heard(&reply, &status).code, Code::ACCESS_ACCEPT);
    assert_eq!(bench.portal.stats().rejected + bench.portal.stats().first_codes, 0);
    nas.socket.send(&good).unwrap();
    assert_eq!(heard(&nas.receive(), &good).code, Code::ACCESS_CHALLENGE);
}

#[test]
fn an_address_in_use_is_told() {
    use trousseau::portal::{Portal, PortalConfig};
    let bench = bench(1);
    let taken = bench.portal.radius_addr().unwrap();
    let tokens = vec![(user(0), crate::client::token(0))];
    let mut config = PortalConfig::new(tokens, bench.clock.clone());
    config.radius = Some(RadiusConfig { listen: taken, secret: secret() });
    let error = Portal::start(config).unwrap_err();
    let message = format!("cannot listen for RADIUS on {taken} (UDP): ");
    assert!(error.to_string().starts_with(&message), "{error}");
    assert!(error.hint().contains("--radius"), "{}", error.hint());
}

#[test]
fn a_key_minutes_off_is_asked_for_its_next_code() {
    let bench = bench(1);
    let mut nas = Nas::new(&bench);
    // Its very first code, so that a PIN is to be chosen after the two.
    let asked = nas.ask(0, &bench.code(0, -5), None);
    assert_eq!(asked.code, Code::ACCESS_CHALLENGE);
    assert_eq!(asked.text, "Wait for the token code to change, then enter the new token code:");
    let state = asked.state.as_deref();
    assert_eq!(nas.ask(0, &bench.code(0, -5), state).code, Code::ACCESS_REJECT, "the same code");
    bench.clock.advance(60);
    let choose = nas.ask(0, &bench.code(0, -5), state);
    assert_eq!(choose.text, "Enter a new PIN of 4 to 6 characters:", "the State stayed good");
    let again = nas.ask(0, "ab12", choose.state.as_deref());
    let confirm = nas.ask(0, "ab12", again.state.as_deref());
    bench.clock.advance(60);
    let passcode = format!("ab12{}", bench.code(0, -5));
    assert_eq!(nas.ask(0, &passcode, confirm.state.as_deref()).code, Code::ACCESS_ACCEPT);
}
