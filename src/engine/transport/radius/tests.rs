//! The client against servers that misbehave: forged, late, doubled, lost and unsealed answers.

mod watched;

use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::LocalSet;

use super::*;
use crate::radius::{
    Code, MAX_LEN, Packet, Verification, Writer, dictionary, message_authenticator,
};
use crate::secret::Secret;

fn secret() -> SharedSecret {
    SharedSecret::new(Secret::new(b"testing123".to_vec())).unwrap()
}

fn options() -> Options {
    Options {
        secret: secret(),
        require_message_authenticator: true,
        in_flight: 4096,
        retransmission: Retransmission {
            initial: Duration::from_millis(20),
            longest: Duration::from_millis(160),
            count: 5,
            duration: Duration::from_millis(300),
        },
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, work)
}

fn reply(code: Code, request: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let packet = Packet::parse(request).unwrap();
    let mut writer = Writer::reply(&mut buffer, code, &packet).unwrap();
    writer.push(dictionary::REPLY_MESSAGE, b"bonjour").unwrap();
    writer.finish(&secret());
    buffer
}

/// Starts a server that answers the n-th datagram (from 0) with what `behave` gives, in order;
/// returns its address and the datagrams it will have received.
async fn server(
    mut behave: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + 'static,
) -> (SocketAddr, Rc<RefCell<Vec<Vec<u8>>>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let received = Rc::new(RefCell::new(Vec::new()));
    let log = received.clone();
    tokio::task::spawn_local(async move {
        let mut datagram = vec![0; MAX_LEN];
        loop {
            let (octets, from) = socket.recv_from(&mut datagram).await.unwrap();
            let request = datagram[..octets].to_vec();
            let number = log.borrow().len();
            log.borrow_mut().push(request.clone());
            for answer in behave(number, &request) {
                socket.send_to(&answer, from).await.unwrap();
            }
        }
    });
    (address, received)
}

async fn ask(client: &Client) -> Result<Answer, ExchangeError> {
    client
        .exchange(Code::ACCESS_REQUEST, |writer| {
            writer.push(dictionary::USER_NAME, b"alice").map(drop)
        })
        .await
}

fn code(answer: &Answer) -> Code {
    Packet::parse(&answer.octets).unwrap().code()
}

#[test]
fn a_forged_accept_before_the_genuine_reject_is_dropped() {
    run(async {
        let (address, received) = server(|_, request| {
            let mut of_another_request = request.to_vec();
            of_another_request[4] ^= 1;
            let genuine = reply(Code::ACCESS_REJECT, request);
            // The reject turned into an accept on the way; its seal stays that of a reject.
            let mut turned = genuine.clone();
            turned[0] = Code::ACCESS_ACCEPT.0;
            let mut wrong_identifier = reply(Code::ACCESS_ACCEPT, request);
            wrong_identifier[1] = wrong_identifier[1].wrapping_add(1);
            let forged = reply(Code::ACCESS_ACCEPT, &of_another_request);
            vec![forged, turned, wrong_identifier, b"\x02".to_vec(), genuine.clone(), genuine]
        })
        .await;
        let client = Client::new(address, options());
        let first = ask(&client).await.unwrap();
        assert_eq!((code(&first), first.transmissions), (Code::ACCESS_REJECT, 1));
        let second = ask(&client).await.unwrap();
        assert_eq!(code(&second), Code::ACCESS_REJECT);
        let counters = client.counters();
        assert_eq!(counters.bad_authenticator, 4);
        assert_eq!(counters.unsolicited, 2);
        assert_eq!(counters.malformed, 2);
        // The doubled answer to the second request may still be on its way.
        assert!(counters.duplicates >= 1, "{counters}");
        assert_eq!((counters.requests, counters.answers, counters.retransmissions), (2, 2, 0));
        // Each request is sealed first thing, and has an identifier and authenticator of its own.
        let received = received.borrow();
        let packets: Vec<_> =
            received.iter().map(|octets| Packet::parse(octets).unwrap()).collect();
        assert_ne!(packets[0].identifier(), packets[1].identifier());
        assert_ne!(packets[0].authenticator(), packets[1].authenticator());
        for packet in packets {
            assert!(message_authenticator::is_first(&packet));
            let sealed = message_authenticator::verify_request(&packet, &secret());
            assert_eq!(sealed, Verification::Valid);
        }
    });
}

