//! What each receiver really reads.
//!
//! A file that a server imports and whose codes then never work is worse than none, so a profile
//! refuses what its receiver would drop or misread, and [`Unread`] names what it merely leaves unread.
//! `docs/pskc.md` says how each line is known.

mod unread;

pub use unread::Unread;

use super::cipher::{Cipher, Family, Mode};
use super::mac::HmacHash;
use super::sealing::Sealing;
use super::writer::WriteError;
use crate::keystore::BatchKey;
use crate::otp::Hash;
use crate::token::{Algorithm, Token};

/// A kind of server that imports PSKC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Receiver {
    /// Any that follows RFC 6030.
    #[default]
    Generic,
    /// privacyIDEA 3.
    PrivacyIdea,
    /// LinOTP.
    LinOtp,
    /// FreeIPA (`ipa-otptoken-import`).
    FreeIpa,
    /// multiOTP 5.9.
    MultiOtp,
    /// WatchGuard AuthPoint.
    WatchGuard,
}

impl Receiver {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generic => "any receiver",
            Self::PrivacyIdea => "privacyIDEA",
            Self::LinOtp => "LinOTP",
            Self::FreeIpa => "FreeIPA",
            Self::MultiOtp => "multiOTP",
            Self::WatchGuard => "WatchGuard",
        }
    }

    /// Whether it must be given secrets in clear: it cuts encrypted ones short.
    #[must_use]
    pub fn reads_clear_only(self) -> bool {
        self == Self::MultiOtp
    }

    /// How it spells a hash other than SHA-1, which nobody needs to be told.
    pub(super) fn suite(self, hash: Hash) -> Option<&'static str> {
        match (self, hash) {
            (_, Hash::Sha1) => None,
            // It takes any other spelling for SHA-1, or for nothing.
            (Self::PrivacyIdea, Hash::Sha256) => Some("SHA256"),
            (Self::PrivacyIdea, Hash::Sha512) => Some("SHA512"),
            (_, Hash::Sha256) => Some("HMAC-SHA256"),
            (_, Hash::Sha512) => Some("HMAC-SHA512"),
        }
    }

    /// Whether it reads a file under `cipher`, sealed as `sealing` says with `key`.
    pub(super) fn check_file(
        self,
        cipher: Cipher,
        sealing: &Sealing,
        key: Option<&BatchKey>,
    ) -> Result<(), WriteError> {
        let refuse =
            |what: &str| Err(WriteError::Receiver { receiver: self.name(), what: what.into() });
        if self == Self::Generic {
            return Ok(());
        }
        if self.reads_clear_only() {
            return refuse("encrypted secrets, of which it drops bytes");
        }
        let Some(key) = key else { return refuse("files for the holder of a certificate") };
        if (cipher.family, cipher.mode) != (Family::Aes, Mode::Cbc) {
            return refuse(cipher.name());
        }
        let passphrase = match key {
            BatchKey::Passphrase(words) => Some(words.expose()),
            _ => None,
        };
        match self {
            Self::FreeIpa => Ok(()),
            _ if cipher.key_len != 16 => refuse(cipher.name()),
            _ if sealing.mac != HmacHash::Sha1 => refuse(sealing.mac.name()),
            Self::WatchGuard if passphrase.is_some() => {
                refuse("files under a passphrase, only under a transport key")
            }
            _ if passphrase.is_some() && sealing.prf != HmacHash::Sha1 => {
                refuse("PBKDF2 with another PRF than HMAC-SHA1")
            }
            Self::LinOtp if passphrase.is_some_and(|words| !is_linotp_passphrase(words)) => {
                refuse("passphrases other than 6 to 64 characters of ASCII")
            }
            _ => Ok(()),
        }
    }

    /// Whether it reads `token` as what it is.
    pub(super) fn check_token(self, token: &Token) -> Result<(), WriteError> {
        if self == Self::Generic {
            return Ok(());
        }
        let refuse = |what: String| {
            Err(WriteError::ReceiverToken {
                serial: token.serial.to_string(),
                receiver: self.name(),
                what,
            })
        };
        if let Some(carried) = token.carried() {
            return refuse(format!("the algorithm {carried}"));
        }
        let hash = token.hash;
        match self {
            Self::LinOtp | Self::MultiOtp if hash == Hash::Sha512 => {
                return refuse(format!("the hash {hash}"));
            }
            Self::WatchGuard if hash != Hash::Sha1 => return refuse(format!("the hash {hash}")),
            Self::FreeIpa if !matches!(token.digits, 6 | 8) => {
                return refuse(format!("codes of {} digits, only of 6 or 8", token.digits));
            }
            Self::FreeIpa if token.algorithm == Algorithm::Totp && token.period < 5 => {
                return refuse(format!("a period of {} s, only of 5 and more", token.period));
            }
            Self::PrivacyIdea if !is_privacyidea_serial(token.serial.as_str()) => {
                return refuse(
                    "this serial number, only up to 40 letters, digits, - and _".to_owned(),
                );
            }
            _ => {}
        }
        if let Some(what) = self.misread(token) {
            return refuse(what);
        }
        if token.secret.is_empty() {
            return refuse("keys that are only named (KeyReference)".to_owned());
        }
        if let Some(denial) = token.computes_otherwise().or_else(|| token.forbidden()) {
            return refuse(format!(
                "what its policy says, and would take it all the same: {denial}"
            ));
        }
        let policy = token.details.as_deref().map(|details| &details.policy);
        if policy.is_some_and(|policy| policy.transactions.is_some()) {
            return refuse("NumberOfTransactions, and would not count".to_owned());
        }
        if self == Self::FreeIpa && policy.is_some_and(|policy| policy.pin.is_some()) {
            return refuse("PINPolicy".to_owned());
        }
        // Several take the id of the key for its serial number, or lose one of two keys.
        if token.key_id != token.serial.as_str() {
            return refuse("an id of the key that is not its serial number".to_owned());
        }
        Ok(())
    }

    /// What of the numbers of `token` it would take for others.
    fn misread(self, token: &Token) -> Option<String> {
        let (totp, digits, period) =
            (token.algorithm == Algorithm::Totp, token.digits, token.period);
        match self {
            Self::WatchGuard if !totp => return Some("HOTP keys, only TOTP".to_owned()),
            Self::WatchGuard if digits != 6 => {
                return Some(format!("codes of {digits} digits, only of 6"));
            }
            Self::WatchGuard if !matches!(period, 30 | 60) => {
                return Some(format!("a period of {period} s, only of 30 and 60"));
            }
            Self::LinOtp if !totp && token.counter != 0 => {
                return Some(format!("the counter {}, and would begin at 0", token.counter));
            }
            _ => {}
        }
        let data = &token.details.as_deref()?.data;
        let other = |number: Option<i64>| number.is_some_and(|number| number != 0);
        if other(data.time) {
            return Some("a Time other than 0".to_owned());
        }
        // It counts the last code of a TOTP key in the same place.
        if self == Self::PrivacyIdea && data.counter.is_some_and(|counter| counter != 0) {
            return Some("the Counter of a TOTP key".to_owned());
        }
        match self {
            Self::FreeIpa => None,
            _ if !other(data.drift) => None,
            Self::PrivacyIdea => Some("TimeDrift in intervals, but in seconds".to_owned()),
            _ => Some("TimeDrift".to_owned()),
        }
    }

    /// Whether it reads one `KeyUsage` alone, the first, which must be `OTP`.
    pub(super) fn reads_first_usage_only(self) -> bool {
        self == Self::FreeIpa
    }
}

fn is_linotp_passphrase(words: &[u8]) -> bool {
    words.is_ascii() && (6..=64).contains(&words.len())
}

fn is_privacyidea_serial(serial: &str) -> bool {
    serial.len() <= 40
        && serial.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
