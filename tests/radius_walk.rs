//! The walk over RADIUS in docs/targets.md, block by block as a reader types it, against the embedded
//! server on a fast clock. A block that is part of it follows a marker: `<!-- radius: file NAME -->`,
//! `<!-- radius: run exit CODE, TEXT -->`, `<!-- radius: shell -->` (has to succeed), or
//! `<!-- radius: serve -->`, in whose place the test starts a server of its own.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::{RATE, Server, describe, text};

const PAGE: &str = include_str!("../docs/targets.md");

/// The marked blocks: marker and body.
fn blocks() -> Vec<(&'static str, &'static str)> {
    PAGE.split("<!-- radius: ")
        .skip(1)
        .map(|rest| {
            let (marker, rest) = rest.split_once(" -->\n```").expect("a block after its marker");
            let body = rest.split_once('\n').unwrap().1;
            (marker, body.split("```").next().unwrap())
        })
        .collect()
}

fn shell(folder: &Path, lines: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_trousseau")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    Command::new("sh").args(["-euc", lines]).current_dir(folder).env("PATH", path).output().unwrap()
}

#[test]
fn the_walk_over_radius_does_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut server: Option<Server> = None;
    let mut ran = 0;
    for (marker, body) in blocks() {
        if let Some(name) = marker.strip_prefix("file ") {
            std::fs::write(folder.path().join(name), body).unwrap();
        } else if marker == "serve" {
            let radius = ["--radius", "127.0.0.1:0", "--radius-secret-file", "radius.secret"];
            assert!(body.contains("--radius-secret-file radius.secret"), "{body}");
            server = Some(Server::start(folder.path(), &radius));
        } else if marker == "shell" {
            let output = shell(folder.path(), body);
            assert!(output.status.success(), "{body}\n{}", describe(&output));
        } else {
            let server = server.as_ref().expect("a server before its clients");
            let (code, told) = marker.strip_prefix("run exit ").unwrap().split_once(", ").unwrap();
            let mut line = body.trim().replace("radius://127.0.0.1:1812", &server.radius);
            if line.contains("--url ") {
                line.push_str(&format!(" --clock-rate {RATE} --clock-origin {}", server.origin));
            }
            if line.starts_with("trousseau simulate") {
                // The machine may be busy; how late it was is not what is looked at.
                line.push_str(" --set thresholds.lateness_p99=30s");
            }
            let output = shell(folder.path(), &line);
            assert_eq!(output.status.code(), code.parse().ok(), "{line}\n{}", describe(&output));
            assert!(text(&output.stdout).contains(told), "{told}\n{line}\n{}", describe(&output));
            ran += 1;
        }
    }
    assert!(ran >= 4, "the walk has {ran} commands");
}
