//! The elements that are known, by namespace and local name.

use super::super::uri;

/// A namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// RFC 6030, or one of its drafts.
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
            uri::PSKC | uri::PSKC_10 | uri::CONTAINER_10 | uri::CONTAINER | uri::OATH_2006 => {
                Self::Pskc
            }
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
            /// Every known element.
            const KNOWN: &[(Namespace, Self)] = &[$($((Namespace::$space, Self::$name),)*)*];

            /// Its local name.
            pub(in super::super) const fn name(self) -> &'static str {
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
        CryptoModuleInfo Id Key Issuer AlgorithmParameters Suite ChallengeFormat ResponseFormat
        KeyProfileId KeyReference FriendlyName Data Secret Counter Time TimeInterval TimeDrift
        PlainValue EncryptedValue ValueMAC Policy PINPolicy KeyUsage NumberOfTransactions
        SecretContainer Device DeviceId Expiry Usage Value ValueDigest MACAlgorithm IV PBESalt
        PBEIterationCount;
    Signature: KeyName X509Data X509Certificate Signature KeyInfo DigestMethod;
    Encryption: EncryptionMethod CipherData CipherValue EncryptedKey OAEPparams;
    Derivation: DerivedKey KeyDerivationMethod MasterKeyName Salt Specified IterationCount
        KeyLength PRF MGF EncryptionScheme CarriedKeyName;
}

/// Known elements by [`slot`], so that a name is compared with one or two of them.
static TABLE: [[(Namespace, Element); CROWD]; SLOTS] = {
    let mut table = [[(Namespace::Other, Element::Unknown); CROWD]; SLOTS];
    let mut at = 0;
    while at < Element::KNOWN.len() {
        let known = Element::KNOWN[at];
        let row = &mut table[slot(known.1.name().as_bytes())];
        let mut place = 0;
        // A crowded slot is an error when this is compiled.
        while !matches!(row[place].1, Element::Unknown) {
            place += 1;
        }
        row[place] = known;
        at += 1;
    }
    table
};

const SLOTS: usize = 128;

/// Known elements that share a slot, at most.
const CROWD: usize = 3;

/// A cheap digest of a name, which few known names share.
const fn slot(bytes: &[u8]) -> usize {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return 0 };
    (*first as usize * 7 + *last as usize * 31 + bytes.len() * 5) % SLOTS
}

impl Element {
    /// The element of this name. Under the namespace of PSKC those of others are known, too: a
    /// draft has them there, and programs that forget prefixes.
    pub(super) fn of(space: Namespace, local: &[u8]) -> Self {
        TABLE[slot(local)]
            .iter()
            .find(|(of, element)| {
                (*of == space || space == Namespace::Pskc || element.roams())
                    && element.name().as_bytes() == local
            })
            .map_or(Self::Unknown, |(_, element)| *element)
    }

    /// Whether only drafts of RFC 6030 have it.
    pub(in super::super) fn is_old(self) -> bool {
        use Element::{
            Device, DeviceId, Expiry, IV, MACAlgorithm, PBEIterationCount, PBESalt,
            SecretContainer, Usage, Value, ValueDigest,
        };
        matches!(
            self,
            SecretContainer
                | Device
                | DeviceId
                | Expiry
                | Usage
                | Value
                | ValueDigest
                | MACAlgorithm
                | IV
                | PBESalt
                | PBEIterationCount
        )
    }

    /// Whether it is known under any namespace: RFC 6030 figure 7 leaves these without one, others
    /// give them that of the element around them.
    fn roams(self) -> bool {
        use Element::{IterationCount, KeyLength, PRF, Salt, Specified};
        matches!(self, Salt | Specified | IterationCount | KeyLength | PRF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_found_under_its_own_namespace_and_that_of_pskc_only() {
        for (space, element) in Element::KNOWN {
            assert_eq!(Element::of(*space, element.name().as_bytes()), *element);
            let elsewhere = Element::of(Namespace::Other, element.name().as_bytes());
            assert_eq!(elsewhere == *element, element.roams(), "{element:?}");
            assert_eq!(Element::of(Namespace::Pskc, element.name().as_bytes()), *element);
        }
        for name in ["", "keypackage", "KeyPackages", "Sexret"] {
            assert_eq!(Element::of(Namespace::Pskc, name.as_bytes()), Element::Unknown);
        }
    }
}
