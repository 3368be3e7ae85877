//! Files in other encodings than UTF-8: read alike, faults at the same place, the rest refused by
//! name.

mod common;

use std::fs;

use common::{run as trousseau, text};
use trousseau::pskc::{Options, Reader};

/// A folder with `batch.xml` (four keys under `key.hex`, their maker with an accent), and its text.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let mint = "mint --count 4 --serial-prefix ACME --manufacturer Clés --new-transport-key key.hex \
                --out batch.xml";
    let output = trousseau(folder.path(), mint);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let batch = fs::read_to_string(folder.path().join("batch.xml")).unwrap();
    assert!(
        batch.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>") && batch.contains("Clés")
    );
    (folder, batch)
}

fn wide(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

/// `text`, which has no character beyond U+00FF, in ISO-8859-1.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

/// `text` in every encoding that is read, with the name that its declaration gives it.
fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let declared = |name: &str| text.replacen("UTF-8", name, 1);
    let marked = |name: &str| format!("\u{FEFF}{}", declared(name));
    vec![
        ("UTF-8 with a mark", marked("UTF-8").into_bytes()),
        ("UTF-16, little, with a mark", wide(&marked("UTF-16"), u16::to_le_bytes)),
        ("UTF-16, big, with a mark", wide(&marked("UTF-16"), u16::to_be_bytes)),
        ("UTF-16LE", wide(&declared("UTF-16LE"), u16::to_le_bytes)),
        ("UTF-16BE", wide(&declared("utf-16be"), u16::to_be_bytes)),
        ("UTF-8 that declares UTF-16", declared("utf-16").into_bytes()),
        ("UTF-16 that declares UTF-8", wide(&marked("UTF-8"), u16::to_le_bytes)),
        ("ISO-8859-1", latin(&declared("ISO-8859-1"))),
        ("windows-1252", latin(&declared("Windows-1252"))),
    ]
}

const READ: &str = "inspect file.xml --json --reveal-secrets --transport-key-file key.hex";

#[test]
fn every_encoding_gives_the_same_keys() {
    let (folder, batch) = folder();
    let expected = trousseau(folder.path(), &READ.replace("file.xml", "batch.xml"));
    assert!(expected.status.success() && text(&expected.stdout).contains("Clés"));
    for (name, bytes) in encodings(&batch) {
        fs::write(folder.path().join("file.xml"), bytes).unwrap();
        let output = trousseau(folder.path(), READ);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), text(&expected.stdout), "{name}");
    }
}

#[test]
fn a_fault_is_at_the_same_line_and_column_in_every_encoding() {
    let (folder, batch) = folder();
    // Behind the accent, on its line.
    let broken = batch.replacen("Clés</Manufacturer>", "Clés</Manufacturer><Sexret/>", 1);
    let broken = broken.replacen("<SerialNo>ACME1</SerialNo>", "<SerialNo>A CME1 </Serial>", 1);
    let line = 1 + broken[..broken.find("</Serial>").unwrap()].matches('\n').count();
    let start = broken.lines().nth(line - 1).unwrap();
    let column = 1 + start[..start.find("</Serial>").unwrap()].chars().count();
    for (name, bytes) in encodings(&broken) {
        fs::write(folder.path().join("file.xml"), bytes).unwrap();
        let output = trousseau(folder.path(), READ);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let error = text(&output.stderr);
        let place = format!("error: file.xml: line {line}, column {column}: not well-formed XML");
        assert!(error.contains(&place), "{name}: no {place:?} in {error}");
    }
}

#[test]
fn what_is_not_read_is_refused_by_name_with_what_to_do() {
    let (folder, batch) = folder();
    let declared = |name: &str| batch.replacen("UTF-8", name, 1);
    let mut half = wide(&batch, u16::to_le_bytes);
    half.pop();
    let mut lone = wide(&batch, u16::to_be_bytes);
    let at = lone.len() / 2 / 2 * 2;
    lone.splice(at..at, [0xDC, 0x00]);
    let four: Vec<u8> = batch.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    for (bytes, message) in [
        (
            declared("Shift_JIS").into_bytes(),
            "the text is in \"Shift_JIS\"; read are UTF-8, UTF-16",
        ),
        (declared("ISO-8859-15").into_bytes(), "the text is in \"ISO-8859-15\""),
        (latin(&batch), "the text is not valid UTF-8"),
        (half, "the text is not valid UTF-16"),
        (lone, "the text is not valid UTF-16"),
        (four, "the text is UTF-32"),
        (latin(&declared("cp1252").replace("Clés", "Cl\u{81}s")), "not valid windows-1252"),
    ] {
        fs::write(folder.path().join("file.xml"), bytes).unwrap();
        let export = "export file.xml --format csv --out list --transport-key-file key.hex";
        let output = trousseau(folder.path(), export);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}: {error}");
        assert!(error.contains("error: file.xml: line "), "{error}");
        assert!(error.contains(message), "no {message:?} in {error}");
        assert!(error.contains("iconv -f "), "{error}");
        assert!(!folder.path().join("list").exists(), "{message}: half an export");
    }
}

/// Another reading of what was verified as UTF-8 would be another file.
#[test]
fn what_is_signed_is_read_as_utf_8_alone() {
    let (_folder, batch) = folder();
    let options = || Options { utf8: true, locked: true, ..Options::default() };
    assert!(Reader::new(batch.as_bytes(), None, options()).is_ok());
    for (name, bytes) in encodings(&batch) {
        let read = Reader::new(bytes.as_slice(), None, options());
        match read {
            Ok(_) => assert!(name.starts_with("UTF-8"), "{name}"),
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains("not UTF-8, in which alone signatures"), "{name}: {said}");
            }
        }
    }
}
