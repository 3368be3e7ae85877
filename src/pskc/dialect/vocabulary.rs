//! The dialects, and what they call attributes and algorithms.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use super::super::error::Fault;
use super::super::mac::HmacHash;
use super::super::uri;
use super::super::xml::{Cursor, Element};

/// Which PSKC a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Dialect {
    /// RFC 6030, of 2010.
    #[default]
    Rfc6030,
    /// The drafts of 2009 that have its namespace (draft-ietf-keyprov-pskc-02): `Device`, `Usage`.
    PskcDraft,
    /// `urn:ietf:params:xml:ns:keyprov:pskc:1.0`, of 2008
    /// (draft-hoyer-keyprov-pskc-algorithm-profiles-01).
    Pskc10,
    /// `urn:ietf:params:xml:ns:keyprov:container:1.0`, of 2007 and 2008, as ActivIdentity writes it.
    Container10,
    /// `urn:ietf:params:xml:ns:keyprov:container`, of 2007
    /// (draft-hoyer-keyprov-portable-symmetric-key-container-01).
    Container,
    /// `http://www.openauthentication.org/OATH/2006/08/PSKC`
    /// (draft-hoyer-keyprov-portable-symmetric-key-container-00).
    Oath2006,
    /// No namespace at all, with the names of any of the others.
    NoNamespace,
}

impl Dialect {
    /// The dialect of a file whose first element is in the namespace `uri`.
    pub(super) fn of(uri: &str) -> Self {
        match uri {
            uri::PSKC_10 => Self::Pskc10,
            uri::CONTAINER_10 => Self::Container10,
            uri::CONTAINER => Self::Container,
            uri::OATH_2006 => Self::Oath2006,
            "" => Self::NoNamespace,
            _ => Self::Rfc6030,
        }
    }

    /// Whether its version numbers are those of another count than that of RFC 6030.
    fn counts_otherwise(self) -> bool {
        matches!(self, Self::Container10 | Self::Container | Self::Oath2006)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rfc6030 => "RFC 6030",
            Self::PskcDraft => "a draft of RFC 6030, of 2009 (draft-ietf-keyprov-pskc-02)",
            Self::Pskc10 => {
                "a draft of RFC 6030, of 2008 (urn:ietf:params:xml:ns:keyprov:pskc:1.0)"
            }
            Self::Container10 => {
                "a draft of RFC 6030, of 2007, as ActivIdentity has it \
                 (urn:ietf:params:xml:ns:keyprov:container:1.0)"
            }
            Self::Container => {
                "a draft of RFC 6030, of 2007 (urn:ietf:params:xml:ns:keyprov:container)"
            }
            Self::Oath2006 => {
                "a draft of RFC 6030, of 2006 (http://www.openauthentication.org/OATH/2006/08/PSKC)"
            }
            Self::NoNamespace => "RFC 6030 or a draft of it, without namespaces",
        })
    }
}

/// The attribute of the element last entered that RFC 6030 calls `name`.
pub(super) fn attribute<'a, R: Read>(
    cursor: &'a Cursor<R>,
    dialect: Dialect,
    name: &str,
) -> Result<Option<Cow<'a, str>>, Fault> {
    let old: &[&str] = match name {
        "Version" if dialect.counts_otherwise() => return Ok(Some("1.0".into())),
        "Version" => &["version"],
        "Id" => &["KeyId", "SecretId"],
        "Algorithm" => &["KeyAlgorithm", "SecretAlgorithm", "algorithm"],
        "Encoding" => &["Format", "format"],
        "Length" => &["length"],
        "Min" => &["min"],
        "Max" => &["max"],
        _ => &[],
    };
    if let Some(found) = cursor.attribute(name)? {
        return Ok(Some(found));
    }
    for old in old {
        if let Some(found) = cursor.attribute(old)? {
            let bare = matches!(&*found, "HOTP" | "TOTP");
            return Ok(Some(if bare { found.to_ascii_lowercase().into() } else { found }));
        }
    }
    Ok(None)
}

/// A cipher by the name or identifier that a file has: its identifier, and the bytes of its key
/// when that is to be derived from a passphrase; `None` for no encryption.
pub(super) fn cipher(name: &str) -> Option<(Cow<'_, str>, Option<usize>)> {
    let upper = name.to_ascii_uppercase();
    let (base, derived) = match upper.strip_prefix("PBE-") {
        Some(base) => (base, true),
        None => (&*upper, false),
    };
    let (fragment, key_len) = match base {
        "NONE" | "" => return None,
        "3DES112-CBC" => ("tripledes-cbc", 16),
        "3DES168-CBC" | "3DES-CBC" => ("tripledes-cbc", 24),
        "AES128-CBC" => ("aes128-cbc", 16),
        "AES192-CBC" => ("aes192-cbc", 24),
        "AES256-CBC" => ("aes256-cbc", 32),
        // As it is: an identifier, or something that is refused when it is needed.
        _ => return Some((name.into(), None)),
    };
    Some((format!("{}{fragment}", uri::XENC).into(), derived.then_some(key_len)))
}

/// The identifier of a MAC by its name, such as `HMAC-SHA1`; identifiers stay as they are.
pub(super) fn mac(name: &str) -> String {
    let plain = name.to_ascii_uppercase().replace("SHA-", "SHA");
    let known =
        [HmacHash::Sha1, HmacHash::Sha224, HmacHash::Sha256, HmacHash::Sha384, HmacHash::Sha512];
    known.iter().find(|hash| hash.name() == plain).map_or(name, |hash| hash.uri()).to_owned()
}

/// The element of RFC 6030 for a `Data` of this name.
pub(super) fn value(name: &str) -> Option<Element> {
    Some(match name.to_ascii_uppercase().as_str() {
        "SECRET" => Element::Secret,
        "COUNTER" => Element::Counter,
        "TIME" => Element::Time,
        "TIME_INTERVAL" => Element::TimeInterval,
        "TIME_DRIFT" => Element::TimeDrift,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphers_and_macs_are_known_by_name() {
        let uri = |fragment: &str| format!("{}{fragment}", uri::XENC);
        assert_eq!(cipher("none"), None);
        assert_eq!(cipher("PBE-3DES112-CBC"), Some((uri("tripledes-cbc").into(), Some(16))));
        assert_eq!(cipher("pbe-aes256-cbc"), Some((uri("aes256-cbc").into(), Some(32))));
        assert_eq!(cipher("AES128-CBC"), Some((uri("aes128-cbc").into(), None)));
        assert_eq!(cipher("ROT13"), Some(("ROT13".into(), None)));
        assert_eq!(mac("HMAC-SHA1"), HmacHash::Sha1.uri());
        assert_eq!(mac("hmac-sha-256"), HmacHash::Sha256.uri());
        assert_eq!(mac(HmacHash::Sha512.uri()), HmacHash::Sha512.uri());
        assert_eq!(mac("HMAC-ZHA9"), "HMAC-ZHA9");
    }
}
