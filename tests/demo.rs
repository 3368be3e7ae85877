//! `trousseau demo` as its user meets it: the whole line, and what a planted defect earns.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::text;

fn demo(args: &[&str], out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .args(["demo", "--clock-rate", "100", "--out"])
        .arg(out)
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn the_whole_line_without_a_contradiction() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("rentree");
    let output = demo(&["--users", "80"], &out);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    // 4: on a busy machine attempts may leave late, which is no fault of the line.
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 4)), "{code:?}\n{stdout}\n{stderr}");
    for name in [
        "batch.pskcxml",
        "transport.key",
        "roster.csv",
        "import.csv",
        "server.sqlite",
        "run.json",
        "attempts.csv",
        "report.txt",
        "report.json",
        "report.html",
        "run.hlog",
    ] {
        assert!(out.join(name).metadata().unwrap().len() > 0, "{name}");
    }
    // The store is one file again: its log was folded in when the server closed it.
    for name in ["server.sqlite-wal", "server.sqlite-shm"] {
        assert!(!out.join(name).exists(), "{name}");
    }
    assert!(stdout.contains("No contradiction in"), "{stdout}");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["contradictions"], serde_json::json!([]));
    let outcome = if code == Some(0) { "ok" } else { "generator-fault" };
    assert_eq!(report["outcome"], outcome);
    for threshold in report["thresholds"].as_array().unwrap() {
        let late = threshold["name"] == "p99 lateness of the generator";
        assert!(late || threshold["held"] == true, "{threshold}");
    }

    // Every line that it announces can be typed again: the batch it left opens under its key.
    let again = Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .arg("inspect")
        .arg(out.join("batch.pskcxml"))
        .arg("--transport-key-file")
        .arg(out.join("transport.key"))
        .output()
        .unwrap();
    assert!(text(&again.stdout).contains("80 keys"), "{again:?}");

    // A second run into the same folder is refused and takes nothing away.
    let before = std::fs::read(out.join("batch.pskcxml")).unwrap();
    let refused = demo(&["--users", "80"], &out);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("is there already"), "{refused:?}");
    assert_eq!(std::fs::read(out.join("batch.pskcxml")).unwrap(), before);
}

#[test]
fn a_server_that_forgets_used_codes_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("forgetful");
    let output = demo(&["--users", "200", "--defect", "replay-none"], &out);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{stdout}\n{}", text(&output.stderr));
    assert!(stdout.contains("replayed-code"), "{stdout}");
    // The contradictions are listed with user, serial and step, and without codes.
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["outcome"], "contradiction");
    let listed = report["contradictions"].as_array().unwrap();
    assert!(!listed.is_empty());
    for one in listed {
        assert!(one["user"].as_str().unwrap().starts_with('u'), "{one}");
        assert!(one["serial"].as_str().unwrap().starts_with("FR"), "{one}");
    }
}

#[test]
fn an_unknown_defect_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("x");
    let output = demo(&["--users", "10", "--defect", "no-such"], &out);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("no-such") && stderr.contains("replay-none"), "{stderr}");
    assert!(!out.exists(), "nothing is left behind");
}
