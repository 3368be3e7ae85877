//! `trousseau inspect` as its user sees it, above all on files that are not as they should be.

mod common;

use std::fs;

use common::{run as trousseau, text};

/// A folder with `batch.xml` (three keys under `key.hex`) and the key `other.hex`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mint = "mint --count 3 --serial-prefix ACME --new-transport-key key.hex --out batch.xml";
    assert!(trousseau(folder.path(), mint).status.success());
    let mint = "mint --count 1 --new-transport-key other.hex --out other.xml";
    assert!(trousseau(folder.path(), mint).status.success());
    folder
}

/// Inspects `batch.xml` after `change`, and expects a refusal.
#[track_caller]
fn refused(change: impl Fn(String) -> String, options: &str, message: &str, help: &str) -> String {
    let folder = folder();
    let path = folder.path().join("batch.xml");
    let before = fs::read_to_string(&path).unwrap();
    let after = change(before);
    fs::write(&path, &after).unwrap();
    let output = trousseau(folder.path(), &format!("inspect batch.xml {options}"));
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(message), "{error}");
    assert!(error.contains("\n help: ") && error.contains(help), "{error}");
    assert!(output.stdout.is_empty(), "a summary in spite of the fault: {}", text(&output.stdout));
    error
}

const KEY: &str = "--transport-key-file key.hex";

#[test]
fn a_summary_says_what_was_verified() {
    let folder = folder();
    let output = trousseau(folder.path(), &format!("inspect batch.xml {KEY}"));
    assert!(output.status.success());
    assert_eq!(
        text(&output.stdout),
        "batch.xml: 3 keys\n  \
         encryption   AES-128-CBC under the transport key \"Pre-shared-key\"\n  \
         integrity    verified (HMAC-SHA1)\n  \
         algorithm    3 x totp, sha1, 6 digits, 60 s\n  \
         serials      ACME1 (first) to ACME3 (last)\n"
    );
    let output = trousseau(folder.path(), "inspect batch.xml");
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("integrity    not verified: no key was given"));
}

#[test]
fn json_has_one_object_per_key_and_secrets_only_when_asked() {
    let folder = folder();
    let output = trousseau(folder.path(), &format!("inspect batch.xml --json {KEY}"));
    let lines = text(&output.stdout);
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(
        lines.lines().next().unwrap(),
        "{\"serial\":\"ACME1\",\"key_id\":\"ACME1\",\"algorithm\":\"totp\",\"hash\":\"sha1\",\
         \"digits\":6,\"period\":60,\"counter\":null,\"manufacturer\":null,\"model\":null,\
         \"user\":null,\"start_date\":null,\"expiry_date\":null}"
    );
    let output = trousseau(folder.path(), "inspect batch.xml --reveal-secrets");
    assert_eq!(output.status.code(), Some(2), "secrets without --json");
    let output = trousseau(folder.path(), "inspect batch.xml --json --reveal-secrets");
    assert_eq!(output.status.code(), Some(2), "secrets without a key");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    let words = text(&output.stderr);
    assert!(words.contains("batch.xml: key ACME1: its secret is encrypted, and no key"), "{words}");
    assert!(words.contains(" help: give the key (--transport-key-file"), "{words}");
    let output = trousseau(folder.path(), "inspect batch.xml --json");
    assert!(text(&output.stderr).contains("integrity not verified, as no key was given"));
}

#[test]
fn keys_that_share_a_serial_number_are_named_with_their_lines() {
    let folder = folder();
    let path = folder.path().join("batch.xml");
    let batch = fs::read_to_string(&path).unwrap();
    let line = |serial: &str| {
        let found = batch.lines().position(|line| line.contains(&format!("<SerialNo>{serial}<")));
        found.unwrap() + 1
    };
    let (second, third) = (line("ACME2"), line("ACME3"));
    let shared = batch.replace("<SerialNo>ACME2<", "<SerialNo>ACME1<");
    fs::write(&path, &shared).unwrap();
    let output = trousseau(folder.path(), "inspect batch.xml");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let words = text(&output.stderr);
    let told = "batch.xml: 1 key shares the serial number of another: ACME1 (line ";
    let at = words.split_once(told).unwrap_or_else(|| panic!("{words}")).1;
    let named: usize = at.split(')').next().unwrap().parse().unwrap();
    assert!((second..third.max(second + 1)).contains(&named), "{second} {named} {third}: {words}");
}

