//! The cage: files with known secrets, and the search for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use data_encoding::{
    BASE32, BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER,
};
use memchr::memmem;

const PROGRAM: &str = env!("CARGO_BIN_EXE_trousseau");
// Of no length that a raw key has.
const PASSPHRASE: &str = "Gleich fällt der Kanarienvogel vom Ast";
const RADIUS_SECRET: &str = "Serinus+canaria+domestica";
/// PINs of three people, given by the roster; the fourth chooses hers over HTTP.
pub(crate) const PINS: [&str; 4] = ["q7Zk9w", "Xv3%pR", "Kd8!uN", "Yt5Wj2"];

/// A folder with everything that a user would have, and what must not come out of it.
pub(crate) struct Cage {
    folder: tempfile::TempDir,
    canaries: Vec<(String, memmem::Finder<'static>)>,
}

impl Cage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut cage = Self { folder, canaries: Vec::new() };
        cage.write("pass", format!("{PASSPHRASE}\n").as_bytes());
        cage.write("radius", RADIUS_SECRET.as_bytes());
        for (name, text) in [("passphrase", PASSPHRASE), ("shared secret", RADIUS_SECRET)] {
            cage.add(name, text.as_bytes());
        }
        for pin in PINS {
            cage.canaries.push((format!("PIN {pin}"), memmem::Finder::new(pin).into_owned()));
        }
        cage.free("mint --count 4 --serial-prefix T --new-transport-key k --out batch.xml");
        cage.free("mint --count 4 --serial-prefix P --passphrase-file pass --out words.xml");
        cage.add("transport key", &hex(&cage.read("k")));
        for (batch, key) in
            [("batch.xml", "--transport-key-file k"), ("words.xml", "--passphrase-file pass")]
        {
            let line = format!("inspect {batch} {key} --json --reveal-secrets");
            for line in cage.free(&line).lines() {
                let key: serde_json::Value = serde_json::from_str(line).unwrap();
                cage.add("seed", &hex(key["secret"].as_str().unwrap()));
            }
        }
        assert_eq!(cage.canaries.iter().filter(|(name, _)| name.ends_with("raw")).count(), 11);
        cage.write("users.csv", b"user,serial\nu1,T1\nu2,T2\nu3,T3\nu4,T4\n");
        cage.write("upn.csv", b"user,serial\nu1@x,T1\nu2@x,T2\nu3@x,T3\nu4@x,T4\n");
        let [a, b, c, d] = PINS;
        let rows = format!("user,serial,pin\nu1,T1,{a}\nu2,T2,{b}\nu3,T3,{c}\nu4,T4,{d}\n");
        cage.write("pins.csv", rows.as_bytes());
        cage
    }

    pub(crate) fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= 16);
        self.canaries.push((format!("{name}, raw"), memmem::Finder::new(secret).into_owned()));
        for (how, encoding) in [
            ("hex", HEXLOWER),
            ("HEX", HEXUPPER),
            ("base32", BASE32_NOPAD),
            ("base32 with padding", BASE32),
            ("base64", BASE64_NOPAD),
            ("base64 with padding", BASE64),
            ("base64url", BASE64URL_NOPAD),
        ] {
            let text = encoding.encode(secret);
            for text in [text.to_lowercase(), text] {
                let finder = memmem::Finder::new(&text).into_owned();
                self.canaries.push((format!("{name}, {how}"), finder));
            }
        }
    }

    /// A private key (PEM): the lines of its end, where nothing public is.
    pub(crate) fn add_private_key(&mut self, pem: &str) {
        let lines: Vec<&str> = pem.lines().filter(|line| !line.starts_with('-')).collect();
        for line in &lines[lines.len() / 2..] {
            self.canaries.push(("private key".into(), memmem::Finder::new(*line).into_owned()));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of its own, private.
    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(line.split_whitespace()).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command that may show secrets, as the user asked for it.
    pub(crate) fn free(&self, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must end with `code` and show no canary.
    pub(crate) fn run(&self, code: i32, line: &str) -> String {
        let output = self.command(line).output().unwrap();
        self.clean(&format!("standard output of {line}"), &output.stdout);
        self.clean(&format!("standard error of {line}"), &output.stderr);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {words}");
        words
    }

    pub(crate) fn found(&self, content: &[u8]) -> Option<&str> {
        let found = self.canaries.iter().find(|(_, finder)| finder.find(content).is_some());
        found.map(|(name, _)| &**name)
    }

    /// Without printing the content: a test's log is a log, too.
    pub(crate) fn clean(&self, place: &str, content: &[u8]) {
        if let Some(name) = self.found(content) {
            panic!("{name} is in {place}");
        }
    }

    /// Looks into every file but those in `known`, whose business it is.
    pub(crate) fn clean_files(&self, known: &[&str]) -> usize {
        let (mut folders, mut files) = (vec![self.path().to_owned()], 0);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if !known.contains(&&*name) {
                    self.clean(&name, &fs::read(path).unwrap());
                    files += 1;
                }
            }
        }
        files
    }
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.trim().as_bytes()).unwrap()
}
