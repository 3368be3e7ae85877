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

/// A public key keeps nothing from being made anew: that is said, until a signature tells by whom.
#[test]
fn a_file_for_a_certificate_is_not_called_verified() {
    let folder = folder();
    let signatures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/signatures");
    done(
        folder.path(),
        &format!(
            "mint --count 3 --out one.xml --recipient {CERTIFICATE} \
             --sign-key-file {signatures}/rsa.key --sign-cert {signatures}/rsa.crt"
        ),
    );
    let file = format!("one.xml --private-key-file {PRIVATE}");
    let warning =
        "warning: one.xml: whole, but anybody who has the certificate can make such a file";
    for (line, open) in [
        (format!("inspect {file}"), true),
        (format!("inspect {file} --json"), true),
        (format!("export {file} --format jsonl --out a.jsonl"), true),
        (format!("inspect {file} --require-signature {signatures}/rsa.crt"), false),
        (
            format!(
                "export {file} --require-signature {signatures}/rsa.crt --format jsonl --out b.jsonl"
            ),
            false,
        ),
        ("inspect one.xml".to_owned(), false),
    ] {
        let said = text(&done(folder.path(), &line).stderr);
        assert_eq!(said.contains(warning), open, "{line}: {said}");
    }
    let shown = text(&done(folder.path(), &format!("inspect {file}")).stdout);
    let whole = "integrity    whole (HMAC-SHA1), but anybody who has the certificate can make it\n";
    assert!(shown.contains(whole), "{shown}");
    let line = format!("inspect {file} --require-signature {signatures}/rsa.crt");
    let shown = text(&done(folder.path(), &line).stdout);
    assert!(shown.contains("integrity    verified (HMAC-SHA1)\n"), "{shown}");
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
        ("A", "--for watchguard --algorithm hotp", "key A1: WatchGuard does not read HOTP keys"),
        ("A", "--for watchguard --digits 8", "key A1: WatchGuard does not read codes of 8 digits"),
        ("A", "--for watchguard --period 45", "key A1: WatchGuard does not read a period of 45 s"),
    ] {
        let output = mint(serial, more, "x.xml");
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(error.contains(message), "{error}");
        assert!(error.contains("help: leave this key out, or leave out --for"), "{error}");
        assert!(!folder.path().join("x.xml").exists());
    }
    for (receiver, algorithm, data, message) in [
        ("linotp", "hotp", &[("Counter", 5)][..], Some("the counter 5, and would begin at 0")),
        ("linotp", "hotp", &[("Counter", 0)][..], None),
        ("linotp", "totp", &[("TimeDrift", 2)][..], Some("TimeDrift")),
        ("linotp", "totp", &[("TimeDrift", 0)][..], None),
        ("linotp", "totp", &[("Time", 7)][..], Some("a Time other than 0")),
        ("privacyidea", "hotp", &[("Counter", 5)][..], None),
        ("privacyidea", "totp", &[("Counter", 5)][..], Some("the Counter of a TOTP key")),
        (
            "privacyidea",
            "totp",
            &[("TimeDrift", -2)][..],
            Some("TimeDrift in intervals, but in seconds"),
        ),
        ("freeipa", "totp", &[("TimeDrift", -2)][..], None),
        ("freeipa", "totp", &[("Time", 7)][..], Some("a Time other than 0")),
        ("freeipa", "totp", &[("Time", 0)][..], None),
        ("watchguard", "totp", &[("TimeDrift", 2)][..], Some("TimeDrift")),
        ("multiotp", "totp", &[("TimeDrift", 2)][..], Some("TimeDrift")),
        ("generic", "totp", &[("TimeDrift", 2), ("Time", 7)][..], None),
    ] {
        let mut numbers = String::new();
        for (name, number) in data {
            let value = format!("<{name}><PlainValue>{number}</PlainValue></{name}>");
            numbers.push_str(&value);
        }
        let file = clear(algorithm, &numbers, "");
        let (output, _) = export_for(folder.path(), receiver, &file);
        let error = text(&output.stderr);
        match message {
            None => assert!(output.status.success(), "{receiver} {data:?}: {error}"),
            Some(what) => {
                assert_eq!(output.status.code(), Some(2), "{receiver} {data:?}: {error}");
                assert!(error.contains(&format!("does not read {what}\n")), "{error}");
            }
        }
    }
}

/// A file of one key in clear.
fn clear(algorithm: &str, data: &str, policy: &str) -> String {
    format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><KeyPackage>\
         <DeviceInfo><SerialNo>A1</SerialNo></DeviceInfo>\
         <Key Id=\"A1\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:{algorithm}\">\
         <Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>{data}</Data>\
         {policy}</Key></KeyPackage></KeyContainer>"
    )
}

/// Exports `file` for `receiver`; gives what came of it and what was written.
fn export_for(folder: &Path, receiver: &str, file: &str) -> (Output, String) {
    fs::write(folder.join("clear.xml"), file).unwrap();
    let _ = fs::remove_file(folder.join("for.xml"));
    let key = if receiver == "multiotp" { "" } else { "--out-transport-key-file 128.hex" };
    let line = format!("export clear.xml --format pskc --for {receiver} {key} --out for.xml");
    let output = trousseau(folder, &line);
    let written = fs::read_to_string(folder.join("for.xml")).unwrap_or_default();
    (output, written)
}