#[test]
fn a_lost_request_is_sent_again_octet_by_octet() {
    run(async {
        let (address, received) = server(|number, request| match number {
            0 | 1 => Vec::new(),
            _ => vec![reply(Code::ACCESS_ACCEPT, request)],
        })
        .await;
        let client = Client::new(address, options());
        let answer = ask(&client).await.unwrap();
        assert_eq!(answer.transmissions, 3);
        let received = received.borrow();
        assert_eq!(received.len(), 3);
        assert!(received.iter().all(|octets| *octets == received[0]));
        let counters = client.counters();
        assert_eq!((counters.requests, counters.retransmissions, counters.answers), (1, 2, 1));
    });
}

#[test]
fn silence_is_given_up_and_the_late_answer_is_known_as_such() {
    run(async {
        let mut first = Vec::new();
        let (address, received) = server(move |number, request| match number {
            0 => {
                first = request.to_vec();
                Vec::new()
            }
            1 => vec![reply(Code::ACCESS_ACCEPT, &first), reply(Code::ACCESS_REJECT, request)],
            _ => Vec::new(),
        })
        .await;
        let mut options = options();
        options.retransmission.count = 1;
        let client = Client::new(address, options);
        let error = ask(&client).await.unwrap_err();
        let message =
            format!("no answer from the RADIUS server {address} to a request sent 1 times");
        assert_eq!(error.to_string(), message);
        assert!(error.hint().contains("silent towards clients it does not know"));
        assert_eq!(code(&ask(&client).await.unwrap()), Code::ACCESS_REJECT);
        let counters = client.counters();
        assert_eq!((counters.given_up, counters.late, counters.answers), (1, 1, 1));
        assert_eq!(received.borrow().len(), 2);
    });
}

#[test]
fn answers_without_a_good_message_authenticator_are_dropped_and_named() {
    for (flip, required, text) in [
        (true, true, "; an answer with a wrong Message-Authenticator was dropped"),
        (true, false, "; an answer with a wrong Message-Authenticator was dropped"),
        (false, true, "; an answer without Message-Authenticator was dropped"),
    ] {
        run(async move {
            let (address, _) = server(move |_, request| {
                vec![if flip { wrongly_sealed(request) } else { unsealed(request) }]
            })
            .await;
            let mut options = options();
            options.retransmission.count = 1;
            options.require_message_authenticator = required;
            let client = Client::new(address, options);
            let error = ask(&client).await.unwrap_err();
            assert!(error.to_string().ends_with(text), "{error}");
            let counters = client.counters();
            let counted = (counters.bad_message_authenticator, counters.no_message_authenticator);
            assert_eq!(counted, if flip { (1, 0) } else { (0, 1) });
        });
    }
}

#[test]
fn a_server_that_seals_nothing_is_heard_when_that_is_declared() {
    run(async {
        let (address, _) = server(|_, request| vec![unsealed(request)]).await;
        let mut options = options();
        options.require_message_authenticator = false;
        let client = Client::new(address, options);
        assert_eq!(code(&ask(&client).await.unwrap()), Code::ACCESS_REJECT);
    });
}

#[test]
fn another_shared_secret_is_named_as_the_likely_cause() {
    run(async {
        let (address, _) = server(|_, request| vec![reply(Code::ACCESS_ACCEPT, request)]).await;
        let mut options = options();
        options.retransmission.count = 1;
        options.secret = SharedSecret::new(Secret::new(b"testing124".to_vec())).unwrap();
        let client = Client::new(address, options);
        let error = ask(&client).await.unwrap_err();
        assert!(
            error.to_string().ends_with("a wrong Response Authenticator was dropped"),
            "{error}"
        );
        assert_eq!(
            error.hint(),
            "is the shared secret the one that the server has for this client?"
        );
    });
}

#[test]
fn a_closed_port_is_told_at_once() {
    run(async {
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut options = options();
        options.retransmission = Retransmission::default();
        let client = Client::new(closed, options);
        let error = ask(&client).await.unwrap_err();
        let message = format!("no RADIUS server at {closed} (UDP): connection refused");
        assert_eq!(error.to_string(), message);
        assert!(error.hint().contains("start the server"));
    });
}

