//! What a key computes: HOTP, TOTP, or something this program only carries.

use std::fmt;
use std::str::FromStr;

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
