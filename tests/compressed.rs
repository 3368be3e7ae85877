//! Compressed batches and import files, as their user sees them.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use common::{names, ok, run};

use flate2::write::GzEncoder;

fn refused(folder: &Path, arguments: &str, code: i32) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments}");
    assert!(output.stdout.is_empty(), "{arguments}");
    String::from_utf8(output.stderr).unwrap()
}

const MINT: &str = "mint --count 700 --serial-prefix Z --new-transport-key k.hex --out b.xml.";
/// Endings, the program that decompresses such a file elsewhere, and how the file begins.
const BOTH: [(&str, &str, &[u8]); 2] =
    [("gz", "gzip", &[0x1f, 0x8b]), ("zst", "zstd", &[0x28, 0xb5, 0x2f, 0xfd])];
const KEY: &str = "--transport-key-file k.hex";

/// What another program makes of `file`; the library of the reference where zstd is not installed.
fn decompressed(folder: &Path, program: &str, file: &str) -> Vec<u8> {
    match Command::new(program).args(["-dc", file]).current_dir(folder).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program} refuses {file}");
            output.stdout
        }
        Err(error) => {
            assert_eq!((program, error.kind()), ("zstd", std::io::ErrorKind::NotFound));
            zstd::decode_all(fs::File::open(folder.join(file)).unwrap()).unwrap()
        }
    }
}

#[test]
fn a_compressed_batch_is_a_batch_to_every_command() {
    for (ending, program, start) in BOTH {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let (batch, csv) = (format!("b.xml.{ending}"), format!("a.csv.{ending}"));
        ok(at, &format!("{MINT}{ending} --inventory i.sqlite"));
        let packed = fs::read(at.join(&batch)).unwrap();
        assert!(packed.starts_with(start));
        // Another decompressor gives the same batch.
        let plain = decompressed(at, program, &batch);
        fs::write(at.join("plain.xml"), &plain).unwrap();
        assert!(packed.len() < plain.len() / 2, "{} of {}", packed.len(), plain.len());
        let keys = |file: &str| ok(at, &format!("inspect {file} {KEY} --json --reveal-secrets"));
        assert_eq!(keys(&batch), keys("plain.xml"));
        assert_eq!(keys(&batch).lines().count(), 700);
        // A name that says nothing hinders nobody.
        fs::rename(at.join(&batch), at.join("b")).unwrap();
        let code = ok(at, &format!("code b {KEY} --serial Z007"));
        assert!(code.chars().filter(char::is_ascii_digit).count() >= 6, "{code}");
        ok(at, &format!("export b {KEY} --format privacyidea-csv --out {csv}"));
        ok(at, &format!("export b {KEY} --format privacyidea-csv --out a.csv"));
        let plain = decompressed(at, program, &csv);
        assert_eq!(plain, fs::read(at.join("a.csv")).unwrap());
        // An import file, too, is read back compressed.
        ok(
            at,
            &format!("export {csv} --from privacyidea-csv --format privacyidea-csv --out again"),
        );
        assert_eq!(fs::read(at.join("again")).unwrap(), plain);
        // The inventory knows the file as it is on the disk.
        fs::rename(at.join("b"), at.join(&batch)).unwrap();
        ok(at, &format!("inventory verify {batch} --inventory i.sqlite"));
    }
}

#[test]
fn what_goes_to_standard_output_is_compressed_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &format!("{MINT}zst"));
    ok(at, &format!("export b.xml.zst {KEY} --format privacyidea-csv --out plain.csv"));
    for (name, program, start) in [("gzip", BOTH[0].1, BOTH[0].2), ("zstd", BOTH[1].1, BOTH[1].2)] {
        let export = format!("export b.xml.zst {KEY} --format privacyidea-csv --out -");
        let output = run(at, &format!("{export} --compress {name}"));
        assert!(output.status.success());
        assert!(output.stdout.starts_with(start), "{name}");
        fs::write(at.join("piped"), &output.stdout).unwrap();
        let plain = fs::read(at.join("plain.csv")).unwrap();
        assert_eq!(decompressed(at, program, "piped"), plain);
        let mint = format!("mint --count 9 --transport-key-file k.hex --out - --compress {name}");
        fs::write(at.join("piped"), run(at, &mint).stdout).unwrap();
        let keys = ok(at, &format!("inspect piped {KEY} --json"));
        assert_eq!(keys.lines().count(), 9);
    }
    // The option has the last word, the name the first.
    ok(at, &format!("export b.xml.zst {KEY} --format privacyidea-csv --compress none --out p.gz"));
    assert_eq!(fs::read(at.join("p.gz")).unwrap(), fs::read(at.join("plain.csv")).unwrap());
}

#[test]
fn other_codecs_are_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let said = refused(at, &format!("{MINT}xz"), 2);
    assert!(said.contains("b.xml.xz: xz is neither written nor read here"), "{said}");
    assert!(said.contains("help: name it .zst or .gz"), "{said}");
    assert!(names(at).is_empty());
    fs::write(at.join("b.xz"), b"\xfd7zXZ\0\0\0").unwrap();
    let said = refused(at, "inspect b.xz", 2);
    assert!(said.contains("b.xz: xz is neither"), "{said}");
}

#[test]
fn a_cut_file_and_a_bomb_are_told_apart_from_a_batch() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &format!("{MINT}gz"));
    let plain = decompressed(at, "gzip", "b.xml.gz");
    let mut bomb =
        b"<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" Version=\"1.0\">".to_vec();
    for _ in 0..(64 << 20) / 100 {
        bomb.extend_from_slice(b"<!--");
        bomb.resize(bomb.len() + 93, b' ');
        bomb.extend_from_slice(b"-->");
    }
    let gzip = |bytes: &[u8]| {
        let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 19).unwrap();
    for (codec, packed, bomb) in
        [("gzip", gzip(&plain), gzip(&bomb)), ("zstd", zstd(&plain), zstd(&bomb))]
    {
        fs::write(at.join("cut"), &packed[..packed.len() - 9]).unwrap();
        let before = names(at);
        let said = refused(at, &format!("export cut {KEY} --format privacyidea-csv --out x"), 2);
        let words = format!("the {codec} file is cut or broken");
        assert!(said.contains("cut: ") && said.contains(&words), "{said}");
        fs::write(at.join("bomb"), bomb).unwrap();
        let said = refused(at, "inspect bomb", 2);
        let words = format!("the {codec} file expands to more than 200 times");
        assert!(said.contains("bomb: ") && said.contains(&words), "{said}");
        assert!(said.contains("--limit expansion=N reads it"), "{said}");
        let said = refused(at, "inspect bomb --limit expansion=1000000", 2);
        assert!(said.contains("the file ends in the middle"), "{said}");
        fs::remove_file(at.join("bomb")).unwrap();
        assert_eq!(names(at), before);
    }
}
