//! Every fault that `serve --defect` plants is found by a scenario of this program, and a sound server
//! is not accused by it. `false-reject` takes a thousand good codes: `tests/portal/defects.rs` shows it.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use common::{PROGRAM, Server};

const PEOPLE: usize = 24;

fn batch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let minted = Command::new(PROGRAM)
        .current_dir(folder.path())
        .args(["mint", "--count", &PEOPLE.to_string(), "--serial-prefix", "T"])
        .args(["--serial-width", "4", "--new-transport-key", "transport.key"])
        .args(["--out", "batch.pskcxml"])
        .output()
        .unwrap();
    assert!(minted.status.success());
    let rows: String = (1..=PEOPLE).map(|n| format!("user{n},T{n:04}\n")).collect();
    std::fs::write(folder.path().join("users.csv"), format!("user,serial\n{rows}")).unwrap();
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

/// The scenario `probe` against a server with `defect`, or a sound one; the kinds of contradictions
/// found, and by which steps they were expected otherwise.
fn probed(folder: &Path, defect: Option<&str>) -> (Output, BTreeMap<String, u64>) {
    let planted: Vec<&str> = defect.iter().flat_map(|defect| ["--defect", *defect]).collect();
    let server = Server::start(folder, &planted);
    let run = defect.unwrap_or("sound");
    let output = command(folder, "simulate")
        .args([
            "--scenario",
            "probe",
            "--target",
            "portal-json",
            "--url",
            &server.url,
            "--out",
            run,
        ])
        .args(["--set", "thresholds.lateness_p99=10s", "--timeout", "5", "--workers", "1"])
        .args(["--set", "arrivals.curve.1.at=1m", "--set", "arrivals.curve.2.at=90s"])
        .args(server.clock())
        .output()
        .unwrap();
    drop(server);
    let report = std::fs::read(folder.join(run).join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let mut found = BTreeMap::new();
    for one in report["contradictions"].as_array().unwrap() {
        let word = |key: &str| one[key].as_str().unwrap();
        *found.entry(format!("{}: {}", word("reason"), word("kind"))).or_default() += 1;
    }
    (output, found)
}

#[test]
fn every_planted_fault_is_found_and_a_sound_server_is_not_accused() {
    let folder = batch();
    let folder = folder.path();
    // What each is found by, among other things.
    let told = [
        (None, ""),
        (Some("replay-none"), "replayed-code: replay-accepted"),
        (Some("toctou"), "concurrent: concurrent-replay-accepted"),
        (Some("burn-current-step-only"), "replayed-code: replay-accepted"),
        (Some("init-code-reuse"), "replayed-code: replay-accepted"),
        (Some("pin-ignored"), "wrong-pin: wrongly-accepted"),
        (Some("no-lockout"), "locked: wrongly-accepted"),
        (Some("wide-window"), "outside-window: wrongly-accepted"),
        (Some("drift-walk"), "outside-window: wrongly-accepted"),
    ];
    std::thread::scope(|scope| {
        let runs: Vec<_> = told
            .map(|(defect, kind)| (defect, kind, scope.spawn(move || probed(folder, defect))))
            .into_iter()
            .collect();
        for (defect, kind, run) in runs {
            let (output, found) = run.join().unwrap();
            let words = format!(
                "{defect:?}: {found:?}\n{}\n{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            if defect.is_some() {
                assert_eq!(output.status.code(), Some(3), "{words}");
                assert!(found.contains_key(kind), "{words}");
            } else {
                assert_eq!(output.status.code(), Some(0), "{words}");
                // Each kind of try was made and answered as it must be.
                for row in [
                    "rejected        locked          rejected",
                    "rejected        wrong-pin       rejected",
                    "next-code       outside-window  next-code",
                    "rejected        replayed-code   rejected",
                ] {
                    assert!(words.contains(row), "{row} is not in {words}");
                }
            }
        }
    });
}
