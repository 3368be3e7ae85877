//! Words of RFC 6030 from fixed lists; what a file says beside them is kept as it was.

/// Declares an enum of the words of one list, with [`as_str`](ValueFormat::as_str) and a
/// conversion from text.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A word that the standard does not have.
            Other(String),
        }

        impl $name {
            /// Every word of the standard.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As RFC 6030 spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(word) => word,
                }
            }

            /// Whether the standard has it.
            #[must_use]
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)*
                    _ => Self::Other(word.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// How the characters of a challenge, a response or a PIN are written (RFC 6030 §4.3.4
    /// `Encoding`, §5 `PINEncoding`).
    ValueFormat {
        /// Decimal digits.
        Decimal = "DECIMAL",
        /// Hexadecimal digits.
        Hexadecimal = "HEXADECIMAL",
        /// Letters and digits.
        Alphanumeric = "ALPHANUMERIC",
        /// Base64.
        Base64 = "BASE64",
        /// Bytes.
        Binary = "BINARY",
    }
}

words! {
    /// What a key may be used for (RFC 6030 §5 `KeyUsage`).
    KeyUsage {
        /// One-time passwords.
        Otp = "OTP",
        /// Challenge and response.
        ChallengeResponse = "CR",
        /// Encrypting data.
        Encrypt = "Encrypt",
        /// Making keyed digests.
        Integrity = "Integrity",
        /// Checking keyed digests.
        Verify = "Verify",
        /// Unlocking a device after too many wrong PINs.
        Unlock = "Unlock",
        /// Decrypting data.
        Decrypt = "Decrypt",
        /// Encrypting other keys.
        KeyWrap = "KeyWrap",
        /// Decrypting other keys.
        Unwrap = "Unwrap",
        /// Deriving other keys.
        Derive = "Derive",
        /// Making a new key from a random number and this one.
        Generate = "Generate",
    }
}

words! {
    /// What the PIN of a key does (RFC 6030 §5 `PINUsageMode`).
    PinUsage {
        /// The device asks for it before it gives a code.
        Local = "Local",
        /// It stands before the code, and the server checks it.
        Prepend = "Prepend",
        /// It stands behind the code, and the server checks it.
        Append = "Append",
        /// The code is computed from it, too.
        Algorithmic = "Algorithmic",
    }
}

#[allow(clippy::derivable_impls)] // The macro has no place for a default.
impl Default for ValueFormat {
    fn default() -> Self {
        Self::Decimal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_others_are_kept() {
        for usage in KeyUsage::ALL {
            assert_eq!(KeyUsage::from(usage.as_str()), *usage);
            assert!(usage.is_known());
        }
        // Words of XML are case sensitive: what is not understood must not pass for permission.
        let other = KeyUsage::from("otp");
        assert_eq!((other.as_str(), other.is_known()), ("otp", false));
        assert_eq!((KeyUsage::ALL.len(), PinUsage::ALL.len(), ValueFormat::ALL.len()), (11, 4, 5));
    }
}
