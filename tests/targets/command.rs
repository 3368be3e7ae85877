//! `trousseau targets list|show|check` as its user sees it.

use std::process::{Command, Output};

fn targets(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .arg("targets")
        .args(args)
        .env("XDG_CONFIG_HOME", folder.path())
        .output()
        .unwrap()
}

#[track_caller]
fn good(args: &[&str]) -> String {
    let output = targets(args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn bad(args: &[&str]) -> String {
    let output = targets(args);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn list_names_each_with_what_it_is() {
    let out = good(&["list"]);
    for (name, _) in trousseau::target::TARGETS.embedded {
        assert!(out.lines().any(|line| line.starts_with(name)), "{out}");
    }
}

#[test]
fn what_show_prints_can_be_changed_and_checked() {
    let shown = good(&["show", "portal-html"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &shown).unwrap();
    let out = good(&["check", path, "portal-json"]);
    let mut lines = out.lines();
    let count = shown.matches("[[example]]").count();
    assert_eq!(lines.next(), Some(format!("{path}: all {count} examples hold").as_str()));
    assert_eq!(
        lines.next(),
        Some("  operations: first_code, new_pin, confirm, login, resync, logout")
    );
    assert!(lines.next().is_some_and(|line| line.starts_with("portal-json: all ")), "{out}");

    // A wrong example: what was wanted, what was found, and all of them at once.
    let wrong = shown
        .replace("verdict = \"accepted\"\n\n[[example]]", "verdict = \"locked\"\n\n[[example]]");
    std::fs::write(&file, wrong).unwrap();
    let error = bad(&["check", path]);
    let line = 1 + shown.lines().position(|line| line == "# For every operation.").unwrap() + 4;
    assert!(
        error.starts_with(&format!(
            "error: {path}: example \"confirmation opens the portal\": verdict wanted: locked; \
             found: accepted (by the rule at line {})\n{path}: example \"a login opens",
            line
        )),
        "{error}"
    );
    assert!(error.contains("\n help: correct the rules and templates"), "{error}");

    // A fault of meaning: the place, with a caret.
    std::fs::write(&file, shown.replacen("{csrf}", "{crsf}", 1)).unwrap();
    let error = bad(&["check", path]);
    let line = 1 + shown.lines().position(|line| line.contains("{csrf}")).unwrap();
    assert!(error.starts_with(&format!("error: {path}:{line}:")), "{error}");
    assert!(error.contains("unknown placeholder {crsf}") && error.contains('^'), "{error}");
}

#[test]
fn what_is_not_there_is_said() {
    let error = bad(&["show", "portal-hmtl"]);
    assert!(
        error.contains("there is no target \"portal-hmtl\"; known: generic-form, portal-html, "),
        "{error}"
    );
    let error = bad(&["check", "./absent.toml"]);
    assert!(error.contains("cannot read ./absent.toml"), "{error}");
}
