//! `trousseau serve --radius` and `simulate --target portal-radius`, as their user meets them.

mod common;

use std::collections::HashSet;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use common::{PROGRAM, RATE, Server, describe, text};

/// A batch of 40 keys, its transport key and roster, and a shared secret.
fn batch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let minted = Command::new(PROGRAM)
        .current_dir(folder.path())
        .args(["mint", "--count", "40", "--serial-prefix", "T", "--serial-width", "4"])
        .args(["--new-transport-key", "transport.key", "--out", "batch.pskcxml"])
        .output()
        .unwrap();
    assert!(minted.status.success(), "{}", text(&minted.stderr));
    let rows = (1..=40).map(|n| format!("user{n},T{n:04}\n")).collect::<String>();
    std::fs::write(folder.path().join("users.csv"), format!("user,serial\n{rows}")).unwrap();
    std::fs::write(folder.path().join("radius.secret"), "testing123testing123\n").unwrap();
    folder
}

fn command(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(folder)
        .arg(name)
        .args(["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
        .args(["--roster", "users.csv"]);
    command
}

/// A server that answers over RADIUS, too.
fn serve(folder: &Path, more: &[&str]) -> Server {
    let radius = ["--radius", "127.0.0.1:0", "--radius-secret-file", "radius.secret"];
    Server::start(folder, &[&radius, more].concat())
}

fn simulate(folder: &Path, url: &str, more: &[&str]) -> Output {
    command(folder, "simulate")
        .args(["--scenario", "rentree", "--target", "portal-radius", "--url", url])
        .args(["--set", "thresholds.lateness_p99=10s"])
        .args(["--set", "arrivals.curve.1.at=1m", "--set", "arrivals.curve.2.at=2m"])
        .args(["--set", "arrivals.curve.3.at=3m", "--set", "arrivals.curve.4.at=4m"])
        .args(["--set", "logins.gap.lognormal.median=1m", "--set", "people.impatient=0.5"])
        .args(["--set", "logins.gap.lognormal.max=3m", "--set", "people.double_click=0.1"])
        .args(more)
        .output()
        .unwrap()
}

const SECRET: [&str; 2] = ["--radius-secret-file", "radius.secret"];

#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in {stderr}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn keys_that_drifted_over_the_summer_get_in_over_radius() {
    let folder = batch();
    let server = serve(folder.path(), &[]);
    let output = command(folder.path(), "simulate")
        .args(["--scenario", "summer", "--target", "portal-radius", "--url", &server.radius])
        .args(["--set", "thresholds.lateness_p99=10s", "--set", "arrivals.curve.1.at=1m"])
        .args(["--set", "arrivals.curve.2.at=2m", "--set", "logins.gap.lognormal.median=1m"])
        .args(["--set", "logins.gap.lognormal.max=2m"])
        .args(["--clock-rate", RATE, "--clock-origin", &server.origin, "--out", "run"])
        .args(SECRET)
        .output()
        .unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("resynchronised by the next code"), "{stdout}");
}

#[test]
fn a_population_is_initialised_and_logs_in_over_access_challenges() {
    let folder = batch();
    let server = serve(folder.path(), &[]);
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin, "--out", "run"];
    let output = simulate(folder.path(), &server.radius, &[&SECRET[..], &clock[..]].concat());
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("No contradiction in "), "{stdout}");
    assert!(stdout.contains("40 initialised; 40 logged in"), "{stdout}");
    // The report tells datagrams apart from attempts, in each of its forms.
    let line = stdout.lines().find(|line| line.starts_with("Datagrams ")).expect("datagrams");
    assert!(line.contains(" requests") && line.contains(" answers"), "{line}");
    assert!(!line.contains("bad authenticator"), "{line}");
    let read = |file: &str| std::fs::read_to_string(folder.path().join("run").join(file)).unwrap();
    assert!(read("report.json").contains("\"name\": \"requests\""));
    assert!(read("report.html").contains("RADIUS datagrams"));
}

