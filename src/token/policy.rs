//! What a key may be used for (RFC 6030 §5), and whether one-time passwords are among it.

use jiff::Timestamp;

use super::fragment::Fragment;
use super::wording::{KeyUsage, PinUsage, ValueFormat};
use super::{Algorithm, Token};

/// What a key may be used for (RFC 6030 §5). Its dates are [`Token::start_date`] and
/// [`Token::expiry_date`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The PIN that protects the key.
    pub pin: Option<PinPolicy>,
    /// What the key may be used for; anything when empty.
    pub usages: Vec<KeyUsage>,
    /// How often the receiver may use it.
    pub transactions: Option<u64>,
    /// Elements that are not understood: whoever meets one must take the key for not permitted.
    pub unknown: Vec<Fragment>,
}

/// The PIN that protects a key (RFC 6030 §5 `PINPolicy`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PinPolicy {
    /// Id of the key, in the same batch, that is the PIN.
    pub key_id: Option<String>,
    /// What the PIN does.
    pub usage: Option<PinUsage>,
    /// Wrong PINs after which the key is blocked.
    pub max_failed_attempts: Option<u32>,
    /// Least length of a PIN.
    pub min_length: Option<u32>,
    /// Greatest length of a PIN.
    pub max_length: Option<u32>,
    /// How the PIN is written.
    pub encoding: Option<ValueFormat>,
    /// Attributes that are not understood.
    pub unknown: Vec<ForeignAttribute>,
    /// Elements within it, where RFC 6030 has none.
    pub unknown_elements: Vec<Fragment>,
}

/// An attribute that RFC 6030 does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignAttribute {
    /// Its namespace; empty for none.
    pub namespace: String,
    /// Its local name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Why one-time passwords of a key may not be used, or cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// RFC 6030 §5: a policy that is not understood permits nothing.
    #[error("its policy says {0:?}, which is not understood and so permits nothing")]
    Unknown(String),
    /// The usages do not have `OTP`.
    #[error("its policy permits {0}, not one-time passwords (OTP)")]
    Usage(String),
    /// `NumberOfTransactions` is 0.
    #[error("its policy permits no use of it any more (NumberOfTransactions is 0)")]
    Exhausted,
    /// Before its first day.
    #[error("it may be used from {0} on")]
    Early(Timestamp),
    /// After its last day.
    #[error("it expired on {0}")]
    Expired(Timestamp),
    /// The PIN takes part in the computation.
    #[error("its codes are computed from a PIN, too (PINUsageMode Algorithmic)")]
    Algorithmic,
    /// RFC 6030 leaves open whether the length of a code has the check digit in it.
    #[error("its codes end in a check digit (CheckDigits), which is not computed here")]
    CheckDigits,
    /// The code is shown in another way than as digits.
    #[error("its codes are written in {0}, not as decimal digits")]
    Encoding(ValueFormat),
}

impl Denial {
    /// Whether it is a matter of permission, which a person may overrule; otherwise the codes would
    /// be wrong.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        !matches!(self, Self::Algorithmic | Self::CheckDigits | Self::Encoding(_))
    }
}

impl Policy {
    /// The first thing in it that is not understood, by its name.
    #[must_use]
    pub fn not_understood(&self) -> Option<&str> {
        let element = self.unknown.first().map(Fragment::name);
        let usage = || self.usages.iter().find(|usage| !usage.is_known()).map(KeyUsage::as_str);
        element.or_else(usage).or_else(|| self.pin.as_ref()?.not_understood())
    }
}

impl PinPolicy {
    fn not_understood(&self) -> Option<&str> {
        let attribute = self.unknown.first().map(|attribute| attribute.name.as_str());
        let usage = || self.usage.as_ref().filter(|usage| !usage.is_known()).map(PinUsage::as_str);
        let encoding =
            || self.encoding.as_ref().filter(|word| !word.is_known()).map(ValueFormat::as_str);
        let element = || self.unknown_elements.first().map(Fragment::name);
        attribute.or_else(usage).or_else(encoding).or_else(element)
    }
}

impl Token {
    /// Why its codes would be others than those computed here.
    #[must_use]
    pub fn computes_otherwise(&self) -> Option<Denial> {
        let details = self.details.as_deref()?;
        if !matches!(self.algorithm, Algorithm::Hotp | Algorithm::Totp) {
            return None;
        }
        if let Some(response) = &details.parameters.response {
            if response.check_digits {
                return Some(Denial::CheckDigits);
            }
            if response.encoding != ValueFormat::Decimal {
                return Some(Denial::Encoding(response.encoding.clone()));
            }
        }
        let pin = details.policy.pin.as_ref()?;
        (pin.usage == Some(PinUsage::Algorithmic)).then_some(Denial::Algorithmic)
    }

