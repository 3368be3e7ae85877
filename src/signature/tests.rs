use jiff::Timestamp;
use std::io::Read;
use std::sync::Arc;

use super::*;
use crate::secret::Secret;

const NOW: &str = "2027-01-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn vector(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/signatures/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

fn signer(name: &str) -> Result<Arc<dyn Sign>, SignatureError> {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    pair(&key, &certificate)
}

fn pair(key: &str, certificate: &str) -> Result<Arc<dyn Sign>, SignatureError> {
    FileSigner::open((key, &Secret::new(vector(key))), (certificate, &vector(certificate)), now())
}

fn certificate(name: &str) -> Certificate {
    Certificate::read(name, &vector(name)).unwrap()
}

const DOCUMENT: &str = "<?xml version=\"1.0\"?>\n<c xmlns=\"urn:c\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
                        Id=\"root\">\n<k b='2' a=\"1\">é &lt; <![CDATA[<]]></k><!-- c -->\n</c>\n";

fn signed(document: &str, signer: &dyn Sign) -> String {
    let Insertion { at, element } = insertion(document.as_bytes(), signer).unwrap();
    let (head, tail) = document.split_at(at as usize);
    format!("{head}{element}{tail}")
}

fn check(document: &str, required: Option<&Certificate>) -> Result<Outcome, String> {
    let open = || Ok(Box::new(std::io::Cursor::new(document.as_bytes().to_vec())) as Box<dyn Read>);
    let whole = verify(open, required, now()).map_err(|error| error.to_string());
    let (mut tap, tapped) = Tap::new(document.as_bytes());
    std::io::copy(&mut tap, &mut std::io::sink()).unwrap();
    let stream = tapped.conclude(now()).map_err(|error| error.to_string());
    if required.is_none() {
        assert_eq!(stream, whole, "{document}");
    }
    whole
}

fn refused(document: &str) -> String {
    check(document, None).unwrap_err()
}

