//! Answers good and bad.

use super::*;

#[test]
fn a_good_answer_is_read_by_the_rules() {
    local(async {
        let (performed, troubles) = outcome("", WELCOME).await;
        assert_eq!((performed.verdict, performed.status), (Verdict::Accepted, 200));
        assert_eq!((performed.fault, troubles.as_str()), (None, ""));
        let (performed, _) = outcome("", "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!((performed.verdict, performed.fault), (Verdict::Rejected, None));
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nwel\r\n4\r\ncome\r\n0\r\n\r\n";
        assert_eq!(outcome("", chunked).await.0.verdict, Verdict::Accepted);
    });
}

#[test]
fn the_request_is_what_the_target_says() {
    local(async {
        let seen = Rc::new(std::cell::RefCell::new(String::new()));
        let keep = seen.clone();
        let url = server(move |_, mut tcp| {
            let keep = keep.clone();
            async move {
                *keep.borrow_mut() = request(&mut tcp).await.unwrap();
                tcp.write_all(WELCOME.as_bytes()).await.unwrap();
            }
        })
        .await;
        let changes = "headers = { X-Who = \"{user}\" }\n\
                       auth = { user = \"{user}\", password = \"{passcode}\" }";
        login(&transport(target(changes), &format!("{url}/base/"))).await;
        let seen = seen.borrow();
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<&str> = head.lines().collect();
        assert_eq!(lines.remove(0), "POST /base/login HTTP/1.1");
        lines.sort_unstable();
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            lines,
            [
                "accept-encoding: identity",
                "accept: */*",
                "authorization: Basic ZHVwb250OmFiMTIxNTk3NTM=",
                "content-length: 31",
                "content-type: application/x-www-form-urlencoded",
                &format!("host: {}", url.trim_start_matches("http://")),
                &format!("user-agent: trousseau/{version}"),
                "x-who: dupont",
            ]
        );
        assert_eq!(body, "passcode=ab12159753&user=dupont");
    });
}

#[test]
fn an_answer_that_no_rule_knows_is_shown_without_secrets() {
    local(async {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 54\r\n\r\n\
                      <h1>caf\u{e9}</h1> dupont ab12159753 sid=0123456789abcdef0";
        let (performed, trouble) = outcome("", answer).await;
        assert_eq!((performed.verdict, performed.fault), (Verdict::Error, Some(Fault::Answer)));
        assert_eq!(performed.status, 200);
        assert_eq!(
            trouble,
            "dupont, login: HTTP 200, no rule of the target matches: <h1>caf\u{e9}</h1> dupont *** sid=***"
        );
    });
}

#[test]
fn an_answer_that_is_not_utf_8_is_read_all_the_same() {
    local(async {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\xff\xe9".to_vec();
        answer.extend_from_slice(b"welcome");
        assert_eq!(outcome("", answer).await.0.verdict, Verdict::Accepted);
        let (_, trouble) =
            outcome("", &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xe9"[..]).await;
        assert!(trouble.ends_with("matches: \u{fffd}\u{fffd}"), "{trouble}");
    });
}

#[test]
fn a_failing_server_is_the_servers_fault() {
    local(async {
        let (performed, trouble) =
            outcome("", "HTTP/1.1 500 Oops\r\nContent-Length: 7\r\n\r\nwelcome").await;
        assert_eq!((performed.verdict, performed.fault), (Verdict::Error, Some(Fault::Server)));
        assert!(trouble.ends_with("HTTP 500, the server failed: welcome"), "{trouble}");
    });
}

#[test]
fn a_cut_answer_leaves_the_outcome_unknown() {
    local(async {
        for cut in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwel"] {
            let url = server(move |_, mut tcp| async move {
                request(&mut tcp).await;
                tcp.write_all(cut.as_bytes()).await.unwrap();
            })
            .await;
            let transport = transport(target(""), &url);
            let performed = login(&transport).await;
            assert_eq!(performed.fault, Some(Fault::Reset), "{cut:?}");
            let troubles = transport.endpoint.troubles().join("\n");
            assert!(troubles.contains("broke before the answer was whole"), "{troubles}");
        }
    });
}

