//! Identifiers of namespaces and algorithms, as the standards and the files in the field spell them.

/// Namespace of RFC 6030.
pub(super) const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
/// Namespace of draft-hoyer-keyprov-pskc-algorithm-profiles-01.
pub(super) const PSKC_10: &str = "urn:ietf:params:xml:ns:keyprov:pskc:1.0";
/// Namespace of files of ActivIdentity, and of drafts of 2007 and 2008.
pub(super) const CONTAINER_10: &str = "urn:ietf:params:xml:ns:keyprov:container:1.0";
/// Namespace of draft-hoyer-keyprov-portable-symmetric-key-container-01.
pub(super) const CONTAINER: &str = "urn:ietf:params:xml:ns:keyprov:container";
/// Namespace of draft-hoyer-keyprov-portable-symmetric-key-container-00.
pub(super) const OATH_2006: &str = "http://www.openauthentication.org/OATH/2006/08/PSKC";
/// Namespace of XML Signature.
pub(super) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Namespace of XML Encryption 1.0.
pub(super) const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// Namespace of XML Encryption 1.1.
pub(super) const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
/// Namespace of algorithms that came after XML Signature 1.0 (RFC 9231).
pub(super) const DSIG_MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
/// Namespace of PKCS #5 as in figure 7 of RFC 6030, which every reader takes.
pub(super) const PKCS5: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#";
/// Namespace of PKCS #5 as in the text of RFC 6030 §6.2.
pub(super) const PKCS5_TEXT: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5#";

/// Algorithm of HOTP keys (RFC 6030 §10.1).
pub(super) const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
/// Algorithm of TOTP keys (draft-hoyer-keyprov-pskc-algorithm-profiles).
pub(super) const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";

/// Whether `uri` is a key derivation by PBKDF2, under any of the three namespaces in use.
pub(super) fn is_pbkdf2(uri: &str) -> bool {
    [PKCS5, PKCS5_TEXT, XENC11]
        .iter()
        .any(|namespace| uri.strip_prefix(namespace) == Some("pbkdf2"))
}
