//! Files from before RFC 6030: what `inspect` says of them, and that what is written again is
//! RFC 6030.

mod common;

use std::path::Path;
use std::process::{Command, Output};

use common::text;

fn trousseau(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trousseau")).args(args).output().unwrap()
}

fn vector(name: &str) -> String {
    format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_summary_names_the_dialect() {
    for (file, dialect) in [
        ("draft-ietf-keyprov-pskc-02/figure2.pskcxml", "of 2009 (draft-ietf-keyprov-pskc-02)"),
        (
            "draft-hoyer-keyprov-pskc-algorithm-profiles-01/totp.pskcxml",
            "of 2008 (urn:ietf:params:xml:ns:keyprov:pskc:1.0)",
        ),
        ("actividentity/test.pskcxml", "as ActivIdentity has it"),
        (
            "draft-hoyer-keyprov-portable-symmetric-key-container-01/non-encrypted.pskcxml",
            "of 2007 (urn:ietf:params:xml:ns:keyprov:container)",
        ),
        (
            "draft-hoyer-keyprov-portable-symmetric-key-container-00/non-encrypted.pskcxml",
            "of 2006 (http://www.openauthentication.org/OATH/2006/08/PSKC)",
        ),
    ] {
        let output = trousseau(&["inspect", &vector(file)]);
        let summary = text(&output.stdout);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let line = summary.lines().find(|line| line.starts_with("  format ")).unwrap_or_default();
        assert!(line.contains("a draft of RFC 6030, ") && line.contains(dialect), "{summary}");
    }
    let output = trousseau(&["inspect", &vector("rfc6030/figure2.pskcxml")]);
    assert!(!text(&output.stdout).contains("format "), "{}", text(&output.stdout));
}

/// Serial, secret, counter, digits and dates of a draft's file survive the way to RFC 6030.
#[test]
fn what_is_written_again_is_rfc_6030() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("old.hex"), "fe0de6b806c09b762c4b49a666a27b72").unwrap();
    let old = vector("actividentity/test.pskcxml");
    let (had, out, new) = (path("old.hex"), path("new.xml"), path("new.hex"));
    let permitted = ["--transport-key-file", &had, "--allow-unauthenticated"];
    let export =
        ["export", &old, "--format", "pskc", "--out", &out, "--out-new-transport-key", &new];
    let output = trousseau(&[&export[..], &permitted].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("1 secrets were read without any check"), "no warning");
    let written = std::fs::read_to_string(&out).unwrap();
    assert!(written.contains("xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\""));
    assert!(!written.contains("keyprov:container") && !written.contains("<Device>"));

    let show = ["--json", "--reveal-secrets"];
    let before = trousseau(&[&["inspect", &old][..], &permitted, &show].concat());
    let after = trousseau(&[&["inspect", &out, "--transport-key-file", &new][..], &show].concat());
    let (before, after) = (text(&before.stdout), text(&after.stdout));
    assert!(before.contains("dce70c2a0c1f5806f316ca8d09456eb4765ad053"), "{before}");
    assert!(
        before.contains("\"counter\":837830147") && before.contains("\"digits\":8"),
        "{before}"
    );
    assert_eq!(before, after);
}

#[test]
fn without_the_permission_a_digest_over_the_plaintext_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("pass"), "qwerty").unwrap();
    let file = vector(
        "draft-hoyer-keyprov-portable-symmetric-key-container-00/password-encrypted.pskcxml",
    );
    let (pass, out) = (path("pass"), path("out.csv"));
    let export = ["export", &file, "--format", "csv", "--out", &out, "--passphrase-file", &pass];
    let output = trousseau(&export);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("key 98765432187: the value cannot be verified under this key"),
        "{error}"
    );
    assert!(error.contains("\n help: "), "{error}");
    assert!(!Path::new(&out).exists());
    let output = trousseau(&[&export[..], &["--allow-unauthenticated"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let list = std::fs::read_to_string(&out).unwrap();
    assert!(list.to_ascii_lowercase().contains("65670bbe91685cd1c01be971dfe470"), "{list}");
}
