//! `trousseau targets probe`, as its user meets it.

mod common;
mod live;

use common::{PROGRAM, RATE, Server, text};
use live::{Batch, assert_no_secret};
use std::process::{Command, Output};

fn probe(batch: &Batch, url: &str, more: &[&str]) -> Output {
    let words = ["targets", "probe", "--url", url, "--user", "user1"];
    batch.run(&words, more)
}

const KEY: [&str; 6] =
    ["--keys", "batch.pskcxml", "--transport-key-file", "transport.key", "--serial", "T1"];

fn with_key<'a>(more: &[&'a str]) -> Vec<&'a str> {
    KEY.iter().chain(more).copied().collect()
}

#[test]
fn the_three_steps_a_login_and_its_replay_are_shown_without_secrets() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    for (target, user, serial) in [("portal-html", "user1", "T1"), ("portal-json", "user2", "T2")] {
        let ran = Command::new(PROGRAM)
            .current_dir(batch.path())
            .args(["targets", "probe", "--target", target, "--url", &server.url, "--user", user])
            .args(["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
            .args(["--serial", serial, "--new-pin-file", "new.pin"])
            .args(["--operation", "first_code,new_pin,confirm"])
            .args(["--clock-rate", RATE, "--clock-origin", &server.origin])
            .output()
            .unwrap();
        let told = text(&ran.stdout);
        assert_eq!(ran.status.code(), Some(0), "{told}{}", text(&ran.stderr));
        for line in ["=> first_code: new-pin", "=> new_pin: confirm", "=> confirm: accepted"] {
            assert!(told.contains(line), "{line} is missing:\n{told}");
        }
        assert!(told.contains("matches: new-pin"), "{told}");
        assert_no_secret(&told);
        assert_no_secret(&text(&ran.stderr));
        if target == "portal-html" {
            assert!(told.contains("> POST /login HTTP/1.1"), "{told}");
            assert!(told.contains("> csrf=***&passcode=***&user=user1"), "{told}");
            assert!(told.contains("< HTTP/1.1 303"), "{told}");
            assert!(told.contains("< location: /new-pin"), "{told}");
            assert!(told.contains("taken: {csrf} by <input name=\"csrf\">"), "{told}");
            assert!(
                told.contains("does not: accepted needs location = \"/portal\" (it is /new-pin)")
            );
            // The browser's cookies are sent, and not told.
            assert!(told.contains("=***\n"), "{told}");
        }
    }
}

#[test]
fn a_refusal_is_an_answer_and_an_unread_page_is_not() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    batch.write("code.txt", "000 000\n");
    let typed = ["--operation", "login", "--code-file", "code.txt", "--pin-file", "new.pin"];
    let ran = probe(&batch, &server.url, &[&["--target", "portal-json"], &typed[..]].concat());
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
    assert!(text(&ran.stdout).contains("=> login: rejected"), "{}", text(&ran.stdout));

    // A target that does not know this server: the page is shown, no rule reads it.
    let ran = Command::new(PROGRAM).args(["targets", "show", "portal-html"]).output().unwrap();
    let changed = text(&ran.stdout).replace("input = \"csrf\"", "input = \"jeton\"");
    batch.write("mine.toml", &changed);
    let ran = probe(&batch, &server.url, &[&["--target", "mine.toml"], &typed[..]].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(3), "{told}");
    assert!(told.contains("no <input name=\"jeton\"> in the answer (HTTP 200)"), "{told}");
    assert!(told.contains("=> login: error (answer)"), "{told}");
    assert_no_secret(&told);

    let changed =
        changed.replace("input = \"jeton\"", "css = \"form.connexion input[name=jeton]\"");
    batch.write("mine.toml", &changed);
    let ran = probe(&batch, &server.url, &[&["--target", "mine.toml"], &typed[..]].concat());
    let told = text(&ran.stdout);
    assert!(told.contains("no CSS form.connexion input[name=jeton] in the answer"), "{told}");
}

#[test]
fn bad_input_is_told_before_anything_is_sent() {
    let batch = Batch::new();
    // Nobody listens here; were anything sent, the exit code would be 6.
    let url = "http://127.0.0.1:9";
    batch.write("empty", "\n");
    let target = ["--target", "portal-html"];
    let cases: Vec<(Vec<&str>, &str, &str)> = vec![
        (with_key(&["--operation", "jump"]), "unknown operation", "known: first_code"),
        (with_key(&["--operation", "new_pin"]), "none was given", "--new-pin-file"),
        (with_key(&["--operation", "confirm"]), "confirm sends the PIN", "--pin-file"),
        (
            vec![
                "--operation",
                "login",
                "--keys",
                "batch.pskcxml",
                "--transport-key-file",
                "transport.key",
                "--serial",
                "T9",
            ],
            "batch.pskcxml has no key T9",
            "trousseau inspect",
        ),
        (
            with_key(&["--operation", "login", "--pin-file", "empty"]),
            "empty: there is no PIN",
            "first line",
        ),
        (
            with_key(&["--operation", "login", "--ca-file", "a", "--credential", "x"]),
            "--credential \"x\" has no \"=\"",
            "NAME=FILE",
        ),
    ];
    for (words, message, hint) in cases {
        let ran = probe(&batch, url, &[&target[..], &words].concat());
        let told = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{words:?}: {told}");
        assert!(told.contains(message), "{words:?}: {told}");
        assert!(told.contains(hint), "{words:?}: {told}");
        assert!(ran.stdout.is_empty());
    }
    let ran = probe(&batch, url, &[&target[..], &with_key(&["--operation", "login"])].concat());
    assert_eq!(ran.status.code(), Some(6));
    assert!(text(&ran.stdout).contains("trouble: cannot connect"), "{}", text(&ran.stdout));
    let ran = probe(
        &batch,
        "radius://127.0.0.1:9",
        &[&target[..], &with_key(&["--operation", "login"])].concat(),
    );
    assert_eq!(ran.status.code(), Some(2), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("spoken to over http"), "{}", text(&ran.stderr));
}