#[test]
fn what_is_no_http_is_said() {
    local(async {
        let (performed, trouble) = outcome("", "SSH-2.0-OpenSSH_9.2p1\r\n\r\n").await;
        assert_eq!((performed.fault, performed.status), (Some(Fault::Answer), 0));
        assert!(trouble.starts_with("dupont, login: the answer is no HTTP"), "{trouble}");
    });
}

#[test]
fn a_huge_answer_is_not_read_to_its_end() {
    local(async {
        let url = server(|_, mut tcp| async move {
            request(&mut tcp).await;
            let head = b"HTTP/1.1 200 OK\r\nX-Kind: huge\r\n\r\nwelcome sid=0123456789abcdef ";
            let _ = tcp.write_all(head).await;
            while tcp.write_all(&b"xxx ".repeat(16384)).await.is_ok() {}
        })
        .await;
        let mut transport = transport(target(""), &url);
        transport.watch();
        let performed = login(&transport).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        let trouble = transport.endpoint.troubles().join("\n");
        assert!(trouble.contains("HTTP 200, the answer is longer than 1 MiB"), "{trouble}");
        assert!(trouble.contains("reading stopped: welcome sid=*** xxx"), "{trouble}");
        let hop = &transport.exchanged()[0].hops[0];
        assert!(
            hop.answer.starts_with("HTTP/1.1 200\nx-kind: huge\n\nwelcome sid=***"),
            "{}",
            hop.answer
        );
    });
}

#[test]
fn a_value_that_is_not_there_is_named_with_its_surroundings() {
    local(async {
        let page = r#"welcome <input type="hidden" name="csrf_new" value="0123456789abcdef">"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        let (performed, trouble) = outcome("take.csrf = { input = \"csrf\" }", answer).await;
        assert_eq!((performed.verdict, performed.fault), (Verdict::Error, Some(Fault::Answer)));
        assert_eq!(
            trouble,
            "dupont, login: no <input name=\"csrf\"> in the answer (HTTP 200), from which {csrf} was to \
             be taken: welcome <input type=\"hidden\" name=\"csrf_new\" value=\"***\">"
        );
    });
}

#[test]
fn an_answer_of_another_type_is_told_by_what_it_lacks() {
    local(async {
        let page = "<h1>welcome</h1> <p>Single sign-on 0123456789abcdef</p>";
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
        let take = "take.ticket = { json = \"/detail/ticket\" }";
        let (performed, trouble) = outcome(take, answer).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        assert_eq!(
            trouble,
            "dupont, login: no JSON value /detail/ticket in the answer (HTTP 200; the body is no JSON, its \
             Content-Type is text/html), from which {ticket} was to be taken: <h1>welcome</h1> <p>Single \
             sign-on ***</p>"
        );
        let gzip = |body: &[u8]| {
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length:";
            [format!("{head} {length}\r\n\r\n").as_bytes(), body].concat()
        };
        let (_, trouble) = outcome(take, gzip(b"\x1f\x8b\x08\x00welcome")).await;
        assert!(trouble.contains("(HTTP 200; the body is compressed (gzip), though"), "{trouble}");
        assert!(trouble.ends_with("was to be taken: (11 bytes)"), "{trouble}");
        let (_, trouble) = outcome("", gzip(b"\x1f\x8b\x08\x00")).await;
        assert_eq!(
            trouble,
            "dupont, login: HTTP 200, no rule of the target matches: the body is compressed (gzip), though \
             Accept-Encoding is identity"
        );
    });
}

