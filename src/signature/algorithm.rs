//! The algorithms of XML Signature that are known, by their identifiers (XML Signature 1.1 §6,
//! RFC 9231).

use ring::digest;

use super::SignatureError;
use super::c14n::Form;

/// Namespace of XML Signature.
pub(super) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
pub(super) const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
pub(super) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
pub(super) const C14N: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const C14N11: &str = "http://www.w3.org/2006/12/xml-c14n11";
/// Namespace, and identifier, of Exclusive XML Canonicalization.
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// A hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn of(uri: &str) -> Result<Self, SignatureError> {
        match uri.strip_prefix(XENC).or(uri.strip_prefix(DS)).or(uri.strip_prefix(MORE)) {
            Some("sha1") if uri.starts_with(DS) => Ok(Self::Sha1),
            Some("sha256") if uri.starts_with(XENC) => Ok(Self::Sha256),
            Some("sha384") if uri.starts_with(MORE) => Ok(Self::Sha384),
            Some("sha512") if uri.starts_with(XENC) => Ok(Self::Sha512),
            _ => Err(SignatureError::unsupported("the digest", uri)),
        }
    }

    pub(super) fn uri(self) -> String {
        match self {
            Self::Sha1 => format!("{DS}sha1"),
            Self::Sha256 => format!("{XENC}sha256"),
            Self::Sha384 => format!("{MORE}sha384"),
            Self::Sha512 => format!("{XENC}sha512"),
        }
    }

    pub(super) fn start(self) -> digest::Context {
        digest::Context::new(match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }
}

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    Rsa(Hash),
    /// ECDSA over the curve that the key has: P-256 with SHA-256, P-384 with SHA-384.
    Ecdsa(Hash),
}

impl Method {
    pub(super) fn of(uri: &str) -> Result<Self, SignatureError> {
        if uri.contains("#hmac-") {
            return Err(SignatureError::Hmac);
        }
        Ok(match uri.strip_prefix(MORE) {
            Some("rsa-sha256") => Self::Rsa(Hash::Sha256),
            Some("rsa-sha384") => Self::Rsa(Hash::Sha384),
            Some("rsa-sha512") => Self::Rsa(Hash::Sha512),
            Some("ecdsa-sha256") => Self::Ecdsa(Hash::Sha256),
            Some("ecdsa-sha384") => Self::Ecdsa(Hash::Sha384),
            _ if uri.strip_prefix(DS) == Some("rsa-sha1") => Self::Rsa(Hash::Sha1),
            _ => return Err(SignatureError::unsupported("the signature algorithm", uri)),
        })
    }

    pub(super) fn uri(self) -> String {
        let (space, hash) = match self {
            Self::Rsa(Hash::Sha1) => return format!("{DS}rsa-sha1"),
            Self::Rsa(hash) => ("rsa-", hash),
            Self::Ecdsa(hash) => ("ecdsa-", hash),
        };
        format!("{MORE}{space}{}", hash.name().to_ascii_lowercase())
    }

    /// As `RSA-SHA256`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Rsa(hash) => format!("RSA-{}", hash.name()),
            Self::Ecdsa(hash) => format!("ECDSA-{}", hash.name()),
        }
    }

    /// Whether it rests on a hash of which collisions are known.
    pub(super) fn is_weak(self) -> bool {
        matches!(self, Self::Rsa(Hash::Sha1) | Self::Ecdsa(Hash::Sha1))
    }
}

/// The canonical form named `uri`; `prefixes` is the list of an exclusive one. Forms with and
/// without comments are one here: what they are applied to has none.
pub(super) fn form(uri: &str, prefixes: Vec<String>) -> Option<Form> {
    match uri.strip_suffix("WithComments").unwrap_or(uri).trim_end_matches('#') {
        C14N | C14N11 => Some(Form::Inclusive),
        bare if bare == EXCLUSIVE.trim_end_matches('#') => Some(Form::Exclusive(prefixes)),
        _ => None,
    }
}

/// The other algorithms that may stand among transforms, by what they do.
pub(super) fn transform_name(uri: &str) -> &'static str {
    match uri {
        "http://www.w3.org/TR/1999/REC-xslt-19991116" => "XSLT",
        "http://www.w3.org/TR/1999/REC-xpath-19991116" => "XPath",
        "http://www.w3.org/2002/06/xmldsig-filter2" => "XPath filter 2.0",
        _ if uri == format!("{DS}base64") => "base64",
        _ => "unknown",
    }
}
