//! `trousseau mint` as its user sees it.

mod common;

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::names;

fn trousseau(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trousseau")).current_dir(folder).args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn inspect(folder: &Path, key: &[&str]) -> Vec<serde_json::Value> {
    let mut args = vec!["inspect", "batch.xml", "--json", "--reveal-secrets"];
    args.extend(key);
    let output = trousseau(folder, &args);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_batch_holds_what_was_ordered() {
    let folder = tempfile::tempdir().unwrap();
    let order = "mint --count 1500 --serial-prefix ACME --first-serial 998 --serial-width 8 \
                 --algorithm totp --digits 8 --period 30 --hash sha256 --secret-bytes 32 \
                 --manufacturer oath.ACME --new-transport-key key.hex --out batch.xml --model";
    let mut args: Vec<&str> = order.split_whitespace().collect();
    args.push("K<1> & \"é\"");
    let output = trousseau(folder.path(), &args);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains("1500 keys, ACME00000998 to ACME00002497"));
    assert_eq!(names(folder.path()), ["batch.xml", "key.hex"]);
    for name in ["batch.xml", "key.hex"] {
        let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let key = fs::read_to_string(folder.path().join("key.hex")).unwrap();
    assert_eq!(key.trim().len(), 32);
    assert!(!stderr(&output).contains(key.trim()), "the key was shown");

    let keys = inspect(folder.path(), &["--transport-key-file", "key.hex"]);
    assert_eq!(keys.len(), 1500);
    for (number, key) in (998..).zip(&keys) {
        let serial = format!("ACME{number:08}");
        assert_eq!(key["serial"], serial.as_str());
        assert_eq!(key["key_id"], serial.as_str());
    }
    let key = &keys[0];
    assert_eq!(key["algorithm"], "totp");
    assert_eq!(key["hash"], "sha256");
    assert_eq!(key["digits"], 8);
    assert_eq!(key["period"], 30);
    assert_eq!(key["manufacturer"], "oath.ACME");
    assert_eq!(key["model"], "K<1> & \"é\"");
    let secrets: HashSet<&str> = keys.iter().map(|key| key["secret"].as_str().unwrap()).collect();
    assert_eq!(secrets.len(), 1500);
    assert!(secrets.iter().all(|secret| secret.len() == 64));
    // Nor is any secret in clear in the file.
    let text = fs::read_to_string(folder.path().join("batch.xml")).unwrap();
    assert!(!text.contains("PlainValue>ey") && !text.contains(keys[0]["secret"].as_str().unwrap()));
}

#[test]
fn every_kind_of_key_and_cipher_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("16.hex", b"00112233445566778899aabbccddeeff\n");
    write("24.raw", &[0xa7; 24]);
    write("32.raw", &[0xb8; 32]);
    write("words", "pässwörd\nsecond line".as_bytes());
    for (key, cipher, named) in [
        (["--transport-key-file", "16.hex"], "aes-cbc", "AES-128-CBC with HMAC-SHA1"),
        (["--transport-key-file", "24.raw"], "aes-cbc", "AES-192-CBC with HMAC-SHA1"),
        (["--transport-key-file", "32.raw"], "aes-cbc", "AES-256-CBC with HMAC-SHA1"),
        (["--transport-key-file", "16.hex"], "aes-gcm", "AES-128-GCM"),
        (["--transport-key-file", "24.raw"], "aes-gcm", "AES-192-GCM"),
        (["--transport-key-file", "32.raw"], "aes-gcm", "AES-256-GCM"),
        (["--passphrase-file", "words"], "aes-cbc", "AES-128-CBC with HMAC-SHA1"),
    ] {
        let mut args =
            "mint --count 3 --serial-prefix H --algorithm hotp --out batch.xml --encryption"
                .split_whitespace()
                .collect::<Vec<_>>();
        args.extend([cipher, key[0], key[1]]);
        if key[1] == "words" {
            let output = trousseau(folder.path(), &args);
            assert_eq!(output.status.code(), Some(2));
            let words = stderr(&output);
            assert!(words.contains("the passphrase has 8 characters, fewer than 12"), "{words}");
            assert!(
                words.contains("--new-transport-key") && !words.contains("pässwörd"),
                "{words}"
            );
            assert!(!folder.path().join("batch.xml").exists());
            args.push("--allow-weak-passphrase");
        }
        let output = trousseau(folder.path(), &args);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
        let keys = inspect(folder.path(), &key);
        assert_eq!(keys.len(), 3);
        assert_eq!(keys[2]["serial"], "H3");
        assert_eq!(keys[2]["counter"], 0);
        assert_eq!(keys[2]["secret"].as_str().unwrap().len(), 40);
        fs::remove_file(folder.path().join("batch.xml")).unwrap();
    }
}