    /// Why its policy does not permit one-time passwords, whatever the time (RFC 6030 §5).
    #[must_use]
    pub fn forbidden(&self) -> Option<Denial> {
        let policy = &self.details.as_deref()?.policy;
        if let Some(name) = policy.not_understood() {
            return Some(Denial::Unknown(name.to_owned()));
        }
        if !policy.usages.is_empty() && !policy.usages.contains(&KeyUsage::Otp) {
            let usages: Vec<&str> = policy.usages.iter().map(KeyUsage::as_str).collect();
            return Some(Denial::Usage(usages.join(", ")));
        }
        (policy.transactions == Some(0)).then_some(Denial::Exhausted)
    }

    /// Why its dates do not permit it at `now` (RFC 6030 §5).
    #[must_use]
    pub fn out_of_date(&self, now: Timestamp) -> Option<Denial> {
        let early = self.start_date.filter(|start| now < *start).map(Denial::Early);
        early.or_else(|| self.expiry_date.filter(|expiry| now >= *expiry).map(Denial::Expired))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::secret::Secret;
    use crate::serial::Serial;
    use crate::token::{Details, ResponseFormat};

    fn token(details: Details) -> Token {
        let secret = Secret::from(&b"12345678901234567890"[..]);
        let token = Token::totp60(Serial::new("A1").unwrap(), secret);
        Token { details: Some(Arc::new(details)), ..token }
    }

    fn with(policy: Policy) -> Token {
        token(Details { policy, ..Details::default() })
    }

    #[test]
    fn what_is_not_understood_permits_nothing() {
        assert_eq!(with(Policy::default()).forbidden(), None);
        let otp = vec![KeyUsage::ChallengeResponse, KeyUsage::Otp];
        assert_eq!(with(Policy { usages: otp.clone(), ..Policy::default() }).forbidden(), None);
        let xml = zeroize::Zeroizing::new("<x xmlns=\"urn:x\"/>".to_owned());
        let unknown = vec![Fragment::new("urn:x", "OnlyOnSundays", xml)];
        let policy = Policy { usages: otp.clone(), unknown, ..Policy::default() };
        assert_eq!(with(policy).forbidden(), Some(Denial::Unknown("OnlyOnSundays".into())));
        let usages = [otp.clone(), vec![KeyUsage::from("Voting")]].concat();
        let policy = Policy { usages, ..Policy::default() };
        assert_eq!(with(policy).forbidden(), Some(Denial::Unknown("Voting".into())));
        for pin in [
            PinPolicy { usage: Some(PinUsage::from("Whispered")), ..PinPolicy::default() },
            PinPolicy { encoding: Some(ValueFormat::from("Whispered")), ..PinPolicy::default() },
            PinPolicy {
                unknown: vec![ForeignAttribute {
                    namespace: "urn:x".into(),
                    name: "Whispered".into(),
                    value: "1".into(),
                }],
                ..PinPolicy::default()
            },
        ] {
            let policy = Policy { pin: Some(pin), ..Policy::default() };
            assert_eq!(with(policy).forbidden(), Some(Denial::Unknown("Whispered".into())));
        }
    }

    #[test]
    fn usages_and_transactions_are_kept_to() {
        let usages = vec![KeyUsage::Encrypt, KeyUsage::ChallengeResponse];
        let denied = with(Policy { usages, ..Policy::default() }).forbidden().unwrap();
        assert_eq!(
            denied.to_string(),
            "its policy permits Encrypt, CR, not one-time passwords (OTP)"
        );
        let policy = Policy { transactions: Some(0), ..Policy::default() };
        assert_eq!(with(policy).forbidden(), Some(Denial::Exhausted));
        let policy = Policy { transactions: Some(1), ..Policy::default() };
        assert_eq!(with(policy).forbidden(), None);
    }

    #[test]
    fn other_codes_are_not_a_matter_of_permission() {
        let response = |response| {
            let mut details = Details::default();
            details.parameters.response = Some(response);
            token(details).computes_otherwise()
        };
        let check = ResponseFormat { check_digits: true, ..ResponseFormat::default() };
        assert_eq!(response(check), Some(Denial::CheckDigits));
        let hex =
            ResponseFormat { encoding: ValueFormat::Hexadecimal, ..ResponseFormat::default() };
        let denial = response(hex).unwrap();
        assert_eq!(denial, Denial::Encoding(ValueFormat::Hexadecimal));
        assert!(!denial.is_permission() && Denial::Exhausted.is_permission());
        let pin = PinPolicy { usage: Some(PinUsage::Algorithmic), ..PinPolicy::default() };
        let token = with(Policy { pin: Some(pin), ..Policy::default() });
        assert_eq!(
            (token.computes_otherwise(), token.forbidden()),
            (Some(Denial::Algorithmic), None)
        );
    }
}