#[test]
fn what_is_signed_is_verified_and_every_change_is_noticed() {
    for name in ["rsa", "ec"] {
        let signer = signer(name).unwrap();
        let text = signed(DOCUMENT, &*signer);
        let Outcome::Signed(verdict) = check(&text, None).unwrap() else { panic!("{text}") };
        assert_eq!(verdict.trust, Trust::None);
        assert!(!verdict.weak && verdict.expired.is_none());
        let own = certificate(&format!("{name}.crt"));
        let Outcome::Signed(verdict) = check(&text, Some(&own)).unwrap() else { panic!() };
        assert_eq!((verdict.trust, verdict.signer), (Trust::Pinned, own));
        // What the canonical form does not tell apart is no change.
        assert!(check(&text.replace("b='2' a=\"1\"", "a = '1' b=\"&#50;\""), None).is_ok());
        assert!(check(&text.replace("<!-- c -->", ""), None).is_ok());
        for (from, to) in [
            ("b='2'", "b='3'"),
            ("é", "e"),
            ("-->\n", "-->"),
            ("urn:c", "urn:d"),
            ("Id=\"root\"", "Id=\"toor\""),
            ("<![CDATA[<]]>", "<![CDATA[>]]>"),
            ("</ds:Signature>", "</ds:Signature><more/>"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            let said = refused(&changed);
            assert!(said.contains("was changed after it was signed"), "{from}: {said}");
        }
        // Within SignedInfo, or its value: not by this key.
        for (from, to) in [
            ("xmlenc#sha256\"></ds:DigestMethod>", "xmlenc#sha512\"></ds:DigestMethod>"),
            ("<ds:DigestValue>", "<ds:DigestValue> "),
        ] {
            let said = refused(&text.replace(from, to));
            assert!(said.contains("the signature is not one by "), "{said}");
        }
    }
}

#[test]
fn every_byte_of_the_signature_matters_or_is_refused() {
    let text = signed(DOCUMENT, &*signer("ec").unwrap());
    // Before it stand declarations, which may be spelled in more than one way.
    let start = text.find("<ds:CanonicalizationMethod").unwrap();
    let end = text.find("<ds:KeyInfo>").unwrap();
    for at in start..end {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let open = || Ok(Box::new(std::io::Cursor::new(changed.clone())) as Box<dyn Read>);
        let found = verify(open, Some(&certificate("ec.crt")), now());
        assert!(found.is_err(), "byte {at}: {changed}");
    }
}

#[test]
fn strangers_and_authorities_are_told_apart() {
    let text = signed(DOCUMENT, &*signer("leaf").unwrap());
    let Outcome::Signed(verdict) = check(&text, Some(&certificate("ca.crt"))).unwrap() else {
        panic!()
    };
    assert_eq!(verdict.trust, Trust::Issued("CN=Test Authority".into()));
    for other in ["rsa.crt", "ec.crt"] {
        let said = check(&text, Some(&certificate(other))).unwrap_err();
        assert!(
            said.starts_with("the file is signed by CN=Leaf, and --require-signature"),
            "{said}"
        );
    }
    // A certificate that an authority issued issues none itself.
    let grandchild = signed(DOCUMENT, &*signer("false-leaf").unwrap());
    let said = check(&grandchild, Some(&certificate("leaf.crt"))).unwrap_err();
    assert!(said.starts_with("the file is signed by CN=False Leaf"), "{said}");
    let said = check(DOCUMENT, Some(&certificate("rsa.crt"))).unwrap_err();
    assert!(said.starts_with("the file is not signed"), "{said}");
}

/// RFC 5280: what is not understood is refused, and not every certificate is one to sign with.
#[test]
fn certificates_by_an_authority_must_be_fit_for_it() {
    let by = |leaf: &str, authority: &str| {
        let text = signed(DOCUMENT, &*pair("leaf.key", leaf).unwrap());
        // Named on purpose, a certificate is the signer's whatever it says.
        assert!(check(&text, Some(&certificate(leaf))).is_ok(), "{leaf}");
        check(&text, Some(&certificate(authority))).map(drop)
    };
    for fit in ["strict-plain.crt", "strict-mail.crt", "strict-document.crt"] {
        assert_eq!(by(fit, "strict-ca.crt"), Ok(()), "{fit}");
    }
    for (leaf, authority, expected) in [
        ("strict-server.crt", "strict-ca.crt", "CN=Strict Leaf: its extended key usage names"),
        ("strict-odd.crt", "strict-ca.crt", "CN=Strict Leaf: its critical extension 1.2.3.4"),
        ("strict-odd-ca.crt", "odd-ca.crt", "odd-ca.crt: its critical extension 1.2.3.4"),
        ("strict-constrained.crt", "constrained-ca.crt", "constrained-ca.crt: it may issue within"),
    ] {
        let said = by(leaf, authority).unwrap_err();
        assert!(said.starts_with(expected), "{said}");
    }
}

#[test]
fn an_expired_certificate_is_told() {
    let text = signed(DOCUMENT, &*signer("leaf").unwrap());
    let late: Timestamp = "2100-01-01T00:00:00Z".parse().unwrap();
    let at = |required: &str| {
        let open = || Ok(Box::new(std::io::Cursor::new(text.clone())) as Box<dyn Read>);
        verify(open, Some(&certificate(required)), late)
    };
    let Ok(Outcome::Signed(verdict)) = at("leaf.crt") else { panic!() };
    assert!(verdict.expired.unwrap().contains("and now it is 2100-01-01T00:00:00Z"));
    assert!(at("ca.crt").unwrap_err().to_string().contains("and now it is 2100"));
}

/// Signs `info`, a `SignedInfo` in its exclusive form, for `document`, where `@` stands for the
/// signature.
fn custom(document: &str, info: &str, after: &str) -> String {
    use data_encoding::BASE64;
    const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    let signer = signer("rsa").unwrap();
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"{DS}\"><ds:CanonicalizationMethod \
         Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\">\
         </ds:SignatureMethod>{info}</ds:SignedInfo>"
    );
    let value = BASE64.encode(&signer.sign(info.as_bytes()).unwrap());
    let signature = format!(
        "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>\
         </ds:KeyInfo>{after}</ds:Signature>",
        signer.certificate().base64()
    );
    document.replace('@', &signature)
}

