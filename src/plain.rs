//! Text of others fit for a terminal.

/// `c`, or `?` for what a terminal would act on: control characters, and those that turn the direction
/// of writing, with which `FF1` can be made to look like `1FF`.
pub(crate) fn plain(c: char) -> char {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if turns || c.is_control() { '?' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_acts_on_is_replaced() {
        let text = "é\u{1b}[31m\u{9b}a\u{202e}b\u{2066}c\u{2069}\u{200d}";
        assert_eq!(text.chars().map(plain).collect::<String>(), "é?[31m?a?b?c?\u{200d}");
    }
}
