//! What RFC 6030 says of a key beyond what makes its codes: kept so that it can be written again.

use jiff::Timestamp;

use super::fragment::Fragment;
use super::policy::Policy;
use super::wording::ValueFormat;

/// Everything about a key that [`super::Token`] has no field for (RFC 6030 §4.2, §4.3, §5).
///
/// The fields of the token decide; these add to them. Most keys need none: then there are no
/// details at all, so that a million plain keys stay small. Keys alike share theirs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// More about the device (§4.3.1).
    pub device: Device,
    /// The module that holds the key within the device (§4.3.2).
    pub crypto_module: Option<CryptoModule>,
    /// What the algorithm needs to know (§4.3.4).
    pub parameters: Parameters,
    /// Name of a profile of settings that both sides know (§4.3 `KeyProfileId`).
    pub key_profile: Option<String>,
    /// Name of a key that is kept elsewhere, such as a label in a PKCS #11 token (§4.3
    /// `KeyReference`). The token's secret may then be empty.
    pub reference: Option<String>,
    /// What to call the key (§4.3 `FriendlyName`).
    pub friendly_name: Option<FriendlyName>,
    /// Further values of the key.
    pub data: Data,
    /// What the key may be used for, and its PIN (§5). Its dates are the token's.
    pub policy: Policy,
    /// `Extensions` of `Key`.
    pub extensions: Vec<Fragment>,
    /// `Extensions` of `KeyPackage`.
    pub package_extensions: Vec<Fragment>,
}

impl Details {
    /// Whether they say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is in them, in words, for whoever must do without.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let Self { device, parameters, data, policy, .. } = self;
        let all = [
            ("issue number", device.issue_number.is_some()),
            ("device binding", device.binding.is_some()),
            ("dates of the device", device.start_date.is_some() || device.expiry_date.is_some()),
            ("user of the device", device.user.is_some() && !device.lends.user),
            ("crypto module", self.crypto_module.is_some()),
            ("suite", parameters.suite.is_some()),
            ("challenge format", parameters.challenge.is_some()),
            ("response format", parameters.response.is_some()),
            ("key profile", self.key_profile.is_some()),
            ("key reference", self.reference.is_some()),
            ("friendly name", self.friendly_name.is_some()),
            ("further counter", data.counter.is_some()),
            ("time of the device", data.time.is_some()),
            ("further interval", data.interval.is_some()),
            ("time drift", data.drift.is_some()),
            ("PIN policy", policy.pin.is_some()),
            ("key usages", !policy.usages.is_empty()),
            ("number of transactions", policy.transactions.is_some()),
            ("extensions", self.fragments().next().is_some()),
        ];
        all.into_iter().filter_map(|(name, is)| is.then_some(name)).collect()
    }

    /// Every fragment, wherever it stands.
    pub fn fragments(&self) -> impl Iterator<Item = &Fragment> {
        let Self { device, parameters, data, policy, extensions, package_extensions, .. } = self;
        let module = self.crypto_module.iter().flat_map(|module| &module.extensions);
        (device.extensions.iter())
            .chain(module)
            .chain(&parameters.extensions)
            .chain(&data.other)
            .chain(policy.pin.iter().flat_map(|pin| &pin.unknown_elements))
            .chain(&policy.unknown)
            .chain(extensions)
            .chain(package_extensions)
    }
}

/// More about the device (RFC 6030 §4.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// Number of issue, of a card that is issued again under one serial number.
    pub issue_number: Option<String>,
    /// What binds keys to one device, such as an IMEI.
    pub binding: Option<String>,
    /// Begin of the validity of the device.
    pub start_date: Option<Timestamp>,
    /// End of it.
    pub expiry_date: Option<Timestamp>,
    /// Who has the device.
    pub user: Option<String>,
    /// Facts that [`super::Token`] has from the device, as the key has none of its own.
    pub lends: Lends,
    /// `Extensions` of `DeviceInfo`.
    pub extensions: Vec<Fragment>,
}

/// Which facts of a token are those of its device: they are written there alone, as long as the
/// two are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lends {
    /// [`super::Token::user`] is [`Device::user`].
    pub user: bool,
    /// [`super::Token::start_date`] is [`Device::start_date`].
    pub start_date: bool,
    /// [`super::Token::expiry_date`] is [`Device::expiry_date`].
    pub expiry_date: bool,
}

/// The module that holds a key within its device (RFC 6030 §4.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CryptoModule {
    /// Its identifier.
    pub id: String,
    /// `Extensions` of `CryptoModuleInfo`.
    pub extensions: Vec<Fragment>,
}

/// A name for people (RFC 6030 §4.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FriendlyName {
    /// The name.
    pub text: String,
    /// Its language (`xml:lang`, RFC 5646); English when not given.
    pub language: Option<String>,
}

/// What an algorithm needs to know (RFC 6030 §4.3.4 `AlgorithmParameters`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    /// `Suite` of an algorithm that is only carried, such as `OCRA-1:HOTP-SHA1-6:QN08`; that of HOTP
    /// and TOTP is [`super::Token::hash`].
    pub suite: Option<String>,
    /// Form of a challenge.
    pub challenge: Option<ChallengeFormat>,
    /// Form of a response: for HOTP and TOTP only when it is more than
    /// [`super::Token::digits`] decimal digits, for other algorithms whenever it is given.
    pub response: Option<ResponseFormat>,
    /// `Extensions` of `AlgorithmParameters`.
    pub extensions: Vec<Fragment>,
}

/// Form of a challenge (RFC 6030 §4.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChallengeFormat {
    /// How it is written.
    pub encoding: ValueFormat,
    /// Least length, in characters; in bytes for base64 and binary.
    pub min: Option<u32>,
    /// Greatest length, in the same unit.
    pub max: Option<u32>,
    /// Whether its last digit is a check digit after ISO/IEC 7812 (Luhn).
    pub check_digits: bool,
}

/// Form of a response (RFC 6030 §4.3.4).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseFormat {
    /// How it is written.
    pub encoding: ValueFormat,
    /// Its length, in characters; in bytes for base64 and binary. For HOTP and TOTP
    /// [`super::Token::digits`] decides.
    pub length: Option<u32>,
    /// Whether the device appends a check digit after ISO/IEC 7812 (Luhn).
    pub check_digits: bool,
}

/// Further values of a key (RFC 6030 §4.2 `Data`).
///
/// The counter of HOTP is [`super::Token::counter`], the interval of TOTP
/// [`super::Token::period`]; they are not repeated here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Data {
    /// Event counter of a key of another algorithm than HOTP.
    pub counter: Option<u64>,
    /// Time of the device.
    pub time: Option<i64>,
    /// Interval, in seconds, of a key of another algorithm than TOTP.
    pub interval: Option<i64>,
    /// Drift of the device's clock.
    pub drift: Option<i64>,
    /// Foreign elements.
    pub other: Vec<Fragment>,
}
