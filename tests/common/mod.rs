//! What whole-program tests begin with: the program, run in a folder of the test's own, what it
//! said, and a server that ends with the test.

#![allow(dead_code)] // each test program uses its part

pub(crate) mod rsa;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_trousseau");

/// Seconds of key time per second of a [`Server`]: two minutes of the keys pass in one.
pub(crate) const RATE: &str = "120";

/// Runs the program in `folder` with the words of `line`.
pub(crate) fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).args(line.split_whitespace()).output().unwrap()
}

/// As [`run`], which must succeed; returns what it printed.
#[track_caller]
pub(crate) fn ok(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    text(&output.stdout)
}

/// What was printed; it is always UTF-8.
#[track_caller]
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Exit status and all that was printed, for the message of a failed assertion.
pub(crate) fn describe(output: &Output) -> String {
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Every name in `folder`, hidden ones too, in order.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A `trousseau serve` on a fast clock that ends with the test, for `batch.pskcxml`,
/// `transport.key` and `users.csv` of a folder.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    /// Where it listens for RADIUS, `radius://…`; empty unless it was asked to.
    pub(crate) radius: String,
    rate: String,
    pub(crate) origin: String,
}

impl Server {
    pub(crate) fn start(folder: &Path, more: &[&str]) -> Self {
        Self::start_at(RATE, folder, more)
    }

    /// As [`Server::start`], but `rate` seconds of key time pass in one.
    pub(crate) fn start_at(rate: &str, folder: &Path, more: &[&str]) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let origin = since.as_secs().to_string();
        let mut child = Command::new(PROGRAM)
            .current_dir(folder)
            .args(["serve", "--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
            .args(["--roster", "users.csv", "--listen", "127.0.0.1:0"])
            .args(["--clock-rate", rate, "--clock-origin", &origin])
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut after = |mark: &str, what: &str| {
            let line = lines.find(|line| line.as_ref().unwrap().contains(mark));
            let line = line.expect("the server says where it listens").unwrap();
            let at = line.find(mark).unwrap() + mark.len();
            let address = line[at..].split_whitespace().next().unwrap().trim_end_matches('/');
            format!("{what}://{address}")
        };
        let url = after("http://", "http");
        let radius = match more.contains(&"--radius") {
            true => after("RADIUS: ", "radius"),
            false => String::new(),
        };
        // Nobody else reads what it says, and a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, radius, rate: rate.to_owned(), origin }
    }

    /// The options by which others read its clock.
    pub(crate) fn clock(&self) -> [&str; 4] {
        ["--clock-rate", &self.rate, "--clock-origin", &self.origin]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
