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
//! | `sealing`, `receiver` | what the user chooses, and for whom the file is |
//! | `writer`, `sealer`, `key_info`, `pen` | tokens to bytes |
//! | `fragment` | an extension given as text |
//! | `dialect` | what came before RFC 6030, given out as RFC 6030 |
//! | `reader`, `xml` | bytes to tokens, distrusting every one of them |

mod cipher;
mod dialect;
mod error;
mod fragment;
mod kdf;
mod key_info;
#[cfg(test)]
mod known_answers;
mod limits;
mod mac;
mod pen;
mod reader;
mod receiver;
mod sealer;
mod sealing;
mod uri;
mod writer;
mod xml;

pub use dialect::Dialect;
pub use error::{Error, Fault};
pub use fragment::fragment;
pub use limits::{Limit, LimitError, Limits};
pub use mac::HmacHash;
pub use reader::{Options, Protection, Reader, Summary};
pub use receiver::{Receiver, Unread};
pub use sealer::Sealer;
pub use sealing::{Encryption, Sealing};
pub use writer::{WriteError, Writer};
