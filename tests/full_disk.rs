//! A disk that is full: every command that writes names the file, says what to do, ends with exit
//! code 5, and leaves nothing under the final name nor under a temporary one.
//!
//! The limit on the size of files stands for the disk: with the signal ignored, a write beyond it
//! fails as a full disk fails it, in the middle, and needs no file system of its own.

mod common;

use common::{PROGRAM, names, text};
#[allow(dead_code)] // what only the tests of reports need
mod synthetic;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use synthetic::{Server, head, record};

const HELP: &str = " help: raise the limit on the size of files (ulimit -f), or write to a file \
                    system that takes larger ones";

/// Runs `line` in `folder`; files may have `blocks` of 512 bytes.
fn limited(folder: &Path, blocks: u32, line: &str) -> Output {
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh"])
        .args([&blocks.to_string(), PROGRAM])
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn done(folder: &Path, line: &str) {
    let output =
        Command::new(PROGRAM).args(line.split_whitespace()).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
}

/// Refused for want of room; the folder is as it was before.
fn no_room(folder: &Path, blocks: u32, line: &str, file: &str) {
    let before = names(folder);
    let output = limited(folder, blocks, line);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{line}: {words}");
    let message = format!(
        "error: cannot write {file}: File too large (os error 27); no file was left behind\n"
    );
    assert!(words.contains(&message), "{line}: {words}");
    assert!(words.contains(HELP), "{line}: {words}");
    assert_eq!(names(folder), before, "{line}");
    assert!(output.stdout.is_empty(), "{line}");
}

/// A batch of 60 keys, its transport key and its roster.
fn batch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    done(path, "mint --count 60 --serial-prefix T --new-transport-key k --out batch.xml");
    let rows: String = (1..=60).map(|n| format!("user{n},T{n:02}\n")).collect();
    fs::write(path.join("users.csv"), format!("user,serial\n{rows}")).unwrap();
    folder
}

#[test]
fn mint_and_transport_key_leave_neither_batch_nor_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for blocks in [0, 1, 200] {
        let line = "mint --count 5000 --new-transport-key new.key --out batch.xml";
        no_room(path, blocks, line, "batch.xml");
    }
    assert!(names(path).is_empty());
    no_room(path, 0, "transport-key new --out new.key", "new.key");
    done(path, "transport-key new --out k");
    no_room(path, 0, "transport-key split k --components 2 --out-prefix part", "part-1.part");
    done(path, "transport-key split k --threshold 2 --shares 3 --out-prefix part");
    no_room(path, 0, "transport-key combine part-1.part part-3.part --out again", "again");
}

#[test]
fn mint_with_an_inventory_says_which_serials_are_spent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    done(path, "transport-key new --out k");
    let line = "mint --count 5000 --serial-prefix T --transport-key-file k --inventory inv --out b";
    let output = limited(path, 400, line);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{words}");
    assert!(words.contains("cannot write b: File too large"), "{words}");
    assert!(words.contains("the serials T0001 to T5000 stay taken"), "{words}");
    assert_eq!(names(path), ["inv", "k"]);
    let again = Command::new(PROGRAM).args(line.split(' ')).current_dir(path).output().unwrap();
    assert_eq!(again.status.code(), Some(2), "issued twice: {}", text(&again.stderr));

    let line = line.replace("--inventory inv", "--inventory other");
    let output = limited(path, 0, &line);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{words}");
    assert!(words.contains("cannot use the inventory other: "), "{words}");
    assert!(!names(path).contains(&"b".to_owned()));
}

#[test]
fn export_leaves_neither_import_file_nor_key() {
    let folder = batch();
    let path = folder.path();
    let line = "export batch.xml --transport-key-file k --out import --format";
    for format in ["privacyidea-csv", "pam-oath --roster users.csv", "otpauth-uri"] {
        no_room(path, 1, &format!("{line} {format}"), "import");
    }
    no_room(path, 1, &format!("{line} pskc --out-new-transport-key new.key"), "import");
}

/// More than a program should keep in memory waits in a temporary file; a pipe still gets all of it
/// or nothing.
#[test]
fn export_to_a_pipe_gives_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    done(path, "mint --count 40000 --serial-prefix T --new-transport-key k --out batch.xml");
    let line = "export batch.xml --transport-key-file k --format privacyidea-csv --out";
    done(path, &format!("{line} import.csv"));
    let import = fs::read(path.join("import.csv")).unwrap();
    assert!(import.len() > 2 << 20, "{}: it would fit into memory", import.len());
    let before = names(path);
    let piped = |temporary: &str, line: &str, blocks: u32| {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "sh"]);
        command.args([&blocks.to_string(), PROGRAM]).args(line.split_whitespace());
        command.current_dir(path).env("TMPDIR", temporary).output().unwrap()
    };
    let output = piped(".", &format!("{line} -"), 1 << 20);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(output.stdout == import, "the pipe and the file differ");

    const HELP: &str = "help: set TMPDIR to a folder with room for all of it, or name a file";
    for (temporary, blocks, why) in [
        (
            ".",
            1000,
            "cannot write standard output: the temporary file in . that holds it back: \
                     File too large",
        ),
        ("nowhere", 1 << 20, "the temporary file in nowhere that holds it back: No such file"),
    ] {
        let output = piped(temporary, &format!("{line} -"), blocks);
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{words}");
        assert!(words.contains(why) && words.contains(HELP), "{words}");
        assert!(output.stdout.is_empty());
    }

    // A fault in the last key: everything before it was read and is held back.
    let mut batch = fs::read_to_string(path.join("batch.xml")).unwrap();
    let last = batch.rfind("</CipherValue>").or_else(|| batch.rfind("CipherValue>")).unwrap();
    batch.replace_range(
        last - 6..last - 5,
        if &batch[last - 6..last - 5] == "A" { "B" } else { "A" },
    );
    fs::write(path.join("changed.xml"), batch).unwrap();
    let output = piped(".", &format!("{line} -").replace("batch.xml", "changed.xml"), 1 << 20);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    fs::remove_file(path.join("changed.xml")).unwrap();
    assert_eq!(names(path), before);
}

