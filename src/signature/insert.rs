//! A signature for a document that is there already.

use std::io::{self, Read};

use super::compose::enveloped;
use super::verify::VerifyError;
use super::watch::{Wanted, Watch};
use super::{Sign, SignatureError};

/// Bytes to put into a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    /// Offset in bytes.
    pub at: u64,
    /// What belongs there.
    pub element: String,
}

/// The signature by `signer` over the document that `input` gives: it belongs behind the last
/// `KeyPackage`, before `Extensions` (RFC 6030 §4).
///
/// # Errors
/// [`VerifyError`]; [`SignatureError::Already`] when it has one.
pub fn insertion(mut input: impl Read, signer: &dyn Sign) -> Result<Insertion, VerifyError> {
    let mut watch = Watch::new(&[Wanted::usual()]);
    let mut block = zeroize::Zeroizing::new(vec![0; 128 * 1024]);
    loop {
        match input.read(&mut block) {
            Ok(0) => break,
            Ok(taken) => watch.push(&block[..taken])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let watched = watch.finish()?;
    if let Some(found) = watched.signature {
        return Err(SignatureError::Already { line: found.line }.into());
    }
    let empty = || SignatureError::Document { line: 1, what: "an empty document".into() };
    let at = watched.place.ok_or_else(empty)?;
    let digest = watched.digests.into_iter().next().map(|(_, digest)| digest);
    Ok(Insertion { at, element: enveloped(signer, &digest.unwrap_or_default())? })
}
