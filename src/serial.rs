//! Serial numbers of keys, as printed on their backs and used by every server to name them.

use std::fmt;

/// A key's serial number: 1 to 64 printable ASCII characters without blanks.
///
/// Servers accept less (privacyIDEA `[0-9a-zA-Z-_]`, 40 characters; RSA 12 digits): that is each
/// format's own constraint, checked when a file for it is written.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(Box<str>);

/// Why a text is no serial number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SerialError {
    /// It holds nothing.
    #[error("the serial number is empty")]
    Empty,
    /// It is longer than 64 characters.
    #[error("the serial number has {0} characters, more than 64")]
    TooLong(usize),
    /// It holds a blank, a control character or something outside ASCII.
    #[error("the serial number holds {0:?}; only printable ASCII without blanks is allowed")]
    Character(char),
}

impl Serial {
    /// Longest serial number, in characters.
    pub const MAX_LEN: usize = 64;

    /// Checks and takes `text` as a serial number.
    ///
    /// # Errors
    /// [`SerialError`] when it is empty, too long, or holds a forbidden character.
    pub fn new(text: impl AsRef<str>) -> Result<Self, SerialError> {
        let text = text.as_ref();
        if text.is_empty() {
            return Err(SerialError::Empty);
        }
        if let Some(bad) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(SerialError::Character(bad));
        }
        if text.len() > Self::MAX_LEN {
            return Err(SerialError::TooLong(text.len()));
        }
        Ok(Self(text.into()))
    }

    /// The serial number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({})", self.0)
    }
}

impl std::str::FromStr for Serial {
    type Err = SerialError;

    fn from_str(text: &str) -> Result<Self, SerialError> {
        Self::new(text)
    }
}

impl AsRef<str> for Serial {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Serial {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_manufacturers_print() {
        for good in ["ACME00000001", "2308-115-A", "x", "=HYPERLINK(1)"] {
            assert_eq!(Serial::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn refuses_the_rest() {
        assert_eq!(Serial::new(""), Err(SerialError::Empty));
        assert_eq!(Serial::new("a b"), Err(SerialError::Character(' ')));
        assert_eq!(Serial::new("a\u{1b}[0m"), Err(SerialError::Character('\u{1b}')));
        assert_eq!(Serial::new("é"), Err(SerialError::Character('é')));
        assert_eq!(Serial::new("1".repeat(65)), Err(SerialError::TooLong(65)));
    }
}
