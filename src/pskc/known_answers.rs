//! The ciphers, MACs and PBKDF2 held to Project Wycheproof and to NIST: what is right is opened and
//! made alike, what is wrong is refused.

use super::cipher::{Cipher, Family, Keyed, Mode};
use super::kdf::Pbkdf2;
use super::mac::{HmacHash, Mac};
use crate::secret::Secret;
use crate::wycheproof::{Case, Verdict, cases, hex, suite};

fn keyed(family: Family, mode: Mode, key: &[u8]) -> Box<dyn Keyed> {
    Cipher::of(family, mode, key.len()).unwrap().keyed(key).unwrap()
}

fn sealed(keyed: &dyn Keyed, iv: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    keyed.seal(iv, plain, &mut out).map(|()| out)
}

/// Of padding as ANSI X.923 and ISO 10126 have it, and of other bytes before a right last one.
const LAX: [u32; 45] = [
    50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 66, 67, 68, 69, 70, 122, 123, 124, 125, 126, 127, 128,
    129, 130, 131, 138, 139, 140, 141, 142, 194, 195, 196, 197, 198, 199, 200, 201, 202, 203, 210,
    211, 212, 213, 214,
];

/// The padding of XML Encryption prescribes its last byte alone (xmlenc-core1 §5.2.2), so that
/// [`LAX`] values that PKCS #5 refuses are opened: in a file a `ValueMAC` comes before.
fn cbc(family: Family, name: &str) {
    let mut opened = Vec::new();
    for case in cases(name, 216) {
        let keyed = keyed(family, Mode::Cbc, &hex(&case.key));
        let (iv, plain, value) =
            (hex(&case.iv), hex(&case.msg), hex(&(case.iv.clone() + &case.ct)));
        if case.is_valid() {
            assert_eq!(sealed(&*keyed, &iv, &plain).as_ref(), Some(&value), "{case:?}");
            assert_eq!(*keyed.open(&value).unwrap(), plain, "{case:?}");
        } else if keyed.open(&value).is_some() {
            assert!(case.has("BadPadding"), "{case:?}");
            opened.push(case.tc_id);
        }
    }
    assert_eq!(opened, LAX, "{name}");
}

#[test]
fn aes_cbc() {
    cbc(Family::Aes, "aes_cbc_pkcs5");
}

#[test]
fn camellia_cbc() {
    cbc(Family::Camellia, "camellia_cbc_pkcs5");
}

#[test]
fn aes_gcm() {
    for case in cases("aes_gcm", 145) {
        let keyed = keyed(Family::Aes, Mode::Gcm, &hex(&case.key));
        let (iv, plain) = (hex(&case.iv), hex(&case.msg));
        let value = hex(&(case.iv.clone() + &case.ct + &case.tag));
        if case.is_valid() {
            assert_eq!(sealed(&*keyed, &iv, &plain).as_ref(), Some(&value), "{case:?}");
            assert_eq!(*keyed.open(&value).unwrap(), plain, "{case:?}");
        } else {
            assert!(keyed.open(&value).is_none(), "{case:?}");
        }
    }
}

fn wrap(family: Family, mode: Mode, name: &str, count: usize) {
    for case in cases(name, count) {
        let keyed = keyed(family, mode, &hex(&case.key));
        let (plain, value) = (hex(&case.msg), hex(&case.ct));
        match case.result {
            Verdict::Valid => {
                assert_eq!(sealed(&*keyed, &[], &plain).as_ref(), Some(&value), "{case:?}");
                assert_eq!(*keyed.open(&value).unwrap(), plain, "{case:?}");
            }
            // Eight bytes under RFC 3394, and short values under RFC 5649: read if at all rightly.
            Verdict::Acceptable => {
                let found = keyed.open(&value);
                assert!(found.is_none_or(|found| *found == plain), "{case:?}");
            }
            Verdict::Invalid => {
                if !value.is_empty() || plain.is_empty() {
                    assert!(keyed.open(&value).is_none(), "{case:?}");
                } else {
                    assert_eq!(sealed(&*keyed, &[], &plain), None, "{case:?}");
                }
            }
        }
    }
}

#[test]
fn aes_key_wrap() {
    wrap(Family::Aes, Mode::Wrap, "aes_wrap", 165);
}

#[test]
fn aes_key_wrap_with_padding() {
    wrap(Family::Aes, Mode::PaddedWrap, "aes_kwp", 254);
}

