//! A piece of XML that is carried, not understood.

use std::fmt;

use zeroize::Zeroizing;

/// One XML element of a batch that is kept as it is: an extension, or a foreign element where
/// RFC 6030 §11 allows any.
///
/// Its text is well-formed and declares every namespace that it uses, so that it means the same
/// wherever it is written. It may hold anything, a vendor's secrets too: [`fmt::Debug`] shows its
/// name alone. `pskc::fragment` makes one from text.
#[derive(Clone, PartialEq, Eq)]
pub struct Fragment {
    namespace: Box<str>,
    name: Box<str>,
    xml: Zeroizing<String>,
}

impl Fragment {
    /// The element `name` of `namespace` (empty for none), whole, as `xml`; the caller vouches for
    /// what the type promises.
    pub(crate) fn new(namespace: &str, name: &str, xml: Zeroizing<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into(), xml }
    }

    /// Namespace of the element; empty for none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Local name of the element.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The element as text, which may hold secrets.
    #[must_use]
    pub fn expose_xml(&self) -> &str {
        &self.xml
    }
}

impl fmt::Debug for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fragment({{{}}}{}, {} bytes)", self.namespace, self.name, self.xml.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_name_and_no_content() {
        let xml = Zeroizing::new("<a xmlns=\"urn:x\">c0ffee</a>".to_owned());
        let fragment = Fragment::new("urn:x", "a", xml);
        assert_eq!(format!("{fragment:?}"), "Fragment({urn:x}a, 27 bytes)");
    }
}
