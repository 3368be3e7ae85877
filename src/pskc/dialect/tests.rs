use super::*;
use crate::keystore::BatchKey;
use crate::pskc::{Options, Reader, Summary};
use crate::secret::Secret;
use crate::token::{Algorithm, Token};

const SECRET: &str = "<Data Name=\"SECRET\"><Value>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</Value></Data>";

/// A file of 2007 with this inside.
fn container(inside: &str) -> String {
    format!(
        "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:container\">{inside}</KeyContainer>"
    )
}

fn device(keys: &str) -> String {
    container(&format!(
        "<Device><DeviceId><Manufacturer>Maker</Manufacturer><SerialNo>7</SerialNo>\
         <Expiry>31/12/2009</Expiry></DeviceId>{keys}</Device>"
    ))
}

fn key(id: &str, inside: &str) -> String {
    format!("<Key KeyAlgorithm=\"HOTP\" KeyId=\"{id}\">{inside}</Key>")
}

fn read(
    file: &str,
    key: Option<&BatchKey>,
    options: Options,
) -> Result<(Vec<Token>, Summary), String> {
    let mut reader =
        Reader::new(file.as_bytes(), key, options).map_err(|error| error.to_string())?;
    let tokens: Result<_, _> = reader.by_ref().collect();
    let tokens = tokens.map_err(|error: crate::pskc::Error| error.to_string())?;
    Ok((tokens, reader.summary().clone()))
}

fn tokens(file: &str) -> Result<Vec<Token>, String> {
    read(file, None, Options::default()).map(|(tokens, _)| tokens)
}

#[test]
fn every_key_of_a_device_has_the_facts_of_the_device() {
    let policy = "<Policy><StartDate>2006-05-01T00:00:00Z</StartDate></Policy>";
    let file = device(
        &[key("a", SECRET), key("b", &format!("{SECRET}{policy}")), key("c", SECRET)].concat(),
    );
    let tokens = tokens(&file).unwrap();
    let ids: Vec<_> = tokens.iter().map(|token| &*token.key_id).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    for token in &tokens {
        assert_eq!(token.serial.as_str(), "7");
        assert_eq!(token.manufacturer.as_deref(), Some("Maker"));
        assert_eq!(token.algorithm, Algorithm::Hotp);
        assert_eq!(token.secret.expose(), b"12345678901234567890");
        assert_eq!(token.expiry_date.unwrap().to_string(), "2009-12-31T00:00:00Z");
        assert_eq!(token.start_date.is_some(), token.key_id == "b");
    }
    let after = device(&(key("a", SECRET) + "<DeviceId><SerialNo>8</SerialNo></DeviceId>"));
    assert!(
        super::tests::tokens(&after).unwrap_err().contains("<DeviceInfo> where none is expected")
    );
}

#[test]
fn dates_and_usage_of_a_key_go_into_its_policy_beside_what_is_there() {
    let dates =
        "<StartDate>2006-04-14T00:00:00Z</StartDate><ExpiryDate>2010-09-30T00:00:00Z</ExpiryDate>";
    let usage = "<Usage OTP=\"true\" CR=\"false\"><ResponseFormat format=\"DECIMAL\" length=\"8\"/></Usage>";
    let policy = "<Policy><NumberOfTransactions>4</NumberOfTransactions><PINPolicy MinLength=\"4\"/></Policy>";
    for inside in [format!("{usage}{dates}{SECRET}"), format!("{dates}{usage}{SECRET}{policy}")] {
        let tokens = tokens(&device(&(key("a", &inside) + &key("b", SECRET)))).unwrap();
        assert_eq!(tokens[0].digits, 8, "{inside}");
        assert_eq!(tokens[0].start_date.unwrap().to_string(), "2006-04-14T00:00:00Z");
        assert_eq!(tokens[0].expiry_date.unwrap().to_string(), "2010-09-30T00:00:00Z");
        assert_eq!(tokens[1].digits, 6);
        assert_eq!(tokens[1].start_date, None);
    }
}

#[test]
fn values_are_read_in_either_form() {
    let data = "<Data Name=\"secret\"><PlainValue>MTIzNA==</PlainValue></Data>\
                <Data Name=\"COUNTER\"><Value> AAAAAAAAAAw= </Value><ValueDigest>AAAA</ValueDigest></Data>\
                <Data Name=\"LOGO\"><Value>?</Value></Data>\
                <Data><Time><PlainValue>0</PlainValue></Time></Data>";
    let tokens = tokens(&device(&key("a", data))).unwrap();
    assert_eq!(tokens[0].secret.expose(), b"1234");
    assert_eq!(tokens[0].counter, 12);
    for (data, message) in [
        (format!("{SECRET}{SECRET}"), "Secret appears twice"),
        (
            "<Data Name=\"SECRET\"><Value>!</Value></Data>".into(),
            "PlainValue is not canonical base64",
        ),
        ("<Data Name=\"SECRET\"/>".into(), "Value is missing"),
        (
            "<Data Name=\"SECRET\"><Value>A</Value><Value>A</Value></Data>".into(),
            "Value appears twice",
        ),
        (
            "<Data Name=\"SECRET\"><Value>A</Value><PlainValue>A</PlainValue></Data>".into(),
            "<PlainValue> where none is expected, inside <Data>",
        ),
        ("<Data Name=\"COUNTER\"><Value>1</Value></Data>".into(), "Secret is missing"),
    ] {
        let error = super::tests::tokens(&device(&key("a", &data))).unwrap_err();
        assert!(error.contains(message), "no {message:?} in {error}");
    }
}

