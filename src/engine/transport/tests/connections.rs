//! Connections: kept, closed, refused, slow, limited.

use super::*;
use crate::clock::{Clock, ManualClock, SECOND};

#[test]
fn connections_are_kept_and_used_again() {
    local(async {
        let transport = transport(target(""), &answering(WELCOME).await);
        for _ in 0..50 {
            assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
        }
        assert_eq!(transport.connections(), 1);
    });
}

#[test]
fn no_more_connections_are_opened_than_allowed() {
    local(async {
        let transport = Rc::new(transport(target(""), &answering(WELCOME).await));
        let tasks: Vec<_> = (0..40)
            .map(|_| {
                let transport = transport.clone();
                tokio::task::spawn_local(async move { login(&transport).await.verdict })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Verdict::Accepted);
        }
        assert!((1..=4).contains(&transport.connections()), "{}", transport.connections());
    });
}

#[test]
fn a_connection_that_was_closed_while_idle_is_replaced() {
    local(async {
        let closed = Rc::new(Cell::new(0));
        let count = closed.clone();
        let url = server(move |_, mut tcp| {
            let count = count.clone();
            async move {
                request(&mut tcp).await;
                tcp.write_all(WELCOME.as_bytes()).await.unwrap();
                drop(tcp);
                count.set(count.get() + 1);
            }
        })
        .await;
        let transport = transport(target(""), &url);
        for round in 1..=5 {
            assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
            // At least one sleep, for the reactor to hear of the close.
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if closed.get() == round {
                    break;
                }
            }
        }
        assert_eq!(transport.connections(), 5);
        assert_eq!(transport.endpoint.troubles(), Vec::<String>::new());
    });
}

#[test]
fn a_request_that_may_have_been_read_is_never_sent_again() {
    local(async {
        // The server reads the second request of a connection, then closes without a word.
        let requests = Rc::new(Cell::new(0));
        let seen = requests.clone();
        let url = server(move |_, mut tcp| {
            let seen = seen.clone();
            async move {
                request(&mut tcp).await;
                seen.set(seen.get() + 1);
                tcp.write_all(WELCOME.as_bytes()).await.unwrap();
                if request(&mut tcp).await.is_some() {
                    seen.set(seen.get() + 1);
                }
            }
        })
        .await;
        let transport = transport(target(""), &url);
        assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
        let second = login(&transport).await;
        assert_eq!((second.verdict, second.fault), (Verdict::Error, Some(Fault::Reset)));
        assert_eq!(requests.get(), 2);
        assert_eq!(transport.connections(), 1);
    });
}

/// How a server gives up a connection that was idle for too long, at the moment at which the next
/// request comes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum GivesUp {
    /// Says so, as haproxy and Apache do.
    Says408,
    /// Closes without reading what has come: the system answers with a reset.
    Resets,
}

/// A server that takes one request on each connection, and gives the connection up when the next
/// one comes; counts the requests it took.
async fn giving_up(how: GivesUp, taken: Rc<Cell<u32>>) -> String {
    server(move |_, mut tcp| {
        let taken = taken.clone();
        async move {
            request(&mut tcp).await;
            taken.set(taken.get() + 1);
            tcp.write_all(WELCOME.as_bytes()).await.unwrap();
            if tcp.peek(&mut [0]).await.unwrap() == 0 {
                return;
            }
            if how == GivesUp::Says408 {
                let late = b"HTTP/1.1 408 Request Time-out\r\nConnection: close\r\n\
                             Content-Length: 0\r\n\r\n";
                tcp.write_all(late).await.unwrap();
                // Read at last, so that the answer is not lost in a reset.
                while request(&mut tcp).await.is_some() {}
            }
        }
    })
    .await
}

