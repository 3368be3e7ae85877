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
    let delimiter = delimiter(text);
    Ok(Dialect { text, delimiter })
}

/// The delimiter with which the header has the two columns it must have. Where several would do, a
/// comma comes first: a name may hold the others. Where none would, the one with most cells, so that
/// the message counts what a person counts.
fn delimiter(text: &str) -> u8 {
    let rank = |delimiter: u8| {
        let mut cells = csv::StringRecord::new();
        // No record leaves no cells.
        let _ = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .from_reader(text.as_bytes())
            .read_record(&mut cells);
        let names = names(&cells);
        let found = usize::from(user_column(&names).is_some())
            + usize::from(serial_column(&names).is_some());
        (found, if found == 2 { 0 } else { cells.len() })
    };
    // Of equals, the last is the greatest.
    [b'\t', b';', b','].into_iter().max_by_key(|delimiter| rank(*delimiter)).unwrap_or(b',')
}

/// The names of the columns, as they are compared.
pub(super) fn names(header: &csv::StringRecord) -> Vec<String> {
    header.iter().map(|name| name.trim().to_lowercase()).collect()
}

/// Where the user is: in `user`, or else in `username`.
pub(super) fn user_column(names: &[String]) -> Option<usize> {
    let at = |wanted: &str| names.iter().position(|name| name == wanted);
    at("user").or_else(|| at("username"))
}

/// Where the serial number is.
pub(super) fn serial_column(names: &[String]) -> Option<usize> {
    names.iter().position(|name| name == "serial")
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
