//! Keys that must not be used, or whose codes would be wrong: refused before anything is done.

use std::path::Path;

use jiff::Timestamp;

use super::{Failure, batch};
use crate::cli::PolicyArgs;
use crate::clock::UnixMicros;
use crate::token::{Denial, Token};

/// Keys that are named.
const NAMED: usize = 10;

/// Refuses `tokens` of `file` that their policy forbids (RFC 6030 §5), unless that is to be
/// ignored, and those whose codes are not computed here. `now`: when they are to be used, if their
/// dates matter.
pub(super) fn check<'a>(
    file: &Path,
    tokens: impl IntoIterator<Item = &'a Token>,
    policy: &PolicyArgs,
    now: Option<UnixMicros>,
) -> Result<(), Failure> {
    let now = now.and_then(timestamp);
    let (mut refused, mut ignored) = (Lines::default(), Lines::default());
    let mut permission = true;
    for token in tokens {
        let Some(denial) = denial(token, now) else { continue };
        let line = format!("key {}: {denial}", token.serial);
        if policy.ignore_policy && denial.is_permission() {
            ignored.add(line);
        } else {
            permission &= denial.is_permission();
            refused.add(line);
        }
    }
    let file = batch::name(file);
    if refused.count > 0 {
        let hint = match permission {
            true => {
                "leave these keys out, or ask who made the batch; --ignore-policy uses them all the \
                 same"
            }
            false => "leave these keys out, or ask the sender for keys that show plain digits",
        };
        return Err(Failure::bad_input(refused.text(&file)).hint(hint));
    }
    if ignored.count > 0 {
        say!("warning: used against their policy: {}", ignored.text(&file));
    }
    Ok(())
}

/// Warns of keys that may be used a number of times, as nobody counts here.
pub(super) fn warn_of_limits<'a>(file: &Path, tokens: impl IntoIterator<Item = &'a Token>) {
    let limited = |token: &&Token| {
        let details = token.details.as_deref();
        details.is_some_and(|details| details.policy.transactions.is_some())
    };
    let count = tokens.into_iter().filter(limited).count();
    if count > 0 {
        let file = batch::name(file);
        say!(
            "warning: {file}: {count} keys may be used a number of times only (NumberOfTransactions), \
             which is not counted here"
        );
    }
}

fn denial(token: &Token, now: Option<Timestamp>) -> Option<Denial> {
    let otherwise = token.computes_otherwise().or_else(|| token.forbidden());
    otherwise.or_else(|| token.out_of_date(now?))
}

/// The instant as a date; `None` beyond the end of dates.
pub(super) fn timestamp(now: UnixMicros) -> Option<Timestamp> {
    i64::try_from(now).ok().and_then(|now| Timestamp::from_microsecond(now).ok())
}

/// The first lines of a list, and how many there are.
#[derive(Default)]
struct Lines {
    first: Vec<String>,
    count: usize,
}

impl Lines {
    fn add(&mut self, line: String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(line);
        }
    }

    fn text(&self, file: &str) -> String {
        let mut text = format!("{file}: {}", self.first.join(&format!("\n{file}: ")));
        let more = self.count - self.first.len();
        if more > 0 {
            text.push_str(&format!("\nand {more} more"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let mut lines = Lines::default();
        for number in 0..12 {
            lines.add(format!("key {number}: no"));
        }
        let text = lines.text("a.xml");
        assert!(text.starts_with("a.xml: key 0: no\na.xml: key 1: no\n"), "{text}");
        assert!(text.ends_with("a.xml: key 9: no\nand 2 more"), "{text}");
    }
}
