//! Which names a file has used already, in memory that does not grow with a well-ordered batch.

mod spelling;

use std::collections::{BTreeMap, HashMap, HashSet};

use spelling::{Number, Spelling};

/// A set of names, kept as runs of consecutive numbers: `ACME00000001` to `ACME09999999` are one
/// entry, and so are they with check digits behind them, and hexadecimal numbers. Names in no such
/// row are kept whole. Exact: nothing is hashed away.
///
/// A name can be read as a number in several ways, so it may stand in any of several rows: it is
/// put where it makes one longer, and looked for in all.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By [`Spelling`], in the order of [`Spelling::ALL`].
    rows: [Rows; Spelling::ALL.len()],
    /// Names that do not end in a number.
    others: HashSet<Box<str>>,
    /// Where the name before went: the next one nearly always follows it.
    last: Option<Last>,
    /// A name that was added lately: with the next it may begin a row.
    before: String,
}

/// What stands before the number, to the width and start of each run, to its end. Both are included.
#[derive(Debug, Default)]
struct Rows(HashMap<Box<str>, BTreeMap<(u8, u64), u64>>);

/// The run that grows; its entry among the rows is as it was when it began to.
#[derive(Debug)]
struct Last {
    spelling: Spelling,
    prefix: Box<str>,
    width: u8,
    start: u64,
    end: u64,
    /// First number of the run after it, which it must not grow into.
    next: Option<u64>,
}

impl Seen {
    /// Adds `name`; `false` when it is there already.
    pub(crate) fn insert(&mut self, name: &str) -> bool {
        if let Some(last) = &self.last
            && last.goes_on_with(name)
        {
            if self.is_in_another_row(name, last.spelling) {
                return false;
            }
            if let Some(last) = &mut self.last {
                last.end += 1;
            }
            return true;
        }
        self.settle();
        let is_there = |spelling: &Spelling| self.rows[*spelling as usize].hold(name, *spelling);
        if Spelling::ALL.iter().any(is_there) || self.others.contains(name) {
            return false;
        }
        self.last =
            self.longer_row(name).or_else(|| self.new_row(name)).or_else(|| self.alone(name));
        if self.last.is_none() {
            self.others.insert(name.into());
        }
        self.before.clear();
        self.before.push_str(name);
        true
    }

    /// A run of one.
    fn alone(&mut self, name: &str) -> Option<Last> {
        let number = Number::of(name, Spelling::Decimal)?;
        Some(self.rows[Spelling::Decimal as usize].put(Spelling::Decimal, &number, number.value))
    }

    /// Whether a row other than that of `spelling`, which is looked after, has `name`.
    fn is_in_another_row(&self, name: &str, spelling: Spelling) -> bool {
        Spelling::ALL
            .iter()
            .any(|other| *other != spelling && self.rows[*other as usize].hold(name, *other))
            || !self.others.is_empty() && self.others.contains(name)
    }

    /// Puts `name` at the end of a run, in whichever way it can be read as the next number.
    fn longer_row(&mut self, name: &str) -> Option<Last> {
        Spelling::ALL.iter().find_map(|spelling| {
            let rows = &mut self.rows[*spelling as usize];
            if rows.0.is_empty() {
                return None;
            }
            let number = Number::of(name, *spelling)?;
            let start = rows.run_before(&number).filter(|(_, end)| end + 1 == number.value)?.0;
            Some(rows.put(*spelling, &number, start))
        })
    }

    /// Begins a run with `name` and the one before it, which stays where it is, too.
    fn new_row(&mut self, name: &str) -> Option<Last> {
        Spelling::ALL.iter().find_map(|spelling| {
            let number = Number::of(name, *spelling)?;
            let before = Number::of(&self.before, *spelling)?;
            number
                .follows(&before)
                .then(|| self.rows[*spelling as usize].put(*spelling, &number, before.value))
        })
    }

    /// Writes the growing run back among the others, joined with the one after it if they touch.
    fn settle(&mut self) {
        let Some(last) = self.last.take() else { return };
        let runs = self.rows[last.spelling as usize].0.entry(last.prefix).or_default();
        let end = runs.remove(&(last.width, last.end + 1)).unwrap_or(last.end);
        runs.insert((last.width, last.start), end);
    }
}

impl Rows {
    fn hold(&self, name: &str, spelling: Spelling) -> bool {
        !self.0.is_empty()
            && Number::of(name, spelling).is_some_and(|number| {
                self.run_before(&number).is_some_and(|(_, end)| end >= number.value)
            })
    }

