//! A batch of a few keys, for a `trousseau serve` on a fast clock.

use std::path::Path;
use std::process::{Command, Output};

use super::common::{PROGRAM, text};

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