#[test]
fn a_file_without_namespaces_is_read_as_rfc_6030() {
    let rfc = "<KeyContainer Version=\"1.0\"><KeyPackage><Key Id=\"a\"><Data><Secret>\
               <PlainValue>MTIzNA==</PlainValue></Secret></Data></Key></KeyPackage></KeyContainer>";
    let (tokens, summary) = read(rfc, None, Options::default()).unwrap();
    assert_eq!((tokens[0].secret.expose(), summary.dialect), (&b"1234"[..], Dialect::NoNamespace));
    // A foreign namespace is no lack of one.
    let foreign = rfc.replace("<KeyContainer", "<KeyContainer xmlns=\"urn:x\"");
    assert!(super::tests::tokens(&foreign).unwrap_err().contains("this is no PSKC file"));
    let undone =
        rfc.replace("<Secret>", "<Secret xmlns=\"\">").replace("<Data>", "<Data xmlns=\"\">");
    assert!(super::tests::tokens(&undone).unwrap_err().contains("Secret is missing"));
}

#[test]
fn what_only_drafts_have_means_nothing_within_rfc_6030() {
    let file = |head: &str, inside: &str| {
        format!(
            "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\">{head}\
             <KeyPackage><Key Id=\"a\"><Data><Secret><PlainValue>MTIzNA==</PlainValue></Secret></Data>\
             {inside}</Key></KeyPackage></KeyContainer>"
        )
    };
    let (tokens, summary) =
        read(&file("", "<Usage OTP=\"true\"><Value/></Usage>"), None, Options::default()).unwrap();
    assert_eq!((tokens.len(), summary.dialect), (1, Dialect::Rfc6030));
    for head in ["<DeviceId/>", "<EncryptionMethod Algorithm=\"NONE\"/>", "<Value/>"] {
        let error = super::tests::tokens(&file(head, "")).unwrap_err();
        assert!(error.contains("where none is expected, inside <KeyContainer>"), "{error}");
    }
}

/// The ActivIdentity file of the vectors, its key, and the two forms of permission.
fn actividentity() -> (String, BatchKey, Options) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/actividentity/test.pskcxml");
    let file = std::fs::read_to_string(path).unwrap();
    let key = BatchKey::Transport(Secret::from_hex("fe0de6b806c09b762c4b49a666a27b72").unwrap());
    (file, key, Options { allow_unauthenticated: true, ..Options::default() })
}

#[test]
fn the_digest_is_checked_and_its_absence_is_not_passed_over() {
    let (file, key, permitted) = actividentity();
    let (tokens, summary) = read(&file, Some(&key), permitted.clone()).unwrap();
    let secret = tokens[0].secret.clone();
    assert_eq!(*secret.to_hex(), "dce70c2a0c1f5806f316ca8d09456eb4765ad053");
    assert_eq!((summary.unauthenticated, summary.verified), (1, 0));

    let wrong = file.replace("SlinEB9Y", "SlinEB9Z");
    for options in [Options::default(), permitted.clone()] {
        let error = read(&wrong, Some(&key), options).unwrap_err();
        assert!(error.contains("cannot be verified under this key"), "{error}");
    }
    // Without a digest it is still something encrypted, never a secret in clear.
    let stripped = file.replace("<ValueDigest>SlinEB9YUzcR04MUZDF5dBLtK1c=</ValueDigest>", "");
    assert_ne!(stripped, file);
    let error = read(&stripped, Some(&key), Options::default()).unwrap_err();
    assert!(error.contains("the encrypted value has no ValueMAC"), "{error}");
    let (tokens, _) = read(&stripped, Some(&key), permitted.clone()).unwrap();
    assert_eq!(tokens[0].secret, secret);
    // Another IV is another value.
    let error = read(&file.replace("<IV>X", "<IV>Y"), Some(&key), permitted).unwrap_err();
    assert!(error.contains("cannot be verified under this key"), "{error}");
}

#[test]
fn a_file_cannot_call_itself_unencrypted_to_whoever_has_a_key() {
    let (file, key, _) = actividentity();
    let method = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
    let error = read(&file.replace(method, "NONE"), Some(&key), Options::default()).unwrap_err();
    assert!(error.contains("the secret is in clear although a key was given"), "{error}");
    let error = read(&file.replace(method, "ROT13"), Some(&key), Options::default()).unwrap_err();
    assert!(error.contains("the encryption \"ROT13\" is not supported"), "{error}");
    let error = read(&file, None, Options::default()).unwrap_err();
    assert!(error.contains("encrypted under a transport key, and no key was given"), "{error}");
    let twice =
        file.replace("<DigestMethod", "<EncryptionMethod Algorithm=\"AES128-CBC\"/><DigestMethod");
    let error = read(&twice, Some(&key), Options::default()).unwrap_err();
    assert!(error.contains("EncryptionKey appears twice"), "{error}");
}