#[test]
fn a_key_comes_from_a_file_descriptor_and_a_batch_goes_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .args("mint --count 5 --serial-prefix A --transport-key-fd 0 --out -".split(' '))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"00112233445566778899aabbccddeeff").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    fs::write(folder.path().join("batch.xml"), &output.stdout).unwrap();
    fs::write(folder.path().join("key"), "00112233445566778899aabbccddeeff").unwrap();
    assert_eq!(inspect(folder.path(), &["--transport-key-file", "key"]).len(), 5);
}

#[test]
fn what_is_there_already_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("there"), "precious").unwrap();
    let batch = "mint --count 9 --new-transport-key new.hex --out there";
    let key = "mint --count 9 --new-transport-key there --out new.xml";
    for command in [batch, key] {
        let output = trousseau(folder.path(), &command.split(' ').collect::<Vec<_>>());
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(
            stderr(&output),
            "error: there exists already; nothing was written\n \
             help: choose another name, or move the existing file away first\n"
        );
        assert_eq!(names(folder.path()), ["there"]);
        assert_eq!(fs::read(folder.path().join("there")).unwrap(), b"precious");
    }
}

#[test]
fn orders_that_cannot_be_met_are_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("short.hex"), "00112233").unwrap();
    for (order, message, help) in [
        ("--count 0 --new-transport-key k", "a batch has at least one key", "--count"),
        (
            "--count 5 --digits 5 --new-transport-key k",
            "the number of digits is 5, not 6 to 10\n help: set --digits to 6, which nearly every",
            "",
        ),
        (
            "--count 1000 --serial-width 3 --new-transport-key k",
            "the highest number, 1000, needs 4 digits, more than the width of 3",
            "--serial-width",
        ),
        ("--count 5", "no key was given", "--new-transport-key"),
        (
            "--count 5 --transport-key-file short.hex",
            "short.hex: a transport key has",
            "hexadecimal",
        ),
        ("--count 5 --transport-key-file none", "cannot read none: No such file", "check the name"),
        (
            "--count 5 --manufacturer \u{1} --new-transport-key k",
            "Manufacturer holds '\\u{1}'",
            "control",
        ),
    ] {
        let mut args = vec!["mint", "--out", "batch.xml"];
        args.extend(order.split(' '));
        let output = trousseau(folder.path(), &args);
        let text = stderr(&output);
        let expected = if message.starts_with("cannot read") { 5 } else { 2 };
        assert_eq!(output.status.code(), Some(expected), "{order}: {text}");
        assert!(text.contains(message), "{order}: {text}");
        assert!(text.contains(" help: ") && text.contains(help), "{order}: {text}");
        assert_eq!(names(folder.path()), ["short.hex"], "{order}");
    }
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .current_dir(folder.path())
        .args("mint --count 5000 --new-transport-key key.hex --out -".split(' '))
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5));
    let text = stderr(&output);
    assert!(text.contains("cannot write standard output: No space left on device"), "{text}");
    assert!(text.contains("help: free some space"), "{text}");
    assert!(names(folder.path()).is_empty(), "a key without its batch was left");
}

#[test]
fn ctrl_c_and_termination_leave_nothing_and_say_so() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_trousseau"))
            .current_dir(folder.path())
            .args(
                "mint --count 900000000 --serial-prefix A --new-transport-key k --out b".split(' '),
            )
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Once a part of the batch is on disk, the signals are listened to.
        let begun = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            entries
                .into_iter()
                .any(|entry| entry.unwrap().metadata().is_ok_and(|m| m.len() > 100_000))
        };
        while !begun() {
            assert!(child.try_wait().unwrap().is_none(), "ended by itself");
            std::thread::yield_now();
        }
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        let status = child.wait().unwrap();
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(status.code(), Some(code), "{text}");
        assert!(text.contains("error: interrupted after "), "{text}");
        assert!(text.contains("of 900000000 keys; no file was left behind"), "{text}");
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
}
