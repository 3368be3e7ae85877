//! The small text form of parts and envelopes: a first line that says what it is, then
//! `name: value` lines; blank lines and lines that begin with `#` are for people.

use std::str::FromStr;

use super::CustodyError;
use crate::secret::Secret;

/// Longest file, in bytes: an envelope under RSA-8192 needs less than half of it.
const LONGEST: usize = 8 * 1024;

/// The fields of one file, each known and given once.
pub(super) struct Fields<'a> {
    file: &'a str,
    found: Vec<(&'static str, usize, &'a str)>,
    last_line: usize,
}

impl<'a> Fields<'a> {
    /// Reads `text`, whose first line must be `magic` and whose fields must be exactly `names`.
    pub(super) fn read(
        file: &'a str,
        text: &'a Secret,
        magic: &str,
        names: &[&'static str],
    ) -> Result<Self, CustodyError> {
        let whole = |problem: String| CustodyError::File { file: file.to_owned(), problem };
        if text.len() > LONGEST {
            return Err(whole(format!("longer than {LONGEST} bytes")));
        }
        let text = std::str::from_utf8(text.expose())
            .map_err(|_| whole("not a text file".to_owned()))?
            .trim_start_matches('\u{feff}');
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        if lines.next().is_none_or(|(_, line)| line != magic) {
            return Err(whole(format!("its first line is not `{magic}`")));
        }
        let mut fields = Self { file, found: Vec::new(), last_line: 1 };
        for (number, line) in lines {
            fields.last_line = number;
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(fields.line(number, "not a line of the form `name: value`"));
            };
            let Some(name) = names.iter().find(|known| **known == name.trim()) else {
                return Err(fields.line(number, format!("not one of {}", names.join(", "))));
            };
            if fields.found.iter().any(|(known, ..)| known == name) {
                return Err(fields.line(number, format!("`{name}` is given twice")));
            }
            fields.found.push((name, number, value.trim()));
        }
        match names.iter().find(|name| !fields.found.iter().any(|(found, ..)| found == *name)) {
            Some(missing) => {
                Err(fields.line(fields.last_line, format!("ends without a line `{missing}: …`")))
            }
            None => Ok(fields),
        }
    }

    /// The text of a field and its line.
    pub(super) fn get(&self, name: &str) -> (usize, &'a str) {
        let found = self.found.iter().find(|(known, ..)| *known == name);
        found.map_or((self.last_line, ""), |(_, line, value)| (*line, *value))
    }

    /// A field as a value of a type whose errors do not quote the text.
    pub(super) fn parse<T>(&self, name: &str) -> Result<T, CustodyError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let (line, text) = self.get(name);
        text.parse().map_err(|error| self.line(line, format!("`{name}`: {error}")))
    }

    /// A field of hexadecimal digits with blanks between them, at most `most` bytes.
    pub(super) fn hex(&self, name: &str, most: usize) -> Result<Secret, CustodyError> {
        let (line, text) = self.get(name);
        let mut digits = zeroize::Zeroizing::new(String::with_capacity(2 * most));
        digits.extend(text.chars().filter(|c| !c.is_whitespace()).take(2 * most + 1));
        Secret::from_hex(&digits)
            .filter(|bytes| bytes.len() <= most)
            .ok_or_else(|| self.line(line, format!("`{name}` is not hexadecimal, or too long")))
    }

    /// An error at a line of this file.
    pub(super) fn line(&self, line: usize, problem: impl Into<String>) -> CustodyError {
        CustodyError::Line { file: self.file.to_owned(), line, problem: problem.into() }
    }
}

/// Hexadecimal in groups of four, as people read it aloud and type it.
pub(super) fn grouped(secret: &Secret) -> zeroize::Zeroizing<String> {
    let hex = secret.to_hex();
    let mut out = zeroize::Zeroizing::new(String::with_capacity(hex.len() * 5 / 4 + 1));
    for (index, digit) in hex.chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["colour", "size"];

    fn read(text: &str) -> Result<String, String> {
        let text = Secret::from(text.as_bytes());
        let fields = Fields::read("f", &text, "thing 1", NAMES).map_err(|e| e.to_string())?;
        Ok(format!("{}/{}", fields.get("colour").1, fields.get("size").1))
    }

    #[test]
    fn people_may_add_blank_lines_and_remarks() {
        let text = "\u{feff}thing 1\r\n\n# a remark\nsize:  3 \r\n\tcolour : red: dark\n";
        assert_eq!(read(text).unwrap(), "red: dark/3");
    }

    #[test]
    fn faults_are_placed_and_never_quoted() {
        for (text, expected) in [
            ("", "f: its first line is not `thing 1`"),
            ("thing 2\n", "f: its first line is not `thing 1`"),
            ("thing 1\nsize 3\n", "f:2: not a line of the form `name: value`"),
            ("thing 1\nsize: 3\n\nsize: 4\n", "f:4: `size` is given twice"),
            ("thing 1\nweight: 3\n", "f:2: not one of colour, size"),
            ("thing 1\ncolour: 3\n", "f:2: ends without a line `size: …`"),
        ] {
            assert_eq!(read(text).unwrap_err(), expected);
        }
        assert_eq!(read(&"x".repeat(9000)).unwrap_err(), "f: longer than 8192 bytes");
    }

    #[test]
    fn hexadecimal_is_grouped_and_read_back() {
        let secret = Secret::from_hex("00112233445566778899").unwrap();
        let text = grouped(&secret);
        assert_eq!(*text, "0011 2233 4455 6677 8899");
        let file = Secret::new(format!("thing 1\nsize:{}\ncolour: 0g", *text).into_bytes());
        let fields = Fields::read("f", &file, "thing 1", NAMES).unwrap();
        assert_eq!(fields.hex("size", 10).unwrap(), secret);
        let error = fields.hex("size", 9).unwrap_err().to_string();
        assert_eq!(error, "f:2: `size` is not hexadecimal, or too long");
        assert!(fields.hex("colour", 9).unwrap_err().to_string().starts_with("f:3: "));
    }
}
