//! Names (XML 1.0 §2.3, Namespaces in XML §4).

/// Whether `name` is a name with at most one colon, in its middle.
pub(super) fn is_qualified_name(name: &str) -> bool {
    match name.split_once(':') {
        None => is_plain_name(name),
        Some((prefix, local)) => is_plain_name(prefix) && is_plain_name(local),
    }
}

/// Whether `name` is a name without a colon.
pub(super) fn is_plain_name(name: &str) -> bool {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return true;
    }
    let mut characters = name.chars();
    characters.next().is_some_and(starts) && characters.all(continues)
}

fn starts(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn continues(c: char) -> bool {
    starts(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}'
            | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