#[test]
fn six_hundred_in_flight_need_three_sockets_and_a_bound_is_kept() {
    run(async {
        let (address, _) = server(|_, request| vec![reply(Code::ACCESS_ACCEPT, request)]).await;
        for (in_flight, sockets) in [(4096, 3), (256, 1), (1, 1)] {
            let mut options = options();
            options.in_flight = in_flight;
            options.retransmission = Retransmission::default();
            let client = Rc::new(Client::new(address, options));
            let tasks: Vec<_> = (0..600)
                .map(|_| {
                    let client = client.clone();
                    tokio::task::spawn_local(async move { ask(&client).await.map(|a| code(&a)) })
                })
                .collect();
            for task in tasks {
                assert_eq!(task.await.unwrap().unwrap(), Code::ACCESS_ACCEPT);
            }
            assert_eq!(client.sockets(), sockets);
            assert_eq!(client.counters().answers, 600);
        }
    });
}

#[test]
fn what_cannot_be_written_is_not_sent() {
    run(async {
        let (address, received) =
            server(|_, request| vec![reply(Code::ACCESS_ACCEPT, request)]).await;
        let client = Client::new(address, options());
        let secret = secret();
        let error = client
            .exchange(Code::ACCESS_REQUEST, |writer| {
                writer.push_user_password(&[b'x'; 129], &secret).map(drop)
            })
            .await
            .unwrap_err();
        assert!(error.to_string().contains("at most 128 octets"), "{error}");
        assert_eq!(code(&ask(&client).await.unwrap()), Code::ACCESS_ACCEPT);
        assert_eq!(received.borrow().len(), 1);
        assert_eq!(client.counters().requests, 1);
    });
}

/// A reject with a genuine Response Authenticator and no Message-Authenticator, as FreeRADIUS
/// 3.2.1 sends it.
fn unsealed(request: &[u8]) -> Vec<u8> {
    seal_response(vec![Code::ACCESS_REJECT.0, request[1], 0, 20], request, &[])
}

/// A reject whose Response Authenticator is genuine and whose Message-Authenticator is not.
fn wrongly_sealed(request: &[u8]) -> Vec<u8> {
    let mut attribute = [7; 18];
    attribute[..2].copy_from_slice(&[dictionary::MESSAGE_AUTHENTICATOR, 18]);
    seal_response(vec![Code::ACCESS_REJECT.0, request[1], 0, 38], request, &attribute)
}

fn seal_response(mut header: Vec<u8>, request: &[u8], attributes: &[u8]) -> Vec<u8> {
    use md5::{Digest, Md5};
    let digest = Md5::new()
        .chain_update(&header)
        .chain_update(&request[4..20])
        .chain_update(attributes)
        .chain_update(b"testing123")
        .finalize();
    header.extend(digest);
    header.extend(attributes);
    header
}

/// Whether a server acts on a request each time it comes is its own business.
#[test]
fn a_request_that_was_transmitted_again_may_have_been_acted_on_before() {
    use crate::engine::transport::{Endpoint, EndpointOptions, Session, Transport};
    use crate::recorder::{Fault, Verdict};
    use crate::target::{Inputs, Operation, RADIUS_SECRET, TARGETS, Target};
    run(async {
        let login = |answers: usize| async move {
            let (address, _) = server(move |number, request| match number {
                number if number == answers => vec![reply(Code::ACCESS_REJECT, request)],
                _ => Vec::new(),
            })
            .await;
            let target = Target::load(&TARGETS.find("portal-radius").unwrap()).unwrap();
            let secret = Secret::new(b"testing123".to_vec());
            let options = EndpointOptions {
                timeout: Duration::from_secs(5),
                credentials: [(RADIUS_SECRET.to_owned(), secret)].into(),
                ..Default::default()
            };
            let endpoint = Endpoint::resolve(&format!("radius://{address}"), options).unwrap();
            let transport = Transport::new(target.into(), endpoint.into(), 4);
            let inputs = Inputs { user: "dupont", passcode: "ab12159753", ..Inputs::default() };
            let login = transport.submit(&mut Session::default(), Operation::Login, &inputs).await;
            // What a 408 makes a browser send again is another matter.
            assert_eq!(transport.resent(), 0);
            (login.verdict, login.fault, login.reached, login.resent)
        };
        let (at_once, again, never) = tokio::join!(login(0), login(1), login(usize::MAX));
        assert_eq!(at_once, (Verdict::Rejected, None, true, 0));
        assert_eq!(again, (Verdict::Rejected, None, true, 1));
        let timeout = (Verdict::Error, Some(Fault::Timeout), true);
        assert_eq!((never.0, never.1, never.2), timeout);
        assert!(never.3 >= 1, "{}", never.3);
    });
}