#[test]
fn camellia_key_wrap() {
    wrap(Family::Camellia, Mode::Wrap, "camellia_wrap", 159);
}

#[test]
fn hmac() {
    for (hash, name, count) in [
        (HmacHash::Sha1, "hmac_sha1", 170),
        (HmacHash::Sha224, "hmac_sha224", 172),
        (HmacHash::Sha256, "hmac_sha256", 174),
        (HmacHash::Sha384, "hmac_sha384", 174),
        (HmacHash::Sha512, "hmac_sha512", 174),
    ] {
        let (mut whole, mut cut, mut wrong) = (0, 0, 0);
        for group in suite(name).groups {
            for case in group.tests {
                let (mac, data) = (Mac::new(hash, &hex(&case.key)), hex(&case.msg));
                let taken = mac.verify(&data, &hex(&case.tag));
                if !case.is_valid() {
                    assert!(!taken, "{name} {case:?}");
                    wrong += 1;
                } else if group.tag_size == hash.len() * 8 {
                    assert!(taken, "{name} {case:?}");
                    whole += 1;
                } else {
                    // A MAC cut short is right elsewhere, not here.
                    assert!(!taken, "{name} {case:?}");
                    cut += 1;
                }
                let mut made = Vec::new();
                mac.compute(&data, &mut made);
                assert_eq!(made.starts_with(&hex(&case.tag)), case.is_valid(), "{name} {case:?}");
            }
        }
        assert_eq!(whole + cut + wrong, count, "{name}");
        assert!(whole > 30 && cut > 30 && wrong > 50, "{name}: {whole} {cut} {wrong}");
    }
}

#[test]
fn pbkdf2() {
    for (prf, name, count) in [
        (HmacHash::Sha1, "pbkdf2_hmacsha1", 63),
        (HmacHash::Sha224, "pbkdf2_hmacsha224", 58),
        (HmacHash::Sha256, "pbkdf2_hmacsha256", 59),
        (HmacHash::Sha384, "pbkdf2_hmacsha384", 58),
        (HmacHash::Sha512, "pbkdf2_hmacsha512", 58),
    ] {
        for case in cases(name, count) {
            let Case { password, salt, iteration_count: iterations, dk_len, .. } = &case;
            let kdf = Pbkdf2 { salt: hex(salt), iterations: *iterations, key_len: None, prf };
            let key = kdf.derive(&Secret::new(hex(password)), *dk_len);
            assert!(case.is_valid());
            assert_eq!(*key.to_hex(), case.dk, "{name} {case:?}");
        }
    }
}

/// Whole blocks: a block of padding follows them here, which the vectors have not.
#[test]
fn triple_des_agrees_with_nist_cavp() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/nist/TCBCMMT3.rsp");
    let text = std::fs::read_to_string(path).unwrap();
    let mut count = 0;
    for case in text.split("COUNT = ").skip(1) {
        let field = |name: &str| {
            let line = case.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            hex(line.unwrap())
        };
        let key = [field("KEY1"), field("KEY2"), field("KEY3")].concat();
        let (iv, plain, expected) = (field("IV"), field("PLAINTEXT"), field("CIPHERTEXT"));
        let keyed = keyed(Family::TripleDes, Mode::Cbc, &key);
        let value = sealed(&*keyed, &iv, &plain).unwrap();
        assert_eq!(value[8..value.len() - 8], expected, "{case}");
        assert_eq!(*keyed.open(&value).unwrap(), plain, "{case}");
        count += 1;
    }
    assert_eq!(count, 10);
}

/// RFC 3713 appendix A: one block, which CBC with an IV of zeros leaves as it is.
#[test]
fn camellia_agrees_with_rfc_3713() {
    let plain = hex("0123456789abcdeffedcba9876543210");
    for (key, expected) in [
        ("0123456789abcdeffedcba9876543210", "67673138549669730857065648eabe43"),
        ("0123456789abcdeffedcba98765432100011223344556677", "b4993401b3e996f84ee5cee7d79b09b9"),
        (
            "0123456789abcdeffedcba987654321000112233445566778899aabbccddeeff",
            "9acc237dff16d76c20ef7c919e3a7509",
        ),
    ] {
        let keyed = keyed(Family::Camellia, Mode::Cbc, &hex(key));
        let value = sealed(&*keyed, &[0; 16], &plain).unwrap();
        assert_eq!(value[16..32], hex(expected));
    }
}
