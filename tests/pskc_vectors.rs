//! Every file of `tests/vectors/MANIFEST.tsv` is read as the manifest says, or refused for the
//! reason given here.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Options, Reader};
use trousseau::secret::Secret;

/// The file whose IV travels apart from it; the manifest has only its key.
const IV: (&str, &str) = ("encryption/aes128-cbc-noiv.pskcxml", "000102030405060708090a0b0c0d0e0f");

/// Files with a MAC over the plaintext, as drafts of the format had it. Nothing is decrypted
/// before its MAC was checked, unless the user says so: the decision is in `docs/pskc.md`.
const OVER_PLAINTEXT: [&str; 8] = [
    "encryption/mac-over-plaintext.pskcxml",
    "encryption/camellia128-cbc.pskcxml",
    "encryption/camellia192-cbc.pskcxml",
    "encryption/camellia256-cbc.pskcxml",
    "actividentity/test.pskcxml",
    "draft-hoyer-keyprov-portable-symmetric-key-container-00/password-encrypted.pskcxml",
    "draft-hoyer-keyprov-portable-symmetric-key-container-01/password-encrypted.pskcxml",
    "draft-ietf-keyprov-pskc-02/figure4.pskcxml",
];

/// The figure whose `ValueMAC` is where no reader looks.
const NO_MAC: &str = "draft-ietf-keyprov-pskc-02/figure5.pskcxml";

/// Files that the manifest refuses, with what the message must say.
const REFUSALS: [(&str, &str); 19] = [
    ("invalid/incomplete-derivation.pskcxml", "the salt of PBKDF2 is missing"),
    ("invalid/mac-algorithm.pskcxml", "hmac-zha9\" is not supported"),
    ("invalid/mac-value.pskcxml", "key 987654321: the value cannot be verified under this key"),
    ("invalid/missing-encryption-method.pskcxml", "EncryptionMethod is missing"),
    ("invalid/missing-encryption.pskcxml", "the Algorithm of EncryptionMethod is missing"),
    ("invalid/no-mac-method.pskcxml", "MACMethod, without which ValueMAC says nothing, is missing"),
    ("invalid/not-boolean.pskcxml", "CheckDigits is not true or false"),
    ("invalid/not-integer.pskcxml", "NumberOfTransactions is not a whole number"),
    ("invalid/not-integer2.pskcxml", "a length in PINPolicy is not a whole number"),
    ("invalid/notxml.pskcxml", "its first element is <InValidXML>"),
    ("invalid/unknown-encryption.pskcxml", "#unknown\" is not supported"),
    ("invalid/wrongelement.pskcxml", "its first element is <SomethingElse>"),
    ("invalid/wrongversion.pskcxml", "PSKC version \"1.2\" is not known"),
    (
        "rfc6030/figure8.pskcxml",
        "under the certificate of a recipient (X.509), and no key was given",
    ),
    (
        "draft-ietf-keyprov-pskc-02/figure6.pskcxml",
        "under the certificate of a recipient (X.509), and no key was given",
    ),
    ("misc/integers.pskcxml", "Secret is missing"),
    ("generated/mac-stripped.xml", "key BL000000: the encrypted value has no ValueMAC"),
    ("generated/cbc-iv-bitflip.xml", "key BL000000: the value cannot be verified under this key"),
    ("generated/billion-laughs.xml", "a DTD (<!DOCTYPE>) is never accepted"),
];

struct Row {
    file: String,
    key: Option<BatchKey>,
    count: usize,
    first: String,
    digest: String,
    accept: bool,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"))
}

fn manifest() -> Vec<Row> {
    let text = fs::read_to_string(folder().join("MANIFEST.tsv")).unwrap();
    let rows: Vec<Row> = text
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let key = match cells[2] {
                "key" => Some(BatchKey::Transport(Secret::from_hex(cells[3]).unwrap())),
                "pw" => Some(BatchKey::Passphrase(Secret::from(cells[3].as_bytes()))),
                "pem" => {
                    let pem = fs::read(folder().join("generated").join(cells[3])).unwrap();
                    Some(BatchKey::private(&Secret::new(pem), cells[3]).unwrap())
                }
                _ => None,
            };
            Row {
                file: cells[0].into(),
                key,
                count: cells[4].parse().unwrap_or(0),
                first: cells[5].into(),
                digest: cells[6].into(),
                accept: cells[7] == "accept",
            }
        })
        .collect();
    assert_eq!(rows.len(), 87, "the manifest lost rows");
    rows
}