#[test]
fn a_part_of_a_header_is_taken_by_a_regex_or_shown() {
    local(async {
        let answer = |to: &str| {
            format!("HTTP/1.1 200 OK\r\nLocation: {to}\r\nContent-Length: 7\r\n\r\nwelcome")
        };
        let take = "take.ticket = { header = \"Location\", regex = 'ticket=([^&]+)' }";
        let (performed, trouble) = outcome(take, answer("/ok?ticket=t9&x=1")).await;
        assert_eq!((performed.verdict, trouble.as_str()), (Verdict::Accepted, ""));
        let (performed, trouble) = outcome(take, answer("/ok?token=0123456789abcdef")).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        assert_eq!(
            trouble,
            "dupont, login: no regex ticket=([^&]+) in header location in the answer (HTTP 200), from \
             which {ticket} was to be taken: /ok?token=***"
        );
    });
}

#[test]
fn a_changed_page_is_shown_where_a_css_selector_found_nothing() {
    local(async {
        let page =
            r#"welcome <form class="connexion"><input name="new" value="dupont ab12159753">"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        let take = "take.csrf = { css = \"form.connexion input[name=csrf]\" }";
        let (performed, trouble) = outcome(take, answer).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        assert_eq!(
            trouble,
            "dupont, login: no CSS form.connexion input[name=csrf] in the answer (HTTP 200), from which \
             {csrf} was to be taken: welcome <form class=\"connexion\"><input name=\"new\" \
             value=\"dupont ***\">"
        );
    });
}

#[test]
fn redirects_in_a_circle_and_to_another_host_are_refused() {
    local(async {
        let redirect =
            |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        let (performed, trouble) = outcome("follow = true", redirect("/login")).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        assert!(trouble.contains("more than 10 times"), "{trouble}");
        let (performed, trouble) =
            outcome("follow = true", redirect("http://127.0.0.2/?ticket=abc")).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        assert!(trouble.contains("redirected to http://127.0.0.2, which is not"), "{trouble}");
        assert!(!trouble.contains("ticket"), "{trouble}");
        // Not followed: the answer itself is judged.
        let (performed, _) = outcome("", redirect("/login")).await;
        assert_eq!((performed.status, performed.fault), (302, Some(Fault::Answer)));
    });
}

#[test]
fn cookies_and_redirects_are_followed_as_a_browser_does() {
    local(async {
        let url = server(|_, mut tcp| async move {
            let first = request(&mut tcp).await.unwrap();
            assert!(first.starts_with("POST /login"), "{first}");
            let answer = "HTTP/1.1 302 Found\r\nLocation: home?x=1\r\n\
                          Set-Cookie: sid=7; Path=/\r\nContent-Length: 0\r\n\r\n";
            tcp.write_all(answer.as_bytes()).await.unwrap();
            let second = request(&mut tcp).await.unwrap();
            let good = second.starts_with("GET /home?x=1 HTTP")
                && second.contains("cookie: sid=7\r\n")
                && !second.contains("content-type");
            let answer = if good { WELCOME } else { "HTTP/1.1 400 Bad\r\n\r\n" };
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let performed = login(&transport(target("follow = true"), &url)).await;
        assert_eq!((performed.verdict, performed.status), (Verdict::Accepted, 200));
    });
}

#[test]
fn a_redirect_to_an_address_of_any_spelling_is_followed() {
    local(async {
        let url = server(|_, mut tcp| async move {
            let first = request(&mut tcp).await.unwrap();
            let host = first.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
            let mut answer =
                format!("HTTP/1.1 302 Found\r\nLocation: HTTP://{host}/ok?m=mot de pass")
                    .into_bytes();
            answer.extend_from_slice(b"\xe9 \"\r\nContent-Length: 0\r\n\r\n");
            tcp.write_all(&answer).await.unwrap();
            let second = request(&mut tcp).await.unwrap();
            let good = second.starts_with("GET /ok?m=mot%20de%20pass%E9%20%22 HTTP");
            let answer = if good { WELCOME } else { "HTTP/1.1 400 Bad\r\n\r\n" };
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let transport = transport(target("follow = true"), &url);
        let performed = login(&transport).await;
        assert_eq!(performed.status, 200, "{:?}", transport.endpoint.troubles());
    });
}
