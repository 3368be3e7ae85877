//! What a key computes: HOTP, TOTP, or something this program only carries.

use std::fmt;
use std::str::FromStr;

use super::Token;
use crate::otp::Hash;

/// Algorithm of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Event-based, RFC 4226.
    Hotp,
    /// Time-based, RFC 6238.
    Totp,
    /// Anything else, by its PSKC URI; carried through unharmed, never computed.
    Other(String),
}

impl Algorithm {
    /// `hotp`, `totp`, or the URI.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Hotp => "hotp",
            Self::Totp => "totp",
            Self::Other(uri) => uri,
        }
    }
}

impl Algorithm {
    /// The name of an algorithm that is only carried, if its URI is of the family of RFC 6030 and
    /// draft-hoyer-keyprov-pskc-algorithm-profiles: `OCRA`, `PIN`, `SecurID-AES`.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        let Self::Other(uri) = self else { return None };
        let name = ["urn:ietf:params:xml:ns:keyprov:pskc", "http://www.ietf.org/keyprov/pskc"]
            .iter()
            .find_map(|family| uri.strip_prefix(family)?.strip_prefix([':', '#']))?;
        let upper = name.to_ascii_uppercase();
        Some(match &*upper {
            _ if upper.starts_with("OCRA") => "OCRA",
            "PIN" => "PIN",
            _ => name,
        })
    }
}

impl Token {
    /// What a key computes that is only carried, in words: the URI of its algorithm, or how it is not
    /// one of the HOTP and TOTP keys that are computed here. `None` for those.
    #[must_use]
    pub fn carried(&self) -> Option<String> {
        let Algorithm::Other(uri) = &self.algorithm else { return None };
        let title = self.algorithm.title().map(str::to_ascii_uppercase);
        let uri = || uri.chars().map(crate::terminal::printable).collect();
        let (Some(title @ ("HOTP" | "TOTP")), Some(details)) = (title.as_deref(), &self.details)
        else {
            return Some(uri());
        };
        let suite = details.parameters.suite.as_deref();
        let length = details.parameters.response.as_ref().and_then(|response| response.length);
        Some(match (suite, length) {
            (Some(suite), _) if suite.parse::<Hash>().is_err() => {
                format!("{title} with the Suite {suite:?}")
            }
            (_, Some(digits)) => format!("{title} with codes of {digits} digits"),
            _ => uri(),
        })
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "hotp" => Ok(Self::Hotp),
            "totp" => Ok(Self::Totp),
            _ => Err(format!("unknown algorithm {text:?}: use hotp or totp")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carried_algorithms_have_names() {
        let title = |uri: &str| Algorithm::Other(uri.into()).title().map(str::to_owned);
        let family = "urn:ietf:params:xml:ns:keyprov:pskc";
        assert_eq!(title(&format!("{family}:ocra-1:HOTP-SHA1-6:QN08")).unwrap(), "OCRA");
        assert_eq!(title(&format!("{family}:pin")).unwrap(), "PIN");
        assert_eq!(title("http://www.ietf.org/keyprov/pskc#SecurID-AES").unwrap(), "SecurID-AES");
        assert_eq!((title("urn:vendor:x"), Algorithm::Totp.title()), (None, None));
    }
}
