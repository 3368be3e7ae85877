//! A batch of a few keys, and a running `trousseau serve` for it on a fast clock.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_trousseau");

/// Seconds of key time per second: two minutes of the keys pass in one.
pub(crate) const RATE: &str = "120";

/// Five keys `T1` to `T5`, held by `user1` to `user5`, and a PIN to choose.
pub(crate) struct Batch {
    pub(crate) folder: tempfile::TempDir,
}

impl Batch {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let minted = Command::new(PROGRAM)
            .current_dir(folder.path())
            .args(["mint", "--count", "5", "--serial-prefix", "T", "--serial-width", "1"])
            .args(["--new-transport-key", "transport.key", "--out", "batch.pskcxml"])
            .output()
            .unwrap();
        assert!(minted.status.success(), "{}", text(&minted.stderr));
        let batch = Self { folder };
        let rows: String = (1..=5).map(|n| format!("user{n},T{n}\n")).collect();
        batch.write("users.csv", &format!("user,serial\n{rows}"));
        batch.write("new.pin", "Zq7x\n");
        batch
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program in the batch's folder, with these words.
    pub(crate) fn run(&self, words: &[&str], more: &[&str]) -> Output {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.path()).args(words).args(more).output().unwrap()
    }
}

/// A `trousseau serve` that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    pub(crate) origin: String,
}

impl Server {
    pub(crate) fn start(batch: &Batch, more: &[&str]) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let origin = since.as_secs().to_string();
        let mut child = Command::new(PROGRAM)
            .current_dir(batch.path())
            .args(["serve", "--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
            .args(["--roster", "users.csv", "--listen", "127.0.0.1:0"])
            .args(["--clock-rate", RATE, "--clock-origin", &origin])
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = loop {
            let line = lines.next().expect("the server says where it is").unwrap();
            if let Some(at) = line.find("http://") {
                break line[at..].split_whitespace().next().unwrap().to_owned();
            }
        };
        // Nobody else reads what it says, and a full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url, origin }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Asserts that neither a code nor a PIN nor a session is told.
#[allow(dead_code)] // not by every test that uses this file
pub(crate) fn assert_no_secret(told: &str) {
    assert!(!told.contains("Zq7x"), "the PIN is told:\n{told}");
    for line in told.lines().filter(|line| !line.contains("length")) {
        let digits = line.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
        assert!(digits < 6, "six digits are told: {line}");
        let lower = line.to_ascii_lowercase();
        if let Some(at) = lower.find("cookie: ") {
            for pair in line[at + 8..].split("; ").filter(|pair| pair.contains('=')) {
                let known = ["path=", "samesite=", "max-age="];
                let attribute =
                    known.iter().any(|name| pair.to_ascii_lowercase().starts_with(name));
                assert!(attribute || pair.ends_with("=***"), "a cookie is told: {line}");
            }
        }
    }
}
