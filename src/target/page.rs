//! The text of a page, whose charset is what a browser takes it for (HTML §13.2.3.2): its byte order
//! mark, else what `Content-Type` says, else a `<meta>`, else UTF-8 if it is that.

use std::borrow::Cow;

use hyper::header::CONTENT_TYPE;

use super::Answer;
use crate::charset::Charset;

/// How far a browser looks for a `<meta>`, bytes.
const HEAD: usize = 1024;

/// The charset of a page.
///
/// # Errors
/// The name of one that is not known, unless the page is of ASCII, which nearly all have in common.
pub(super) fn charset(answer: &Answer<'_>) -> Result<Charset, String> {
    let page = answer.body;
    if page.starts_with(b"\xef\xbb\xbf") {
        return Ok(Charset::Utf8);
    }
    let header = answer.headers.get(CONTENT_TYPE);
    let declared = header.and_then(|value| label(value.as_bytes())).or_else(|| meta(page));
    match declared.map(|label| (Charset::named(&label), label)) {
        Some((Some(charset), _)) => Ok(charset),
        Some((None, label))
            if !page.iter().all(|byte| byte.is_ascii() && !b"\0\x1b".contains(byte)) =>
        {
            Err(label)
        }
        Some(_) => Ok(Charset::Utf8),
        // Western browsers.
        None if std::str::from_utf8(page).is_err() => Ok(Charset::Windows1252),
        None => Ok(Charset::Utf8),
    }
}

/// The text of a page in this charset.
pub(super) fn decoded(charset: Charset, page: &[u8]) -> Cow<'_, str> {
    match charset {
        Charset::Utf8 => String::from_utf8_lossy(page),
        _ => charset.decode(page).into(),
    }
}

/// What a `<meta charset=…>`, or one with `content="text/html; charset=…"`, says.
fn meta(page: &[u8]) -> Option<String> {
    let mut rest = &page[..page.len().min(HEAD)];
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = &rest[at + 1..];
        if rest.starts_with(b"!--") {
            let end = memchr::memmem::find(rest, b"-->").unwrap_or(rest.len());
            rest = &rest[end..];
        } else if rest.get(..4).is_some_and(|name| name.eq_ignore_ascii_case(b"meta")) {
            let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
            if let Some(label) = label(&rest[..end]) {
                return Some(label);
            }
        }
    }
    None
}

/// What stands after `charset=`.
fn label(text: &[u8]) -> Option<String> {
    const KEY: &[u8] = b"charset";
    let mut places = text.windows(KEY.len()).enumerate();
    places.find_map(|(at, found)| {
        let after = text[at + KEY.len()..].trim_ascii_start().strip_prefix(b"=")?;
        let after = after.trim_ascii_start();
        let after = after.strip_prefix(b"\"").or(after.strip_prefix(b"'")).unwrap_or(after);
        let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.:+".contains(byte);
        let length = after.iter().take_while(plain).count();
        (found.eq_ignore_ascii_case(KEY) && length > 0)
            .then(|| String::from_utf8_lossy(&after[..length]).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Site;
    use hyper::HeaderMap;

    fn of(kind: &str, page: &[u8]) -> Result<Charset, String> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        charset(&Answer::new(200, &headers, page, &Site::default()))
    }

    #[test]
    fn the_charset_is_where_browsers_look_for_it() {
        use Charset::{Latin9, Utf8, Windows1252};
        let page = b"<meta http-equiv=Content-Type content='text/html; charset=iso-8859-15'>\xe9";
        assert_eq!(of("text/html; Charset = \"ISO-8859-1\"; x=y", page), Ok(Windows1252));
        assert_eq!(of("text/html", page), Ok(Latin9));
        assert_eq!(of("", b"<META CHARSET=\"Latin1\"/>\xe9"), Ok(Windows1252));
        assert_eq!(of("", b"<!-- <meta charset=latin1> --><meta charset=utf-8>\xe9"), Ok(Utf8));
        assert_eq!(of("text/html; charset=latin1", b"\xef\xbb\xbf"), Ok(Utf8));
        assert_eq!(of("", "é".as_bytes()), Ok(Utf8));
        assert_eq!(of("", b"\xe9"), Ok(Windows1252));
        assert_eq!(of("text/html; charset=Shift_JIS", b"\xe9"), Err("Shift_JIS".into()));
        assert_eq!(of("text/html; charset=Shift_JIS", b"a"), Ok(Utf8));
        assert_eq!(of("text/html; charset=utf-16", b"a\0"), Err("utf-16".into()));
        let late = [&[b' '; HEAD][..], b"<meta charset=latin9>"].concat();
        assert_eq!(of("", &late), Ok(Utf8));
        assert_eq!(of("text/html; charset=", b"<meta charset"), Ok(Utf8));
    }
}
