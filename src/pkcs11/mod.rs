//! Keys that stay in a PKCS #11 token: a smart card, an HSM, SoftHSM.
//!
//! A transport key in a token is used where it is: the token opens or wraps the one key of a file,
//! and the values are worked on here, at full speed; or, for files that know no such key, the token
//! works on every value. What the words mean:
//!
//! ```text
//! KeyUri --CryptoToken::find--> CryptoToken --log_in--> CryptoToken --key--> TokenKey
//! (RFC 7512)    loads the module, chooses the token       one PIN, one try
//! ```
//!
//! May use [`crate::secret`] and [`crate::custody`]; knows nothing of batches. The module of the
//! vendor is C code that runs in this process: its path comes from the user alone. Without the
//! feature `pkcs11` everything is here but the way to a module, which says what is missing.

mod error;
mod uri;

#[cfg(not(feature = "pkcs11"))]
mod absent;
#[cfg(feature = "pkcs11")]
mod fault;
#[cfg(feature = "pkcs11")]
mod key;
#[cfg(feature = "pkcs11")]
mod token;

#[cfg(not(feature = "pkcs11"))]
pub use absent::{CryptoToken, TokenKey};
#[cfg(feature = "pkcs11")]
pub use key::TokenKey;
#[cfg(feature = "pkcs11")]
pub use token::CryptoToken;

pub use error::Pkcs11Error;
pub use uri::KeyUri;

use crate::secret::Secret;

/// Whether this program can load PKCS #11 modules.
pub const SUPPORTED: bool = cfg!(feature = "pkcs11");

/// What a key in a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A private key of RSA, which opens what was encrypted for its certificate.
    Rsa,
    /// A key of AES.
    Aes {
        /// Its length in bytes: 16, 24 or 32.
        bytes: usize,
    },
}

/// A cipher of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueCipher {
    /// AES-CBC of whole blocks: the IV of 16 bytes, then the blocks.
    Cbc,
    /// AES-GCM: the IV of 12 bytes, the text, the tag of 16 bytes.
    Gcm,
    /// AES key wrap (RFC 3394).
    Wrap,
    /// AES key wrap with padding (RFC 5649).
    PaddedWrap,
}

/// A PIN, and whether a person typed it just now.
#[derive(Debug)]
pub struct Pin {
    /// UTF-8, without the end of a line.
    pub secret: Secret,
    /// By a person who can see what happens, and not from a file, which a script tries again.
    pub typed: bool,
}

/// What a token needs before it shows its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinNeed {
    /// Nothing: it asks for none, or the session is open already.
    None,
    /// The PIN, on its own keys.
    OnToken,
    /// The PIN, from here.
    Here,
}
