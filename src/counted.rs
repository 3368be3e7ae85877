//! Numbers with their nouns: one place knows when the plural is due.

use std::fmt::Display;

/// `1 key`, `2 keys`, `0 keys`.
pub(crate) fn counted<N: Copy + Display + PartialEq + From<u8>>(
    count: N,
    one: &str,
    many: &str,
) -> String {
    format!("{count} {}", plural(count, one, many))
}

/// `one` for 1, otherwise `many`.
pub(crate) fn plural<'a, N: PartialEq + From<u8>>(
    count: N,
    one: &'a str,
    many: &'a str,
) -> &'a str {
    if count == N::from(1) { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_singular() {
        let keys = |count: u64| counted(count, "key", "keys");
        assert_eq!([keys(0), keys(1), keys(2)], ["0 keys", "1 key", "2 keys"]);
    }
}
