//! Files under a key of their own that is wrapped under a transport key, as for a key in an HSM; and
//! what a program without PKCS #11 says to such a key. The file was made with pyca/cryptography.

mod common;

use std::fs;

use common::run;

use tempfile::TempDir;

const FILE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/generated/wrapped-kw-aes256.pskcxml");
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The file, changed, and a key for it.
fn bench(change: impl Fn(&str) -> String, key: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("b.xml"), change(&fs::read_to_string(FILE).unwrap())).unwrap();
    fs::write(folder.path().join("key.hex"), key).unwrap();
    folder
}

fn refused(folder: &TempDir, line: &str, words: &str) {
    let output = run(folder.path(), line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(words) && said.contains("help: "), "{said}");
    assert!(output.stdout.is_empty());
}

const READ: &str = "inspect b.xml --transport-key-file key.hex";

#[test]
fn the_holder_of_the_wrapping_key_reads_it() {
    let folder = bench(str::to_owned, KEY);
    let output = run(folder.path(), &format!("{READ} --json --reveal-secrets"));
    let keys = String::from_utf8(output.stdout).unwrap();
    assert!(keys.contains("\"secret\":\"3132333435363738393031323334353637383930\""), "{keys}");
    let output = run(folder.path(), READ);
    let shown = String::from_utf8(output.stdout).unwrap();
    let under =
        "AES-128-CBC under a key of its own, wrapped under the transport key \"hsm/batch & co\"";
    assert!(shown.contains(under) && shown.contains("verified (HMAC-SHA1)"), "{shown}");
}

#[test]
fn a_wrong_key_a_changed_wrap_and_other_wraps_are_refused() {
    let same = |text: &str| text.to_owned();
    let wrong = "the value cannot be verified under this key";
    refused(&bench(same, &KEY.replace("1f", "2f")), READ, wrong);
    refused(&bench(same, &KEY[..32]), READ, "AES-256-KW takes a key of 32 bytes, this one has 16");
    let change = |from: &'static str, to: &'static str| {
        move |text: &str| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        }
    };
    let wrapped = fs::read_to_string(FILE).unwrap();
    let at = wrapped.find("<xenc:CipherValue>").unwrap() + 18;
    let flip = |text: &str| {
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    refused(&bench(flip, KEY), READ, wrong);
    // Nothing vouches for a key encrypted by CBC.
    refused(
        &bench(change("#kw-aes256", "#aes256-cbc"), KEY),
        READ,
        "as a wrap of the key of the values, the encryption",
    );
    refused(
        &bench(same, KEY),
        "inspect b.xml --passphrase-file key.hex",
        "a key wrapped under the transport key named \"hsm/batch & co\", which is not the kind",
    );
}

#[test]
#[cfg(not(feature = "pkcs11"))]
fn a_program_without_pkcs11_says_so() {
    let folder = bench(str::to_owned, KEY);
    for line in [
        "inspect b.xml --pkcs11-key pkcs11:token=a?module-path=/m.so",
        "transport-key new --pkcs11-key pkcs11:token=a;object=b?module-path=/m.so",
        "transport-key show-kcv --pkcs11-key pkcs11:token=a;object=b?module-path=/m.so",
        "mint --count 1 --out x.xml --pkcs11-key pkcs11:token=a;object=b?module-path=/m.so",
    ] {
        refused(&folder, line, ": this program was built without PKCS #11");
    }
    let line = "inspect b.xml --pkcs11-key pkcs11:token=a?pin-value=1234";
    refused(&folder, line, "a PIN in a PKCS #11 URI (pin-value) is not used");
}