#[test]
fn an_idle_connection_that_the_server_gives_up_is_never_taken_for_a_refusal() {
    local(async {
        // A target that takes everything it does not know for a refusal.
        let lenient = |url: &str| {
            let text = TARGET.replace("otherwise = \"error\"", "otherwise = \"rejected\"");
            transport(load(text.replace("{changes}", "")), url)
        };
        let taken = Rc::new(Cell::new(0));
        let says = lenient(&giving_up(GivesUp::Says408, taken.clone()).await);
        for round in 1..=20 {
            let performed = login(&says).await;
            assert_eq!((performed.verdict, performed.status), (Verdict::Accepted, 200), "{round}");
            assert_eq!(taken.get(), round, "each was taken once");
            assert_eq!(performed.resent, u32::from(round > 1), "and counted when sent twice");
        }
        assert_eq!((says.connections(), says.resent()), (20, 19));

        let taken = Rc::new(Cell::new(0));
        let resets = lenient(&giving_up(GivesUp::Resets, taken.clone()).await);
        let (mut accepted, mut broken) = (0, 0);
        for _ in 0..40 {
            let performed = login(&resets).await;
            match (performed.verdict, performed.fault) {
                (Verdict::Accepted, None) => accepted += 1,
                // Whether it was read, nobody knows: not sent again, and nobody's refusal.
                (Verdict::Error, Some(Fault::Reset)) => {
                    assert!(performed.reached);
                    broken += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((accepted + broken, taken.get()), (40, accepted));
        assert!(broken > 0, "the server did what it was to do");
        assert_eq!(resets.resent(), 0);
    });
}

/// Whoever keeps the connection open knows where the request ended, and so has read it.
#[test]
fn a_408_that_keeps_the_connection_is_the_answer() {
    local(async {
        let requests = Rc::new(Cell::new(0));
        let seen = requests.clone();
        let url = server(move |_, mut tcp| {
            let seen = seen.clone();
            async move {
                while request(&mut tcp).await.is_some() {
                    seen.set(seen.get() + 1);
                    let answer = match seen.get() {
                        2 => "HTTP/1.1 408 Late\r\nContent-Length: 0\r\n\r\n",
                        _ => WELCOME,
                    };
                    tcp.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        })
        .await;
        let transport = transport(target(""), &url);
        assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
        let second = login(&transport).await;
        assert_eq!((second.verdict, second.status, second.resent), (Verdict::Error, 408, 0));
        assert_eq!((second.fault, second.reached), (Some(Fault::Answer), true));
        assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
        assert_eq!((requests.get(), transport.connections(), transport.resent()), (3, 1, 0));
    });
}

#[test]
fn what_fails_after_a_408_was_not_without_effect_and_is_shown() {
    local(async {
        // Gives up the connection when the second request comes, and is gone.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            drop(listener);
            request(&mut tcp).await.unwrap();
            tcp.write_all(WELCOME.as_bytes()).await.unwrap();
            request(&mut tcp).await.unwrap();
            let late = b"HTTP/1.0 408 Request Time-out\r\nRetry-After: 0\r\n\r\n";
            tcp.write_all(late).await.unwrap();
        });
        let mut transport = transport(target(""), &url);
        transport.watch();
        assert_eq!(login(&transport).await.verdict, Verdict::Accepted);
        assert_eq!(transport.exchanged().len(), 1);
        let second = login(&transport).await;
        assert_eq!((second.fault, second.reached), (Some(Fault::Connect), true));
        assert_eq!((second.resent, transport.resent()), (1, 1));
        let hops = &transport.exchanged()[0].hops;
        assert_eq!(hops.len(), 2, "{hops:?}");
        assert_eq!(hops[0].answer, "HTTP/1.1 408\nretry-after: 0\n");
        assert_eq!((&hops[1].request, hops[1].answer.as_str()), (&hops[0].request, ""));
    });
}

#[test]
fn a_408_on_a_fresh_connection_is_the_answer() {
    local(async {
        let late =
            "HTTP/1.1 408 Request Time-out\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let (performed, _) = outcome("", late).await;
        assert_eq!((performed.verdict, performed.status), (Verdict::Error, 408));
        assert_eq!(performed.fault, Some(Fault::Answer));
    });
}

#[test]
fn a_refused_connection_is_a_connect_fault() {
    local(async {
        // A port that was free a moment ago.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let transport = transport(target(""), &url);
        let performed = login(&transport).await;
        assert_eq!((performed.fault, performed.status), (Some(Fault::Connect), 0));
        let error = transport.preflight(&ManualClock::at(0)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(url.trim_start_matches("http://")), "{text}");
        assert!(text.contains("cannot connect: Connection refused"), "{text}");
        assert!(error.hint().contains("check that the server runs"), "{}", error.hint());
        assert!(!error.is_input());
    });
}

#[test]
fn what_fails_after_an_answer_was_not_without_effect() {
    local(async {
        // Takes the request, redirects, and is gone before the page it led to is asked for.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::task::spawn_local(async move {
            let (mut tcp, _) = listener.accept().await.unwrap();
            drop(listener);
            request(&mut tcp).await.unwrap();
            let answer = b"HTTP/1.1 303 See\r\nLocation: /home\r\nConnection: close\r\n\
                           Content-Length: 0\r\n\r\n";
            tcp.write_all(answer).await.unwrap();
        });
        let transport = transport(target("follow = true"), &url);
        let performed = login(&transport).await;
        assert_eq!((performed.fault, performed.reached), (Some(Fault::Connect), true));
        let performed = login(&transport).await;
        assert_eq!((performed.fault, performed.reached), (Some(Fault::Connect), false));
    });
}

#[test]
fn a_slow_answer_is_given_up_at_the_deadline() {
    local(async {
        let url = server(|_, mut tcp| async move {
            request(&mut tcp).await;
            let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7000\r\n\r\n").await;
            // One byte at a time: no single wait is long, the whole would be.
            while tcp.write_all(b"w").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        let options = EndpointOptions { timeout: Duration::from_millis(100), ..Default::default() };
        let transport = transport_with(target(""), &url, options);
        let performed = login(&transport).await;
        assert_eq!(performed.fault, Some(Fault::Timeout));
        assert_eq!(transport.endpoint.troubles(), ["dupont, login: no whole answer within 100ms"]);
        // Its connection is gone with it.
        login(&transport).await;
        assert_eq!(transport.connections(), 2);
    });
}

#[test]
fn an_attempt_given_up_frees_its_place() {
    local(async {
        let url =
            server(|_, mut tcp| async move { while request(&mut tcp).await.is_some() {} }).await;
        let transport = transport(target(""), &url);
        for _ in 0..10 {
            let attempt = login(&transport);
            assert!(tokio::time::timeout(Duration::from_millis(5), attempt).await.is_err());
        }
        assert_eq!(transport.pool.opened(), 10);
    });
}

#[test]
fn the_servers_clock_is_measured_by_its_date() {
    local(async {
        let answer =
            "HTTP/1.1 404 No\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
        let transport = transport(target(""), &answering(answer).await);
        let clock = ManualClock::at(784_111_777 * SECOND);
        let preflight = transport.preflight(&clock).await.unwrap();
        assert_eq!(preflight.server_clock_offset, Some(500_000));
        assert_eq!(preflight.offset_uncertainty, 500_000);
        assert_eq!(transport.connections(), 1);
        clock.advance(60);
        let preflight = transport.preflight(&clock).await.unwrap();
        assert_eq!(preflight.server_clock_offset, Some(-59_500_000));
    });
}

#[test]
fn a_declared_clock_is_read_or_its_lack_explained() {
    local(async {
        let html = crate::target::TARGETS.find("portal-json").unwrap();
        let target = Arc::new(Target::load(&html).unwrap());
        let json = |status: &str, body: &str| {
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        let body = r#"{"key_time_us":1700000000000123,"rate":60.0}"#;
        let good = transport(target.clone(), &answering(json("200 OK", body)).await);
        let clock = ManualClock::at(1_700_000_000 * SECOND);
        let preflight = good.preflight(&clock).await.unwrap();
        assert_eq!((preflight.server_clock_offset, preflight.server_rate), (Some(123), Some(60.0)));
        assert_eq!(clock.now(), 1_700_000_000 * SECOND);
        for (status, body, expected) in [
            ("404 Not Found", "", "HTTP 404 Not Found, where the target declares"),
            ("200 OK", "<html>", "no JSON, where the target declares"),
            ("200 OK", "{\"rate\":1}", "the JSON holds no number at /key_time_us"),
        ] {
            let bad = transport(target.clone(), &answering(json(status, body)).await);
            let error = bad.preflight(&clock).await.unwrap_err().to_string();
            assert!(error.contains("no usable answer to GET /api/v1/clock: "), "{error}");
            assert!(error.contains(expected), "{error}");
        }
    });
}

#[test]
fn a_missing_credential_is_found_before_the_run() {
    local(async {
        let url = answering(WELCOME).await;
        let needy = transport(target("auth = { bearer = \"api\" }"), &url);
        let error = needy.preflight(&ManualClock::at(0)).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the target needs the credential \"api\", which was not given"
        );
        assert!(error.is_input());
    });
}
