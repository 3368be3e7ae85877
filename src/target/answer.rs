//! An answer as the rules see it, and the place it came from.

use std::cell::OnceCell;

use hyper::HeaderMap;
use hyper::header::{LOCATION, SET_COOKIE};
use serde_json::Value;

/// Where the server is: what `Location` headers are held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Scheme, host and port, without a trailing slash: `https://otp.example:8443`.
    pub origin: String,
    /// Path under which the target's paths lie, without a trailing slash; often empty.
    pub base: String,
}

impl Site {
    /// `location` as a path under the base when it leads to this site, otherwise as it is.
    #[must_use]
    pub fn relative<'a>(&self, location: &'a str) -> &'a str {
        let path = match location.strip_prefix(self.origin.as_str()) {
            Some(rest) if self.origin.is_empty() || rest.starts_with('/') => rest,
            Some("") => "/",
            _ => location,
        };
        match path.strip_prefix(self.base.as_str()) {
            Some(rest) if rest.starts_with(['/', '?']) => rest,
            Some("") => "/",
            _ => path,
        }
    }
}

/// One answer: borrowed, parsed as JSON only when a rule asks, and then once.
#[derive(Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
    site: &'a Site,
    json: OnceCell<Option<Value>>,
}

impl<'a> Answer<'a> {
    /// An answer that came from `site`.
    #[must_use]
    pub fn new(status: u16, headers: &'a HeaderMap, body: &'a [u8], site: &'a Site) -> Self {
        Self { status, headers, body, site, json: OnceCell::new() }
    }

    /// The value at `pointer` (RFC 6901); `None` when it is not there or the body is no JSON.
    pub(super) fn json(&self, pointer: &str) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.body).ok()).as_ref()?.pointer(pointer)
    }

    /// Where it redirects to, relative to the site.
    pub(super) fn location(&self) -> Option<&str> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        Some(self.site.relative(location))
    }

    /// The value of the cookie that the answer sets.
    pub(super) fn cookie(&self, name: &str) -> Option<&[u8]> {
        self.headers.get_all(SET_COOKIE).iter().find_map(|header| {
            let pair = header.as_bytes().split(|byte| *byte == b';').next()?;
            let at = memchr::memchr(b'=', pair)?;
            (pair[..at].trim_ascii() == name.as_bytes()).then(|| pair[at + 1..].trim_ascii())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_relative_to_the_site() {
        let site = Site { origin: "http://h:8080".into(), base: "/app".into() };
        for (location, expected) in [
            ("/app/portal?x=1", "/portal?x=1"),
            ("http://h:8080/app/portal", "/portal"),
            ("http://h:8080/other", "/other"),
            ("http://h:8080", "/"),
            ("http://h:80801/app/x", "http://h:80801/app/x"),
            ("http://elsewhere/app/portal", "http://elsewhere/app/portal"),
            ("/application", "/application"),
            ("/app", "/"),
            ("portal", "portal"),
        ] {
            assert_eq!(site.relative(location), expected, "{location}");
        }
    }
}