fn reference(uri: &str, transforms: &[&str]) -> String {
    let transforms: String = transforms
        .iter()
        .map(|uri| format!("<ds:Transform Algorithm=\"{uri}\"></ds:Transform>"))
        .collect();
    format!(
        "<ds:Reference URI=\"{uri}\"><ds:Transforms>{transforms}</ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )
}

const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

#[test]
fn tricks_are_refused_by_name() {
    let whole = reference("", &[ENVELOPED]);
    let plain = "<c Id=\"r\"><k Id=\"k\"/>@</c>";
    for (document, info, after, expected) in [
        (plain, whole.as_str(), "", "was changed after it was signed"),
        (plain, &reference("#r", &[ENVELOPED]), "", "was changed after it was signed"),
        (plain, &reference("other.xml", &[]), "", "covers \"other.xml\", which is outside"),
        (plain, &reference("http://x/y", &[]), "", "covers \"http://x/y\", which is outside"),
        (plain, &reference("#xpointer(/)", &[ENVELOPED]), "", "counts for nothing"),
        (plain, &reference("#k", &[ENVELOPED]), "", "counts for nothing"),
        (plain, &reference("", &[]), "", "lacks the transform enveloped-signature"),
        (
            plain,
            &reference("", &[ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116"]),
            "",
            "uses the transform XPath (",
        ),
        (
            plain,
            &reference("", &["http://www.w3.org/TR/1999/REC-xslt-19991116", ENVELOPED]),
            "",
            "uses the transform XSLT (",
        ),
        (plain, &whole.repeat(2), "", "2 references; one, to the whole file, is accepted"),
        (plain, "", "", "0 references; one, to the whole file, is accepted"),
        (plain, &whole, "<ds:Object><c/></ds:Object>", "it holds <Object>, which its digest"),
        ("<c Id=\"r\">@@</c>", &whole, "", "a second Signature"),
        ("<c><x>@</x></c>", &whole, "", "a Signature inside <x>"),
        ("<c>@<x><y>@</y></x></c>", &whole, "", "a Signature inside <x>"),
        (
            "<c Id=\"r\"><x Id=\"r\"/>@</c>",
            &reference("#r", &[ENVELOPED]),
            "",
            "a second element with the id \"r\"",
        ),
        (
            "<c Id=\"r\">@<x id=\"&#114;\"/></c>",
            &reference("#r", &[ENVELOPED]),
            "",
            "a second element with the id \"r\"",
        ),
    ] {
        let text = custom(document, info, after);
        let said = match check(&text, None) {
            Ok(Outcome::Unknown(reason)) => format!("{reason}: counts for nothing"),
            other => other.unwrap_err(),
        };
        assert!(said.contains(expected), "{said} | {text}");
        assert!(check(&text, Some(&certificate("rsa.crt"))).is_err(), "{text}");
    }
}

#[test]
fn algorithms_that_prove_nothing_are_refused_by_name() {
    let text = signed(DOCUMENT, &*signer("rsa").unwrap());
    let more = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    for (to, expected) in [
        ("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "the signature is an HMAC"),
        ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "the signature is an HMAC"),
        ("http://www.w3.org/2000/09/xmldsig#dsa-sha1", "asks for the signature algorithm"),
        ("urn:none", "asks for the signature algorithm \"urn:none\""),
        ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", "is not one by"),
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha512", "is not one by"),
    ] {
        let said = refused(&text.replace(more, to));
        assert!(said.contains(expected), "{said}");
    }
    let md5 = "http://www.w3.org/2001/04/xmldsig-more#md5";
    let said = refused(&text.replace("http://www.w3.org/2001/04/xmlenc#sha256", md5));
    assert!(said.contains("asks for the digest"), "{said}");
    let comment = text.replace("</ds:Reference>", "<!-- --></ds:Reference>");
    assert!(refused(&comment).contains("a comment, CDATA section or processing instruction in it"));
    let weak = vector("weak.crt");
    let said = Certificate::read("weak.crt", &weak).unwrap_err().to_string();
    assert_eq!(said, "weak.crt: its RSA key has 1024 bits; 2048 to 8192 are accepted");
}

/// The namespaces that the signature itself declares are not those around it, too.
#[test]
fn a_signature_may_declare_as_many_namespaces_as_any_element() {
    let text = signed(DOCUMENT, &*signer("rsa").unwrap());
    let declared = |many: usize| {
        let more: String = (0..many).map(|n| format!(" xmlns:n{n}=\"u\"")).collect();
        text.replace("<ds:Signature ", &format!("<ds:Signature{more} "))
    };
    let own = certificate("rsa.crt");
    assert!(matches!(check(&declared(120), Some(&own)), Ok(Outcome::Signed(_))));
    assert!(refused(&declared(130)).contains("more than 128 namespaces in force"));
}

#[test]
fn keys_and_certificates_that_do_not_fit_are_refused() {
    for (key, certificate, expected) in [
        ("rsa.key", "ec.crt", "rsa.key is not the private key of the certificate ec.crt"),
        ("ec.key", "rsa.crt", "ec.key is not the private key of the certificate rsa.crt"),
        ("leaf.key", "rsa.crt", "leaf.key is not the private key of the certificate rsa.crt"),
        ("leaf.key", "false-leaf.crt", "leaf.key is not the private key"),
        ("rsa.key", "weak.crt", "weak.crt: its RSA key has 1024 bits"),
        ("rsa.key", "p384.crt", "p384.crt: its key is on the curve P-384"),
        ("rsa.key", "ed25519.crt", "ed25519.crt: its key is neither RSA nor on the curves"),
        ("rsa.key", "encipher.crt", "encipher.crt: its key usage does not allow signatures"),
        ("rsa.key", "rsa.key", "rsa.key: no PEM certificate in it"),
        ("rsa.crt", "rsa.crt", "rsa.crt: no RSA or EC private key in it"),
        ("encrypted.key", "rsa.crt", "encrypted.key: the private key is encrypted"),
    ] {
        let said = pair(key, certificate).unwrap_err().to_string();
        assert!(said.starts_with(expected), "{said}");
        assert!(!said.contains("MII"), "{said}");
    }
    assert!(pair("ec-sec1.key", "ec.crt").is_ok());
    assert!(pair("rsa-pkcs1.key", "rsa.crt").is_ok());
    let key = format!("{:?}", signer("rsa").unwrap());
    assert_eq!(key, "Sign(Certificate(CN=RSA Signer))");
    let late = "2100-01-01T00:00:00Z".parse().unwrap();
    let key = Secret::new(vector("rsa.key"));
    let said = FileSigner::open(("k", &key), ("c", &vector("rsa.crt")), late).unwrap_err();
    assert!(said.to_string().starts_with("c: the certificate is valid from "), "{said}");
}

#[test]
fn signatures_beside_files_cover_their_bytes() {
    use ring::digest::{SHA256, digest};
    let signer = signer("ec").unwrap();
    let files = [("a b.csv", &b"one"[..]), ("c.csv", b"two")];
    let digests: Vec<(String, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), digest(&SHA256, bytes).as_ref().to_vec()))
        .collect();
    let text = detached(&*signer, &digests).unwrap();
    assert!(text.contains("URI=\"a%20b.csv\""));
    let own = certificate("ec.crt");
    let read = |text: &str| {
        Detached::read("x.sig", text.as_bytes(), Some(&own), now())
            .map_err(|error| error.to_string())
    };
    let signature = read(&text).unwrap();
    for (name, bytes) in files {
        signature.check(name, bytes).unwrap();
    }
    let said = signature.check("c.csv", &b"tow"[..]).unwrap_err().to_string();
    assert!(said.starts_with("c.csv was changed after it was signed"), "{said}");
    let said = signature.check("d.csv", &b""[..]).unwrap_err().to_string();
    assert_eq!(said, "x.sig does not cover d.csv; it covers a%20b.csv, c.csv");
    assert!(read(&text.replace("c.csv", "d.csv")).unwrap_err().contains("is not one by"));
    assert!(read(&text.replace("\"c.csv", "\"../c.csv")).unwrap_err().contains("is outside"));
    assert!(read("<a/>").unwrap_err().contains("lacks SignedInfo"));
}

#[test]
fn documents_are_signed_where_the_schema_has_it() {
    let signer = signer("ec").unwrap();
    let place = |document: &str| insertion(document.as_bytes(), &*signer).map(|found| found.at);
    assert_eq!(place("<c><k/>\n</c>").unwrap(), 8);
    assert_eq!(place("<c><k/><Extensions/><Extensions/></c>").unwrap(), 7);
    assert_eq!(place("<c><Extensions/><k/></c>").unwrap(), 20);
    assert!(place("<c/>").unwrap_err().to_string().contains("an empty document"));
    let twice = signed("<c><k/></c>", &*signer);
    assert!(place(&twice).unwrap_err().to_string().contains("the file is signed already"));
}
