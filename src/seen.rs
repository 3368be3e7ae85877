//! Which names a file has used already, in memory that does not grow with a well-ordered batch.

use std::collections::{BTreeMap, HashMap, HashSet};

/// A set of names, kept as runs of consecutive numbers: `ACME00000001` to `ACME09999999` are one
/// entry. Names without a number are kept whole. Exact: nothing is hashed away.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// (prefix, digits of the number) to its runs.
    runs: HashMap<(Box<str>, u8), Runs>,
    /// Names that do not end in a number.
    others: HashSet<Box<str>>,
    /// Where the name before went: the next one nearly always follows it.
    last: Option<Last>,
}

/// Start of each run to its end, both included; no two touch.
type Runs = BTreeMap<u64, u64>;

#[derive(Debug)]
struct Last {
    prefix: Box<str>,
    width: u8,
    start: u64,
    end: u64,
    /// First number of the run after it, which it must not grow into.
    next: Option<u64>,
}

/// Longest number that is kept as a number.
const WIDTH: usize = 18;

impl Seen {
    /// Adds `name`; `false` when it is there already.
    pub(crate) fn insert(&mut self, name: &str) -> bool {
        let (prefix, number) = split(name);
        let Some(value) = (!number.is_empty()).then(|| number.parse::<u64>().ok()).flatten() else {
            return !self.others.contains(name) && self.others.insert(name.into());
        };
        let width = number.len() as u8;
        if let Some(last) = &mut self.last
            && last.width == width
            && last.end + 1 == value
            && last.next.is_none_or(|next| next > value)
            && *last.prefix == *prefix
        {
            last.end = value;
            return true;
        }
        self.settle();
        let runs = self.runs.entry((prefix.into(), width)).or_default();
        let before = runs.range(..=value).next_back().map(|(start, end)| (*start, *end));
        if before.is_some_and(|(_, end)| end >= value) {
            return false;
        }
        let start = match before {
            Some((start, end)) if end + 1 == value => start,
            _ => value,
        };
        runs.insert(start, value);
        let next = runs.range(value + 1..).next().map(|(start, _)| *start);
        self.last = Some(Last { prefix: prefix.into(), width, start, end: value, next });
        true
    }

    /// Writes the growing run back among the others, joined with the one after it if they touch.
    fn settle(&mut self) {
        let Some(last) = self.last.take() else { return };
        let runs = self.runs.entry((last.prefix, last.width)).or_default();
        let end = match runs.remove(&(last.end + 1)) {
            Some(end) => end,
            None => last.end,
        };
        runs.insert(last.start, end);
    }
}

/// The name without its last digits, and these (at most [`WIDTH`]).
fn split(name: &str) -> (&str, &str) {
    let digits = name.bytes().rev().take(WIDTH).take_while(u8::is_ascii_digit).count();
    name.split_at(name.len() - digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_batch_in_order_is_one_run() {
        let mut seen = Seen::default();
        for number in 0..100_000 {
            assert!(seen.insert(&format!("ACME{number:08}")));
        }
        assert!(!seen.insert("ACME00000000"));
        assert!(!seen.insert("ACME00099999"));
        assert!(seen.insert("ACME0"), "another width is another name");
        assert_eq!(seen.runs.values().map(BTreeMap::len).sum::<usize>(), 2);
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(names in prop::collection::vec("[ab]?[0-2]{0,3}[ab]?", 0..200)) {
            let mut seen = Seen::default();
            let mut plain = HashSet::new();
            for name in names {
                prop_assert_eq!(seen.insert(&name), plain.insert(name.clone()), "{}", name);
            }
        }

        #[test]
        fn agrees_in_any_order(numbers in prop::collection::vec(0u64..60, 0..200)) {
            let mut seen = Seen::default();
            let mut plain = HashSet::new();
            for number in numbers {
                prop_assert_eq!(seen.insert(&format!("S{number:04}")), plain.insert(number));
            }
        }
    }
}
