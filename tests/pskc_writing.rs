//! What `mint` and `export --format pskc` write on request: each cipher, MAC, PRF and kind of key,
//! read back by `inspect`; what is refused, with its message and nothing left behind.

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;

use common::{run as trousseau, text};

const CERTIFICATE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/custody/recipient.crt");
const OTHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/custody/other.crt");
const PRIVATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/custody/recipient.key");
const OTHER_PRIVATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/custody/other.key");

fn done(folder: &Path, line: &str) -> Output {
    let output = trousseau(folder, line);
    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
    output
}

/// Keys of 16, 24 and 32 bytes, a passphrase, and a batch under `128.hex`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [16, 24, 32] {
        let key: String = (0..bytes).map(|byte| format!("{byte:02x}")).collect();
        fs::write(folder.path().join(format!("{}.hex", bytes * 8)), key).unwrap();
    }
    fs::write(folder.path().join("words"), "pass words 1\n").unwrap();
    let line = "mint --count 3 --serial-prefix ACME --secret-bytes 24 --manufacturer oath.ACME \
                --transport-key-file 128.hex --out batch.xml";
    done(folder.path(), line);
    folder
}

fn secrets(folder: &Path, file: &str, key: &str) -> String {
    text(&done(folder, &format!("inspect {file} {key} --json --reveal-secrets")).stdout)
}

/// Exports `batch.xml` with `options`, refused with `message` and nothing left behind.
fn refused(options: &str, message: &str, hint: &str) {
    refused_with(2, options, message, hint);
}

fn refused_with(code: i32, options: &str, message: &str, hint: &str) {
    let folder = folder();
    let before = fs::read_dir(folder.path()).unwrap().count();
    let line = format!(
        "export batch.xml --transport-key-file 128.hex --format pskc --out out.xml {options}"
    );
    let output = trousseau(folder.path(), &line);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{options}: {error}");
    assert!(error.contains(message), "{options}: {error}");
    assert!(error.contains(hint), "{options}: {error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before, "{options}");
}

#[test]
fn every_cipher_is_written_and_read_back() {
    let folder = folder();
    let original = secrets(folder.path(), "batch.xml", "--transport-key-file 128.hex");
    assert_eq!(original.lines().count(), 3);
    for (encryption, bits, name) in [
        ("aes-cbc", 128, "AES-128-CBC"),
        ("aes-cbc", 192, "AES-192-CBC"),
        ("aes-cbc", 256, "AES-256-CBC"),
        ("aes-gcm", 128, "AES-128-GCM"),
        ("aes-gcm", 256, "AES-256-GCM"),
        ("aes-kw", 128, "AES-128-KW"),
        ("aes-kw", 192, "AES-192-KW"),
        ("aes-kw", 256, "AES-256-KW"),
        ("aes-kw-pad", 128, "AES-128-KWP"),
        ("aes-kw-pad", 256, "AES-256-KWP"),
        ("tripledes-cbc --legacy", 192, "3DES-CBC"),
        ("tripledes-kw --legacy", 192, "3DES-KW"),
        ("camellia-cbc --legacy", 128, "Camellia-128-CBC"),
        ("camellia-cbc --legacy", 256, "Camellia-256-CBC"),
        ("camellia-kw --legacy", 192, "Camellia-192-KW"),
    ] {
        let file = format!("{name}.xml");
        let line = format!(
            "export batch.xml --transport-key-file 128.hex --format pskc --out {file} \
             --out-transport-key-file {bits}.hex --encryption {encryption}"
        );
        done(folder.path(), &line);
        let key = format!("--transport-key-file {bits}.hex");
        assert_eq!(secrets(folder.path(), &file, &key), original, "{name}");
        let summary = text(&done(folder.path(), &format!("inspect {file} {key}")).stdout);
        assert!(summary.contains(&format!("encryption   {name} under")), "{summary}");
        assert!(summary.contains("integrity    verified"), "{summary}");
    }
}

#[test]
fn every_mac_and_every_prf_is_written_and_read_back() {
    let folder = folder();
    let original = secrets(folder.path(), "batch.xml", "--transport-key-file 128.hex");
    for hash in ["sha1", "sha224", "sha256", "sha384", "sha512"] {
        let line = format!(
            "export batch.xml --transport-key-file 128.hex --format pskc --out {hash}.xml \
             --out-passphrase-file words --mac hmac-{hash} --prf hmac-{hash}"
        );
        done(folder.path(), &line);
        let key = "--passphrase-file words";
        let file = format!("{hash}.xml");
        assert_eq!(secrets(folder.path(), &file, key), original, "{hash}");
        let summary = text(&done(folder.path(), &format!("inspect {file} {key}")).stdout);
        let name = format!("HMAC-{}", hash.to_uppercase());
        assert_eq!(summary.matches(&name).count(), 2, "{summary}");
    }
}

#[test]
fn a_file_for_certificates_opens_for_each_of_them_and_nobody_else() {
    let folder = folder();
    let original = secrets(folder.path(), "batch.xml", "--transport-key-file 128.hex");
    let line = format!(
        "export batch.xml --transport-key-file 128.hex --format pskc --out two.xml \
         --recipient {OTHER} --recipient {CERTIFICATE}"
    );
    done(folder.path(), &line);
    for key in [PRIVATE, OTHER_PRIVATE] {
        let key = format!("--private-key-file {key}");
        assert_eq!(secrets(folder.path(), "two.xml", &key), original);
    }
    let line = format!("mint --count 3 --out one.xml --recipient {CERTIFICATE}");
    done(folder.path(), &line);
    let keys = secrets(folder.path(), "one.xml", &format!("--private-key-file {PRIVATE}"));
    assert_eq!(keys.lines().count(), 3);
    let line = format!("inspect one.xml --private-key-file {OTHER_PRIVATE}");
    let output = trousseau(folder.path(), &line);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("the value cannot be verified under this key"), "{error}");
    let output = trousseau(folder.path(), "inspect one.xml --transport-key-file 128.hex");
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("under the certificate of a recipient (X.509)"), "{error}");
    assert!(error.contains("help: check what the sender gave you"), "{error}");
}

