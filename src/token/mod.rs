//! The waist of the design: one hardware key as data.
//!
//! Whatever makes tokens (minting, PSKC, a server's CSV) ends here; whatever uses them (formats,
//! the fleet, the server) starts here. A batch is a header and a *stream* of tokens; nothing here
//! collects them.

mod algorithm;
mod date;
mod details;
mod fragment;
mod policy;
mod wording;

pub use algorithm::Algorithm;
pub use date::{date_text, instant, instant_or_utc};
pub use details::{
    ChallengeFormat, CryptoModule, Data, Details, Device, FriendlyName, Lends, Parameters,
    ResponseFormat,
};
pub use fragment::Fragment;
pub use policy::{Denial, ForeignAttribute, PinPolicy, Policy};
pub use wording::{KeyUsage, PinUsage, ValueFormat};

use std::sync::Arc;

use jiff::Timestamp;

use crate::otp::{Generator, Hash};
use crate::secret::Secret;
use crate::serial::Serial;

/// Period of a key when nothing says otherwise (RFC 6238 §4.1), in seconds.
pub const DEFAULT_PERIOD: u32 = 30;

/// One hardware key: serial, secret, algorithm, and the facts that servers ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// Serial number on its back (RFC 6030 §4.3.1 `SerialNo`).
    pub serial: Serial,
    /// Identifier of the key within its batch (RFC 6030 §4.1 `Id`); the serial when there is one
    /// key per device.
    pub key_id: String,
    /// What it computes.
    pub algorithm: Algorithm,
    /// Hash under HMAC.
    pub hash: Hash,
    /// Digits on display, 6 to 10.
    pub digits: u8,
    /// Seconds a code is on display; meaningful for TOTP.
    pub period: u32,
    /// Next event counter (RFC 4226 §5.1); meaningful for HOTP.
    pub counter: u64,
    /// The seed.
    pub secret: Secret,
    /// Maker, as RFC 6030 spells it (`oath.ACME`, `iana.Example`) or as the server wants it.
    pub manufacturer: Option<String>,
    /// Model name.
    pub model: Option<String>,
    /// Issuer shown to the user.
    pub issuer: Option<String>,
    /// User the key is assigned to.
    pub user: Option<String>,
    /// First instant at which the key may be used.
    pub start_date: Option<Timestamp>,
    /// Instant from which on it may not.
    pub expiry_date: Option<Timestamp>,
    /// What else RFC 6030 says of it; plain keys have none.
    pub details: Option<Arc<Details>>,
}

impl Token {
    /// A TOTP key of 6 digits and SHA-1 that changes every 60 s, as on the key this project
    /// started from; every other field empty.
    #[must_use]
    pub fn totp60(serial: Serial, secret: Secret) -> Self {
        Self {
            key_id: serial.to_string(),
            serial,
            algorithm: Algorithm::Totp,
            hash: Hash::Sha1,
            digits: 6,
            period: 60,
            counter: 0,
            secret,
            manufacturer: None,
            model: None,
            issuer: None,
            user: None,
            start_date: None,
            expiry_date: None,
            details: None,
        }
    }

    /// Gives the key, and the device with it, to `user`.
    pub fn assign(&mut self, user: String) {
        if let Some(details) = self.details.as_mut().filter(|known| known.device.user.is_some()) {
            let device = &mut Arc::make_mut(details).device;
            (device.user, device.lends.user) = (None, false);
            if details.is_empty() {
                self.details = None;
            }
        }
        self.user = Some(user);
    }

    /// The key made ready to give codes.
    #[must_use]
    pub fn generator(&self) -> Generator {
        Generator::new(&self.secret, self.hash, self.digits)
    }
}
