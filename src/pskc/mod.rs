//! PSKC, the Portable Symmetric Key Container (RFC 6030), read and written as a stream.
//!
//! May use [`crate::keystore`] for keys and [`crate::token`] for what it reads and writes. What
//! must not come in: a collection of tokens. Memory does not grow with the size of a batch.
//!
//! | file | what it does |
//! |---|---|
//! | `uri` | the identifiers of namespaces and algorithms |
//! | `cipher` | one value encrypted or decrypted: a new cipher is one arm there |
//! | `mac`, `kdf` | `ValueMAC` (§6.1.1) and PBKDF2 (§6.2) |
//! | `writer`, `sealer` | tokens to bytes |
//! | `reader`, `xml` | bytes to tokens, distrusting every one of them |

mod cipher;
mod error;
mod kdf;
mod limits;
mod mac;
mod reader;
mod sealer;
mod uri;
mod writer;
mod xml;

pub use error::{Error, Fault};
pub use limits::Limits;
pub use reader::{Options, Protection, Reader, Summary};
pub use sealer::{Encryption, Sealer};
pub use writer::{WriteError, Writer};
