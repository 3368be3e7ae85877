//! `MACKey` is encrypted but nothing vouches for it (RFC 6030 §6.1.1), so what whoever sends a file
//! can put there must never be a key that is known without the transport key.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Error, Options, Reader};
use trousseau::secret::Secret;
use trousseau::token::Token;

const KEY: [u8; 16] = [0x5a; 16];
const CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const SEED: &[u8] = b"12345678901234567890";

fn cbc(plain: &[u8]) -> Vec<u8> {
    let cipher = cbc::Encryptor::<Aes128>::new(&KEY.into(), &[9; 16].into());
    [&[9; 16], &cipher.encrypt_padded_vec::<Pkcs7>(plain)[..]].concat()
}

/// A file whose MAC key is `mac_key`, there as `sealed`.
fn file(method: &str, sealed: &[u8], mac_key: &[u8]) -> String {
    let value = cbc(SEED);
    let mac = Hmac::<Sha1>::new_from_slice(mac_key).unwrap().chain_update(&value).finalize();
    format!(
        r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"
xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">
<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>
<MACMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"><MACKey>
<xenc:EncryptionMethod Algorithm="{method}"/>
<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></MACKey></MACMethod>
<KeyPackage><DeviceInfo><SerialNo>1</SerialNo></DeviceInfo>
<Key Id="1" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
<AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
<Data><Secret><EncryptedValue><xenc:EncryptionMethod Algorithm="{CBC}"/>
<xenc:CipherData><xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData></EncryptedValue>
<ValueMAC>{}</ValueMAC></Secret></Data></Key></KeyPackage></KeyContainer>"#,
        BASE64.encode(sealed),
        BASE64.encode(&value),
        BASE64.encode(&mac.into_bytes()),
    )
}

fn read(file: &str) -> Result<Vec<Token>, Error> {
    let key = BatchKey::Transport(Secret::new(KEY.to_vec()));
    Reader::new(file.as_bytes(), Some(&key), Options::default())?.collect()
}

#[test]
fn mac_keys_of_sixteen_bytes_and_more_are_taken() {
    for len in [16, 20, 64] {
        let mac_key = vec![3; len];
        let tokens = read(&file(CBC, &cbc(&mac_key), &mac_key)).unwrap();
        assert_eq!(tokens[0].secret.expose(), SEED, "{len}");
    }
}

/// Random bytes in place of `MACKey` are an empty key in one case of 256, a key of one byte in
/// another, and so on: after a few hundred files a sender who knows no key would have had one taken.
#[test]
fn mac_keys_that_can_be_guessed_are_refused_as_everything_that_is_wrong() {
    let wrong = read(&file(CBC, &cbc(&[3; 16]), &[4; 16])).unwrap_err().to_string();
    for len in [0, 1, 8, 13] {
        let mac_key = vec![3; len];
        let error = read(&file(CBC, &cbc(&mac_key), &mac_key)).unwrap_err().to_string();
        assert_eq!(error, wrong, "{len}");
    }
}

/// The wrapping of no key by RFC 5649 is eight bytes in clear, the same under every key.
#[test]
fn the_wrapping_of_nothing_is_no_mac_key() {
    let wrong = read(&file(CBC, &cbc(&[3; 16]), &[4; 16])).unwrap_err().to_string();
    for cipher in ["kw-aes128", "kw-aes128-pad"] {
        let method = format!("http://www.w3.org/2001/04/xmlenc#{cipher}");
        let sealed = [0xa6, 0x59, 0x59, 0xa6, 0, 0, 0, 0];
        assert_eq!(read(&file(&method, &sealed, b"")).unwrap_err().to_string(), wrong);
    }
}
