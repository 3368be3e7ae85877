//! Keys that few batches have and that must not spoil the rest of one: hashes and lengths of which no
//! code is computed, dates at the end of time; and secrets that are none.

mod common;

use std::fs;
use std::path::Path;

use common::{ok, run, text};

/// A key: serial number, base64 of its secret, what stands in `AlgorithmParameters` and in `Policy`.
fn key(serial: &str, secret: &str, parameters: &str, policy: &str) -> String {
    format!(
        "<KeyPackage><DeviceInfo><SerialNo>{serial}</SerialNo></DeviceInfo>\
         <Key Id=\"{serial}\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\">\
         <AlgorithmParameters>{parameters}</AlgorithmParameters><Data><Secret>\
         <PlainValue>{secret}</PlainValue></Secret><TimeInterval><PlainValue>60</PlainValue>\
         </TimeInterval></Data><Policy>{policy}</Policy></Key></KeyPackage>"
    )
}

fn file(keys: &str) -> String {
    format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\">{keys}\
         </KeyContainer>"
    )
}

const SECRET: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";
const USUAL: &str = "<ResponseFormat Length=\"6\" Encoding=\"DECIMAL\"/>";

/// A file under the key of [`folder`] whose one secret is of no bytes, with a good MAC: made with OpenSSL.
const SEALED: &str = "\
<KeyContainer Version='1.0' xmlns='urn:ietf:params:xml:ns:keyprov:pskc' \
  xmlns:ds='http://www.w3.org/2000/09/xmldsig#' xmlns:xenc='http://www.w3.org/2001/04/xmlenc#'>\
<EncryptionKey><ds:KeyName>k</ds:KeyName></EncryptionKey>\
<MACMethod Algorithm='http://www.w3.org/2000/09/xmldsig#hmac-sha1'><MACKey>\
<xenc:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/><xenc:CipherData>\
<xenc:CipherValue>ZGVmZ2hpamtsbW5vcHFyc/mAbCxSiERSQDijwlUZ\
k85jG9g/F0tfnQRTf7GXW6wq</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>\
<KeyPackage><DeviceInfo><SerialNo>A1</SerialNo></DeviceInfo>\
<Key Id='A1' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp'><Data><Secret><EncryptedValue>\
<xenc:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/><xenc:CipherData>\
<xenc:CipherValue>MjM0NTY3ODk6Ozw9Pj9AQe9pWlMDmziqeI8SXg8xHIM=</xenc:CipherValue></xenc:CipherData>\
</EncryptedValue><ValueMAC>B6pz4w/T0JJBes2q2NSldEkCn4o=</ValueMAC></Secret></Data></Key></KeyPackage>\
</KeyContainer>";

fn folder(keys: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("in.xml"), file(&keys.concat())).unwrap();
    fs::write(folder.path().join("k"), "00112233445566778899aabbccddeeff").unwrap();
    folder
}

fn refused(folder: &Path, line: &str) -> String {
    let output = run(folder, line);
    assert_eq!(output.status.code(), Some(2), "{line}: {}", common::describe(&output));
    text(&output.stderr)
}

#[test]
fn keys_of_unusual_hashes_and_lengths_are_carried_and_never_computed() {
    for (parameters, kind) in [
        ("<Suite>HMAC-SHA384</Suite>", "TOTP with the Suite \"HMAC-SHA384\""),
        ("<ResponseFormat Length=\"4\" Encoding=\"DECIMAL\"/>", "TOTP with codes of 4 digits"),
        (
            "<Suite>SHA256</Suite><ResponseFormat Length=\"12\" Encoding=\"DECIMAL\"/>",
            "TOTP with codes of 12 digits",
        ),
    ] {
        let folder = folder(&[key("A1", SECRET, USUAL, ""), key("B2", SECRET, parameters, "")]);
        let folder = folder.path();
        let summary = ok(folder, "inspect in.xml");
        assert!(summary.contains("1 x totp, sha1, 6 digits, 60 s"), "{summary}");
        assert!(summary.contains(&format!("1 x {kind}, carried only")), "{summary}");
        ok(folder, "code in.xml --serial A1");
        let error = refused(folder, "code in.xml --serial B2");
        assert!(error.contains(&format!("key B2 computes {kind}, which")), "{error}");
        let error = refused(folder, "export in.xml --format csv --out x.csv");
        assert!(error.contains("B2") && error.contains(kind), "{error}");
        let pskc = "export in.xml --format pskc --out-transport-key-file k --out";
        let error = refused(folder, &format!("{pskc} x.xml --for linotp"));
        assert!(error.contains(&format!("LinOTP does not read the algorithm {kind}")), "{error}");
        // As it was: nothing of it is lost, and it is the same when it is read again.
        ok(folder, &format!("{pskc} out.xml"));
        let written = fs::read_to_string(folder.join("out.xml")).unwrap();
        for part in [parameters, "pskc:totp\"", "<TimeInterval><PlainValue>60<"] {
            assert_eq!(written.matches(part).count(), if part == parameters { 1 } else { 2 });
        }
        let json = "--json --reveal-secrets";
        assert_eq!(
            ok(folder, &format!("inspect out.xml --transport-key-file k {json}")),
            ok(folder, &format!("inspect in.xml {json}"))
        );
    }
}

#[test]
fn a_date_at_the_end_of_the_year_9999_is_read_and_written_again() {
    let never = "<ExpiryDate>9999-12-31T23:59:59Z</ExpiryDate>";
    let device =
        key("B2", SECRET, USUAL, "").replace("</SerialNo>", &format!("</SerialNo>{never}"));
    let folder = folder(&[key("A1", SECRET, USUAL, never), device]);
    let folder = folder.path();
    let shown = ok(folder, "inspect in.xml --json");
    assert_eq!(shown.matches("\"expiry_date\":\"9999-12-31T23:59:59Z\"").count(), 2, "{shown}");
    let summary = ok(folder, "inspect in.xml");
    assert!(summary.contains("expiry       9999-12-31T23:59:59Z\n"), "{summary}");
    let said = run(folder, "code in.xml --serial A1");
    assert!(said.status.success() && !text(&said.stderr).contains("expired"));
    ok(folder, "export in.xml --format pskc --out-transport-key-file k --out out.xml");
    assert_eq!(fs::read_to_string(folder.join("out.xml")).unwrap().matches(never).count(), 2);
    let order = "[[lot]]\ncount = 1\nserial = {}\nexpiry-date = 9999-12-31T23:59:59Z\n";
    fs::write(folder.join("order.toml"), order).unwrap();
    ok(folder, "mint --spec order.toml --transport-key-file k --out minted.xml");
    assert!(fs::read_to_string(folder.join("minted.xml")).unwrap().contains(never));
}

#[test]
fn an_empty_secret_is_none() {
    let folder = folder(&[key("A1", SECRET, USUAL, ""), key("B2", "", USUAL, "")]);
    let folder = folder.path();
    let error = refused(folder, "inspect in.xml");
    assert!(error.contains("key B2: the secret is empty"), "{error}");
    assert!(error.contains("help: ask the sender for the secret of this key"), "{error}");
    fs::write(folder.join("sealed.xml"), SEALED).unwrap();
    let error = refused(folder, "inspect sealed.xml --transport-key-file k");
    assert!(error.contains("the secret is empty"), "{error}");
}
