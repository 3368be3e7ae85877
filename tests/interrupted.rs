//! Ctrl-C and SIGTERM while something is read that does not end, or does not come: the command ends
//! soon, with 130 or 143, and leaves nothing behind, under no name.

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{PROGRAM, describe, names, ok, text};
use rustix::process::{Pid, Signal, kill_process};

const KEY: &str = "--transport-key-file k.hex";
/// What comes before anything else is awaited: more than any buffer between here and there.
const ENOUGH: usize = 1 << 20;
/// Nothing that hangs is waited for longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the other end of a pipe does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Feed {
    /// It writes without end.
    Endless,
    /// It has written a part, and goes on thinking.
    Silent,
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/signatures")
}

struct Bench(tempfile::TempDir);

impl Bench {
    /// A folder with a batch whose keys are followed by comments, as many as one likes.
    fn new() -> Self {
        let this = Self(tempfile::tempdir().unwrap());
        fs::create_dir(this.at("tmp")).unwrap();
        fs::write(this.at("k.hex"), "00112233445566778899aabbccddeeff").unwrap();
        ok(this.path(), &format!("mint --count 3 --serial-prefix S {KEY} --out b.xml"));
        fs::write(this.at("users.csv"), "user,serial\nada,S1\n").unwrap();
        for pipe in ["pipe", "set/a.xml"] {
            fs::create_dir_all(this.at(pipe).parent().unwrap()).unwrap();
            this.make_pipe(pipe);
        }
        let file = "\"name\": \"a.xml\", \"bytes\": 9, \"sha256\": \"00\", \"keys\": 1, \
                    \"first_serial\": \"S1\", \"last_serial\": \"S1\"";
        let manifest = format!(
            "{{\"manifest\": 1, \"content\": \"pskc\", \"keys\": 1, \"files\": [{{{file}}}]}}"
        );
        fs::write(this.at("set/manifest.json"), manifest).unwrap();
        this
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn make_pipe(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.at(name)).status().unwrap();
        assert!(made.success());
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The batch up to the end of its last key.
    fn head(&self) -> Vec<u8> {
        let whole = fs::read_to_string(self.at("b.xml")).unwrap();
        whole.strip_suffix("</KeyContainer>\n").expect("the end of a batch").as_bytes().to_vec()
    }

    /// Everything there is, in all folders.
    fn everything(&self) -> Vec<Vec<String>> {
        ["", "tmp", "set"].iter().map(|folder| names(&self.at(folder))).collect()
    }

    /// `@` begins the name of a file of `tests/vectors/signatures`.
    fn start(&self, line: &str) -> Child {
        let words = line.split_whitespace().map(|word| match word.strip_prefix('@') {
            Some(name) => vectors().join(name),
            None => word.into(),
        });
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.path()).args(words).env("TMPDIR", self.at("tmp"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Starts `line`, feeds what it reads, and sends `signal` when it is at it.
    fn stopped(&self, line: &str, feed: Feed, signal: Signal) {
        // A program that another test is starting may hold the ends of the old pipe for a moment,
        // and with them what was left in it.
        fs::remove_file(self.at("pipe")).unwrap();
        self.make_pipe("pipe");
        let before = self.everything();
        let mut child = self.start(line);
        let (head, stdin) = (self.head(), child.stdin.take().unwrap());
        let pipe = match line {
            _ if line.contains(" - ") => None,
            _ if line.contains("manifest") => Some(self.at("set/a.xml")),
            _ => Some(self.at("pipe")),
        };
        let (reading, is_reading) = mpsc::channel();
        let feeder = std::thread::spawn(move || {
            let mut out: Box<dyn Write + Send> = match pipe {
                Some(pipe) => Box::new(File::options().write(true).open(pipe).unwrap()),
                None => Box::new(stdin),
            };
            let comments = "<!-- on and on -->\n".repeat(1000);
            let (mut written, mut alive) = (0, out.write_all(&head).is_ok());
            // Until the child is gone, or has got enough and gets no more.
            while alive && !(feed == Feed::Silent && written > ENOUGH) {
                alive = out.write_all(comments.as_bytes()).is_ok();
                written += comments.len();
                if written > ENOUGH {
                    let _ = reading.send(());
                }
            }
            // What is held open is no end.
            out
        });
        let begun = is_reading.recv_timeout(PATIENCE);
        let output = stop(child, signal);
        assert!(begun.is_ok(), "{line}: it was never read\n{}", describe(&output));
        drop(feeder.join().unwrap());
        self.check(line, &output, signal);
        assert_eq!(self.everything(), before, "{line}");
    }

    fn check(&self, line: &str, output: &Output, signal: Signal) {
        let code = 128 + signal.as_raw();
        let told = format!("{line}\n{}", describe(output));
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert_eq!(text(&output.stderr).matches("error: interrupted").count(), 1, "{told}");
        assert!(output.stdout.is_empty(), "{told}");
    }
}

/// Waits until `child` listens for signals: for SIGTERM, the last of them.
fn listens(child: &Child) {
    let caught = || -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    };
    let begun = Instant::now();
    while caught().is_none_or(|mask| mask >> 14 & 1 == 0) {
        assert!(begun.elapsed() < PATIENCE, "it never listens");
    }
}

/// Sends `signal`, once, and waits for the end.
fn stop(mut child: Child, signal: Signal) -> Output {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap()
}

/// Lines that read `-` or the pipe `pipe`, for as long as something comes.
const LINES: &[&str] = &[
    "inspect FILE KEY",
    "inspect FILE KEY --require-signature @rsa.crt",
    "inspect FILE KEY --detached-signature b.xml.sig --require-signature @rsa.crt",
    "export FILE KEY --format jsonl --out out.jsonl",
    "export FILE KEY --format jsonl --out -",
    "export FILE KEY --format pskc --out-new-transport-key n.hex --out out.xml",
    "export FILE KEY --format csv --require-signature @rsa.crt --split-rows 2 --out out/x.csv",
    "export FILE --from csv --format jsonl --out out.jsonl --detached-signature b.xml.sig",
    "code FILE KEY --serial S1 --at 60",
];

#[test]
fn what_does_not_end_is_left_when_the_user_says_so() {
    let bench = Bench::new();
    for line in LINES {
        for file in ["-", "pipe"] {
            let line = line.replace("KEY", KEY).replace("FILE", file);
            bench.stopped(&line, Feed::Endless, Signal::INT);
            bench.stopped(&line, Feed::Silent, Signal::TERM);
        }
    }
}

#[test]
fn digests_are_left_too() {
    let bench = Bench::new();
    ok(
        bench.path(),
        &format!("mint --count 1 --serial-prefix I {KEY} --inventory i.sqlite --out i.xml"),
    );
    for line in [
        "inventory verify pipe --inventory i.sqlite",
        "inventory verify b.xml pipe --inventory i.sqlite",
        "sign pipe --detached --sign-key-file @rsa.key --sign-cert @rsa.crt",
        "inspect --manifest set/manifest.json",
        "serve --keys pipe KEY --roster users.csv --listen 127.0.0.1:0",
    ] {
        let line = line.replace("KEY", KEY);
        bench.stopped(&line, Feed::Endless, Signal::TERM);
        bench.stopped(&line, Feed::Silent, Signal::INT);
    }
}

/// A pipe that nobody has opened for writing: there is nothing to read yet, nor an end.
#[test]
fn a_pipe_without_another_end_is_left() {
    let bench = Bench::new();
    let before = bench.everything();
    for line in LINES {
        let line = line.replace("KEY", KEY).replace("FILE", "pipe");
        let child = bench.start(&line);
        listens(&child);
        bench.check(&line, &stop(child, Signal::INT), Signal::INT);
    }
    assert_eq!(bench.everything(), before);
}

/// Nor do the small files, which are read everywhere, have to come.
#[test]
fn a_pipe_in_place_of_a_small_file_is_left() {
    let bench = Bench::new();
    let before = bench.everything();
    for line in [
        "inspect b.xml --transport-key-file pipe",
        "inspect b.xml --passphrase-file pipe",
        "inspect b.xml KEY --require-signature pipe",
        "inspect --manifest pipe",
        "export b.xml KEY --format jsonl --roster pipe --out out.jsonl",
        "export b.xml KEY --format ./pipe --out out.csv",
        "mint --spec pipe KEY --out m.xml",
        "mint --count 1 --recipient pipe --out m.xml",
        "mint --count 1 KEY --sign-key-file pipe --sign-cert @rsa.crt --out m.xml",
        "scenarios show ./pipe",
        "transport-key combine pipe pipe --out n.hex",
    ] {
        let line = line.replace("KEY", KEY);
        let child = bench.start(&line);
        listens(&child);
        bench.check(&line, &stop(child, Signal::INT), Signal::INT);
    }
    assert_eq!(bench.everything(), before);
}

/// While a file that can be read twice is: a large one, and the command is stopped as soon as there
/// is something of it that could be left behind.
#[test]
fn a_long_look_at_a_file_is_cut_short() {
    let bench = Bench::new();
    // Signed as it was when it was short, so that its signature does not keep it from being read.
    let signed = Command::new(PROGRAM)
        .current_dir(bench.path())
        .args(["mint", "--count", "3", "--transport-key-file", "k.hex", "--out", "large.xml"])
        .args(["--sign-detached", "--sign-key-file"])
        .arg(vectors().join("rsa.key"))
        .arg("--sign-cert")
        .arg(vectors().join("rsa.crt"))
        .status();
    assert!(signed.unwrap().success());
    let mut file = File::create(bench.at("large.xml")).unwrap();
    file.write_all(&bench.head()).unwrap();
    let comments = "<!-- on and on -->\n".repeat(50_000);
    for _ in 0..60 {
        file.write_all(comments.as_bytes()).unwrap();
    }
    file.write_all(b"</KeyContainer>\n").unwrap();
    let before = bench.everything();
    for line in [
        "sign large.xml --sign-key-file @rsa.key --sign-cert @rsa.crt --out signed.xml",
        "export large.xml KEY --format csv --require-signature @rsa.crt --out out.csv",
        "export large.xml KEY --format csv --detached-signature large.xml.sig --out out.csv",
    ] {
        let line = line.replace("KEY", KEY);
        let child = bench.start(&line);
        let begun = Instant::now();
        while bench.everything() == before && begun.elapsed() < PATIENCE {}
        bench.check(&line, &stop(child, Signal::INT), Signal::INT);
        assert_eq!(bench.everything(), before, "{line}");
    }
}
