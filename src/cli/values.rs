//! Values that several options take, parsed.

use std::net::{SocketAddr, ToSocketAddrs};

use jiff::Timestamp;

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// An instant to the second, as seconds since 1970: these, or RFC 3339.
pub(super) fn instant(text: &str) -> Result<u64, String> {
    let seconds = text.parse().ok().or_else(|| {
        let at = text.parse::<Timestamp>().ok().filter(|at| at.subsec_nanosecond() == 0)?;
        u64::try_from(at.as_second()).ok()
    });
    seconds.filter(|seconds| *seconds <= LAST_SECOND).ok_or_else(|| {
        "give an instant to the second: 2026-09-01T08:00:00Z, or seconds since 1970 (date +%s)"
            .into()
    })
}

/// An address and a port to listen on; names are looked up, and an IPv4 address is preferred.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    const WANTED: &str = "give an address and a port, such as 127.0.0.1:8080 or localhost:8080";
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        return Err(WANTED.into());
    }
    match text.to_socket_addrs().map(Iterator::collect::<Vec<_>>) {
        Ok(found) => {
            let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
            first.copied().ok_or_else(|| format!("this name has no address; {WANTED}"))
        }
        Err(error) => Err(format!("this name cannot be looked up ({error}); {WANTED}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_seconds_or_rfc_3339() {
        for text in ["1788220800", "2026-09-01T00:00:00Z", "2026-09-01T02:00:00+02:00"] {
            assert_eq!(instant(text), Ok(1_788_220_800), "{text}");
        }
        for text in
            ["", "now", "-1", "2026-09-01", "1969-12-31T23:59:59Z", "2026-09-01T00:00:00.5Z"]
        {
            assert!(instant(text).unwrap_err().contains("2026-09-01T08:00:00Z"), "{text}");
        }
        assert!(instant(&u64::MAX.to_string()).is_err());
    }

    #[test]
    fn addresses_are_numbers_or_names() {
        assert_eq!(listen("[::1]:80").unwrap().to_string(), "[::1]:80");
        assert!(listen("localhost:8080").unwrap().ip().is_loopback());
        for text in ["localhost", "127.0.0.1", "8080", "127.0.0.1:http", "127.0.0.1:70000", ":"] {
            assert!(listen(text).unwrap_err().contains("127.0.0.1:8080"), "{text}");
        }
    }
}
