//! What a receiver leaves unread although no code depends on it: people must know of it, as an expiry
//! date that nobody reads ends nothing.

use std::collections::BTreeMap;

use super::Receiver;
use crate::counted::counted;
use crate::token::{KeyUsage, Token};

/// What the receiver leaves unread in the keys of a file, each with how many keys have it.
#[derive(Debug, Default)]
pub struct Unread(BTreeMap<&'static str, u64>);

impl Unread {
    /// Notes what `receiver` leaves unread in `keys` keys like `token`.
    pub fn add(&mut self, receiver: Receiver, token: &Token, keys: u64) {
        if receiver == Receiver::Generic {
            return;
        }
        let details = token.details.as_deref();
        let facts = [
            ("manufacturer", token.manufacturer.is_some()),
            ("model", token.model.is_some()),
            ("issuer", token.issuer.is_some()),
            ("user", token.user.is_some()),
            ("start date", token.start_date.is_some()),
            ("expiry date", token.expiry_date.is_some()),
        ];
        let facts = facts.into_iter().filter_map(|(name, is)| is.then_some(name));
        let names = details.map(|details| details.names()).unwrap_or_default();
        for name in facts.chain(names).filter(|name| !receiver.minds(name)) {
            *self.0.entry(name).or_default() += keys;
        }
        if receiver.reads_first_usage_only()
            && details
                .is_some_and(|it| it.policy.usages.iter().any(|usage| *usage != KeyUsage::Otp))
        {
            *self.0.entry("key usages beside OTP").or_default() += keys;
        }
    }

    /// The same in words; `None` when nothing was left unread.
    #[must_use]
    pub fn note(&self, receiver: Receiver) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let facts: Vec<String> = (self.0.iter())
            .map(|(name, keys)| format!("{name} ({})", counted(*keys, "key", "keys")))
            .collect();
        let (name, facts) = (receiver.name(), facts.join(", "));
        Some(match receiver {
            Receiver::MultiOtp | Receiver::WatchGuard => {
                format!("whether {name} heeds these is not known: {facts}")
            }
            _ => format!("{name} does not read: {facts}"),
        })
    }
}

impl Receiver {
    /// Whether it reads the fact of this name; other numbers than 0 of the last two are refused where
    /// it does not.
    fn minds(self, name: &str) -> bool {
        let read: &[&str] = match self {
            Self::Generic => return true,
            Self::PrivacyIdea => &["manufacturer"],
            Self::FreeIpa => &[
                "manufacturer",
                "model",
                "start date",
                "expiry date",
                "dates of the device",
                "issue number",
                "friendly name",
                "key usages",
            ],
            // Names, which nobody misses: for these two only what limits the use of a key.
            Self::MultiOtp | Self::WatchGuard => &["manufacturer", "model", "issuer"],
            Self::LinOtp => &[],
        };
        read.contains(&name) || ["time drift", "time of the device"].contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::secret::Secret;
    use crate::serial::Serial;
    use crate::token::{Details, Policy};

    #[test]
    fn what_no_receiver_keeps_to_is_named() {
        let secret = Secret::from(&b"12345678901234567890"[..]);
        let usages = vec![KeyUsage::ChallengeResponse, KeyUsage::Otp];
        let details =
            Details { policy: Policy { usages, ..Policy::default() }, ..Details::default() };
        let token = Token {
            manufacturer: Some("oath.ACME".into()),
            user: Some("ada".into()),
            expiry_date: Some("2030-01-01T00:00:00Z".parse().unwrap()),
            details: Some(Arc::new(details)),
            ..Token::totp60(Serial::new("A1").unwrap(), secret)
        };
        let note = |receiver| {
            let mut unread = Unread::default();
            unread.add(receiver, &token, 2);
            unread.note(receiver)
        };
        assert_eq!(note(Receiver::Generic), None);
        assert_eq!(
            note(Receiver::PrivacyIdea).unwrap(),
            "privacyIDEA does not read: expiry date (2 keys), key usages (2 keys), user (2 keys)"
        );
        assert_eq!(
            note(Receiver::FreeIpa).unwrap(),
            "FreeIPA does not read: key usages beside OTP (2 keys), user (2 keys)"
        );
        let watchguard = note(Receiver::WatchGuard).unwrap();
        assert!(watchguard.starts_with("whether WatchGuard heeds these is not known: expiry date"));
    }
}
