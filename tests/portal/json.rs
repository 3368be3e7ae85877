//! The JSON interface: the three steps, replays, races, malformed requests.

use std::io::Write;
use std::net::TcpStream;
use std::sync::{Arc, Barrier};

use super::client::{Answer, Bench, json, json_request, raw, read, request, user};

#[test]
fn three_steps_then_logins_then_out() {
    let bench = Bench::new(2);
    bench.initialise(0, "ab12");
    let passcode = format!("ab12{}", bench.code(0, 0));
    let login = json(bench.addr(), "login", &[("user", &user(0)), ("passcode", &passcode)]);
    assert_eq!(login.result(), (200, "accepted"));
    let session = login.field("session");
    assert_eq!(session.len(), 22);
    assert_eq!(
        json(bench.addr(), "logout", &[("session", &session)]).result(),
        (200, "logged-out")
    );
    assert_eq!(
        json(bench.addr(), "logout", &[("session", &session)]).result(),
        (409, "out-of-order")
    );
    let stats = bench.portal.stats();
    assert_eq!((stats.first_codes, stats.pins, stats.accepted, stats.rejected), (1, 1, 2, 0));
}

#[test]
fn replays_are_refused_at_every_step() {
    let bench = Bench::new(1);
    let addr = bench.addr();
    let first = bench.code(0, 0);
    let step1 = json(addr, "login", &[("user", &user(0)), ("passcode", &first)]);
    assert_eq!(step1.result(), (200, "new-pin"));
    assert_eq!(bench.login(0, &first), 401, "step 1 again");
    let transaction = step1.field("transaction");
    let step2 =
        json(addr, "new-pin", &[("transaction", &transaction), ("pin", "ab12"), ("pin2", "ab12")]);
    assert_eq!(step2.result(), (200, "confirm"));
    let confirm = |code: &str| -> Answer {
        let passcode = format!("ab12{code}");
        json(
            addr,
            "confirm",
            &[("transaction", &step2.field("transaction")), ("passcode", &passcode)],
        )
    };
    assert_eq!(confirm(&first).result(), (401, "rejected"), "the burnt code at step 3");
    assert_eq!(confirm(&bench.code(0, -1)).result(), (401, "rejected"), "an earlier one");
    let second = bench.next_code(0);
    assert_eq!(confirm(&second).result(), (200, "accepted"), "the stage stayed open");
    assert_eq!(confirm(&second).result(), (409, "out-of-order"), "and is closed now");
    assert_eq!(bench.login(0, &format!("ab12{second}")), 401, "step 3's code at login");
    let third = format!("ab12{}", bench.next_code(0));
    assert_eq!(bench.login(0, &third), 200);
    assert_eq!(bench.login(0, &third), 401);
    bench.clock.advance(60);
    assert_eq!(bench.login(0, &third), 401, "after the change, still inside the window");
    assert_eq!(bench.login(0, &bench.code(0, 0)), 401, "a code alone opens nothing any more");
}

#[test]
fn of_eight_at_once_exactly_one_is_accepted() {
    let bench = Bench::new(8);
    for n in 0..8 {
        let code = bench.code(n, 0);
        assert_eq!(at_once(&bench, n, &code, 8), 1, "step 1 of user {n}");
    }
    let bench = Bench::new(4);
    for n in 0..4 {
        bench.initialise(n, "ab12");
        for _ in 0..4 {
            let passcode = format!("ab12{}", bench.next_code(n));
            assert_eq!(at_once(&bench, n, &passcode, 8), 1, "login of user {n}");
        }
    }
}

/// Sends the same login over `k` connections, the last octet of each at the same instant; how many
/// were accepted.
pub(crate) fn at_once(bench: &Bench, n: usize, passcode: &str, k: usize) -> usize {
    let body = serde_json::json!({ "user": user(n), "passcode": passcode }).to_string();
    let bytes = Arc::new(json_request("login", &body));
    let barrier = Arc::new(Barrier::new(k));
    let clicks: Vec<_> = (0..k)
        .map(|_| {
            let (bytes, barrier, addr) = (bytes.clone(), barrier.clone(), bench.addr());
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(addr).unwrap();
                stream.set_nodelay(true).unwrap();
                let (last, all_but) = bytes.split_last().unwrap();
                stream.write_all(all_but).unwrap();
                barrier.wait();
                stream.write_all(&[*last]).unwrap();
                read(&mut stream).status
            })
        })
        .collect();
    let statuses: Vec<_> = clicks.into_iter().map(|click| click.join().unwrap()).collect();
    assert!(statuses.iter().all(|status| [200, 401].contains(status)), "{statuses:?}");
    statuses.iter().filter(|status| **status == 200).count()
}

