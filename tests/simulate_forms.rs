//! `trousseau simulate` through the templates that walk from page to page, `generic-form` as it stands
//! and `rsa-am-web` with the names of the embedded server: a morning with replays, and keys that
//! drifted over the summer.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{PROGRAM, Server, describe, ok, rsa};

/// A batch of 30 keys with its transport key and roster, and the target `mine.toml`.
fn batch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    ok(
        path,
        "mint --count 30 --serial-prefix T --serial-width 4 --new-transport-key transport.key \
         --out batch.pskcxml",
    );
    let rows = (1..=30).map(|n| format!("user{n},T{n:04}\n")).collect::<String>();
    std::fs::write(path.join("users.csv"), format!("user,serial\n{rows}")).unwrap();
    let mine = rsa::with_names_of_ours(&ok(path, "targets show rsa-am-web"));
    std::fs::write(path.join("mine.toml"), mine).unwrap();
    folder
}

/// `scenario` over `target` into the folder `run`, within a few minutes of key time, with everybody
/// impatient; returns the report.
fn simulate(folder: &Path, server: &Server, scenario: &str, target: &str) -> serde_json::Value {
    let output: Output = Command::new(PROGRAM)
        .current_dir(folder)
        .args(["simulate", "--scenario", scenario, "--target", target, "--url", &server.url])
        .args(["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
        .args(["--roster", "users.csv", "--timeout", "5", "--out", "run"])
        .args(["--set", "thresholds.lateness_p99=10s", "--set", "people.impatient=1"])
        .args(["--set", "arrivals.curve.1.at=1m", "--set", "arrivals.curve.2.at=2m"])
        .args(["--set", "logins.gap.lognormal.median=1m", "--set", "people.double_click=0.1"])
        .args(["--set", "logins.gap.lognormal.max=3m"])
        .args(match scenario {
            "rentree" => ["--set", "arrivals.curve.3.at=3m", "--set", "arrivals.curve.4.at=4m"],
            _ => ["--set", "keys.drift.normal.min=-8m", "--set", "keys.drift.normal.max=8m"],
        })
        .args(server.clock())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{scenario}, {target}: {}", describe(&output));
    let report = std::fs::read(folder.join("run/report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["outcome"], "ok", "{report}");
    assert_eq!(report["contradictions"].as_array().unwrap().len(), 0, "{report}");
    report
}

/// Lines of the record of attempts that hold all of `words`.
fn attempts(folder: &Path, words: &[&str]) -> usize {
    let record = std::fs::read_to_string(folder.join("run/attempts.csv")).unwrap();
    record.lines().filter(|line| words.iter().all(|word| line.contains(word))).count()
}

fn a_morning(target: &str) {
    let folder = batch();
    let server = Server::start(folder.path(), &[]);
    let report = simulate(folder.path(), &server, "rentree", target);
    assert!(report["people"]["logged_in"].as_u64().unwrap() >= 25, "{report}");
    let replays =
        attempts(folder.path(), &[",impatient,", ",rejected,replayed-code,", ",rejected,"]);
    assert!(replays >= 5, "{replays} replays\n{report}");
    // Each that was decided is counted.
    let counted = report["replays"]["sequential"]["sent"].as_u64().unwrap();
    assert!(counted >= 5, "{counted} of {replays}: {report}");
    assert_eq!(report["replays"]["accepted"], 0, "{report}");
}

fn a_summer(target: &str) {
    let folder = batch();
    let server = Server::start(folder.path(), &[]);
    simulate(folder.path(), &server, "summer", target);
    let asked = attempts(folder.path(), &[",next-code,outside-window,", ",next-code,200,"]);
    let followed = attempts(folder.path(), &[",resync,", ",fresh-code,"]);
    assert!(asked >= 3 && followed >= 3, "{asked} asked for the next code, {followed} gave it");
}

#[test]
fn a_morning_over_any_login_form() {
    a_morning("generic-form");
}

#[test]
fn a_morning_over_a_portal_of_the_rsa_kind() {
    a_morning("mine.toml");
}

#[test]
fn a_summer_over_any_login_form() {
    a_summer("generic-form");
}

#[test]
fn a_summer_over_a_portal_of_the_rsa_kind() {
    a_summer("mine.toml");
}
