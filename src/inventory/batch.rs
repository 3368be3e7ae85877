//! What is remembered of a batch.

use jiff::Timestamp;

use super::{FileDigest, InventoryError};
use crate::named::named;

named! {
    /// How far a batch has come; see the table at the head of the module.
    State {
        /// Its serials are taken; no file is known.
        Reserved = "reserved",
        /// Its files were whole, and about to be given their names.
        Written = "written",
        /// Its files are there.
        Complete = "complete",
        /// Minting ended without a file, and said so. Its serials stay taken.
        Abandoned = "abandoned",
    }
}

/// A batch as it is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its identifier: 1 to 160 printable ASCII characters without blanks.
    pub id: String,
    /// The production order, as text; its SHA-256 is recorded beside it.
    pub spec: String,
    /// Key check value of its transport key, if it has one.
    pub key_kcv: Option<String>,
    /// Its serial numbers; several ranges when several kinds of key are in one batch.
    pub serials: Vec<SerialRange>,
}

impl Batch {
    /// Number of keys.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.serials.iter().fold(0, |sum, range| sum.saturating_add(range.keys))
    }

    pub(super) fn check(&self) -> Result<(), InventoryError> {
        let good = |c: char| c.is_ascii_graphic();
        if self.id.is_empty() || self.id.len() > 160 || !self.id.chars().all(good) {
            return Err(InventoryError::BatchId(self.id.escape_default().to_string()));
        }
        if self.serials.is_empty() {
            return Err(InventoryError::Serials("a batch has at least one serial".into()));
        }
        Ok(())
    }
}

/// Serial numbers in a row: a prefix, then as many digits in each.
///
/// A check digit behind the number counts as one of the digits: it does not change the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialRange {
    pub(super) prefix: String,
    pub(super) first: String,
    pub(super) last: String,
    pub(super) keys: u64,
}

impl SerialRange {
    /// The `keys` serials from `first` to `last`, each `prefix` and digits, all of one length.
    ///
    /// # Errors
    /// [`InventoryError::Serials`] when they are not like that.
    pub fn new(prefix: &str, first: &str, last: &str, keys: u64) -> Result<Self, InventoryError> {
        let digits = |serial: &str| {
            serial.strip_prefix(prefix).is_some_and(|rest| {
                !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit())
            })
        };
        if !digits(first) || !digits(last) || first.len() != last.len() || first > last || keys == 0
        {
            return Err(InventoryError::Serials(format!(
                "{keys} serials from {first:?} to {last:?} under the prefix {prefix:?} are no range"
            )));
        }
        let [prefix, first, last] = [prefix, first, last].map(str::to_owned);
        Ok(Self { prefix, first, last, keys })
    }

    /// What every serial begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The first serial.
    #[must_use]
    pub fn first(&self) -> &str {
        &self.first
    }

    /// The last serial.
    #[must_use]
    pub fn last(&self) -> &str {
        &self.last
    }

    /// Number of serials.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// Whether a text may be a serial of both.
    ///
    /// `ACME0` and five digits gives serials that `ACME` and six digits gives too: so the texts are
    /// compared, not the numbers. Of one length, and with nothing but digits behind the shorter
    /// prefix, their order as texts is their order as numbers.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (long, short) =
            if self.prefix.len() >= other.prefix.len() { (self, other) } else { (other, self) };
        let framed = long
            .prefix
            .strip_prefix(&short.prefix)
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
        framed
            && long.first.len() == short.first.len()
            && long.first <= short.last
            && short.first <= long.last
    }
}

/// Who was given a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The recipient, as named by the user.
    pub to: String,
    /// When it was recorded.
    pub at: Timestamp,
}

/// A batch as the inventory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What was reserved.
    pub batch: Batch,
    /// How far it has come.
    pub state: State,
    /// SHA-256 of the production order's text, lower-case hexadecimal.
    pub spec_sha256: String,
    /// When its serials were taken.
    pub reserved_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// Why it was abandoned.
    pub note: Option<String>,
    /// Its files.
    pub files: Vec<FileDigest>,
    /// Who was given it.
    pub deliveries: Vec<Delivery>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(prefix: &str, first: u64, last: u64, width: usize) -> SerialRange {
        let serial = |number| format!("{prefix}{number:0width$}");
        SerialRange::new(prefix, &serial(first), &serial(last), last - first + 1).unwrap()
    }

    #[test]
    fn a_longer_prefix_may_hide_the_same_serials() {
        let base = range("ACME", 100, 199, 6);
        assert!(base.overlaps(&range("ACME", 199, 300, 6)));
        assert!(!base.overlaps(&range("ACME", 200, 300, 6)));
        assert!(base.overlaps(&range("ACME0001", 50, 60, 2)));
        assert!(base.overlaps(&range("", 0, 0, 10)) == ("0000000000" == "ACME000100"));
        assert!(!base.overlaps(&range("ACME", 100, 199, 7)), "ACME0000100 is another serial");
        // `ACME1-` sorts among the serials of `ACME` without being one.
        assert!(!range("ACME", 0, 999_999, 6).overlaps(&range("ACME1-", 0, 9999, 4)));
        assert!(!base.overlaps(&range("ACNE", 100, 199, 6)));
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for (prefix, first, last, keys) in [
            ("A", "A2", "A1", 1),
            ("A", "A1", "A10", 10),
            ("A", "B1", "B2", 2),
            ("A", "A", "A", 1),
            ("A", "A1x", "A2x", 2),
            ("A", "A1", "A2", 0),
        ] {
            let error = SerialRange::new(prefix, first, last, keys).unwrap_err();
            assert!(error.to_string().ends_with("are no range"), "{error}");
        }
    }

    proptest! {
        /// Against the definition: is there a text that is a serial of both?
        #[test]
        fn overlap_is_having_a_serial_in_common(
            a in "A?[0-2]{0,2}", b in "A?[0-2]{0,2}",
            a1 in 0u64..30, al in 0u64..20, aw in 2usize..5,
            b1 in 0u64..30, bl in 0u64..20, bw in 2usize..5,
        ) {
            let (one, two) = (range(&a, a1, a1 + al, aw), range(&b, b1, b1 + bl, bw));
            let serials = |p: &str, first: u64, last: u64, w: usize| -> Vec<String> {
                (first..=last).map(|n| format!("{p}{n:0w$}")).collect()
            };
            let theirs = serials(&b, b1, b1 + bl, bw);
            let common = serials(&a, a1, a1 + al, aw).iter().any(|s| theirs.contains(s));
            prop_assert_eq!(one.overlaps(&two), common);
            prop_assert_eq!(two.overlaps(&one), common);
        }
    }
}
