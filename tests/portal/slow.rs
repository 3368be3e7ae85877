//! Clients that send a request slower than anybody types.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::client::{Bench, json_request, user};

/// Sends `part` of a request, waits, and reads all that comes until the other side closes.
fn stall(bench: &Bench, part: &[u8]) -> String {
    let mut stream = TcpStream::connect(bench.addr()).unwrap();
    // Not the measure of anything: without the cut this would wait for ever.
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(part).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server closes the connection");
    answer
}

#[test]
fn who_never_ends_a_request_is_cut_off_and_others_are_served() {
    let bench = Bench::with(1, |config| config.patience = Duration::from_millis(200));
    let body = format!("{{\"user\":\"{}\",\"passcode\":\"{}\"}}", user(0), bench.code(0, 0));
    let whole = json_request("login", &body);
    let head = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert_eq!(stall(&bench, &whole[..20]), "", "in the middle of the head");
    assert_eq!(stall(&bench, b""), "", "before it");
    let answer = stall(&bench, &whole[..head + 10]);
    assert!(
        answer.starts_with("HTTP/1.1 408 ") && answer.contains("connection: close"),
        "{answer}"
    );
    // Nothing was done in their name, and there is still room for others.
    assert_eq!(bench.login(0, &bench.code(0, 0)), 200);
    assert_eq!(bench.portal.stats().rejected, 0);
}
