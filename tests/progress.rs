//! Long work shows how far it is, how fast and how much time is left, when standard error is a
//! terminal, and not a trace of it otherwise.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

const KEYS: &str = "5000";

fn trousseau(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trousseau"));
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command.env("TERM", "xterm");
    command
}

/// What the command writes to a terminal that is its standard error, and to its standard output.
fn on_terminal(folder: &Path, arguments: &str) -> (String, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut child =
        trousseau(folder, arguments).stdout(Stdio::piped()).stderr(slave).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let stdout = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        text
    });
    let (mut shown, mut part) = (Vec::new(), [0; 4096]);
    let mut master = File::from(master);
    // A terminal that nobody writes to any more ends in an error.
    while let Ok(read @ 1..) = master.read(&mut part) {
        shown.extend_from_slice(&part[..read]);
    }
    assert!(child.wait().unwrap().success(), "{arguments}: {}", String::from_utf8_lossy(&shown));
    (String::from_utf8(shown).unwrap(), stdout.join().unwrap())
}

/// The same, to a pipe.
fn piped(folder: &Path, arguments: &str) -> String {
    let output = trousseau(folder, arguments).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments}: {words}");
    words
}

fn is_progress(words: &str) -> bool {
    words.contains(" left") || words.contains("/s")
}

#[test]
fn a_bar_on_a_terminal_and_nothing_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mint = format!("mint --count {KEYS} --out batch.xml --new-transport-key key");
    let (shown, _) = on_terminal(folder, &mint);
    assert!(shown.contains("/5,000 keys, "), "{shown}");
    assert!(shown.contains("/s, ") && shown.contains(" left"), "{shown}");
    // Last, the bar is taken away, and what remains is the sentence.
    let last = shown.rsplit(['\r', '\n']).find(|line| !line.trim().is_empty()).unwrap();
    assert!(last.contains("key: the transport key"), "{shown:?}");

    for (use_of, says) in [
        ("inspect batch.xml --transport-key-file key", ""),
        ("inspect batch.xml --transport-key-file key --json", ""),
        (
            "export batch.xml --transport-key-file key --format csv --out import.csv",
            "import.csv: 5000 keys",
        ),
        ("export import.csv --from csv --format jsonl --out import.jsonl", "import.jsonl: 5000"),
    ] {
        let (shown, stdout) = on_terminal(folder, use_of);
        assert!(shown.contains("iB/s, ") && shown.contains(" left"), "{use_of}: {shown:?}");
        assert!(shown.contains(says), "{use_of}: {shown:?}");
        assert!(!is_progress(&stdout) && !stdout.contains('\r'), "{use_of}: {stdout:.300}");
    }

    let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/signatures");
    let sign = format!("--sign-key-file {vectors}/rsa.key --sign-cert {vectors}/rsa.crt");
    let batch = "--transport-key-file key --inventory inventory.sqlite";
    piped(folder, &format!("mint --count {KEYS} --out known.xml {batch}"));
    piped(
        folder,
        &format!(
            "mint --count {KEYS} --out set/part.xml --split-rows {KEYS} --transport-key-file key"
        ),
    );
    for use_of in [
        "inventory --inventory inventory.sqlite verify known.xml",
        "inspect --manifest set/manifest.json",
        "inspect --manifest set/manifest.json --json",
        &format!("sign batch.xml --detached {sign}"),
        &format!("sign batch.xml --out signed.xml {sign} --json"),
    ] {
        let (shown, stdout) = on_terminal(folder, use_of);
        assert!(shown.contains("iB/s, ") && shown.contains(" left"), "{use_of}: {shown:?}");
        assert!(!is_progress(&stdout) && !stdout.contains('\r'), "{use_of}: {stdout:.300}");
    }

    let again = format!("mint --count {KEYS} --out other.xml --transport-key-file key");
    for use_of in [
        &again,
        "inspect batch.xml --transport-key-file key",
        "export batch.xml --transport-key-file key --format csv --out other.csv",
    ] {
        let words = piped(folder, use_of);
        assert!(!is_progress(&words) && !words.contains(['\r', '\u{1b}']), "{use_of}: {words:?}");
    }
}

/// The end of a batch of few keys is there before anybody could look at a bar.
#[test]
fn short_files_are_read_without_a_bar() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    piped(folder, "mint --count 3 --out batch.xml --new-transport-key key");
    let (shown, stdout) = on_terminal(folder, "inspect batch.xml --transport-key-file key");
    assert_eq!(shown, "");
    assert!(stdout.contains('3'), "{stdout}");
}
