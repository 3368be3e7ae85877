//! Where a redirect, or a form, leads: never to another host.

use super::Site;

/// Path and query to ask for next, when the answer to a request for `path` says `location`.
///
/// # Errors
/// A message: another host, or no address at all.
pub fn follow(site: &Site, path: &str, location: &str) -> Result<String, String> {
    let location = location.split('#').next().unwrap_or_default().trim();
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
    let own_origin =
        location.strip_prefix(site.origin.as_str()).filter(|_| !site.origin.is_empty());
    let relative = if let Some(rest) = own_origin {
        match rest.as_bytes().first() {
            None => "/",
            Some(b'/') => rest,
            Some(b'?') => return Ok(format!("/{rest}")),
            Some(_) => return Err(elsewhere()),
        }
    } else if location.starts_with("//") || has_scheme(location) || location.contains('\\') {
        return Err(elsewhere());
    } else {
        location
    };
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
        ] {
            assert_eq!(
                follow(&site, "/app/login?next=/a", location).as_deref(),
                Ok(expected),
                "{location}"
            );
        }
        for location in [
            "http://h:82/portal?ticket=secret",
            "http://h:811/",
            "https://h:81/",
            "//evil/",
            "http://h:81@evil/",
            "javascript:alert(1)",
            "/\\evil",
            "\\\\evil",
        ] {
            let message = follow(&site, "/", location).unwrap_err();
            assert!(message.ends_with("which is not http://h:81: another host is never followed"));
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
