//! From when and until when the keys of a batch are valid, in a line of words.

use jiff::Timestamp;

use crate::counted::counted;
use crate::token::date_text;

/// The dates of one kind that keys have.
#[derive(Default)]
pub(super) struct Dates {
    range: Option<(Timestamp, Timestamp)>,
    keys: u64,
}

impl Dates {
    pub(super) fn add(&mut self, date: Option<Timestamp>) {
        let Some(date) = date else { return };
        let (first, last) = self.range.unwrap_or((date, date));
        self.range = Some((first.min(date), last.max(date)));
        self.keys += 1;
    }

    /// In words, of a batch of so many keys.
    pub(super) fn words(&self, all: u64) -> Option<String> {
        let (first, last) = self.range?;
        let mut words = date_text(first);
        if first != last {
            words.push_str(&format!(" to {}", date_text(last)));
        }
        if self.keys < all {
            words.push_str(&format!(" ({})", counted(self.keys, "key", "keys")));
        }
        Some(words)
    }
}
