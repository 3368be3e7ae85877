//! What somebody who watches is told of an exchange over RADIUS.

use std::sync::Arc;

use super::*;
use crate::engine::transport::tests::load;
use crate::engine::transport::{Endpoint, EndpointOptions, Exchanged, Session, Transport};
use crate::target::{Inputs, Operation, RADIUS_SECRET};

const TARGET: &str = r#"
[target]
name = "t"
title = "t"
kind = "radius"
[policy]
window_back = 1
window_forward = 1
max_drift_steps = 0
monotonic = true
pin_min = 4
pin_max = 6
pin = "before"
[[operation.login.submit]]
user = "{user}@realm"
password = "{passcode}"
[verdict]
otherwise = "error"
[[verdict.rule]]
verdict = "accepted"
code = "Access-Accept"
[[verdict.rule]]
verdict = "rejected"
code = "Access-Reject"
"#;

/// One login, watched, at a server that behaves so.
async fn watched(behave: impl FnMut(usize, &[u8]) -> Vec<Vec<u8>> + 'static) -> Exchanged {
    let (address, _) = server(behave).await;
    let secret = (RADIUS_SECRET.to_owned(), Secret::new(b"testing123".to_vec()));
    let options = EndpointOptions {
        timeout: Duration::from_millis(500),
        credentials: [secret].into(),
        ..Default::default()
    };
    let endpoint = Endpoint::resolve(&format!("radius://{address}"), options).unwrap();
    let mut transport = Transport::new(load(TARGET.into()), Arc::new(endpoint), 1);
    transport.watch();
    let inputs = Inputs { user: "u01", passcode: "ab12159753", ..Inputs::default() };
    transport.submit(&mut Session::default(), Operation::Login, &inputs).await;
    transport.exchanged().remove(0)
}

#[test]
fn the_user_as_sent_the_bogus_answers_and_the_code_are_told() {
    run(async {
        let exchanged = watched(|_, request| {
            let mut other = request.to_vec();
            other[4] ^= 1;
            let mut genuine = Vec::new();
            let packet = Packet::parse(request).unwrap();
            let mut writer = Writer::reply(&mut genuine, Code::ACCESS_REJECT, &packet).unwrap();
            writer.push(dictionary::REPLY_MESSAGE, b"refus\xe9").unwrap();
            writer.finish(&secret());
            let mut stray = genuine.clone();
            stray[1] = stray[1].wrapping_add(1);
            vec![reply(Code::ACCESS_ACCEPT, &other), stray, b"\x02".to_vec(), genuine]
        })
        .await;
        let hop = &exchanged.hops[0];
        assert_eq!(
            hop.request,
            "Access-Request\nMessage-Authenticator: [hidden]\nUser-Name: u01@realm\nUser-Password: ***\n"
        );
        assert!(hop.answer.starts_with("Access-Reject\n"), "{}", hop.answer);
        assert!(hop.answer.contains("Reply-Message: refus\u{fffd}\n"), "{}", hop.answer);
        assert_eq!(
            exchanged.datagrams.unwrap().to_string(),
            "1 requests, 1 answers, 1 unsolicited answers dropped, 1 answers with a bad authenticator \
             dropped, 1 malformed answers dropped"
        );
        assert_eq!(exchanged.tried[0].misses, ["code Access-Accept (it is Access-Reject)"]);
    });
}

#[test]
fn a_request_without_an_answer_is_told_too() {
    run(async {
        let exchanged = watched(|_, request| vec![unsealed(request)]).await;
        assert!(exchanged.hops[0].request.contains("u01@realm"));
        assert_eq!(exchanged.hops[0].answer, "");
        assert_eq!(exchanged.datagrams.unwrap().no_message_authenticator, 1);
        assert!(exchanged.trouble.unwrap().contains("without Message-Authenticator"));
    });
}
