//! What can be wrong with parts, envelopes and certificates. Names the file, never its secret.

use jiff::Timestamp;

use super::{Kcv, Scheme};

/// Why a key could not be split, put together, sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// No length of AES.
    #[error("a transport key has 128, 192 or 256 bits, not {bits}")]
    KeyLength {
        /// Bits asked for or found.
        bits: usize,
    },
    /// A number of components, shares or needed shares that makes no sense.
    #[error("{0}")]
    Counts(String),
    /// A line of a part or envelope.
    #[error("{file}:{line}: {problem}")]
    Line {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong; never quotes the line.
        problem: String,
    },
    /// The file as a whole.
    #[error("{file}: {problem}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A part does not have the check value written in it.
    #[error(
        "{file}: part {index} has the check value {found}, but says {stated}: it is damaged or mistyped"
    )]
    PartCheck {
        /// The file.
        file: String,
        /// Number of the part.
        index: u8,
        /// Check value written in the part.
        stated: Kcv,
        /// Check value of its data.
        found: Kcv,
    },
    /// The result is not the key that was split.
    #[error(
        "the parts make a key with the check value {found}, but {stated} was split: no key was written"
    )]
    KeyCheck {
        /// Check value written in the parts.
        stated: Kcv,
        /// Check value of the result.
        found: Kcv,
    },
    /// Parts of two ceremonies.
    #[error("{file} is of another splitting than {first} ({what} differs)")]
    Mixed {
        /// The part that does not fit.
        file: String,
        /// The part it was held against.
        first: String,
        /// What differs.
        what: &'static str,
    },
    /// The same part twice.
    #[error("{file} and {other} are both part {index}")]
    Duplicate {
        /// The second file.
        file: String,
        /// The first file.
        other: String,
        /// Number of the part.
        index: u8,
    },
    /// Too few parts.
    #[error("{given} of the {needed} parts needed were given{missing}")]
    TooFew {
        /// Parts given.
        given: usize,
        /// Parts needed.
        needed: u8,
        /// Which are missing, for components, as ` (missing: 2)`; empty for shares.
        missing: String,
    },
    /// A certificate that a key must not be sealed for.
    #[error("{file}: {problem}")]
    Certificate {
        /// The file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// A certificate outside its validity.
    #[error("{file}: the certificate is valid from {from} to {to}, and now it is {now}")]
    Validity {
        /// The file.
        file: String,
        /// Start.
        from: Timestamp,
        /// End.
        to: Timestamp,
        /// The time it was held against.
        now: Timestamp,
    },
    /// A private key that could not be read.
    #[error("{file}: {problem}")]
    PrivateKey {
        /// The file.
        file: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The private key does not open the envelope; wrong key and damage look the same on purpose.
    #[error("{file}: this private key does not open it; it was sealed for {recipient}")]
    Sealed {
        /// The envelope.
        file: String,
        /// Subject of the certificate it was sealed for.
        recipient: String,
    },
    /// The threshold crate refused.
    #[error("the {scheme} scheme refused: {reason}")]
    Scheme {
        /// Which.
        scheme: Scheme,
        /// Its words.
        reason: String,
    },
    /// The operating system has no random bytes to give.
    #[error("the operating system gave no usable random bytes{0}")]
    Random(String),
}

impl From<getrandom::Error> for CustodyError {
    fn from(error: getrandom::Error) -> Self {
        Self::Random(format!(": {error}"))
    }
}

impl CustodyError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::KeyLength { .. } => "choose --bits 128, 192 or 256",
            Self::Counts(_) => {
                "use --components 2 or 3, or --threshold K --shares N with 2 <= K <= N <= 255"
            }
            Self::Line { .. } => {
                "correct the line; docs/custody.md shows every line of these files"
            }
            Self::File { .. } => {
                "name a file made by `trousseau transport-key split` or `wrap`, whole"
            }
            Self::PartCheck { .. } => {
                "fetch the part again from its custodian, or have it typed again, line by line"
            }
            Self::KeyCheck { .. } => {
                "a part was altered together with its check value: fetch fresh copies of the parts"
            }
            Self::Mixed { .. } => {
                "bring only parts of one `transport-key split`: their `set` is equal"
            }
            Self::Duplicate { .. } => "bring each part once",
            Self::TooFew { .. } => "bring the other custodians' parts as well",
            Self::Certificate { .. } => {
                "ask the recipient for an RSA certificate (2048 bits or more) for key encipherment"
            }
            Self::Validity { .. } => "ask the recipient for a current certificate",
            Self::PrivateKey { .. } => {
                "give an unencrypted RSA key in PEM; `openssl pkey -in KEY` decrypts one"
            }
            Self::Sealed { .. } => {
                "use the private key of that certificate; if it is, the file is damaged"
            }
            Self::Scheme { .. } => "check the parts, then try again",
            Self::Random(_) => "the system is still starting up, or its getrandom call is blocked",
        }
    }
}
