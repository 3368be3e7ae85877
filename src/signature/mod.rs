//! XML signatures (W3C XML Signature 1.1) over a whole document, within it or beside it: made while
//! the document is written, verified while it is read, whatever its size.
//!
//! No crate does this: those for XML signatures hold the document as a tree, ten times its size in
//! memory. What such a signature needs is small: the canonical form of a whole document, and of one
//! element in it. Everything else that XML Signature can say is refused here, by name. The
//! cryptography is `ring`'s.
//!
//! May use [`crate::secret`]. What must not come in: PSKC, files, and what to do with a verdict.
//!
//! | file | what it does |
//! |---|---|
//! | `c14n/` | documents to their canonical form |
//! | `watch` | a document on its way: its digests, and its signature set aside |
//! | `element` | what the `Signature` claims |
//! | `verify`, `tap`, `detached` | whether it holds, and whose it is |
//! | `compose` | the `Signature` as it is written |
//! | `signer`, `certificate`, `pem`, `algorithm` | keys, and what they do |

mod algorithm;
mod c14n;
mod certificate;
mod compose;
mod detached;
mod element;
mod error;
mod insert;
mod pem;
mod signer;
mod tap;
mod verify;
mod watch;

#[cfg(test)]
mod tests;

pub use algorithm::{Hash, Method};
pub use certificate::Certificate;
pub use compose::{Signing, detached, enveloped_len};
pub use detached::Detached;
pub use error::SignatureError;
pub use insert::{Insertion, insertion};
pub use signer::{FileSigner, Sign};
pub use tap::{Tap, Tapped};
pub use verify::{Outcome, Trust, Verdict, VerifyError, verify};
