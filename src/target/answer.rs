//! An answer as the rules see it, and the place it came from.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::sync::LazyLock;

use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, SET_COOKIE};
use serde_json::Value;

use crate::radius::dictionary::Selector;
use crate::radius::{Code, Packet};

/// What a RADIUS answer has instead of headers and a site.
static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
static NO_SITE: Site = Site { origin: String::new(), base: String::new() };

/// Where the server is: what `Location` headers are held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Scheme, host, and port unless it is the usual one, without a trailing slash:
    /// `https://otp.example:8443`.
    pub origin: String,
    /// Path under which the target's paths lie, without a trailing slash; often empty.
    pub base: String,
}

impl Site {
    /// `location` as a path under the base when it leads to this site, otherwise as it is.
    #[must_use]
    pub fn relative<'a>(&self, location: &'a str) -> &'a str {
        let path = match self.own(location) {
            Some(rest) if rest.starts_with('/') => rest,
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
    /// HTTP status, or RADIUS packet code.
    pub status: u16,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The whole body; of a RADIUS answer, the text of its Reply-Messages.
    pub body: &'a [u8],
    packet: Option<Packet<'a>>,
    site: &'a Site,
    /// Path and query of the page that it is.
    page: &'a str,
    json: OnceCell<Option<Value>>,
}

impl<'a> Answer<'a> {
    /// An answer that came from `site`.
    #[must_use]
    pub fn new(status: u16, headers: &'a HeaderMap, body: &'a [u8], site: &'a Site) -> Self {
        Self { status, headers, body, packet: None, site, page: "/", json: OnceCell::new() }
    }

    /// The same, as the page at this path of the host.
    #[must_use]
    pub fn on(mut self, page: &'a str) -> Self {
        self.page = page;
        self
    }

    /// Where a link on this page leads: a path of the host, or the link itself when it leads
    /// elsewhere.
    pub(super) fn link(&self, link: &[u8]) -> String {
        super::follow(self.site, self.page, link)
            .unwrap_or_else(|_| String::from_utf8_lossy(link).trim().to_owned())
    }

    /// All that [`Self::link`] goes by: the site's origin and base, and the page's own path.
    pub(super) fn place(&self) -> [&str; 3] {
        [&self.site.origin, &self.site.base, self.page]
    }

    /// A RADIUS answer; `message` is the text of its Reply-Messages.
    #[must_use]
    pub fn radius(packet: Packet<'a>, message: &'a str) -> Self {
        let status = u16::from(packet.code().0);
        let mut answer = Self::new(status, &NO_HEADERS, message.as_bytes(), &NO_SITE);
        answer.packet = Some(packet);
        answer
    }

    /// A status as this kind of answer has it: the key of a rule that asks for it, and its value.
    pub(super) fn called(&self, status: u16) -> (&'static str, String) {
        match (&self.packet, u8::try_from(status)) {
            (Some(_), Ok(code)) => ("code", Code(code).to_string()),
            _ => ("status", status.to_string()),
        }
    }

    /// Whether the operation goes on after it when no rule says otherwise.
    pub(super) fn goes_on(&self) -> bool {
        match &self.packet {
            Some(packet) => packet.code() == Code::ACCESS_CHALLENGE,
            None => self.status < 400,
        }
    }

    /// The values of a RADIUS attribute, in order; none in an HTTP answer.
    pub(super) fn attribute(&self, selector: Selector) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.packet.into_iter().flat_map(move |packet| selector.values(&packet))
    }

    /// Name and text of every attribute of a RADIUS answer; none of an HTTP answer.
    #[must_use]
    pub fn attributes(&self) -> Vec<(String, String)> {
        let attributes = self.packet.iter().flat_map(|packet| packet.attributes());
        attributes
            .map(|one| {
                let name = Selector::Plain(one.kind).to_string();
                (name, crate::radius::dictionary::display(one.kind, one.value))
            })
            .collect()
    }

    /// The compression of the body, none having been asked for.
    pub(super) fn compressed(&self) -> Option<String> {
        let coding = self.headers.get(CONTENT_ENCODING).map(|coding| coding.as_bytes());
        let coding = coding.filter(|coding| !coding.eq_ignore_ascii_case(b"identity"));
        let gzip = self.body.starts_with(b"\x1f\x8b").then_some(&b"gzip"[..]);
        coding.or(gzip).filter(|_| !self.body.is_empty()).map(word)
    }

    /// Why the body is no JSON, in words; `None` when it is JSON.
    pub(super) fn no_json(&self) -> Option<String> {
        if self.json("").is_some() {
            return None;
        }
        let kind = self.headers.get(CONTENT_TYPE).map(|kind| word(kind.as_bytes()));
        Some(match (self.compressed(), kind) {
            (Some(coding), _) => unasked(&coding),
            (None, Some(kind)) => format!("the body is no JSON, its Content-Type is {kind}"),
            (None, None) => "the body is no JSON".to_owned(),
        })
    }

    /// The value at `pointer` (RFC 6901); `None` when it is not there or the body is no JSON.
    pub(super) fn json(&self, pointer: &str) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.body).ok()).as_ref()?.pointer(pointer)
    }

    /// Where it redirects to, relative to the site.
    pub(super) fn location(&self) -> Option<Cow<'_, str>> {
        let location = self.headers.get(LOCATION)?.as_bytes();
        Some(match String::from_utf8_lossy(location) {
            Cow::Borrowed(location) => self.site.relative(location).into(),
            Cow::Owned(location) => self.site.relative(&location).to_owned().into(),
        })
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

/// That the body is compressed, in words.
pub(super) fn unasked(coding: &str) -> String {
    format!("the body is compressed ({coding}), though Accept-Encoding is identity")
}

/// A short word of a header, without parameters; nothing of it may steer a terminal.
fn word(value: &[u8]) -> String {
    let value = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let plain = value.iter().take(60).filter(|byte| byte.is_ascii_graphic());
    plain.map(|byte| char::from(*byte)).collect()
}

/// Its status in words: `HTTP 401`, `Access-Reject`.
impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.packet {
            Some(packet) => packet.code().fmt(f),
            None => write!(f, "HTTP {}", self.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_told_by_what_it_is() {
        let site = Site::default();
        let why = |name: &'static str, value: &str, body: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Answer::new(200, &headers, body, &site).no_json()
        };
        let gzip = "the body is compressed (gzip), though Accept-Encoding is identity";
        assert_eq!(why("content-encoding", "gzip", b"\x1f\x8b\x08").as_deref(), Some(gzip));
        assert_eq!(why("content-encoding", "identity", b"\x1f\x8b\x08").as_deref(), Some(gzip));
        assert_eq!(
            why("content-type", "Text/HTML; charset=x", b"<p>").as_deref(),
            Some("the body is no JSON, its Content-Type is Text/HTML")
        );
        assert_eq!(why("server", "x", b"<p>").as_deref(), Some("the body is no JSON"));
        assert_eq!(why("content-type", "text/html", b"{}"), None);
    }

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