#[test]
fn report_leaves_no_half_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    record(&path.join("run"), &head(2000), Server::Correct);
    for format in ["text", "json", "html", "hlog"] {
        no_room(path, 1, &format!("report run --format {format} --out shown"), "shown");
    }
    // A file for each step: those that fit stay, each whole.
    let output = limited(path, 1, "report run --format hgrm --out steps");
    assert_eq!(output.status.code(), Some(5));
    let words = text(&output.stderr);
    assert!(words.contains("cannot write steps/latency-") && words.contains(HELP), "{words}");
    assert!(names(&path.join("steps")).is_empty(), "{:?}", names(&path.join("steps")));
}

/// A `trousseau serve` that ends with the test.
struct Portal(Child, String);

impl Portal {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(PROGRAM)
            .args("serve --keys batch.xml --transport-key-file k --roster users.csv".split(' '))
            .args("--listen 127.0.0.1:0 --clock-rate 120 --clock-origin 1767225600".split(' '))
            .current_dir(folder)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let url = url.trim_end_matches('/').to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Self(child, url)
    }

    fn simulate(&self) -> String {
        format!(
            "simulate --scenario rentree --target portal-json --url {} --keys batch.xml \
             --transport-key-file k --roster users.csv --clock-rate 120 --clock-origin 1767225600 \
             --ignore-clock --set arrivals.window=4m --set scenario.duration=12m \
             --set logins.gap.lognormal.median=1m --set logins.gap.lognormal.max=3m \
             --set thresholds.lateness_p99=10s --out run",
            self.1
        )
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_run_counts_what_its_record_misses() {
    let folder = batch();
    let path = folder.path();
    let portal = Portal::start(path);
    // Room for the head and some of the attempts.
    let output = limited(path, 16, &portal.simulate());
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{words}\n{}", text(&output.stdout));
    assert!(words.contains("error: run/attempts.csv misses "), "{words}");
    assert!(words.contains("File too large (os error 27); the report counts them all"), "{words}");
    assert!(words.contains(HELP), "{words}");
    // The report was shown all the same, and counts what the record misses.
    assert!(text(&output.stdout).contains("replays"), "{}", text(&output.stdout));
    let attempts = fs::read_to_string(path.join("run/attempts.csv")).unwrap();
    assert!(attempts.ends_with('\n') && attempts.len() <= 16 * 512, "{}", attempts.len());
    let columns = attempts.lines().next().unwrap().matches(',').count();
    assert!(attempts.lines().all(|line| line.matches(',').count() == columns), "a torn line");
    let left = names(&path.join("run"));
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
    // And the record can be read; it says itself that it is not whole.
    let report = Command::new(PROGRAM).args(["report", "run"]).current_dir(path).output().unwrap();
    let shown = text(&report.stdout);
    assert!(
        shown.contains("Warning: The run could not write "),
        "{shown}\n{}",
        text(&report.stderr)
    );
}

#[test]
fn a_run_that_cannot_begin_its_record_sends_nothing() {
    let folder = batch();
    let path = folder.path();
    let portal = Portal::start(path);
    let before = names(path);
    let output = limited(path, 0, &portal.simulate());
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{words}");
    assert!(words.contains("error: cannot write run/run.json: File too large"), "{words}");
    assert!(words.contains(HELP), "{words}");
    assert!(output.stdout.is_empty());
    assert_eq!(names(path), before);
}

#[test]
fn a_store_that_cannot_be_made_is_named() {
    let folder = batch();
    let path = folder.path();
    let line = "serve --keys batch.xml --transport-key-file k --roster users.csv \
                --listen 127.0.0.1:0 --store portal.db";
    let output = limited(path, 0, line);
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{words}");
    assert!(
        words.contains("the store portal.db: ") && words.contains("disk is not full"),
        "{words}"
    );
}

/// Words that nobody can hear stop nothing, and no batch is lost for them.
#[test]
fn standard_error_may_be_full() {
    let folder = tempfile::tempdir().unwrap();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let run = |line: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(line.split(' ')).current_dir(folder.path()).stderr(full());
        command.output().unwrap().status.code()
    };
    assert_eq!(run("mint --count 5 --new-transport-key k --out batch.xml"), Some(0));
    assert_eq!(names(folder.path()), ["batch.xml", "k"]);
    assert_eq!(run("inspect none.xml"), Some(5));
    assert_eq!(
        run("export batch.xml --transport-key-file k --format otpauth-uri --out i"),
        Some(0)
    );
    assert_eq!(run("mint --count 5 --new-transport-key k --out other.xml"), Some(2));
}

#[test]
fn completions_into_a_full_disk_are_told() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(PROGRAM).args(["completions", "bash"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    let words = text(&output.stderr);
    assert!(words.contains("cannot write to standard output: No space left"), "{words}");
}
