//! Reading one `<input>` out of a page, as browsers are kind to pages: any quoting, any case, any
//! order of attributes; not fooled by comments, scripts or a `>` inside quotes. No tree is built.

use memchr::memchr;

/// Calls `found` with name and value of each `<input>` that has a name, in order, until it gives
/// something.
pub(super) fn inputs<T>(
    page: &[u8],
    mut found: impl FnMut(&[u8], &[u8]) -> Option<T>,
) -> Option<T> {
    let mut rest = page;
    while let Some(at) = memchr(b'<', rest) {
        rest = &rest[at + 1..];
        if rest.starts_with(b"!--") {
            // `<!-->` and `<!--->` are empty comments.
            rest = after(&rest[1..], b"-->");
        } else if is_tag(rest, b"input") {
            let (name, value, tail) = attributes(&rest[5..]);
            rest = tail;
            if let Some(name) = name
                && let Some(result) = found(&decoded(name), &decoded(value.unwrap_or_default()))
            {
                return Some(result);
            }
        } else {
            // Markup inside these is text.
            for raw in [&b"script"[..], b"style", b"textarea", b"title"] {
                if is_tag(rest, raw) {
                    rest = past_end_tag(rest, raw);
                }
            }
        }
    }
    None
}

/// The value of the first `<input name="NAME">`, character references decoded.
pub(super) fn input_value(page: &[u8], name: &[u8]) -> Option<Box<[u8]>> {
    inputs(page, |found, value| (found == name).then(|| value.into()))
}

fn is_tag(rest: &[u8], name: &[u8]) -> bool {
    rest.len() > name.len()
        && rest[..name.len()].eq_ignore_ascii_case(name)
        && matches!(rest[name.len()], b' ' | b'\t' | b'\n' | b'\r' | 0x0c | b'/' | b'>')
}

fn after<'a>(rest: &'a [u8], mark: &[u8]) -> &'a [u8] {
    memchr::memmem::find(rest, mark).map_or(&[], |at| &rest[at + mark.len()..])
}

fn past_end_tag<'a>(mut rest: &'a [u8], name: &[u8]) -> &'a [u8] {
    loop {
        rest = after(rest, b"</");
        if rest.is_empty() || is_tag(rest, name) {
            return rest;
        }
    }
}

type Attributes<'a> = (Option<&'a [u8]>, Option<&'a [u8]>, &'a [u8]);

/// `name` and `value` of a tag whose attributes begin at `rest`, and what follows the tag.
fn attributes(mut rest: &[u8]) -> Attributes<'_> {
    let (mut name, mut value) = (None, None);
    loop {
        let skip = rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'/');
        rest = &rest[skip.count()..];
        match rest.first() {
            None => return (name, value, rest),
            Some(b'>') => return (name, value, &rest[1..]),
            Some(_) => {}
        }
        // An `=` in first place belongs to the attribute's name (HTML §13.2.5.32).
        let len = 1 + rest[1..]
            .iter()
            .take_while(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>' | b'/'))
            .count();
        let (attribute, tail) = rest.split_at(len);
        let (given, tail) = attribute_value(tail);
        rest = tail;
        // Of an attribute given twice, the first counts.
        if attribute.eq_ignore_ascii_case(b"name") {
            name = name.or(Some(given));
        } else if attribute.eq_ignore_ascii_case(b"value") {
            value = value.or(Some(given));
        }
    }
}

fn attribute_value(rest: &[u8]) -> (&[u8], &[u8]) {
    let Some(tail) = rest.trim_ascii_start().strip_prefix(b"=") else {
        return (b"", rest);
    };
    let tail = tail.trim_ascii_start();
    match tail.first() {
        Some(&quote @ (b'"' | b'\'')) => {
            let inner = &tail[1..];
            memchr(quote, inner).map_or((inner, &[][..]), |at| (&inner[..at], &inner[at + 1..]))
        }
        _ => {
            let len = tail
                .iter()
                .take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'>')
                .count();
            tail.split_at(len)
        }
    }
}

/// Character references that attribute values really hold; any other stays as it is written.
fn decoded(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if memchr(b'&', text).is_none() {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some((character, length)) = first_reference(rest) {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[length..];
        } else {
            out.push(b'&');
            rest = &rest[1..];
        }
    }
    out.extend_from_slice(rest);
    out.into()
}