#[test]
fn two_initialisations_raced_leave_one_pin() {
    let bench = Bench::new(1);
    let addr = bench.addr();
    let begin = |code: &str, pin: &str| {
        let first = json(addr, "login", &[("user", &user(0)), ("passcode", code)]);
        let transaction = first.field("transaction");
        json(addr, "new-pin", &[("transaction", &transaction), ("pin", pin), ("pin2", pin)])
            .field("transaction")
    };
    let one = begin(&bench.code(0, -1), "aaaa");
    let two = begin(&bench.code(0, 0), "bbbb");
    let code = bench.next_code(0);
    let confirm = |transaction: &str, passcode: String| {
        json(addr, "confirm", &[("transaction", transaction), ("passcode", &passcode)]).status
    };
    let answers = [confirm(&one, format!("aaaa{code}")), confirm(&two, format!("bbbb{code}"))];
    assert_eq!(answers, [200, 401]);
    let code = bench.next_code(0);
    assert_eq!(confirm(&two, format!("bbbb{code}")), 401, "initialised meanwhile");
    assert_eq!(bench.login(0, &format!("bbbb{code}")), 401);
    assert_eq!(bench.login(0, &format!("aaaa{code}")), 200);
}

#[test]
fn steps_only_in_order_and_each_name_once() {
    let bench = Bench::new(2);
    let addr = bench.addr();
    let first = json(addr, "login", &[("user", &user(0)), ("passcode", &bench.code(0, 0))]);
    let chosen = first.field("transaction");
    let out = (409, "out-of-order");
    assert_eq!(json(addr, "confirm", &[("transaction", &chosen), ("passcode", "x")]).result(), out);
    let pin = |transaction: &str, pin: &str, again: &str| {
        json(addr, "new-pin", &[("transaction", transaction), ("pin", pin), ("pin2", again)])
    };
    for (bad, again, reason) in [
        ("", "", "length"),
        ("123", "123", "length"),
        ("1234567", "1234567", "length"),
        ("12 45", "12 45", "character"),
        ("12\u{0}45", "12\u{0}45", "character"),
        ("ab12", "ab13", "differ"),
    ] {
        let answer = pin(&chosen, bad, again);
        assert_eq!(answer.result(), (422, "bad-pin"), "{bad:?}");
        assert_eq!(answer.field("reason"), reason, "{bad:?}");
        assert_eq!(answer.field("transaction"), chosen, "it stays usable");
    }
    let confirming = pin(&chosen, "été1", "été1");
    assert_eq!(confirming.result(), (200, "confirm"));
    assert_eq!(pin(&chosen, "zzzz", "zzzz").result(), out, "step 2 twice");
    let transaction = confirming.field("transaction");
    assert_ne!(transaction, chosen);
    for bad in ["", "AAAAAAAAAAAAAAAAAAAAAA", "../../x", &"A".repeat(1000)] {
        assert_eq!(pin(bad, "ab12", "ab12").result(), out, "{bad}");
    }
    // Step 3 belongs to the user of steps 1 and 2: another's good code does not help.
    bench.clock.advance(60);
    let confirm = |passcode: String| {
        json(addr, "confirm", &[("transaction", &transaction), ("passcode", &passcode)]).result()
    };
    assert_eq!(confirm(format!("été1{}", bench.code(1, 0))), (401, "rejected"));
    bench.clock.advance(540);
    assert_eq!(confirm(format!("été1{}", bench.code(0, 0))), out, "ten minutes are over");
    assert_eq!(bench.login(0, &bench.code(0, 0)), 200, "begin again from step 1");
}

