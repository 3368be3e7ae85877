//! `EncryptionKey` as it is written (RFC 6030 §6): what a reader needs to know of the key.

use data_encoding::BASE64;

use super::cipher::Cipher;
use super::kdf::Pbkdf2;
use super::mac::HmacHash;
use super::pen::push_xml;
use super::uri;
use crate::custody::{CustodyError, Recipient};
use crate::secret::Secret;

/// Of a pre-shared key. Its name must be there (§6.1), and two servers read nothing without it.
pub(super) fn pre_shared(name: &str) -> String {
    format!("<EncryptionKey><ds:KeyName>{}</ds:KeyName></EncryptionKey>\n", escaped(name))
}

/// Of a key of the file's own, `wrapped` as `cipher` says under the pre-shared key `name`
/// (xmlenc-core1 §3.5.1, §5.6): so a key in a token is needed once, and the values are worked on
/// outside.
pub(super) fn wrapped(name: &str, cipher: Cipher, wrapped: &[u8]) -> String {
    format!(
        "<EncryptionKey><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"{}\"/><ds:KeyInfo>\
         <ds:KeyName>{}</ds:KeyName></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{}\
         </xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></EncryptionKey>\n",
        cipher.uri(),
        escaped(name),
        BASE64.encode(wrapped),
    )
}

/// Names come from tokens, where anything may stand.
fn escaped(name: &str) -> String {
    let clean: String = name.chars().map(crate::terminal::printable).collect();
    let mut out = Vec::new();
    // Whatever XML cannot carry was a control character, or stays away with the rest of the name.
    let _ = push_xml(&clean, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Of a passphrase, as in figure 7 of RFC 6030: the `pkcs5` namespace is the one that FreeIPA and
/// python-pskc both read. The children are without namespace there, too.
pub(super) fn passphrase(kdf: &Pbkdf2, key_len: usize) -> String {
    let prf = match kdf.prf {
        HmacHash::Sha1 => "<PRF xmlns=\"\"/>".to_owned(),
        hash => format!("<PRF xmlns=\"\" Algorithm=\"{}\"/>", hash.uri()),
    };
    format!(
        "<EncryptionKey><xenc11:DerivedKey xmlns:xenc11=\"{}\" xmlns:pkcs5=\"{pkcs5}\">\
         <xenc11:KeyDerivationMethod Algorithm=\"{pkcs5}pbkdf2\"><pkcs5:PBKDF2-params>\
         <Salt xmlns=\"\"><Specified>{}</Specified></Salt>\
         <IterationCount xmlns=\"\">{}</IterationCount>\
         <KeyLength xmlns=\"\">{key_len}</KeyLength>{prf}</pkcs5:PBKDF2-params>\
         </xenc11:KeyDerivationMethod><xenc11:MasterKeyName>Passphrase</xenc11:MasterKeyName>\
         </xenc11:DerivedKey></EncryptionKey>\n",
        uri::XENC11,
        BASE64.encode(&kdf.salt),
        kdf.iterations,
        pkcs5 = uri::PKCS5,
    )
}

/// Of the holders of certificates: the key of the values, `content`, encrypted for each of them.
///
/// RFC 6030 §6.3 encrypts every value under the one certificate it names, which is slow, has no
/// place for a second recipient, and lets anybody who has the certificate exchange values. But
/// `EncryptionKey` is a `ds:KeyInfo`, where XML Encryption puts `EncryptedKey` (xmlenc-core1
/// §3.5.1), so that the values can be under a symmetric key, with its MAC.
pub(super) fn recipients(content: &Secret, to: &[Recipient]) -> Result<String, CustodyError> {
    let mut info = String::from("<EncryptionKey>");
    for recipient in to {
        info += &format!(
            "<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm=\"{xenc}rsa-oaep-mgf1p\">\
             <ds:DigestMethod Algorithm=\"{xenc}sha256\"/></xenc:EncryptionMethod><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{}\
             </xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
            BASE64.encode(recipient.der()),
            BASE64.encode(&recipient.encrypt(content)?),
            xenc = uri::XENC,
        );
    }
    Ok(info + "</EncryptionKey>\n")
}
