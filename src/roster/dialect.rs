//! What kind of text a roster is: encoding, byte order mark, delimiter.

use super::RosterFault;

/// The text of a roster, and what stands between its cells.
pub(super) struct Dialect<'a> {
    pub(super) text: &'a str,
    pub(super) delimiter: u8,
}

/// Takes off a byte order mark, refuses what is not UTF-8, and reads the delimiter off the header
/// (spreadsheets of half of Europe save "CSV" with semicolons).
pub(super) fn of(bytes: &[u8]) -> Result<Dialect<'_>, RosterFault> {
    let at = |line, column, message: &str| RosterFault { line, column, message: message.into() };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(at(1, 1, "the file is UTF-16; save it as \"CSV UTF-8\""));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let start = memchr::memrchr(b'\n', good).map_or(0, |at| at + 1);
        let line = memchr::memchr_iter(b'\n', good).count() as u64 + 1;
        let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
        at(line, column, "the file is not UTF-8 from here on; save it as \"CSV UTF-8\"")
    })?;
    let header = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    let count = |delimiter| memchr::memchr_iter(delimiter, header.as_bytes()).count();
    let delimiter = [b',', b';', b'\t'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b',');
    Ok(Dialect { text, delimiter })
}

impl Dialect<'_> {
    /// Column, from 1 and in characters, at which cell `index` of the record that starts at byte
    /// `start` begins; quotes are honoured.
    pub(super) fn column(&self, start: usize, index: usize) -> usize {
        let (mut column, mut cell, mut quoted) = (1, 0, false);
        for c in self.text[start..].chars() {
            if cell == index || (!quoted && matches!(c, '\n' | '\r')) {
                break;
            }
            match c {
                '"' => quoted = !quoted,
                _ if c == char::from(self.delimiter) && !quoted => cell += 1,
                _ => {}
            }
            column = if c == '\n' { 1 } else { column + 1 };
        }
        column
    }
}