#[test]
fn what_the_standards_or_the_key_do_not_allow_is_refused() {
    let key = "--out-transport-key-file 128.hex";
    refused(&format!("{key} --encryption camellia-cbc"), "receivers of old", "add --legacy");
    refused(
        &format!("{key} --encryption tripledes-cbc --legacy"),
        "a key of 24 bytes is needed, this one has 16",
        "hexadecimal digits",
    );
    refused(
        &format!("{key} --recipient {CERTIFICATE}"),
        "--recipient and another key exclude each other",
        "one key",
    );
    refused("--recipient 128.hex", "128.hex: not a certificate", "help: ");
    refused_with(5, "--recipient missing.crt", "cannot read missing.crt", "check the name");
}

#[test]
fn a_key_wrap_takes_no_secret_of_another_length() {
    let folder = folder();
    let line = "mint --count 3 --secret-bytes 20 --encryption aes-kw --transport-key-file 128.hex \
                --out kw.xml";
    let output = trousseau(folder.path(), line);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("key 1: AES-128-KW takes no secret of 20 bytes"), "{error}");
    assert!(error.contains("help: choose --encryption aes-kw-pad"), "{error}");
    assert!(!folder.path().join("kw.xml").exists());
}

#[test]
fn a_receiver_gets_what_it_reads_and_nothing_else() {
    let key = "--out-transport-key-file 128.hex";
    for receiver in ["privacyidea", "linotp", "watchguard", "freeipa"] {
        let options = format!("{key} --for {receiver} --encryption aes-gcm");
        refused(&options, "does not read AES-128-GCM", "docs/pskc.md");
        let options = format!("--recipient {CERTIFICATE} --for {receiver}");
        refused(&options, "does not read files for the holder of a certificate", "docs/pskc.md");
    }
    for receiver in ["privacyidea", "linotp", "watchguard"] {
        let options = format!("--out-transport-key-file 256.hex --for {receiver}");
        refused(&options, "does not read AES-256-CBC", "docs/pskc.md");
        let options = format!("{key} --for {receiver} --mac hmac-sha256");
        refused(&options, "does not read HMAC-SHA256", "docs/pskc.md");
    }
    let options = "--out-passphrase-file words --prf hmac-sha256 --for linotp";
    refused(options, "LinOTP does not read PBKDF2 with another PRF", "docs/pskc.md");
    let options = "--out-passphrase-file words --for watchguard";
    refused(options, "WatchGuard does not read files under a passphrase", "docs/pskc.md");
    let options = format!("{key} --for multiotp");
    refused(&options, "multiOTP does not read encrypted secrets", "docs/pskc.md");
}

