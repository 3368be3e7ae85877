//! The head of a PSKC file, `EncryptionKey` and `MACMethod` and what they hold, in front of a key
//! package that is always the same; read under each kind of key. The RSA key is real.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use trousseau::keystore::BatchKey;
use trousseau::pskc::{Options, Reader};
use trousseau::secret::Secret;
use trousseau_fuzz::{KEY, assert_silent, limits, secret};

const HEAD: &str = r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"
 xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"
 xmlns:xenc11="http://www.w3.org/2009/xmlenc11#"
 xmlns:pkcs5="http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#">"#;
const FOOT: &str = r#"<KeyPackage><DeviceInfo><SerialNo>987654321</SerialNo></DeviceInfo>
<Key Id="987654321" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><AlgorithmParameters>
<ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters><Data><Secret>
<EncryptedValue><xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
<xenc:CipherData><xenc:CipherValue>AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv
</xenc:CipherValue></xenc:CipherData></EncryptedValue><ValueMAC>Su+NvtQfmvfJzF6bmQiJqoLRExc=
</ValueMAC></Secret><Counter><PlainValue>0</PlainValue></Counter></Data></Key></KeyPackage>
</KeyContainer>"#;

static PRIVATE: LazyLock<BatchKey> = LazyLock::new(|| {
    let pem = include_bytes!("../../tests/vectors/custody/recipient.key");
    BatchKey::private(&Secret::from(&pem[..]), "recipient.key").expect("a key of the vectors")
});

fuzz_target!(|input: &[u8]| {
    let file = [HEAD.as_bytes(), input, FOOT.as_bytes()].concat();
    let transport = BatchKey::Transport(secret(&KEY));
    let passphrase = BatchKey::Passphrase(secret(b"qwerty"));
    for key in [None, Some(&transport), Some(&passphrase), Some(&*PRIVATE)] {
        for (lax, locked) in [(false, key.is_none()), (true, false)] {
            let options = Options {
                allow_unauthenticated: lax,
                locked,
                limits: limits(),
                ..Options::default()
            };
            let message = match Reader::new(&file[..], key, options) {
                Ok(reader) => match reader.collect::<Result<Vec<_>, _>>() {
                    Ok(tokens) => format!("{tokens:?}"),
                    Err(error) => format!("{error} {}", error.hint()),
                },
                Err(error) => format!("{error} {}", error.hint()),
            };
            assert_silent(&message, &KEY, input);
            assert_silent(&message, b"12345678901234567890", input);
        }
    }
});