#[test]
fn what_a_receiver_leaves_unread_is_told() {
    let folder = folder();
    let policy = "<Policy><ExpiryDate>2030-01-01T00:00:00Z</ExpiryDate><KeyUsage>CR</KeyUsage>\
                  <KeyUsage>OTP</KeyUsage></Policy>";
    let file = clear("totp", "", policy);
    for (receiver, note) in [
        ("generic", None),
        (
            "privacyidea",
            Some("privacyIDEA does not read: expiry date (1 key), key usages (1 key)\n"),
        ),
        ("linotp", Some("LinOTP does not read: expiry date (1 key), key usages (1 key)\n")),
        ("freeipa", Some("FreeIPA does not read: key usages beside OTP (1 key)\n")),
        ("watchguard", Some("whether WatchGuard heeds these is not known: expiry date (1 key)")),
    ] {
        let (output, written) = export_for(folder.path(), receiver, &file);
        let said = text(&output.stderr);
        assert!(output.status.success(), "{said}");
        match note {
            Some(note) => assert!(said.contains(&format!("note: {note}")), "{said}"),
            None => assert!(!said.contains("note: "), "{said}"),
        }
        let first = if receiver == "freeipa" { "OTP" } else { "CR" };
        let usage = written.find("<KeyUsage>").unwrap();
        assert!(written[usage..].starts_with(&format!("<KeyUsage>{first}<")), "{receiver}");
    }
    let order = "[[lot]]\ncount = 3\nserial = { prefix = 'A' }\n\
                 expiry-date = 2030-01-01T00:00:00Z\n[[lot]]\ncount = 2\nserial = { prefix = 'B' }\n";
    fs::write(folder.path().join("order.toml"), order).unwrap();
    let line =
        "mint --spec order.toml --for linotp --transport-key-file 128.hex --out a.xml --json";
    let output = done(folder.path(), line);
    assert!(text(&output.stderr).contains("note: LinOTP does not read: expiry date (3 keys)\n"));
    assert!(text(&output.stdout).contains("\"LinOTP does not read: expiry date (3 keys)\""));
}

#[test]
fn freeipa_is_told_of_with_how_it_wants_the_key() {
    let folder = folder();
    let line = "mint --count 1 --for freeipa --new-transport-key nk --out a.xml";
    let said = text(&done(folder.path(), line).stderr);
    assert!(said.contains("note: ipa-otptoken-import -k takes the bytes of the key"), "{said}");
    assert!(said.contains("`umask 077; xxd -r -p nk nk.raw`"), "{said}");
    let line = "export batch.xml --transport-key-file 128.hex --format pskc --for freeipa \
                --out-passphrase-file words --out b.xml";
    let said = text(&done(folder.path(), line).stderr);
    assert!(said.contains("no newline at its end"), "{said}");
}

#[test]
fn a_receiver_of_secrets_in_clear_is_no_matter_for_mint() {
    let folder = folder();
    for key in ["", "--transport-key-file 128.hex", "--new-transport-key nk"] {
        let output =
            trousseau(folder.path(), &format!("mint --count 1 --for multiotp {key} --out m.xml"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains("multiOTP reads secrets in clear alone"), "{error}");
        assert!(error.contains("--format pskc --for multiotp"), "{error}");
        assert!(!folder.path().join("m.xml").exists() && !folder.path().join("nk").exists());
    }
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let folder = folder();
    let key = "--transport-key-file 128.hex";
    for (options, message) in [
        (format!("{key} --encryption aes-gcm --mac hmac-sha256"), "--mac would go unused"),
        (format!("{key} --prf hmac-sha256"), "--prf would go unused"),
        (format!("--recipient {CERTIFICATE} --prf hmac-sha256"), "--prf would go unused"),
        (format!("{key} --legacy"), "--legacy would go unused"),
        ("--new-transport-key x.xml".to_owned(), "x.xml cannot be both the batch and its new key"),
        (format!("{key} --counter 5"), "the counter is 5, not 0: only HOTP keys count"),
    ] {
        let output = trousseau(folder.path(), &format!("mint --count 1 --out x.xml {options}"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options}: {error}");
        assert!(error.contains(message), "{options}: {error}");
        assert!(!folder.path().join("x.xml").exists());
    }
    let line = "mint --count 1 --algorithm hotp --counter 5 --manufacturer ACME --out h.xml";
    let said = text(&done(folder.path(), &format!("{line} {key}")).stderr);
    assert!(said.contains("warning: the manufacturer \"ACME\" begins with neither"), "{said}");
    assert!(secrets(folder.path(), "h.xml", key).contains("\"counter\":5"));
}

#[test]
fn no_more_recipients_are_written_than_are_read() {
    let folder = folder();
    let recipients = |count| format!(" --recipient {CERTIFICATE}").repeat(count);
    let output = trousseau(folder.path(), &format!("mint --count 1 --out r.xml{}", recipients(65)));
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains("65 recipients, and readers refuse a file with more than 64"),
        "{error}"
    );
    assert!(!folder.path().join("r.xml").exists());
    done(folder.path(), &format!("mint --count 1 --out r.xml{}", recipients(64)));
    done(folder.path(), &format!("inspect r.xml --private-key-file {PRIVATE}"));
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
