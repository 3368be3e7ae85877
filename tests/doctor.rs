//! `trousseau doctor`, as its user meets it.

mod common;
mod live;

use common::{RATE, Server, rsa, text};
use live::{Batch, assert_no_secret};
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use std::process::Output;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, crypto::ring};

fn doctor(batch: &Batch, url: &str, user: &str, more: &[&str]) -> Output {
    let words = [
        "doctor",
        "--url",
        url,
        "--user",
        user,
        "--keys",
        "batch.pskcxml",
        "--transport-key-file",
        "transport.key",
        "--roster",
        "users.csv",
    ];
    batch.run(&words, more)
}

#[test]
fn a_good_server_is_found_good_from_the_first_code_to_the_refused_replay() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    for (target, user) in
        [("portal-html", "user1"), ("portal-json", "user2"), ("generic-form", "user3")]
    {
        let more = ["--target", target, "--new-pin-file", "new.pin"];
        let ran = doctor(&batch, &server.url, user, &[&more[..], &clock].concat());
        let told = text(&ran.stdout);
        assert_eq!(ran.status.code(), Some(0), "{told}{}", text(&ran.stderr));
        for line in [
            "ok     127.0.0.1:",
            "the server's clock is",
            "ok     a user whom nobody knows is refused: rejected",
            "ok     the first code asks for a PIN: new-pin",
            "ok     a PIN of 3 characters is refused: rejected",
            "ok     the PIN is taken: confirm",
            "ok     PIN and next code confirm it: accepted",
            "ok     a login: accepted",
            "ok     the log-out: accepted",
            "ok     the same code again is refused: rejected",
            "ok     a code 4 steps ahead is answered by asking for the next: next-code",
            "ok     the next code is taken: accepted",
            "nothing is at fault",
        ] {
            let left_out = target == "generic-form" && line.contains("log-out");
            assert!(left_out || told.contains(line), "{line} is missing:\n{told}");
        }
        // What is in the next person's way is said.
        assert!(told.contains(&format!("note   {user} has a PIN now")), "{told}");
        assert!(told.contains("leave this user out of the roster"), "{told}");
        let fast = format!("note   the server takes the key of {user} for 4 steps fast now");
        assert!(told.contains(&fast), "{told}");
        assert_no_secret(&told);
    }
    // One that has its PIN, and one as if it had none.
    let words = ["targets", "probe", "--target", "portal-json", "--url", &server.url];
    let key = ["--user", "user4", "--serial", "T4", "--new-pin-file", "new.pin"];
    let batched = ["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"];
    let steps = ["--operation", "first_code,new_pin,confirm"];
    let ran = batch.run(&words, &[&key[..], &batched, &steps, &clock].concat());
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stdout));
    // Its code is used; the next comes within half a second.
    std::thread::sleep(std::time::Duration::from_millis(700));
    let more = ["--target", "portal-html", "--pin-file", "new.pin"];
    let ran = doctor(&batch, &server.url, "user4", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert!(told.contains("note   the three steps were not tried"), "{told}");
    assert!(told.contains("the same code again is refused"), "{told}");
    let more = ["--target", "portal-html", "--new-pin-file", "new.pin"];
    let ran = doctor(&batch, &server.url, "user1", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(told.contains("FAULT  the first code asks for a PIN: rejected instead of new-pin"));
    assert!(told.contains("to do: the key may be initialised already"), "{told}");
}

/// The template for portals of the RSA kind, with the names and marks of the embedded server's pages:
/// what is left of it is how such pages are walked, their forms sent back as they stand.
#[test]
fn the_template_for_rsa_portals_is_made_to_fit_by_names_alone() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    let shown = text(&batch.run(&["targets", "show", "rsa-am-web"], &[]).stdout);
    let mine = rsa::with_names_of_ours(&shown);
    batch.write("mine.toml", &mine);
    let more = ["--target", "mine.toml", "--new-pin-file", "new.pin"];
    let ran = doctor(&batch, &server.url, "user1", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert!(told.contains("a user whom nobody knows is refused: rejected"), "{told}");
    assert!(told.contains("ok     a login: accepted"), "{told}");
    assert!(told.contains("the same code again is refused: rejected"), "{told}");
    assert_eq!(ran.status.code(), Some(0), "{told}");
}

#[test]
fn a_server_that_takes_a_code_twice_is_found_at_fault() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &["--defect", "replay-none"]);
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    let more = ["--target", "portal-json", "--new-pin-file", "new.pin"];
    let ran = doctor(&batch, &server.url, "user1", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(told.contains("FAULT  the same code again was accepted"), "{told}");
    assert!(told.contains("to do: turn on its protection against replays"), "{told}");
    assert!(told.contains("1 thing is to be put right"), "{told}");
}

