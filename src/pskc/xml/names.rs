//! The elements that are known, by namespace and local name.

use super::super::uri;

/// A namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    Pskc,
    Signature,
    Encryption,
    /// XML Encryption 1.1 or PKCS #5: between them, derivation parameters move about.
    Derivation,
    None,
    Other,
}

impl Namespace {
    pub(super) fn of(uri: &str) -> Self {
        match uri {
            "" => Self::None,
            uri::PSKC => Self::Pskc,
            uri::DS => Self::Signature,
            uri::XENC => Self::Encryption,
            uri::XENC11 | uri::PKCS5 | uri::PKCS5_TEXT => Self::Derivation,
            _ => Self::Other,
        }
    }
}

macro_rules! elements {
    ($($space:ident: $($name:ident)*;)*) => {
        /// An element by its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(clippy::upper_case_acronyms)]
        pub(in super::super) enum Element {
            $($($name,)*)*
            /// Any other, of any namespace.
            Unknown,
        }

        impl Element {
            pub(super) fn of(space: Namespace, local: &str) -> Self {
                match (space, local) {
                    $($((Namespace::$space, stringify!($name)) => Self::$name,)*)*
                    // RFC 6030 figure 7 leaves these without a namespace, others give them
                    // that of the element around them.
                    (_, "Salt") => Self::Salt,
                    (_, "Specified") => Self::Specified,
                    (_, "IterationCount") => Self::IterationCount,
                    (_, "KeyLength") => Self::KeyLength,
                    (_, "PRF") => Self::PRF,
                    _ => Self::Unknown,
                }
            }

            /// Its local name.
            pub(in super::super) fn name(self) -> &'static str {
                match self {
                    $($(Self::$name => stringify!($name),)*)*
                    Self::Unknown => "unknown element",
                }
            }
        }
    };
}

elements! {
    Pskc: KeyContainer EncryptionKey MACMethod MACKey MACKeyReference KeyPackage Extensions
        DeviceInfo Manufacturer SerialNo Model IssueNo DeviceBinding StartDate ExpiryDate UserId
        CryptoModuleInfo Key Issuer AlgorithmParameters Suite ChallengeFormat ResponseFormat
        KeyProfileId KeyReference FriendlyName Data Secret Counter Time TimeInterval TimeDrift
        PlainValue EncryptedValue ValueMAC Policy PINPolicy KeyUsage NumberOfTransactions;
    Signature: KeyName X509Data Signature;
    Encryption: EncryptionMethod CipherData CipherValue;
    Derivation: DerivedKey KeyDerivationMethod MasterKeyName Salt Specified IterationCount
        KeyLength PRF;
}
