//! The README is true: its command blocks run, its tables name what the program has.

use std::path::Path;
use std::process::Command;

use clap::CommandFactory;
use trousseau::cli::{Cli, EXIT_CODES};

const README: &str = include_str!("../README.md");

/// The fenced `sh` blocks with the line before them (a marker, or empty).
fn blocks() -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = README.lines();
    let mut before = String::new();
    while let Some(line) = lines.next() {
        if line == "```sh" {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((before.clone(), body.join("\n")));
        }
        if !line.is_empty() {
            before = line.to_owned();
        }
    }
    blocks
}

/// What a reader's own quiet machine has and a test has not: that very port free, a server that is
/// there after a second, and attempts that never leave late.
const SUBSTITUTES: [(&str, &str); 4] = [
    (
        "--listen 127.0.0.1:18080 --clock-rate 120 --clock-origin $origin &\n",
        "--listen 127.0.0.1:0 --clock-rate 120 --clock-origin $origin 2>served &\n",
    ),
    (
        "\nsleep 1\n",
        "\nuntil url=$(grep -om1 'http://[0-9.:]*/' served); do kill -0 $!; sleep 0.1; done\n",
    ),
    ("--url http://127.0.0.1:18080 ", "--url ${url%/} "),
    (" --out morning\n", " --set thresholds.lateness_p99=30s --out morning\n"),
];

/// Every block is run by the shell, in order, in one empty folder, as a reader would but for the
/// [`SUBSTITUTES`]. Those marked `<!-- command: … -->` start cargo: `.ci/run` runs `demo` and `test`.
#[test]
fn every_command_block_runs() {
    let folder = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_trousseau")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let (mut ran, mut substituted) = (0, 0);
    for (marker, mut body) in blocks() {
        if marker.starts_with("<!-- command: ") {
            assert!(body.starts_with("cargo "), "only cargo commands are left to .ci/run: {body}");
            continue;
        }
        for (words, others) in SUBSTITUTES {
            substituted += body.matches(words).count();
            body = body.replace(words, others);
        }
        let output = Command::new("sh")
            .args(["-euc", &format!("trap 'kill ${{!:-}} 2>/dev/null || :' EXIT\n{body}")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{body}\nexit {:?}\n{}\n{}",
            output.status.code(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        ran += 1;
    }
    assert!(ran >= 3, "the README shows {ran} blocks");
    assert_eq!(substituted, SUBSTITUTES.len(), "the README's tour is written otherwise now");
}

#[test]
fn the_table_of_commands_is_complete() {
    for command in Cli::command().get_subcommands() {
        let row = format!("| `{}` |", command.get_name());
        assert!(README.contains(&row), "the README's table has no row {row}");
    }
}

#[test]
fn the_table_of_exit_codes_is_the_program_s() {
    for line in EXIT_CODES.replace("\n       ", " ").lines().skip(1) {
        let (code, meaning) = line.trim().split_once("  ").unwrap();
        let row = format!("| {code} | {meaning} |");
        assert!(README.contains(&row), "the README has no row {row}");
    }
}
