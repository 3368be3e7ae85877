//! An extension given as text.

use super::error::{Error, Fault};
use super::limits::{Limit, Limits};
use super::uri;
use super::xml::Cursor;
use crate::token::Fragment;

/// The one element that `xml` is; prefixes other than `xml` must be declared within it, and names
/// without prefix or declaration belong to the namespace of RFC 6030.
///
/// # Errors
/// [`Error`] when it is not well-formed, or too long.
pub fn fragment(xml: &str, limits: &Limits) -> Result<Fragment, Error> {
    let document = format!("<KeyContainer xmlns=\"{}\">{xml}</KeyContainer>", uri::PSKC);
    let failed = |fault, (line, column)| Error { line, column, key: None, fault };
    let mut cursor = Cursor::new(document.as_bytes(), limits.clone())
        .map_err(|(fault, place)| failed(fault, place))?;
    let mut room = limits.get(Limit::Extensions);
    let mut read = || {
        cursor.child()?.ok_or(Fault::Missing("the element"))?;
        let fragment = cursor.fragment(&mut room)?;
        match cursor.child()? {
            None => cursor.end().map(|()| fragment),
            Some(_) => {
                Err(Fault::Unexpected { what: "a second element".into(), within: "Extensions" })
            }
        }
    };
    read().map_err(|fault| failed(fault, cursor.place()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_element_and_no_more() {
        let mut limits = Limits::default();
        limits.set("extensions=100").unwrap();
        let one = fragment(" <a xmlns=\"urn:a\"><b/></a>\n", &limits).unwrap();
        assert_eq!(one.expose_xml(), "<a xmlns=\"urn:a\"><b/></a>");
        for (xml, why) in [
            ("", "the element is missing"),
            ("<a/><b/>", "a second element where none is expected"),
            ("<a/>x", "text where none is expected"),
            ("<a/></KeyContainer><b>", "something follows its end"),
            ("<a>", "expected `</a>`"),
            (&format!("<a>{}</a>", "x".repeat(100)), "exceeds the limit of 100"),
        ] {
            let said = fragment(xml, &limits).unwrap_err().to_string();
            assert!(said.contains(why), "{xml}: {said}");
        }
    }
}