/// The character reference with which `text` begins, and its length. A number may lack its `;`, as in
/// a browser.
pub(super) fn first_reference(text: &[u8]) -> Option<(char, usize)> {
    let rest = text.strip_prefix(b"&")?;
    // The longest number is `&#x10FFFF;`, with a few zeros before it; more are not worth following.
    let head = &rest[..rest.len().min(16)];
    let Some(number) = head.strip_prefix(b"#") else {
        let end = memchr(b';', head)?;
        return Some((named(&head[..end])?, end + 2));
    };
    let (digits, radix, before) = match number.first() {
        Some(b'x' | b'X') => (&number[1..], 16, 3),
        _ => (number, 10, 2),
    };
    let count = digits.iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let value = u32::from_str_radix(std::str::from_utf8(&digits[..count]).ok()?, radix).ok()?;
    let closed = usize::from(digits.get(count) == Some(&b';'));
    Some((char::from_u32(value)?, before + count + closed))
}

/// The names of XML, and those of the characters of ISO-8859-1 (HTML 4 §24.2.1).
fn named(name: &[u8]) -> Option<char> {
    const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy \
        reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 \
        frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml \
        Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave \
        Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
        egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde \
        ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";
    Some(match name {
        b"amp" | b"AMP" => '&',
        b"lt" | b"LT" => '<',
        b"gt" | b"GT" => '>',
        b"quot" | b"QUOT" => '"',
        b"apos" => '\'',
        _ => {
            let at = LATIN.split_whitespace().position(|known| known.as_bytes() == name)?;
            char::from(u8::try_from(0xA0 + at).ok()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(page: &str, value: Option<&str>) {
        let found = input_value(page.as_bytes(), b"csrf");
        assert_eq!(found.as_deref().map(String::from_utf8_lossy).as_deref(), value, "{page}");
    }

    #[test]
    fn any_quoting_case_and_order() {
        is(r#"<form><input type="hidden" name="csrf" value="a1"></form>"#, Some("a1"));
        is(r#"<INPUT VALUE='a1' NAME='csrf'/>"#, Some("a1"));
        is("<input\n\tname = csrf\r\n value = a1>", Some("a1"));
        is("<input name=csrf value=a1/>", Some("a1/"));
        is(r#"<input/name="csrf"/value="a1"/>"#, Some("a1"));
        is(r#"<input title="a > b" name="csrf" value="a<b>c">"#, Some("a<b>c"));
        is(r#"<input disabled name="csrf" value>"#, Some(""));
        is(r#"<input name="csrf">"#, Some(""));
        is(r#"<input name="csrf" value="1" value="2">"#, Some("1"));
        is(r#"<input =x name="csrf" value="1">"#, Some("1"));
        is(r#"<input name="user"><input name="csrf" value="2">"#, Some("2"));
    }

    #[test]
    fn references_are_decoded() {
        is(
            r#"<input name="csrf" value="a&amp;b&#43;&#x2F;&quot;&eacute;&nbsp;&yuml;&euro;&">"#,
            Some("a&b+/\"é\u{a0}ÿ&euro;&"),
        );
        is(r#"<input name="&#99;srf" value="1">"#, Some("1"));
        is(r#"<input name="csrf" value="&#xD800;&#1114112;">"#, Some("&#xD800;&#1114112;"));
    }

    #[test]
    fn what_is_no_input_is_not_read() {
        is(
            r#"<!-- <input name="csrf" value="old"> --><input name="csrf" value="new">"#,
            Some("new"),
        );
        is(r#"<!--><input name="csrf" value="new">"#, Some("new"));
        is(
            r#"<script>"<input name='csrf' value='js'>"</script><input name=csrf value=1>"#,
            Some("1"),
        );
        is(
            r#"<textarea><input name=csrf value=no></TEXTAREA ><input name=csrf value=1>"#,
            Some("1"),
        );
        is(r#"<inputs name="csrf" value="1">"#, None);
        is(r#"<meta name="csrf" value="1">"#, None);
        is(r#"<input name="csrf2" value="1">"#, None);
        is("", None);
    }

    #[test]
    fn cut_pages_end_quietly() {
        let page = r#"<!-- x --><input title='a>b' name="csrf" value="a&#43;1"><script></script>"#;
        for end in 0..page.len() {
            let _ = input_value(&page.as_bytes()[..end], b"csrf");
        }
        is(r#"<input name="csrf" value="a1"#, Some("a1"));
        is("<script><input name=csrf value=1>", None);
    }
}
