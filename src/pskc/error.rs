//! What can be wrong with a file: where, what, and what to do.

use std::fmt;
use std::io;

use super::limits::Limit;
use crate::pkcs11::Pkcs11Error;

/// Why a file could not be read on, and where.
#[derive(Debug, thiserror::Error)]
#[error("{place}{fault}", place = Place(self))]
pub struct Error {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
    /// Serial number or key id of the key being read, when known.
    pub key: Option<String>,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

/// What is wrong with a file. Never quotes a value that could be secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes could not be had.
    #[error("cannot read: {0}")]
    Io(io::Error),
    /// The end comes too early.
    #[error("the file ends in the middle: it was cut off")]
    Truncated,
    /// Not well-formed XML.
    #[error("not well-formed XML: {0}")]
    Xml(String),
    /// A document type definition, with which files can be made to grow or to reach out.
    #[error("a DTD (<!DOCTYPE>) is never accepted")]
    Doctype,
    /// An entity that is not one of the five of XML.
    #[error("unknown entity &{0};")]
    Entity(String),
    /// Not in an encoding that is read, or damaged.
    #[error("the text is {0}; read are UTF-8, UTF-16, ISO-8859-1 and windows-1252")]
    Encoding(String),
    /// Another kind of file.
    #[error("this is no PSKC file: its first element is <{0}>, not <KeyContainer> of RFC 6030")]
    NotPskc(String),
    /// Another version of the format.
    #[error("PSKC version {0:?} is not known, only 1.0")]
    Version(String),
    /// Something required is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Something that may be there once is there again.
    #[error("{0} appears twice")]
    Repeated(&'static str),
    /// An element or text where the format has none.
    #[error("{what} where none is expected, inside <{within}>")]
    Unexpected {
        /// What was found.
        what: String,
        /// The element it was found in.
        within: &'static str,
    },
    /// A value of the wrong form.
    #[error("{what} is not {expected}")]
    Value {
        /// Which value.
        what: &'static str,
        /// What it should have been.
        expected: String,
    },
    /// The file asks for more than is given.
    #[error("{} exceeds the limit of {value}", limit.what())]
    Limit {
        /// Which limit.
        limit: Limit,
        /// Its value.
        value: u64,
    },
    /// An algorithm that this program does not have.
    #[error("{what} {uri:?} is not supported")]
    Unsupported {
        /// What it is for.
        what: &'static str,
        /// Its identifier, shortened.
        uri: String,
    },
    /// The file is encrypted and no key was given.
    #[error("the file is encrypted under {0}, and no key was given")]
    KeyNeeded(String),
    /// A passphrase was given for a transport key, or the other way round.
    #[error("the file is encrypted under {0}, which is not the kind of key that was given")]
    WrongKind(String),
    /// The key has the wrong length for the cipher.
    #[error("{cipher} takes a key of {expected} bytes, this one has {found}")]
    KeyLength {
        /// Name of the cipher.
        cipher: &'static str,
        /// Bytes it takes.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// No MAC vouches for a value that needs one.
    #[error("the encrypted value has no ValueMAC: it may have been changed without a trace")]
    Unauthenticated,
    /// A key was given, but the secret is in clear, so that nothing vouches for it.
    #[error("the secret is in clear although a key was given: nothing vouches for it")]
    InClear,
    /// A secret of no bytes.
    #[error("the secret is empty: anybody could compute the codes of such a key")]
    EmptySecret,
    /// Wrong key, wrong MAC or wrong padding: one text for all, as telling them apart helps only
    /// an attacker.
    #[error("the value cannot be verified under this key")]
    Sealed,
    /// The token that holds the key failed.
    #[error(transparent)]
    Token(#[from] Box<Pkcs11Error>),
    /// Two keys with one id.
    #[error("the key id is used twice in this file")]
    DuplicateId,
    /// No usable serial number.
    #[error(transparent)]
    Serial(#[from] crate::serial::SerialError),
}

impl Fault {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io(_) => "check the file and the file system",
            Self::Truncated => {
                "copy or download the file again; compare its size with the original"
            }
            Self::Sealed => {
                "likely causes, most frequent first: the key or passphrase of another batch; \
                 a file changed or damaged on its way; a key typed with a mistake"
            }
            Self::Unauthenticated | Self::InClear => {
                "ask the sender for a file with MACs; --allow-unauthenticated reads it all the same"
            }
            Self::KeyNeeded(_) => {
                "give the key: --transport-key-file, --passphrase-file, --private-key-file; --help \
                 tells of other ways"
            }
            Self::WrongKind(_) => {
                "check what the sender gave you for this batch: transport key, passphrase, or a file \
                 for your certificate"
            }
            Self::EmptySecret => {
                "ask the sender for the secret of this key, or for a file without it"
            }
            Self::KeyLength { .. } => "check that this is the key of this batch",
            Self::Token(error) => error.hint(),
            Self::Unsupported { .. } => {
                "ask the sender for AES-CBC with ValueMAC, or AES-GCM, under a key or passphrase"
            }
            Self::Limit { limit, .. } => limit.hint(),
            Self::Doctype | Self::Entity(_) => "ask the sender for a file without DTD and entities",
            Self::Encoding(_) => {
                "convert it, for instance: iconv -f SHIFT_JIS -t UTF-8 FILE, and write UTF-8 for the \
                 encoding in its first line"
            }
            Self::NotPskc(_) => "check that this is the file you mean",
            _ => "ask the sender for a file that follows RFC 6030",
        }
    }
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.fault.hint()
    }
}

/// `line 3, column 14, key ACME00000001: `
struct Place<'a>(&'a Error);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.0.line, self.0.column)?;
        if let Some(key) = &self.0.key {
            write!(f, ", key {}", shown(key))?;
        }
        f.write_str(": ")
    }
}

/// Text of a file made fit for a terminal: no control characters, not too long.
pub(super) fn shown(text: &str) -> String {
    let clean: String = text.chars().take(80).map(crate::terminal::printable).collect();
    if text.chars().nth(80).is_some() { clean + "…" } else { clean }
}
