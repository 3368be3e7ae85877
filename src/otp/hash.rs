//! The hash under HMAC: SHA-1 (RFC 4226), SHA-256 and SHA-512 (RFC 6238 §1.2).

use std::fmt;
use std::str::FromStr;

/// Hash function of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hash {
    /// SHA-1, the only one RFC 4226 knows and what nearly every hardware key has.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// `sha1`, `sha256` or `sha512`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Hash {
    type Err = String;

    /// Reads the spellings found in the wild: `sha1`, `SHA-256`, `HmacSHA512`, `HMAC-SHA256`.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain: String =
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        match plain.strip_prefix("hmac").unwrap_or(&plain) {
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(format!("unknown hash {text:?}: use sha1, sha256 or sha512")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_spelling_of_the_import_formats() {
        for (text, hash) in [
            ("sha1", Hash::Sha1),
            ("SHA-256", Hash::Sha256),
            ("HmacSHA512", Hash::Sha512),
            ("HMAC-SHA256", Hash::Sha256),
        ] {
            assert_eq!(text.parse(), Ok(hash));
        }
        assert!("md5".parse::<Hash>().is_err());
    }
}
