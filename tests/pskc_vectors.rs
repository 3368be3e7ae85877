//! Every file of `tests/vectors/MANIFEST.tsv` is read as the manifest says, or refused for the
//! reason given here.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Options, Reader};
use trousseau::secret::Secret;

/// Files that the manifest accepts and this reader does not, with the reason in its message.
const NOT_READ: [(&str, &str); 16] = [
    // The IV travels outside the file; there is no option to give it yet.
    ("encryption/aes128-cbc-noiv.pskcxml", "cannot be verified under this key"),
    // MAC over the plaintext: needs --allow-unauthenticated, tested below.
    ("encryption/mac-over-plaintext.pskcxml", "cannot be verified under this key"),
    ("encryption/camellia128-cbc.pskcxml", "#camellia128"),
    ("encryption/camellia192-cbc.pskcxml", "#camellia192"),
    ("encryption/camellia256-cbc.pskcxml", "#camellia256"),
    ("encryption/kw-aes128.pskcxml", "kw-aes128\" is not supported"),
    ("encryption/kw-aes192.pskcxml", "kw-aes192\" is not supported"),
    ("encryption/kw-aes256.pskcxml", "kw-aes256\" is not supported"),
    ("encryption/kw-camellia128.pskcxml", "kw-camellia128\" is not supported"),
    ("encryption/kw-camellia192.pskcxml", "kw-camellia192\" is not supported"),
    ("encryption/kw-camellia256.pskcxml", "kw-camellia256\" is not supported"),
    ("encryption/kw-tripledes.pskcxml", "kw-tripledes\" is not supported"),
    ("encryption/tripledes-cbc.pskcxml", "tripledes-cbc\" is not supported"),
    ("generated/kw-aes-128-pad.xml", "kw-aes-128-pad\" is not supported"),
    ("generated/kw-aes128-32.xml", "kw-aes128\" is not supported"),
    ("generated/rsa-oaep-mgf1p.xml", "encrypted under the certificate of a recipient (X.509)"),
];

/// Files that the manifest refuses, with what the message must say.
const REFUSALS: [(&str, &str); 17] = [
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
    ("rfc6030/figure8.pskcxml", "rsa_1_5\" is not supported"),
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
                // A file under a certificate, read with a key of another kind.
                "pem" => Some(BatchKey::Transport(Secret::new(vec![0; 16]))),
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
    assert_eq!(rows.len(), 48, "the manifest lost rows");
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
        let result = read(&row, Options::default());
        let expected = match row.accept {
            true => reason(&NOT_READ, &row.file),
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
    let row = rows.iter().find(|row| row.file.contains("mac-over-plaintext")).unwrap();
    let options = Options { allow_unauthenticated: true, ..Options::default() };
    assert_secrets(row, &read(row, options.clone()).unwrap());
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