#[test]
fn a_wrong_key_a_flipped_bit_and_a_wrong_mac_have_one_text() {
    let wrong_key =
        refused(|text| text, "--transport-key-file other.hex", "cannot be verified", "");
    let flip = |text: String, after: &str| {
        let at = text.find(after).unwrap() + after.len();
        let mut bytes = text.into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mac = refused(|text| flip(text, "<ValueMAC>"), KEY, "cannot be verified", "another batch");
    let iv = "<EncryptedValue><xenc:EncryptionMethod \
              Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/>\
              <xenc:CipherData><xenc:CipherValue>";
    let value = refused(|text| flip(text, iv), KEY, "key ACME1: the value cannot be verified", "");
    assert!(value.starts_with("error: batch.xml: line 5, column "), "{value}");
    // Apart from the place, nothing tells the three apart.
    let essence = |error: &str| error[error.find("the value").unwrap()..].to_owned();
    assert_eq!(essence(&wrong_key), essence(&mac));
    assert_eq!(essence(&mac), essence(&value));
}

#[test]
fn truncated_files_are_refused_wherever_they_end() {
    for share in [0.99, 0.7, 0.5, 0.1] {
        let cut = |text: String| text[..(text.len() as f64 * share) as usize].to_owned();
        refused(cut, KEY, "the file ends in the middle: it was cut off", "compare its size");
    }
    refused(|_| String::new(), KEY, "the file ends in the middle", "again");
}

#[test]
fn a_stripped_mac_needs_the_permission_and_is_warned_of_once() {
    let strip = |text: String| {
        let mut text = text;
        while let (Some(from), Some(to)) = (text.find("<ValueMAC>"), text.find("</ValueMAC>")) {
            text.replace_range(from..to + "</ValueMAC>".len(), "");
        }
        text
    };
    refused(
        strip,
        KEY,
        "key ACME1: the encrypted value has no ValueMAC",
        "--allow-unauthenticated",
    );
    let folder = folder();
    let path = folder.path().join("batch.xml");
    fs::write(&path, strip(fs::read_to_string(&path).unwrap())).unwrap();
    let output =
        trousseau(folder.path(), &format!("inspect batch.xml --allow-unauthenticated {KEY}"));
    assert!(output.status.success());
    let warnings = text(&output.stderr);
    assert_eq!(warnings.matches("warning: ").count(), 1, "{warnings}");
    assert!(warnings.contains("3 secrets were read without any check"), "{warnings}");
    assert!(text(&output.stdout).contains("integrity    not verified"));
}

#[test]
fn repeated_keys_are_refused() {
    let repeat = |text: String| text.replace("ACME3", "ACME1");
    refused(repeat, KEY, "key ACME1: the key id is used twice in this file", "RFC 6030");
}

#[test]
fn a_secret_in_clear_among_encrypted_ones_is_refused() {
    let smuggle = |text: String| {
        let from = text.find("<EncryptedValue>").unwrap();
        let to = text.find("</ValueMAC>").unwrap() + "</ValueMAC>".len();
        format!(
            "{}<PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue>{}",
            &text[..from],
            &text[to..]
        )
    };
    refused(smuggle, KEY, "key ACME1: the secret is in clear although a key was given", "sender");
}

#[test]
fn a_key_of_the_wrong_kind_or_length_is_named() {
    let folder = folder();
    fs::write(folder.path().join("long.hex"), "00".repeat(32)).unwrap();
    for (options, message) in [
        (
            "--passphrase-file key.hex",
            "under a transport key named \"Pre-shared-key\", which is not",
        ),
        ("--transport-key-file long.hex", "AES-128-CBC takes a key of 16 bytes, this one has 32"),
    ] {
        let output = trousseau(folder.path(), &format!("inspect batch.xml {options}"));
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

#[test]
fn hostile_files_are_refused_with_the_limit_they_hit() {
    let at_key = |insert: &str| {
        let insert = insert.to_owned();
        move |text: String| text.replacen("<KeyPackage>", &format!("<KeyPackage>{insert}"), 1)
    };
    let deep = format!("<Extensions>{}{}</Extensions>", "<a>".repeat(50), "</a>".repeat(50));
    refused(at_key(&deep), KEY, "the depth of elements exceeds the limit of 32", "genuine");
    let attributes: String = (0..100).map(|number| format!(" a{number}=\"\"")).collect();
    let wide = format!("<Extensions{attributes}/>");
    refused(at_key(&wide), KEY, "the number of attributes exceeds the limit of 64", "genuine");
    let long = format!("<Extensions>{}</Extensions>", "x".repeat(100_000));
    refused(at_key(&long), KEY, "bytes, exceeds the limit of 65536", "genuine");
    let comment = format!("<!--{}-->", "x".repeat(1_000_000));
    refused(at_key(&comment), KEY, "bytes, exceeds the limit of 65536", "genuine");
    let dtd = |text: String| text.replacen("<KeyContainer", "<!DOCTYPE x><KeyContainer", 1);
    refused(dtd, KEY, "a DTD (<!DOCTYPE>) is never accepted", "without DTD");
    let entity = |text: String| text.replacen("<SerialNo>", "<SerialNo>&xxe;", 1);
    refused(entity, KEY, "unknown entity &xxe;", "entities");
    let twice = |text: String| text.replacen("<Secret>", "<Secret/><Secret>", 1);
    refused(twice, KEY, "the value of Secret is missing", "RFC 6030");
    let control = |text: String| text.replacen("ACME1", "A\u{1b}[31m", 1);
    let error = refused(control, KEY, "a character that XML does not have", "RFC 6030");
    assert!(!error.contains('\u{1b}'), "the terminal was reached");
}

#[test]
fn a_comment_or_cdata_inside_a_value_never_shortens_it() {
    let folder = tempfile::tempdir().unwrap();
    let plain = include_str!("vectors/rfc6030/figure3.pskcxml");
    let secret = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";
    for split in [
        "MTIzNDU2<!-- x -->Nzg5MDEyMzQ1Njc4OTA=",
        "MTIzNDU2<![CDATA[Nzg5MDEyMzQ1Njc4]]>OTA=",
        "MTIzNDU2<?x y?>Nzg5MDEyMzQ1Njc4OTA&#61;",
    ] {
        fs::write(folder.path().join("batch.xml"), plain.replace(secret, split)).unwrap();
        let output = trousseau(folder.path(), "inspect batch.xml --json --reveal-secrets");
        let line = text(&output.stdout);
        assert!(line.contains("\"3132333435363738393031323334353637383930\""), "{split}: {line}");
    }
    fs::write(folder.path().join("batch.xml"), plain.replace(secret, "MTIz<b/>NDU2")).unwrap();
    let output = trousseau(folder.path(), "inspect batch.xml");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("where none is expected, inside <PlainValue>"));
}

#[test]
fn files_that_are_not_there_or_not_pskc_are_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), "<html><body/></html>").unwrap();
    fs::write(folder.path().join("wide.xml"), b"\xff\xfe<\0K\0").unwrap();
    for (file, code, message) in [
        ("none.xml", 5, "error: cannot read none.xml: No such file"),
        (
            "page.html",
            2,
            "page.html: line 1, column 1: this is no PSKC file: its first element is <html>",
        ),
        ("wide.xml", 2, "wide.xml: line 1, column 1: the file ends in the middle: it was cut off"),
    ] {
        let output = trousseau(folder.path(), &format!("inspect {file}"));
        assert_eq!(output.status.code(), Some(code));
        assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

/// What a file says is shown, and no terminal obeys it.
#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let plain = include_str!("vectors/rfc6030/figure3.pskcxml");
    let inspected = |from: &str, to: &str, more: &str| {
        assert!(plain.contains(from), "{plain}");
        fs::write(folder.path().join("b.xml"), plain.replace(from, to)).unwrap();
        let output = trousseau(folder.path(), &format!("inspect b.xml {more}"));
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        for said in [&out, &err] {
            let obeyed = |c: char| {
                (c.is_control() && c != '\n') || "\u{202a}\u{202e}\u{2066}\u{2069}".contains(c)
            };
            assert!(!said.contains(obeyed), "{said:?}");
        }
        (output.status.success(), out + &err)
    };
    // C1 and the controls of direction are characters of XML; C0 is not, in whatever spelling.
    let (fine, said) = inspected("pskc:hotp", "pskc:x&#x9b;31m&#x202e;y", "");
    assert!(fine && said.contains("x?31m?y"), "{said}");
    let (fine, said) = inspected(">Manufacturer<", ">a&#x9b;31m&#x202e;\u{2066}b<", "--json");
    assert!(fine && said.contains("a\\u009b31m\\u202e\\u2066b"), "{said}");
    for escape in ["&#27;[31m", "&#x1B;[31m", "\u{1b}[31m"] {
        let (fine, said) = inspected(">Manufacturer<", &format!(">{escape}<"), "");
        assert!(!fine && said.contains("a character that XML does not have"), "{said}");
        let (fine, said) = inspected("pskc:hotp", &format!("pskc:{escape}"), "");
        assert!(!fine && said.contains("a character that XML does not have"), "{said}");
    }
}

/// As whoever verifies a signature reads them (XML 1.0 §2.11 and §3.3.3).
#[test]
fn ends_of_lines_and_blanks_of_attributes_are_those_of_xml() {
    let folder = folder();
    let batch = fs::read_to_string(folder.path().join("batch.xml")).unwrap();
    let to = "<Manufacturer>a\r\nb\rc&#13;d</Manufacturer><Model>m</Model><SerialNo>ACME1<";
    let changed =
        batch.replace("<SerialNo>ACME1<", to).replace(" Id=\"ACME1\"", " Id=\"K\r\n\t1\"");
    assert!(changed.contains("K\r\n"), "{batch}");
    fs::write(folder.path().join("batch.xml"), changed).unwrap();
    let output = trousseau(folder.path(), "inspect batch.xml --json");
    let said = text(&output.stdout);
    assert!(said.contains(r#""manufacturer":"a\nb\nc\rd""#), "{said} {}", text(&output.stderr));
    assert!(said.contains(r#""key_id":"K  1""#), "{said}");
}