    /// The last run that starts at `number` or before it.
    fn run_before(&self, number: &Number<'_>) -> Option<(u64, u64)> {
        let runs = self.0.get(number.prefix)?;
        let mut before = runs.range((number.width, 0)..=(number.width, number.value));
        before.next_back().map(|((_, start), end)| (*start, *end))
    }

    /// Makes the run from `start` to `number` the one that grows.
    fn put(&mut self, spelling: Spelling, number: &Number<'_>, start: u64) -> Last {
        let Number { prefix, width, value } = *number;
        if !self.0.contains_key(prefix) {
            self.0.insert(prefix.into(), BTreeMap::new());
        }
        let mut next = None;
        if let Some(runs) = self.0.get_mut(prefix) {
            runs.insert((width, start), value);
            let after = (width, value + 1)..=(width, u64::MAX);
            next = runs.range(after).next().map(|((_, start), _)| *start);
        }
        Last { spelling, prefix: prefix.into(), width, start, end: value, next }
    }
}

impl Last {
    fn goes_on_with(&self, name: &str) -> bool {
        let end = Number { prefix: &self.prefix, width: self.width, value: self.end };
        Number::of(name, self.spelling).is_some_and(|number| number.follows(&end))
            && self.next.is_none_or(|next| next > self.end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check_digit::CheckDigits;
    use proptest::prelude::*;

    impl Seen {
        fn entries(&self) -> usize {
            self.rows.iter().flat_map(|rows| rows.0.values()).map(BTreeMap::len).sum::<usize>()
                + self.others.len()
        }
    }

    #[test]
    fn a_batch_in_order_is_one_run() {
        let mut seen = Seen::default();
        for number in 0..100_000 {
            assert!(seen.insert(&format!("ACME{number:08}")));
        }
        assert!(!seen.insert("ACME00000000"));
        assert!(!seen.insert("ACME00099999"));
        assert!(seen.insert("ACME0"), "another width is another name");
        assert_eq!(seen.entries(), 2);
    }

    /// A run, the decimal numbers before it was seen to be one, and the name that came first.
    #[test]
    fn check_digits_and_hexadecimal_numbers_are_runs_too() {
        let checked = |scheme: CheckDigits, number: u32| {
            let body = format!("ACME{number:08}");
            let check = scheme.of(body.as_bytes()).unwrap();
            format!("{body}{check:0width$}", width = scheme.digits())
        };
        let spellings: [&dyn Fn(u32) -> String; 4] = [
            &|number| checked(CheckDigits::Luhn, number),
            &|number| checked(CheckDigits::Mod97, number),
            &|number| format!("F{:012X}", u64::from(number) + 0x00A0_0000_FF00),
            &|number| format!("9x{number:08x}"),
        ];
        for spelling in spellings {
            let mut seen = Seen::default();
            for number in 0..50_000 {
                assert!(seen.insert(&spelling(number)), "{}", spelling(number));
            }
            assert!(seen.entries() <= 3, "{} of {}", seen.entries(), spelling(0));
            for number in [0, 1, 2, 9, 10, 11, 99, 49_999] {
                assert!(!seen.insert(&spelling(number)), "{}", spelling(number));
            }
            assert!(seen.insert(&spelling(50_001)));
            assert!(seen.insert(&spelling(50_000)));
            assert!(!seen.insert(&spelling(50_001)));
        }
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

        /// Rows of every spelling, forwards from anywhere, that cross one another.
        #[test]
        fn agrees_where_rows_cross(rows in prop::collection::vec((0u8..5, 0u64..300, 1u64..40), 0..40)) {
            let mut seen = Seen::default();
            let mut plain = HashSet::new();
            for (spelling, from, count) in rows {
                for number in from..from + count {
                    let name = match spelling {
                        0 => format!("{number:04}"),
                        1 => format!("{number:03}{}", CheckDigits::Luhn.of(format!("{number:03}").as_bytes()).unwrap()),
                        2 => format!("{:02}{:02}", number % 100, CheckDigits::Mod97.of(format!("{:02}", number % 100).as_bytes()).unwrap()),
                        3 => format!("{number:04X}"),
                        _ => format!("{number:04x}"),
                    };
                    prop_assert_eq!(seen.insert(&name), plain.insert(name.clone()), "{}", name);
                }
            }
        }
    }
}
