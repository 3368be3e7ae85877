//! Compressed batches and import files, as their user sees them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::write::GzEncoder;

fn run(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trousseau"))
        .current_dir(folder)
        .args(arguments.split_whitespace())
        .output()
        .unwrap()
}

fn ok(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &str, code: i32) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments}");
    assert!(output.stdout.is_empty(), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

/// Every name in `folder`, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const MINT: &str = "mint --count 700 --serial-prefix Z --new-transport-key k.hex --out b.xml.gz";
const KEY: &str = "--transport-key-file k.hex";

#[test]
fn a_compressed_batch_is_a_batch_to_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &format!("{MINT} --inventory i.sqlite"));
    let packed = fs::read(at.join("b.xml.gz")).unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    // Another decompressor gives the same batch.
    let plain = Command::new("gzip").args(["-dc", "b.xml.gz"]).current_dir(at).output().unwrap();
    assert!(plain.status.success());
    fs::write(at.join("plain.xml"), &plain.stdout).unwrap();
    assert!(packed.len() < plain.stdout.len() / 2, "{} of {}", packed.len(), plain.stdout.len());
    let keys = |file: &str| ok(at, &format!("inspect {file} {KEY} --json --reveal-secrets"));
    assert_eq!(keys("b.xml.gz"), keys("plain.xml"));
    assert_eq!(keys("b.xml.gz").lines().count(), 700);
    // A name that says nothing hinders nobody.
    fs::rename(at.join("b.xml.gz"), at.join("b")).unwrap();
    let code = ok(at, &format!("code b {KEY} --serial Z007"));
    assert!(code.chars().filter(char::is_ascii_digit).count() >= 6, "{code}");
    ok(at, &format!("export b {KEY} --format privacyidea-csv --out a.csv.gz"));
    ok(at, &format!("export b {KEY} --format privacyidea-csv --out a.csv"));
    let plain = Command::new("gzip").args(["-dc", "a.csv.gz"]).current_dir(at).output().unwrap();
    assert_eq!(plain.stdout, fs::read(at.join("a.csv")).unwrap());
    // An import file, too, is read back compressed.
    ok(at, "export a.csv.gz --from privacyidea-csv --format privacyidea-csv --out again.csv");
    assert_eq!(fs::read(at.join("again.csv")).unwrap(), plain.stdout);
    // The inventory knows the file as it is on the disk.
    fs::rename(at.join("b"), at.join("b.xml.gz")).unwrap();
    ok(at, "inventory verify b.xml.gz --inventory i.sqlite");
}

#[test]
fn other_codecs_are_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let said = refused(at, &MINT.replace(".gz", ".zst"), 2);
    assert!(said.contains("b.xml.zst: zstd is neither written nor read here"), "{said}");
    assert!(said.contains("help: name it .gz"), "{said}");
    assert!(names(at).is_empty());
    fs::write(at.join("b.zst"), b"\x28\xb5\x2f\xfd\x00\x00\x00\x00").unwrap();
    let said = refused(at, "inspect b.zst", 2);
    assert!(said.contains("b.zst: zstd is neither"), "{said}");
}

#[test]
fn a_cut_file_and_a_bomb_are_told_apart_from_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, MINT);
    let packed = fs::read(at.join("b.xml.gz")).unwrap();
    fs::write(at.join("cut.gz"), &packed[..packed.len() - 9]).unwrap();
    let before = names(at);
    let said = refused(at, &format!("export cut.gz {KEY} --format privacyidea-csv --out x"), 2);
    assert!(said.contains("cut.gz") && said.contains("the gzip file is cut or broken"), "{said}");
    let mut bomb = GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(b"<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" Version=\"1.0\">")
        .unwrap();
    for _ in 0..(64 << 20) / 100 {
        bomb.write_all(&[b"<!--".as_slice(), &[b' '; 93], b"-->"].concat()).unwrap();
    }
    fs::write(at.join("bomb.gz"), bomb.finish().unwrap()).unwrap();
    let said = refused(at, "inspect bomb.gz", 2);
    assert!(said.contains("bomb.gz") && said.contains("more than 200 times"), "{said}");
    fs::remove_file(at.join("bomb.gz")).unwrap();
    assert_eq!(names(at), before);
}