fn read(row: &Row, options: Options) -> Result<Vec<Secret>, String> {
    let file = fs::File::open(folder().join(&row.file)).unwrap();
    let reader = Reader::new(file, row.key.as_ref(), options);
    let tokens: Result<Vec<_>, _> = reader.and_then(Iterator::collect);
    tokens
        .map(|tokens| tokens.into_iter().map(|token| token.secret).collect())
        .map_err(|error| error.to_string())
}

fn assert_secrets(row: &Row, secrets: &[Secret]) {
    assert_eq!(secrets.len(), row.count, "{}", row.file);
    // A key without a secret of its own (figure 4) has none in the manifest either.
    assert_eq!(*secrets[0].to_hex(), row.first, "{}", row.file);
    let joined = secrets.iter().map(Secret::expose).collect::<Vec<_>>().join(&0u8);
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&joined));
    assert_eq!(digest, row.digest, "{}", row.file);
}

fn reason<'a>(list: &[(&str, &'a str)], file: &str) -> Option<&'a str> {
    list.iter().find(|row| row.0 == file).map(|row| row.1)
}

#[test]
fn what_is_right_is_read_and_the_rest_is_refused_with_its_reason() {
    for row in manifest() {
        let iv = data_encoding::HEXLOWER.decode(IV.1.as_bytes()).unwrap();
        let options = Options {
            iv: (row.file == IV.0).then_some(iv),
            allow_unauthenticated: OVER_PLAINTEXT.contains(&row.file.as_str())
                || row.file == NO_MAC,
            ..Options::default()
        };
        let result = read(&row, options);
        let expected = match row.accept {
            true => None,
            false => Some(reason(&REFUSALS, &row.file).expect("every refusal has its reason")),
        };
        match (result, expected) {
            (Ok(secrets), None) => assert_secrets(&row, &secrets),
            (Err(message), Some(reason)) => {
                assert!(message.contains(reason), "{}: {message}", row.file);
                assert!(message.starts_with("line "), "{}: {message}", row.file);
            }
            (Ok(_), Some(reason)) => panic!("{} was read, not refused: {reason}", row.file),
            (Err(message), None) => panic!("{} was refused: {message}", row.file),
        }
    }
}

#[test]
fn a_mac_over_the_plaintext_needs_the_permission() {
    let rows = manifest();
    let options = Options { allow_unauthenticated: true, ..Options::default() };
    for file in OVER_PLAINTEXT {
        let row = rows.iter().find(|row| row.file == file).unwrap();
        let refused = read(row, Options::default()).unwrap_err();
        assert!(refused.contains("cannot be verified under this key"), "{file}: {refused}");
        assert_secrets(row, &read(row, options.clone()).unwrap());
    }
    // The permission is no permission to take a wrong MAC.
    let row = rows.iter().find(|row| row.file.contains("mac-value")).unwrap();
    assert!(read(row, options).unwrap_err().contains("cannot be verified"));
}

#[test]
fn a_stripped_mac_is_read_only_with_the_permission_and_then_counted() {
    let rows = manifest();
    let row = rows.iter().find(|row| row.file.contains("mac-stripped")).unwrap();
    let file = fs::File::open(folder().join(&row.file)).unwrap();
    let options = Options { allow_unauthenticated: true, ..Options::default() };
    let mut reader = Reader::new(file, row.key.as_ref(), options).unwrap();
    let tokens: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
    assert_eq!(reader.summary().unauthenticated, tokens.len() as u64);
    assert_eq!(*tokens[0].secret.to_hex(), "246842dc1dc34aeb0299a587662e03adca566049");
}

#[test]
fn without_its_iv_a_file_is_refused_not_misread() {
    let rows = manifest();
    let row = rows.iter().find(|row| row.file == IV.0).unwrap();
    let refused = read(row, Options::default()).unwrap_err();
    assert!(refused.contains("cannot be verified under this key"), "{refused}");
}

#[test]
fn a_private_key_of_another_is_refused() {
    let rows = manifest();
    let row = rows.iter().find(|row| row.file.contains("rsa-oaep")).unwrap();
    let pem = fs::read(folder().join("custody/other.key")).unwrap();
    let key = Some(BatchKey::private(&Secret::new(pem), "other.key").unwrap());
    let file = row.file.clone();
    let refused =
        read(&Row { file, key: key.clone(), ..manifest().swap_remove(0) }, Options::default());
    assert!(refused.unwrap_err().contains("cannot be verified under this key"));
    let refused = read(&Row { key, ..manifest().swap_remove(0) }, Options::default());
    assert!(refused.unwrap_err().contains("which is not the kind of key that was given"));
}
