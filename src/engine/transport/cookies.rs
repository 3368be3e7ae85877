//! One person's cookies: host-only, by path, as long as the run. The server is one host, so
//! `Domain` is not read; `Secure` is not held against plain HTTP, since a test instance is often
//! reached around its TLS proxy.

use hyper::HeaderMap;
use hyper::header::{DATE, HeaderValue, SET_COOKIE};
use jiff::Timestamp;

/// One person's cookies.
#[derive(Clone, Default)]
pub(super) struct Jar(Vec<Cookie>);

#[derive(Clone)]
struct Cookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
    path: Box<str>,
}

impl Jar {
    /// Keeps, replaces and deletes cookies as an answer to a request for `path` says.
    pub(super) fn store(&mut self, headers: &HeaderMap, path: &str) {
        for header in headers.get_all(SET_COOKIE) {
            let mut parts = header.as_bytes().split(|byte| *byte == b';');
            let pair = parts.next().unwrap_or_default();
            let Some(at) = memchr::memchr(b'=', pair) else { continue };
            let name = pair[..at].trim_ascii();
            let value = pair[at + 1..].trim_ascii();
            if name.is_empty() {
                continue;
            }
            let mut cookie_path = None;
            let (mut max_age, mut expires) = (None, None);
            for attribute in parts {
                let at = memchr::memchr(b'=', attribute).unwrap_or(attribute.len());
                let key = attribute[..at].trim_ascii();
                let value = attribute.get(at + 1..).unwrap_or_default().trim_ascii();
                let value = std::str::from_utf8(value).unwrap_or_default();
                if key.eq_ignore_ascii_case(b"path") && value.starts_with('/') {
                    cookie_path = Some(value);
                } else if key.eq_ignore_ascii_case(b"max-age") {
                    max_age = value.parse::<i64>().ok();
                } else if key.eq_ignore_ascii_case(b"expires") {
                    expires = date(value);
                }
            }
            let path = cookie_path.unwrap_or_else(|| default_path(path));
            let gone = match (max_age, expires) {
                (Some(age), _) => age <= 0,
                (None, Some(expires)) => expires <= now(headers),
                (None, None) => false,
            };
            let place =
                self.0.iter().position(|known| *known.name == *name && *known.path == *path);
            match (place, gone) {
                (Some(place), true) => drop(self.0.remove(place)),
                (Some(place), false) => self.0[place].value = value.into(),
                (None, true) => {}
                (None, false) => self.0.push(Cookie {
                    name: name.into(),
                    value: value.into(),
                    path: path.into(),
                }),
            }
        }
    }

    /// The `Cookie` header for a request for `path`; `None` when there is nothing to send.
    pub(super) fn header(&self, path: &str) -> Option<HeaderValue> {
        let mut line = Vec::new();
        for cookie in self.0.iter().filter(|cookie| matches(&cookie.path, path)) {
            if !line.is_empty() {
                line.extend_from_slice(b"; ");
            }
            line.extend_from_slice(&cookie.name);
            line.push(b'=');
            line.extend_from_slice(&cookie.value);
        }
        if line.is_empty() {
            return None;
        }
        let mut value = HeaderValue::from_bytes(&line).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// RFC 6265 §5.1.4: the path up to its last slash.
fn default_path(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}

/// RFC 6265 §5.1.4: equal, or a prefix that ends at a slash.
fn matches(cookie: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/'))
}

/// The server's own time when it says it (its clock may be scaled), otherwise ours.
fn now(headers: &HeaderMap) -> Timestamp {
    headers
        .get(DATE)
        .and_then(|value| value.to_str().ok())
        .and_then(date)
        .unwrap_or_else(Timestamp::now)
}

/// An HTTP date, also in the older spelling with dashes; `None` when it is none.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // The weekday adds nothing, and old servers write it in full.
    let text = text.split_once(", ").map_or(text, |(_, rest)| rest).replace('-', " ");
    jiff::fmt::rfc2822::parse(&text).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(jar: &mut Jar, path: &str, headers: &[(&'static str, &str)]) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        jar.store(&map, path);
    }

    fn sent(jar: &Jar, path: &str) -> String {
        jar.header(path).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_are_set_replaced_and_deleted() {
        let mut jar = Jar::default();
        stored(
            &mut jar,
            "/login",
            &[
                ("set-cookie", "sid=1; Path=/; HttpOnly; SameSite=Lax"),
                ("set-cookie", " other = \"a b\" ;Path=/"),
                ("set-cookie", "=nameless"),
                ("set-cookie", "no pair"),
            ],
        );
        assert_eq!(sent(&jar, "/"), "sid=1; other=\"a b\"");
        stored(&mut jar, "/x", &[("set-cookie", "sid=2; path=/")]);
        assert_eq!(sent(&jar, "/"), "sid=2; other=\"a b\"");
        stored(&mut jar, "/x", &[("set-cookie", "other=; Path=/; Max-Age=0")]);
        assert_eq!(sent(&jar, "/"), "sid=2");
        stored(
            &mut jar,
            "/x",
            &[("set-cookie", "sid=gone; Path=/; Expires=Thu, 01-Jan-1970 00:00:00 GMT")],
        );
        assert_eq!(sent(&jar, "/"), "");
    }

    #[test]
    fn expiry_is_read_on_the_servers_clock() {
        let set = ("set-cookie", "a=1; Path=/; Expires=Sun, 06 Nov 2044 08:49:37 GMT");
        let mut jar = Jar::default();
        stored(&mut jar, "/", &[set]);
        assert_eq!(sent(&jar, "/"), "a=1");
        stored(&mut jar, "/", &[set, ("date", "Sun, 06 Nov 2044 08:49:38 GMT")]);
        assert_eq!(sent(&jar, "/"), "");
        // Max-Age wins over Expires.
        stored(
            &mut jar,
            "/",
            &[("set-cookie", "a=2; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT")],
        );
        assert_eq!(sent(&jar, "/"), "a=2");
    }

    #[test]
    fn cookies_keep_to_their_path() {
        let mut jar = Jar::default();
        stored(&mut jar, "/app/login?x=/y", &[("set-cookie", "a=1")]);
        stored(&mut jar, "/", &[("set-cookie", "b=2; Path=/app/admin")]);
        for (path, expected) in [
            ("/app/portal", "a=1"),
            ("/app", "a=1"),
            ("/application", ""),
            ("/app/admin?z", "a=1; b=2"),
            ("/", ""),
        ] {
            assert_eq!(sent(&jar, path), expected, "{path}");
        }
    }

    #[test]
    fn dates_are_read_in_both_spellings() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT"] {
            assert_eq!(date(text).map(Timestamp::as_second), Some(784_111_777), "{text}");
        }
        assert_eq!(date("yesterday"), None);
    }
}