#[test]
fn a_receiver_gets_hashes_in_its_own_spelling_or_not_at_all() {
    let folder = folder();
    for hash in ["sha1", "sha256", "sha512"] {
        let line = format!(
            "mint --count 2 --serial-prefix S --hash {hash} --secret-bytes 64 --digits 8 \
             --transport-key-file 128.hex --out {hash}.xml"
        );
        done(folder.path(), &line);
    }
    for (receiver, hash, spelled) in [
        ("privacyidea", "sha256", Some("<Suite>SHA256</Suite>")),
        ("privacyidea", "sha512", Some("<Suite>SHA512</Suite>")),
        ("linotp", "sha256", Some("<Suite>HMAC-SHA256</Suite>")),
        ("linotp", "sha512", None),
        ("freeipa", "sha512", Some("<Suite>HMAC-SHA512</Suite>")),
        ("watchguard", "sha256", None),
        ("multiotp", "sha256", Some("<Suite>HMAC-SHA256</Suite>")),
        ("multiotp", "sha512", None),
        ("generic", "sha512", Some("<Suite>HMAC-SHA512</Suite>")),
    ] {
        let file = format!("{receiver}-{hash}.xml");
        let clear = receiver == "multiotp";
        let key = if clear { "" } else { "--out-transport-key-file 128.hex" };
        let line = format!(
            "export {hash}.xml --transport-key-file 128.hex --format pskc --for {receiver} {key} \
             --out {file}"
        );
        let output = trousseau(folder.path(), &line);
        let error = text(&output.stderr);
        match spelled {
            Some(suite) => {
                assert!(output.status.success(), "{receiver}: {error}");
                let written = fs::read_to_string(folder.path().join(&file)).unwrap();
                assert_eq!(written.matches(suite).count(), 2, "{receiver} {hash}");
                assert!(written.contains("<PlainValue>"));
                assert_eq!(written.contains("<EncryptedValue>"), !clear, "{receiver}");
                assert_eq!(error.contains("holds the seeds in plain text"), clear, "{error}");
                let read = if clear { "" } else { "--transport-key-file 128.hex" };
                let original = format!("{hash}.xml");
                let original = secrets(folder.path(), &original, "--transport-key-file 128.hex");
                assert_eq!(secrets(folder.path(), &file, read), original, "{receiver}");
            }
            None => {
                assert_eq!(output.status.code(), Some(2), "{receiver}: {error}");
                assert!(error.contains(&format!("does not read the hash {hash}")), "{error}");
                assert!(error.contains("error: key S1: "), "{error}");
                assert!(!folder.path().join(&file).exists());
            }
        }
    }
}

#[test]
fn keys_that_a_receiver_would_misread_are_named() {
    let folder = folder();
    let mint = |serial: &str, more: &str, out: &str| {
        let line = format!(
            "mint --count 2 --serial-prefix {serial} {more} --transport-key-file 128.hex --out {out}"
        );
        trousseau(folder.path(), &line)
    };
    for (serial, more, message) in [
        ("A.", "--for privacyidea", "key A.1: privacyIDEA does not read this serial number"),
        ("A", "--for freeipa --digits 7", "key A1: FreeIPA does not read codes of 7 digits"),
        ("A", "--for freeipa --period 4", "key A1: FreeIPA does not read a period of 4 s"),
    ] {
        let output = mint(serial, more, "x.xml");
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(error.contains(message), "{error}");
        assert!(error.contains("help: leave this key out, or leave out --for"), "{error}");
        assert!(!folder.path().join("x.xml").exists());
    }
}

#[test]
fn options_of_encryption_are_refused_where_nothing_is_encrypted() {
    let folder = folder();
    let line = "export batch.xml --transport-key-file 128.hex --format privacyidea-csv \
                --mac hmac-sha256 --out import.csv";
    let output = trousseau(folder.path(), line);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("would go unused"), "{}", text(&output.stderr));
    assert!(!folder.path().join("import.csv").exists());
}
