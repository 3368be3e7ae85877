//! The `Signature` element as it is written (XML Signature 1.1 §4; RFC 6030 §4 has it after the
//! last `KeyPackage`).

use data_encoding::BASE64;

use super::algorithm::{C14N, DS, EXCLUSIVE, Hash};
use super::watch::{Wanted, Watch};
use super::{Sign, SignatureError};

/// A document being signed while it is written: whatever its size, nothing of it is kept.
pub struct Signing<'a> {
    signer: &'a dyn Sign,
    watch: Watch,
}

impl<'a> Signing<'a> {
    /// A signature by `signer`.
    #[must_use]
    pub fn new(signer: &'a dyn Sign) -> Self {
        Self { signer, watch: Watch::new(&[Wanted::usual()]) }
    }

    /// Takes the next bytes of the document: all of it, but for the signature.
    ///
    /// # Errors
    /// [`SignatureError::Document`], when they are no XML.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), SignatureError> {
        self.watch.push(bytes)
    }

    /// The element to put into the document, after `rest`, its end, was taken, too.
    ///
    /// # Errors
    /// [`SignatureError::Document`], [`SignatureError::Already`] or [`SignatureError::Making`].
    pub fn finish(mut self, rest: &[u8]) -> Result<String, SignatureError> {
        self.watch.push(rest)?;
        let watched = self.watch.finish()?;
        if let Some(found) = watched.signature {
            return Err(SignatureError::Already { line: found.line });
        }
        let digest = watched.digests.into_iter().next().map(|(_, digest)| digest);
        enveloped(self.signer, &digest.unwrap_or_default())
    }
}

impl std::fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing").field("signer", &self.signer).finish_non_exhaustive()
    }
}

/// The signature over the document around it, whose digest is given.
pub(super) fn enveloped(signer: &dyn Sign, digest: &[u8]) -> Result<String, SignatureError> {
    let transforms = format!(
        "<ds:Transforms><ds:Transform Algorithm=\"{DS}enveloped-signature\"></ds:Transform>\
         <ds:Transform Algorithm=\"{C14N}\"></ds:Transform></ds:Transforms>"
    );
    signature(signer, &[reference("", &transforms, digest)])
}

/// Length of every enveloped signature by `signer`.
///
/// # Errors
/// As [`Sign::sign`].
pub fn enveloped_len(signer: &dyn Sign) -> Result<usize, SignatureError> {
    enveloped(signer, &[0; 32]).map(|signature| signature.len())
}

/// A document of its own: the signature over the bytes of files beside it, by name and SHA-256.
///
/// # Errors
/// As [`Sign::sign`].
pub fn detached(signer: &dyn Sign, files: &[(String, Vec<u8>)]) -> Result<String, SignatureError> {
    let references: Vec<String> =
        files.iter().map(|(name, digest)| reference(&uri_of(name), "", digest)).collect();
    let signature = signature(signer, &references)?;
    Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{signature}\n"))
}

fn reference(uri: &str, transforms: &str, digest: &[u8]) -> String {
    let mut name = Vec::new();
    super::c14n::escape_attribute(uri, &mut name);
    format!(
        "<ds:Reference URI=\"{}\">{transforms}<ds:DigestMethod Algorithm=\"{}\">\
         </ds:DigestMethod><ds:DigestValue>{}</ds:DigestValue></ds:Reference>",
        String::from_utf8_lossy(&name),
        Hash::Sha256.uri(),
        BASE64.encode(digest)
    )
}

/// Everything is written in the exclusive canonical form: what is signed is a part of what is
/// written, to the byte.
fn signature(signer: &dyn Sign, references: &[String]) -> Result<String, SignatureError> {
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"{DS}\">\
         <ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{}\"></ds:SignatureMethod>{}</ds:SignedInfo>",
        signer.method().uri(),
        references.concat()
    );
    let value = signer.sign(info.as_bytes())?;
    if !signer.certificate().verifies(signer.method(), info.as_bytes(), &value) {
        return Err(SignatureError::Making("it is not one of the certificate's key"));
    }
    Ok(format!(
        "<ds:Signature xmlns:ds=\"{DS}\">{info}<ds:SignatureValue>{}</ds:SignatureValue>\
         <ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data>\
         </ds:KeyInfo></ds:Signature>",
        BASE64.encode(&value),
        signer.certificate().base64()
    ))
}

/// The name of a file as a relative reference (RFC 3986).
pub(super) fn uri_of(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
