//! Every cipher, given an arbitrary ciphertext: the first byte chooses the cipher, the second what is
//! arbitrary (a value, the MAC key, a number), the rest is the ciphertext. The MAC is made right, so
//! that it is reached at all.
#![no_main]

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use sha1::Sha1;
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Encryption, Options, Reader, Sealer, WriteError, Writer};
use trousseau::secret::Secret;
use trousseau::serial::Serial;
use trousseau::token::Token;
use trousseau_fuzz::assert_veiled;

/// Identifier of each cipher and the length of its key.
const CIPHERS: [(&str, usize); 22] = [
    ("2001/04/xmlenc#aes128-cbc", 16),
    ("2001/04/xmlenc#aes192-cbc", 24),
    ("2001/04/xmlenc#aes256-cbc", 32),
    ("2009/xmlenc11#aes128-gcm", 16),
    ("2009/xmlenc11#aes192-gcm", 24),
    ("2009/xmlenc11#aes256-gcm", 32),
    ("2001/04/xmlenc#kw-aes128", 16),
    ("2001/04/xmlenc#kw-aes192", 24),
    ("2001/04/xmlenc#kw-aes256", 32),
    ("2009/xmlenc11#kw-aes-128-pad", 16),
    ("2009/xmlenc11#kw-aes-192-pad", 24),
    ("2009/xmlenc11#kw-aes-256-pad", 32),
    ("2001/04/xmlenc#tripledes-cbc", 24),
    ("2001/04/xmlenc#tripledes-cbc", 16),
    ("2001/04/xmlenc#kw-tripledes", 24),
    ("2001/04/xmldsig-more#camellia128", 16),
    ("2001/04/xmldsig-more#camellia192-cbc", 24),
    ("2001/04/xmldsig-more#camellia256-cbc", 32),
    ("2001/04/xmldsig-more#kw-camellia128", 16),
    ("2001/04/xmldsig-more#kw-camellia192", 24),
    ("2001/04/xmldsig-more#kw-camellia256", 32),
    ("2001/04/xmlenc#none", 16),
];

const ENCRYPTIONS: [Encryption; 8] = [
    Encryption::AesCbc,
    Encryption::AesGcm,
    Encryption::AesKw,
    Encryption::AesKwPad,
    Encryption::TripleDesCbc,
    Encryption::TripleDesKw,
    Encryption::CamelliaCbc,
    Encryption::CamelliaKw,
];

fuzz_target!(|input: &[u8]| {
    let [cipher, place, rest @ ..] = input else { return };
    let (method, key_len) = CIPHERS[usize::from(*cipher) % CIPHERS.len()];
    let key = BatchKey::Transport(Secret::new(vec![0x5a; key_len]));
    let file = match place % 4 {
        0 => value(method, rest),
        1 => with_mac_key(method, rest),
        2 => counter(method, rest),
        _ => return sealed(*cipher, rest),
    };
    let read = |options| Reader::new(file.as_bytes(), Some(&key), options)?.collect();
    let strict: Result<Vec<Token>, _> = read(Options::default());
    let lax: Result<Vec<Token>, _> =
        read(Options { allow_unauthenticated: true, ..Options::default() });
    match (&strict, &lax) {
        (Ok(tokens), Ok(same)) => {
            assert_eq!(tokens, same);
            assert!(tokens.iter().all(|token| token.secret.len() <= rest.len().max(20)));
        }
        (Ok(_), Err(error)) => panic!("refused only when more is allowed: {error}"),
        (Err(error), Ok(tokens)) => {
            for token in tokens {
                assert_veiled(&error.to_string(), token.secret.expose(), file.as_bytes());
            }
        }
        (Err(_), Err(_)) => {}
    }
});

/// A MAC key that is known, under each cipher's key: nothing is sealed with it but in this target.
const MAC_KEY: &[u8] = b"a MAC key of this target";

fn encrypted(method: &str, bytes: &[u8]) -> String {
    format!(
        "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/{method}\"/><xenc:CipherData>\
         <xenc:CipherValue>{}</xenc:CipherValue></xenc:CipherData>",
        BASE64.encode(bytes)
    )
}

fn mac(key: &[u8], value: &[u8]) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(key).expect("any length");
    BASE64.encode(&mac.chain_update(value).finalize().into_bytes())
}

fn file(method: &str, key: &str, data: &str) -> String {
    format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" \
         xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\
         <EncryptionKey><ds:KeyName>k</ds:KeyName></EncryptionKey>{key}\
         <KeyPackage><DeviceInfo><SerialNo>1</SerialNo></DeviceInfo><Key Id=\"1\" \
         Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:{method}\"><AlgorithmParameters>\
         <ResponseFormat Length=\"6\" Encoding=\"DECIMAL\"/></AlgorithmParameters>\
         <Data>{data}</Data></Key></KeyPackage></KeyContainer>"
    )
}

/// Without `MACKey` the encryption key serves for the MAC.
fn value(method: &str, bytes: &[u8]) -> String {
    let key_len = CIPHERS.iter().find(|row| row.0 == method).map_or(16, |row| row.1);
    let secret = encrypted(method, bytes);
    let method = "<MACMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#hmac-sha1\"/>";
    let mac = mac(&vec![0x5a; key_len], bytes);
    let data = format!(
        "<Secret><EncryptedValue>{secret}</EncryptedValue><ValueMAC>{mac}</ValueMAC></Secret>"
    );
    file("hotp", method, &data)
}

fn with_mac_key(method: &str, bytes: &[u8]) -> String {
    let head = format!(
        "<MACMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#hmac-sha1\"><MACKey>{}</MACKey>\
         </MACMethod>",
        encrypted(method, bytes)
    );
    let value = bytes.get(..32).unwrap_or(bytes);
    let data = format!(
        "<Secret><EncryptedValue>{}</EncryptedValue><ValueMAC>{}</ValueMAC></Secret>",
        encrypted(method, value),
        mac(MAC_KEY, value),
    );
    file("totp", &head, &data)
}

fn counter(method: &str, bytes: &[u8]) -> String {
    let data = format!(
        "<Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>\
         <Counter><EncryptedValue>{}</EncryptedValue></Counter>",
        encrypted(method, bytes)
    );
    file("hotp", "", &data)
}

/// `secret` sealed by each cipher that is written comes back.
fn sealed(cipher: u8, secret: &[u8]) {
    let encryption = ENCRYPTIONS[usize::from(cipher) % ENCRYPTIONS.len()];
    let key = BatchKey::Transport(Secret::new(vec![0x5a; encryption.default_key_len()]));
    let sealer = Sealer::new(&key, encryption).expect("the length is that of the cipher");
    let serial = Serial::new("A1").expect("a serial");
    let token = Token::totp60(serial, Secret::from(secret));
    let mut writer = Writer::new(Vec::new(), &sealer).expect("writing to memory");
    if let Err(error) = writer.write_all([Ok::<_, WriteError>(token.clone())]) {
        let fits = secret.len() >= 16 && secret.len().is_multiple_of(8);
        assert!(!fits || secret.len() > 1024, "{error}");
        return;
    }
    let file = writer.finish().expect("writing to memory");
    let again: Result<Vec<Token>, _> =
        Reader::new(&file[..], Some(&key), Options::default()).and_then(Iterator::collect);
    match again {
        Ok(again) => assert_eq!(again, [token]),
        // What is too long for a reader is written, as it is asked for.
        Err(error) => assert!(secret.len() > 1024, "{error}"),
    }
}