#[test]
fn nothing_tells_a_wrong_code_from_an_unknown_user() {
    let bench = Bench::new(3);
    bench.initialise(0, "ab12");
    for _ in 0..10 {
        assert_eq!(bench.login(2, "x"), 401);
    }
    let good = bench.code(0, 0);
    let wrong = if good == "000000" { "000001" } else { "000000" };
    let tries = [
        (user(0), format!("ab12{wrong}")),
        (user(0), format!("ab13{good}")),
        (user(0), good.clone()),
        (user(0), "ab12".into()),
        (user(0), String::new()),
        (user(1), wrong.into()),
        (user(2), bench.code(2, 0)),
        ("nobody".into(), good.clone()),
        (String::new(), String::new()),
    ];
    for (name, passcode) in tries {
        let answer = json(bench.addr(), "login", &[("user", &name), ("passcode", &passcode)]);
        assert_eq!((answer.status, &*answer.body), (401, r#"{"result":"rejected"}"#), "{name}");
    }
    assert_eq!(bench.login(0, &format!("ab12{good}")), 200, "a wrong PIN burns no code");
}

#[test]
fn a_code_spelt_otherwise_is_no_code() {
    let bench = Bench::new(1);
    let code = bench.code(0, 0);
    let wide: String = code.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
    for spelling in [
        format!(" {code}"),
        format!("{code} "),
        format!("{code}\n"),
        format!("{} {}", &code[..3], &code[3..]),
        format!("+{code}"),
        format!("\u{200b}{code}"),
        format!("{code}\0"),
        wide,
    ] {
        assert_eq!(bench.login(0, &spelling), 401, "{spelling:?}");
    }
    assert_eq!(bench.login(0, &code), 200);
}

#[test]
fn what_is_no_such_json_is_answered_and_decides_nothing() {
    let bench = Bench::new(1);
    let addr = bench.addr();
    let huge = format!(r#"{{"user":"u00000","passcode":"{}"}}"#, "1".repeat(20_000));
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("null", 400),
        ("[]", 400),
        (r#"{"user":"u00000"}"#, 400),
        (r#"{"user":"u00000","passcode":null}"#, 400),
        (r#"{"user":"u00000","passcode":123456}"#, 400),
        (r#"{"user":"u00000","passcode":["1"]}"#, 400),
        (r#"{"user":"u00000","passcode":"1","passcode":"2"}"#, 400),
        (huge.as_str(), 413),
    ] {
        let answer = raw(addr, &json_request("login", body));
        assert_eq!(answer.result(), (status, "malformed"), "{:.60}", body);
        assert!(!answer.field("reason").is_empty());
    }
    let plain = request("POST", "/api/v1/login", "Content-Type: text/plain\r\n", "{}");
    assert_eq!(raw(addr, &plain).result(), (415, "malformed"));
    assert_eq!(raw(addr, &request("GET", "/api/v1/login", "", "")).status, 405);
    assert_eq!(raw(addr, &request("GET", "/nowhere", "", "")).status, 404);
    assert_eq!(bench.portal.stats().rejected, 0);
}

#[test]
fn the_clock_and_the_date_are_key_time() {
    let bench = Bench::new(1);
    let answer = raw(bench.addr(), &request("GET", "/api/v1/clock", "", ""));
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(value["key_time_us"], 1_680_000_001_000_000_u64);
    assert_eq!(value["rate"], 1.0);
    assert_eq!(answer.header("date"), Some("Tue, 28 Mar 2023 10:40:01 GMT"));
}

#[test]
fn two_thousand_connections_stay_open() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::io::{BufRead, BufReader, Read};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let bench = Bench::new(2000);
    let mut people: Vec<_> =
        (0..2000).map(|_| BufReader::new(TcpStream::connect(bench.addr()).unwrap())).collect();
    for (round, expected) in ["200 OK", "401 Unauthorized"].into_iter().enumerate() {
        for (n, person) in people.iter_mut().enumerate() {
            let body = serde_json::json!({ "user": user(n), "passcode": bench.code(n, 0) });
            let request = String::from_utf8(json_request("login", &body.to_string())).unwrap();
            let request = request.replace("Connection: close\r\n", "");
            person.get_mut().write_all(request.as_bytes()).unwrap();
        }
        for (n, person) in people.iter_mut().enumerate() {
            let (mut line, mut length) = (String::new(), 0);
            person.read_line(&mut line).unwrap();
            assert!(line.contains(expected), "round {round}, user {n}: {line}");
            while line.trim() != "" {
                line.clear();
                person.read_line(&mut line).unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            person.read_exact(&mut vec![0; length]).unwrap();
        }
    }
}

#[test]
fn a_key_minutes_off_is_followed_after_two_codes_in_a_row() {
    let bench = Bench::new(1);
    let addr = bench.addr();
    bench.initialise(0, "ab12");
    let far = format!("ab12{}", bench.code(0, 6));
    let login = || json(addr, "login", &[("user", &user(0)), ("passcode", &far)]);
    let asked = login();
    assert_eq!(asked.result(), (200, "next-code"));
    assert!(asked.field("session").is_empty(), "it opens nothing");
    let next = |transaction: &str, code: &str| {
        json(addr, "next-code", &[("transaction", transaction), ("code", code)]).result()
    };
    let transaction = asked.field("transaction");
    assert_eq!(next(&transaction, &bench.code(0, 6)), (401, "rejected"), "the same code");
    assert_eq!(next(&transaction, &bench.code(0, 8)), (401, "rejected"), "not the next");
    // Asked twice, as by a double click: the code is still good only once.
    let other = login().field("transaction");
    let second = {
        bench.clock.advance(60);
        bench.code(0, 6)
    };
    assert_eq!(next(&transaction, &second), (200, "accepted"));
    assert_eq!(next(&other, &second), (401, "rejected"));
    assert_eq!(next(&transaction, &second), (409, "out-of-order"));
    assert_eq!(bench.login(0, &format!("ab12{second}")), 401);
    bench.clock.advance(60);
    assert_eq!(bench.login(0, &format!("ab12{}", bench.code(0, 6))), 200);
    let stats = bench.portal.stats();
    assert_eq!((stats.next_codes, stats.accepted), (2, 3));
    assert_eq!(next("x", &second), (409, "out-of-order"));
    let unknown = json(addr, "login", &[("user", "nobody"), ("passcode", &far)]);
    assert_eq!(unknown.result(), (401, "rejected"));
}

#[test]
fn without_resynchronisation_a_code_too_far_out_is_refused() {
    let bench = Bench::with(1, |config| config.policy.resync = 0);
    bench.initialise(0, "ab12");
    assert_eq!(bench.login(0, &format!("ab12{}", bench.code(0, 6))), 401);
}
