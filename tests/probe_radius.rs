//! `trousseau targets probe` and `trousseau doctor` over RADIUS, as their user meets them.

mod common;
mod live;

use common::{RATE, Server, text};
use live::{Batch, assert_no_secret};

const KEYS: [&str; 4] = ["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"];

/// A batch with a shared secret, and a server that answers over RADIUS.
fn stage() -> (Batch, Server) {
    let batch = Batch::new();
    batch.write("radius.secret", "testing123testing123\n");
    let more = ["--radius", "127.0.0.1:0", "--radius-secret-file", "radius.secret"];
    let server = Server::start(batch.path(), &more);
    (batch, server)
}

#[test]
fn the_three_steps_are_shown_attribute_by_attribute_and_without_secrets() {
    let (batch, server) = stage();
    let words = ["targets", "probe", "--target", "portal-radius", "--url", &server.radius];
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    let more = [
        &KEYS[..],
        &["--serial", "T1", "--user", "user1", "--new-pin-file", "new.pin"],
        &["--radius-secret-file", "radius.secret"],
        &["--operation", "first_code,new_pin,confirm,login"],
        &clock,
    ];
    let ran = batch.run(&words, &more.concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{told}{}", text(&ran.stderr));
    for part in [
        "> Access-Request",
        "> Message-Authenticator: [hidden]",
        "> User-Name: user1",
        "> User-Password: ***",
        "> NAS-Identifier: trousseau",
        "datagrams: sent once: 1 requests, 1 answers",
        "< Access-Challenge",
        "< Reply-Message: Enter a new PIN",
        "taken: {state} by attribute State (16 bytes)",
        "=> first_code: new-pin",
        "=> new_pin: confirm",
        "=> confirm: accepted",
        // At once: the code of the step before.
        "=> login: rejected",
    ] {
        assert!(told.contains(part), "{part} is missing:\n{told}");
    }
    assert_no_secret(&told);
    assert!(!told.contains("testing123"), "{told}");
}

#[test]
fn the_doctor_finds_a_good_server_good_and_another_secret_out() {
    let (batch, server) = stage();
    let words = ["doctor", "--target", "portal-radius", "--url", &server.radius];
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    let key = ["--roster", "users.csv", "--user", "user2", "--new-pin-file", "new.pin"];
    let secret = ["--radius-secret-file", "radius.secret"];
    let ran = batch.run(&words, &[&KEYS[..], &key, &secret, &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{told}{}", text(&ran.stderr));
    for line in [
        // There is no page whose clock could be declared: the advice is another.
        "note   over RADIUS no server shows its clock",
        "to do: compare it by hand: `date -u`",
        "ok     a PIN of 3 characters is refused: rejected",
        "ok     the PIN is taken: confirm",
        "ok     the same code again is refused: rejected",
        "ok     the next code is taken: accepted",
    ] {
        assert!(told.contains(line), "{line} is missing:\n{told}");
    }
    assert_no_secret(&told);

    batch.write("other.secret", "another secret\n");
    let other = ["--radius-secret-file", "other.secret", "--timeout", "1"];
    let ran = batch.run(&words, &[&KEYS[..], &key, &other, &clock].concat());
    let told = text(&ran.stdout) + &text(&ran.stderr);
    assert_ne!(ran.status.code(), Some(0), "{told}");
    assert!(told.contains("no answer") || told.contains("secret"), "{told}");
    assert!(!told.contains("another secret"), "{told}");
}

/// A target that does not take the State of a refusal along: for it, a refused PIN ends the dialogue.
/// The doctor begins again as a person would, and says so.
#[test]
fn a_person_whose_pin_was_refused_begins_again() {
    let (batch, server) = stage();
    let mut mine = text(&batch.run(&["targets", "show", "portal-radius"], &[]).stdout);
    let first = "password = \"{new_pin}\"\nattributes = { State = \"{state}\" }\ntake.state";
    let again = "password = \"{new_pin_confirmation}\"\nattributes = { State = \"{state}\" }";
    for (from, to) in [
        (first, first.replace("take.state", "take.again")),
        (again, again.replace("{state}", "{again}")),
    ] {
        assert!(mine.contains(from), "{from} is not in the target");
        mine = mine.replace(from, &to);
    }
    // Its examples give the one State in both places.
    mine.truncate(mine.find("[[example]]").unwrap());
    batch.write("mine.toml", &mine);
    let words = ["doctor", "--target", "mine.toml", "--url", &server.radius];
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin];
    let key = ["--roster", "users.csv", "--user", "user3", "--new-pin-file", "new.pin"];
    let secret = ["--radius-secret-file", "radius.secret"];
    let ran = batch.run(&words, &[&KEYS[..], &key, &secret, &clock].concat());
    let told = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{told}{}", text(&ran.stderr));
    for line in [
        "ok     a PIN of 3 characters is refused: rejected",
        "ok     a first code after that asks for a PIN: new-pin",
        "note   a refused PIN ends the dialogue",
        "ok     the PIN is taken: confirm",
        "ok     a login: accepted",
    ] {
        assert!(told.contains(line), "{line} is missing:\n{told}");
    }
}