#[test]
fn a_server_that_forgets_used_codes_is_found_out() {
    let folder = batch();
    let server = serve(folder.path(), &["--defect", "replay-none"]);
    let clock = ["--clock-rate", RATE, "--clock-origin", &server.origin, "--out", "run"];
    let output = simulate(folder.path(), &server.radius, &[&SECRET[..], &clock[..]].concat());
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{stdout}");
    assert!(stdout.contains("replayed-code"), "{stdout}");
}

/// Brings every datagram to the server at `radius` from a port of its own, so that none looks like one
/// that came before, and loses the answer to every fourth request the first time; returns its own
/// address.
fn lossy(radius: &str) -> String {
    let server = radius.trim_start_matches("radius://").to_owned();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let url = format!("radius://{}", client.local_addr().unwrap());
    // Ends with the test program.
    std::thread::spawn(move || {
        let (mut request, mut answer) = ([0; 4096], [0; 4096]);
        let mut seen: HashSet<[u8; 16]> = HashSet::new();
        loop {
            let (octets, from) = client.recv_from(&mut request).unwrap();
            let out = UdpSocket::bind("127.0.0.1:0").unwrap();
            out.connect(&server).unwrap();
            out.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            out.send(&request[..octets]).unwrap();
            let Ok(octets) = out.recv(&mut answer) else { continue };
            let authenticator = request[4..20].try_into().unwrap();
            if seen.insert(authenticator) && seen.len().is_multiple_of(4) {
                continue;
            }
            let _ = client.send_to(&answer[..octets], from);
        }
    });
    url
}

/// A server that knows no request by its octets refuses what is transmitted again after it took the
/// code: RFC 5080 §2.2.2 says SHOULD, and who expires what it knows does so, too.
#[test]
fn a_server_that_acts_on_every_transmission_is_not_accused() {
    let folder = batch();
    let radius = ["--radius", "127.0.0.1:0", "--radius-secret-file", "radius.secret"];
    // Slow enough for a code to be good still when it is transmitted again after two seconds.
    let server = Server::start_at("20", folder.path(), &radius);
    let url = lossy(&server.radius);
    let quick = ["--users", "12", "--out", "run", "--set", "arrivals.curve.0.rate=10"];
    let output = simulate(folder.path(), &url, &[&SECRET[..], &server.clock(), &quick].concat());
    let words = describe(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(words.contains("No contradiction in "), "{words}");
    let file = std::fs::read(folder.path().join("run/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(report["runs"][0]["generator"]["resent"], 0, "that is of HTTP alone: {report}");
    let record = std::fs::read_to_string(folder.path().join("run/attempts.csv")).unwrap();
    // What was taken at first, and refused when it came again.
    let open = record.lines().filter(|line| line.contains(",unknown,lost-answer,"));
    assert!(open.filter(|line| line.contains(",rejected,3,")).count() > 0, "{record}");
}

#[test]
fn what_cannot_be_reached_or_trusted_is_told_before_the_run() {
    let folder = batch();
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("radius://{closed}");
    let words = ["no RADIUS server at ", "connection refused", "start the server"];
    assert_refused(&simulate(folder.path(), &url, &SECRET), 6, &words);

    let words = ["needs the credential \"radius\"", "--radius-secret-file"];
    assert_refused(&simulate(folder.path(), &url, &[]), 2, &words);

    let words = ["portal-radius is spoken to over radius", "radius://HOST:1812"];
    assert_refused(&simulate(folder.path(), "http://127.0.0.1:9", &SECRET), 2, &words);

    std::fs::write(folder.path().join("empty"), "\n").unwrap();
    let words = ["empty: the shared secret of RADIUS is empty", "16 octets"];
    let empty = ["--radius-secret-file", "empty"];
    assert_refused(&simulate(folder.path(), &url, &empty), 2, &words);

    // Another secret: the server drops what it cannot verify, in silence.
    let server = serve(folder.path(), &[]);
    std::fs::write(folder.path().join("other"), "testing124testing124\n").unwrap();
    let other = ["--radius-secret-file", "other", "--timeout", "1"];
    let words = ["no answer from the RADIUS server", "the shared secret the same?"];
    assert_refused(&simulate(folder.path(), &server.radius, &other), 6, &words);
}
