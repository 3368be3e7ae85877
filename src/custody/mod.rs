//! Custody of transport keys: parts for several custodians, key check values, envelopes.
//!
//! A transport key opens a whole batch, so nobody should hold it alone. Here it is taken apart (by
//! XOR, as payment key ceremonies do, or into k-of-n shares), put together again, recognised by its
//! key check value, and sealed for the holder of a certificate. May use [`crate::secret`]; knows
//! nothing of batches, and touches no file: texts come in and go out, secrets in both directions.

mod envelope;
mod error;
mod kcv;
#[cfg(test)]
mod known_answers;
mod oaep;
mod part;
mod rsa_value;
mod shares;
mod text;

pub use envelope::{Envelope, PrivateKey, Recipient};
pub use error::CustodyError;
pub use kcv::Kcv;
pub use oaep::unpad as oaep_unpad;
pub use part::{Part, Scheme, SetId};
pub use rsa_value::{OaepHash, RsaPadding};
pub use shares::{combine, split_threshold, split_xor};

use crate::secret::Secret;

/// Lengths of a transport key, in bytes: those of AES.
pub const KEY_LENGTHS: [usize; 3] = [16, 24, 32];

/// A transport key of `bits` (128, 192 or 256) bits from the operating system's CSPRNG.
///
/// # Errors
/// [`CustodyError::KeyLength`] for other lengths, [`CustodyError::Random`] when there is no entropy.
pub fn new_key(bits: u16) -> Result<Secret, CustodyError> {
    let bytes = usize::from(bits / 8);
    if !bits.is_multiple_of(8) || !KEY_LENGTHS.contains(&bytes) {
        return Err(CustodyError::KeyLength { bits: usize::from(bits) });
    }
    Ok(Secret::random(bytes)?)
}
