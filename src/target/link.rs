//! Where a redirect, or a form, leads: never to another host.

use super::Site;

/// Path and query to ask for next, when the answer to a request for `path` says `location`: what a
/// browser would ask for, so what cannot stand in an address is percent-encoded.
///
/// # Errors
/// A message: another host, or no address at all.
pub fn follow(site: &Site, path: &str, location: &[u8]) -> Result<String, String> {
    let location = encoded(location.trim_ascii());
    let location = location.split('#').next().unwrap_or_default();
    if location.is_empty() {
        return Ok(path.to_owned());
    }
    let elsewhere = || {
        format!(
            "redirected to {}, which is not {}: another host is never followed",
            authority(location),
            site.origin
        )
    };
    let relative = match site.own(location) {
        Some("") => "/",
        Some(rest) if rest.starts_with('?') => return Ok(format!("/{rest}")),
        Some(rest) => rest,
        None if location.starts_with("//") || has_scheme(location) => return Err(elsewhere()),
        None => location,
    };
    if relative.contains('\\') {
        return Err(elsewhere());
    }
    if relative.starts_with('/') {
        return Ok(without_dots(relative));
    }
    let own = path.split('?').next().unwrap_or_default();
    if relative.starts_with('?') {
        return Ok(format!("{own}{relative}"));
    }
    let folder = &own[..=own.rfind('/').unwrap_or_default()];
    Ok(without_dots(&format!("{folder}{relative}")))
}

impl Site {
    /// What follows scheme, host and port in `location`, when they are this site's: in any case, the
    /// usual port given or left out, the scheme left out (`//host/…`).
    pub(super) fn own<'a>(&self, location: &'a str) -> Option<&'a str> {
        let (scheme, rest) = location.split_once("//")?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let own = self.origin.split("://").next().unwrap_or_default();
        let scheme = match scheme {
            "" => own,
            _ => scheme.strip_suffix(':')?,
        };
        let same = scheme.eq_ignore_ascii_case(own)
            && normal(own, authority) == normal(own, self.origin.get(own.len() + 3..)?);
        same.then_some(rest)
    }
}

/// Host and port, in lower case and without the usual port.
fn normal(scheme: &str, authority: &str) -> String {
    let usual = match scheme {
        "https" => 443,
        _ => 80,
    };
    let kept = match authority.rsplit_once(':') {
        Some((host, "")) => host,
        Some((host, port)) if port.parse() == Ok(usual) => host,
        _ => authority,
    };
    kept.to_ascii_lowercase()
}

/// `location` with only what may stand in an address: the rest as `%XX`, byte by byte (URL Standard,
/// "path percent-encode set" and "special-query percent-encode set").
fn encoded(location: &[u8]) -> String {
    let mut out = String::with_capacity(location.len());
    let mut query = false;
    for &byte in location {
        query |= byte == b'?';
        let never: &[u8] = if query { b"\"<>'" } else { b"\"<>^`{}" };
        match byte {
            b'\t' | b'\n' | b'\r' => {}
            _ if byte.is_ascii_graphic() && !never.contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// RFC 3986 §3.1: a scheme is a letter, then letters, digits, `+`, `-`, `.`, then `:`.
fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Scheme and host alone: the rest may carry a token.
fn authority(location: &str) -> &str {
    let start = location.find("//").map_or(0, |at| at + 2);
    let end = location[start..].find(['/', '?', '\\']).map_or(location.len(), |at| start + at);
    &location[..end]
}

/// RFC 3986 §5.2.4.
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    if !path.contains("/.") {
        return format!("{path}{query}");
    }
    let mut parts: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    parts.pop();
                }
                if last {
                    parts.push("");
                }
            }
            other => parts.push(other),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_on_the_host() {
        let site = Site { origin: "http://h:81".into(), base: "/app".into() };
        for (location, expected) in [
            ("/portal", "/portal"),
            ("http://h:81/portal?a=b#top", "/portal?a=b"),
            ("http://h:81", "/"),
            ("http://h:81?q", "/?q"),
            ("step2", "/app/step2"),
            ("../x/./y/..", "/x/"),
            ("?again", "/app/login?again"),
            ("", "/app/login?next=/a"),
            ("/a/../../b?c=/../d", "/b?c=/../d"),
            ("HTTP://H:81/portal", "/portal"),
            ("//h:81/portal", "/portal"),
            (" /ok?m=mot de pass\u{e9}&t='\"# top", "/ok?m=mot%20de%20pass%C3%A9&t=%27%22"),
            ("/ok\u{e9}/'<a>%20\n", "/ok%C3%A9/'%3Ca%3E%20"),
        ] {
            assert_eq!(
                follow(&site, "/app/login?next=/a", location.as_bytes()).as_deref(),
                Ok(expected),
                "{location}"
            );
        }
        for location in [
            "http://h:82/portal?ticket=secret",
            "http://h:811/",
            "http://h/",
            "http:h:81/",
            "https://h:81/",
            "//evil/",
            "http://h:81@evil/",
            "javascript:alert(1)",
            "/\\evil",
            "\\\\evil",
        ] {
            let message = follow(&site, "/", location.as_bytes()).unwrap_err();
            assert!(message.ends_with("which is not http://h:81: another host is never followed"));
            assert!(!message.contains("secret"), "{message}");
        }
    }
    #[test]
    fn a_host_is_the_same_with_its_usual_port_and_in_any_case() {
        for (origin, location) in [
            ("http://127.0.0.1", "http://127.0.0.1:80/ok"),
            ("http://127.0.0.1", "http://127.0.0.1:/ok"),
            ("http://localhost:18090", "http://LOCALHOST:18090/ok"),
            ("https://otp.example", "https://OTP.example:443/ok"),
            ("https://[::1]", "https://[::1]:443/ok"),
            ("https://[::1]:80", "https://[::1]:80/ok"),
        ] {
            let site = Site { origin: origin.into(), base: String::new() };
            assert_eq!(follow(&site, "/", location.as_bytes()).as_deref(), Ok("/ok"), "{location}");
            assert_eq!(site.relative(location), "/ok");
        }
        for (origin, location) in [
            ("http://h", "https://h:80/ok"),
            ("http://h", "http://h:443/ok"),
            ("https://h", "https://h:80/ok"),
            ("http://[::1]", "http://[::1:80]/ok"),
            ("http://h", "http://h.evil/ok"),
            ("http://h", "http://u@h:80/ok"),
        ] {
            let site = Site { origin: origin.into(), base: String::new() };
            assert!(follow(&site, "/", location.as_bytes()).is_err(), "{location}");
            assert_eq!(site.relative(location), location);
        }
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_sent_back_as_they_came() {
        let site = Site { origin: "http://h".into(), base: String::new() };
        assert_eq!(follow(&site, "/", b"/caf\xe9").as_deref(), Ok("/caf%E9"));
    }
}