#[test]
fn a_wrong_clock_a_wrong_target_and_nobody_there_are_told_apart() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    // Our clock at its usual rate, the server's 120 times as fast.
    let ran = doctor(&batch, &server.url, "user1", &["--target", "portal-html"]);
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(told.contains("FAULT  the server's clock goes 120 times as fast"), "{told}");
    assert!(told.contains("to do: give --clock-rate 120"), "{told}");
    assert!(told.contains("note   no key was tried: its PIN was not given"), "{told}");

    let ran = doctor(&batch, &server.url, "user1", &["--target", "privacyidea"]);
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(told.contains("the target does not read this answer"), "{told}");
    assert!(told.contains("trousseau targets probe --operation login"), "{told}");

    let ran = doctor(&batch, "http://127.0.0.1:9", "user1", &["--target", "portal-html"]);
    assert_eq!(ran.status.code(), Some(6));
    assert!(text(&ran.stderr).contains("127.0.0.1:9: cannot connect"), "{}", text(&ran.stderr));
    let ran = doctor(&batch, "http://127.0.0.1:9", "user9", &["--target", "portal-html"]);
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("users.csv: user user9 is not in it"));
}

/// A target that promises longer PINs than the server insists on, and next codes that it never asks
/// for: the doctor says so before a run does.
#[test]
fn what_the_target_declares_wrongly_is_found() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &["--resync-steps", "0"]);
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    let portal = text(&batch.run(&["targets", "show", "portal-json"], &[]).stdout);
    batch.write("long.toml", &portal.replace("pin_min = 4", "pin_min = 6"));
    batch.write("six.pin", "Zq7xab\n");
    let more = ["--target", "long.toml", "--new-pin-file", "six.pin"];
    let ran = doctor(&batch, &server.url, "user1", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(told.contains("FAULT  a PIN of 5 characters was taken (confirm)"), "{told}");
    assert!(told.contains("to do: correct pin_min in [policy]"), "{told}");
    assert_no_secret(&told);

    let more = ["--target", "portal-json", "--new-pin-file", "new.pin"];
    let ran = doctor(&batch, &server.url, "user2", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    let far = "FAULT  a code 4 steps ahead is answered by asking for the next: rejected instead";
    assert!(told.contains(far), "{told}");

    batch.write("without.toml", &portal.replace("resync_steps = 10", ""));
    let more = ["--target", "without.toml", "--new-pin-file", "new.pin"];
    let ran = doctor(&batch, &server.url, "user3", &[&more[..], &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{told}");
    let note =
        "note   no code from beyond the window was tried: the target declares no resync_steps";
    assert!(told.contains(note), "{told}");
}

/// A server whose certificate is over: the certificates are shown all the same, and what to do.
#[test]
fn certificates_that_tls_refuses_are_shown() {
    let batch = Batch::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "the old one");
    (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
    let certificate = params.self_signed(&key).unwrap();
    batch.write("ca.pem", &certificate.pem());
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    // It shakes hands with whoever comes, for as long as the test runs.
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = tls.complete_io(&mut tcp.unwrap());
        }
    });
    let more = ["--target", "portal-json", "--ca-file", "ca.pem"];
    let ran = doctor(&batch, &url, "user1", &more);
    let (told, failed) = (text(&ran.stdout), text(&ran.stderr));
    assert_eq!(ran.status.code(), Some(6), "{told}{failed}");
    let shown = "FAULT  TLS certificate 0: CN=the old one, issued by CN=the old one, valid from \
                 2019-01-01 to 2020-01-01";
    assert!(told.contains(shown), "{told}");
    assert!(failed.contains("the server's certificate expired at 2020-01-01"), "{failed}");
    assert!(failed.contains("renew the server's certificate"), "{failed}");
}
