//! `HOTP/T{period}/{digits}`: text with fields in braces, an encoding after a colon
//! (`{secret:base32:base64}`), doubled braces for a brace.

use regex::Regex;

use super::cell::Piece;
use super::codec::Chain;
use super::field::{Choice, Field};

/// Reads such a text.
pub(super) fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = &rest[at..];
        if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
            literal.push_str(&brace[..1]);
            rest = after;
            continue;
        }
        let close = brace.find('}').filter(|_| brace.starts_with('{'));
        let close = close.ok_or_else(|| format!("a brace in {text:?} has no partner"))?;
        if !literal.is_empty() {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        }
        let (name, encoding) = brace[1..close].split_once(':').unzip();
        pieces.push(value(name.unwrap_or(&brace[1..close]), encoding)?);
        rest = &brace[close + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

/// A field in an encoding; a secret must say which.
pub(super) fn value(field: &str, encoding: Option<&str>) -> Result<Piece, String> {
    let choice = Choice::parse(field)?;
    if encoding.is_none() && choice.0.contains(&Field::Secret) {
        return Err("the secret needs an encoding (hex, base32-nopad, …)".into());
    }
    let chain = encoding.map_or_else(|| Ok(Chain::plain()), Chain::parse)?;
    Ok(Piece::Value { choice, chain, map: Vec::new() })
}

/// The expression that takes the pieces apart again.
pub(super) fn shape(pieces: &[Piece]) -> Result<Regex, String> {
    let mut text = String::from("^");
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(&regex::escape(literal)),
            Piece::Value { choice, chain, .. } => text.push_str(match choice.target() {
                Some(Field::Digits | Field::Period | Field::Counter)
                    if *chain == Chain::plain() =>
                {
                    "([0-9]+)"
                }
                _ => "(.+?)",
            }),
        }
    }
    text.push('$');
    Regex::new(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_hold_fields_and_doubled_ones_are_braces() {
        let pieces = parse("a{{b}}{digits}-{secret:base32:base64}").unwrap();
        assert_eq!(pieces.len(), 4);
        assert!(matches!(&pieces[0], Piece::Literal(text) if text == "a{b}"));
        let shape = shape(&pieces).unwrap();
        assert_eq!(&shape.captures("a{b}6-R0Va").unwrap()[2], "R0Va");
        assert!(!shape.is_match("a{b}x-R0Va"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("{digits").unwrap_err().contains("no partner"));
        assert!(parse("digits}").unwrap_err().contains("no partner"));
        assert!(parse("{colour}").unwrap_err().contains("no field \"colour\""));
        assert!(parse("{secret}").unwrap_err().contains("needs an encoding"));
    }
}
