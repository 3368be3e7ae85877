//! From CSV to people.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

use super::dialect::{self, Dialect};
use super::{Person, Roster, RosterError, RosterFault};
use crate::interrupt::{Input, Interrupt};
use crate::secret::Secret;
use crate::serial::Serial;

/// How many faults are listed; a file of the wrong kind has one per row.
const LISTED: usize = 20;

impl Roster {
    /// Reads the CSV file at `path`: UTF-8 with or without byte order mark, LF or CRLF, comma,
    /// semicolon or tab as the header has it. Blanks around cells are dropped.
    ///
    /// # Errors
    /// [`RosterError`], with every fault's `file:line:column`; a user or serial that comes twice
    /// is named with both lines.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RosterError> {
        let path = path.as_ref();
        let file = path.display().to_string();
        match Input::open(path, &Interrupt::installed()) {
            Ok(reader) => Self::from_reader(&file, reader),
            Err(source) => Err(RosterError::Read { file, source }),
        }
    }

    /// Reads a roster from `reader`; `file` is its name in messages.
    ///
    /// # Errors
    /// As [`Roster::read`].
    pub fn from_reader(file: &str, mut reader: impl Read) -> Result<Self, RosterError> {
        let mut bytes = Vec::new();
        if let Err(source) = reader.read_to_end(&mut bytes) {
            return Err(RosterError::Read { file: file.into(), source });
        }
        let failed = |faults: Vec<RosterFault>, unlisted| RosterError::Faults {
            file: file.into(),
            faults,
            unlisted,
        };
        let dialect = dialect::of(&bytes).map_err(|fault| failed(vec![fault], 0))?;
        let mut faults = Faults::default();
        let people = rows(&dialect, &mut faults);
        if faults.listed.is_empty() {
            Ok(Self { file: file.into(), people })
        } else {
            Err(failed(faults.listed, faults.unlisted))
        }
    }
}

#[derive(Default)]
struct Faults {
    listed: Vec<RosterFault>,
    unlisted: usize,
}

impl Faults {
    fn add(&mut self, line: u64, column: usize, message: String) {
        if self.listed.len() < LISTED {
            self.listed.push(RosterFault { line, column, message });
        } else {
            self.unlisted += 1;
        }
    }
}

/// Where a row stands and what it holds.
struct Row<'a> {
    dialect: &'a Dialect<'a>,
    start: usize,
    line: u64,
    cells: csv::StringRecord,
}

impl Row<'_> {
    fn cell(&self, index: usize) -> &str {
        self.cells.get(index).unwrap_or_default()
    }

    fn column(&self, index: usize) -> usize {
        self.dialect.column(self.start, index)
    }
}

/// Which column is which.
struct Header {
    names: Vec<String>,
    user: usize,
    serial: usize,
}

fn rows(dialect: &Dialect<'_>, faults: &mut Faults) -> Vec<Person> {
    let mut records = csv::ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(dialect.text.as_bytes());
    let (mut header, mut people) = (None, Vec::new());
    let (mut users, mut serials) = (HashMap::new(), HashMap::new());
    let mut cells = csv::StringRecord::new();
    // The text is UTF-8 and rows may have any length, so reading from memory cannot fail.
    while records.read_record(&mut cells).unwrap_or(false) {
        let row = row(dialect, cells.clone());
        let Some(header) = &header else {
            header = self::header(&row, faults);
            if header.is_none() {
                break;
            }
            continue;
        };
        if let Some(person) = person(&row, header, faults) {
            let twice = [
                ("user", person.user.clone(), users.insert(person.user.clone(), row.line)),
                (
                    "serial",
                    person.serial.to_string(),
                    serials.insert(person.serial.clone(), row.line),
                ),
            ];
            let columns = [header.user, header.serial];
            for ((what, value, before), column) in twice.into_iter().zip(columns) {
                if let Some(before) = before {
                    let message = format!("{what} {value} is already on line {before}");
                    faults.add(row.line, row.column(column), message);
                }
            }
            people.push(person);
        }
    }
    if header.is_none() && faults.listed.is_empty() {
        faults.add(1, 1, "the roster is empty: not even a header".into());
    }
    people
}

/// The position of a record is where the reader stood before it: blank lines may lie between.
fn row<'a>(dialect: &'a Dialect<'a>, cells: csv::StringRecord) -> Row<'a> {
    let (mut start, mut line) =
        cells.position().map_or((0, 1), |at| (usize::try_from(at.byte()).unwrap_or(0), at.line()));
    let bytes = dialect.text.as_bytes();
    while let Some(end @ (b'\n' | b'\r')) = bytes.get(start) {
        line += u64::from(*end == b'\n');
        start += 1;
    }
    Row { dialect, start, line, cells }
}

fn header(row: &Row<'_>, faults: &mut Faults) -> Option<Header> {
    let names = dialect::names(&row.cells);
    let found = (dialect::user_column(&names), dialect::serial_column(&names));
    for (index, name) in names.iter().enumerate() {
        if let Some(before) = names[..index].iter().position(|other| other == name) {
            let message = format!("column {name:?} is already at {}", row.column(before));
            faults.add(row.line, row.column(index), message);
        }
    }
    if !faults.listed.is_empty() {
        return None;
    }
    match found {
        (Some(user), Some(serial)) => Some(Header { names, user, serial }),
        // Neither: this may be no header at all but a line of secrets, so nothing of it is shown.
        (None, None) => {
            let cells = row.cells.len();
            let message = format!(
                "the header has no column `user` (or `username`) and none `serial`: none of the \
                 {cells} cells of this line is called so"
            );
            faults.add(row.line, 1, message);
            None
        }
        (user, _) => {
            let missing = if user.is_none() { "`user` (or `username`)" } else { "`serial`" };
            let seen: Vec<&str> = row.cells.iter().map(str::trim).collect();
            let seen = seen.join(", ");
            faults.add(row.line, 1, format!("the header has no column {missing}; it has: {seen}"));
            None
        }
    }
}

fn person(row: &Row<'_>, header: &Header, faults: &mut Faults) -> Option<Person> {
    let before = faults.listed.len() + faults.unlisted;
    let mut fault = |index: usize, message: String| {
        faults.add(row.line, row.column(index), message);
    };
    if row.cells.len() != header.names.len() {
        let (has, wants) = (row.cells.len(), header.names.len());
        fault(has.min(wants), format!("the row has {has} cells, the header {wants}"));
        return None;
    }
    let user = row.cell(header.user).trim();
    if user.is_empty() {
        fault(header.user, "the user is empty".into());
    } else if user.chars().any(char::is_control) {
        fault(header.user, format!("the user {user:?} holds a control character"));
    }
    let text = row.cell(header.serial).trim();
    let serial = match Serial::new(text) {
        Ok(_) if scientific(text) => {
            fault(
                header.serial,
                format!(
                    "the serial {text} is a number a spreadsheet has rounded; format the column as \
                     text and enter it again"
                ),
            );
            return None;
        }
        Ok(serial) => serial,
        Err(error) => {
            fault(header.serial, error.to_string());
            return None;
        }
    };
    if faults.listed.len() + faults.unlisted > before {
        return None;
    }
    let mut person = Person { line: row.line, ..Person::new(user, serial) };
    let mut fields = BTreeMap::new();
    for (index, name) in header.names.iter().enumerate() {
        let cell = row.cell(index);
        if name == "pin" {
            person.pin = (!cell.is_empty()).then(|| Secret::from(cell.as_bytes()));
        } else if index != header.user && index != header.serial && !cell.trim().is_empty() {
            fields.insert(name.clone(), cell.trim().to_owned());
        }
    }
    person.fields = fields;
    Some(person)
}

/// `1.23457E+12`: what Excel makes of a long number.
fn scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(exponent) && digits(&mantissa.replacen(['.', ','], "", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Roster, RosterError> {
        Roster::from_reader("users.csv", text.as_bytes())
    }

    fn lineless(mut roster: Roster) -> Roster {
        roster.people.iter_mut().for_each(|person| person.line = 0);
        roster
    }

    fn message(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_spreadsheets_write() {
        let plain = read("user,serial,UPN\nalice,A1,alice@x\nbob,A2,\n").unwrap();
        assert_eq!(plain.people[0].user, "alice");
        assert_eq!(plain.people[0].fields["upn"], "alice@x");
        assert_eq!(plain.people[1].serial.as_str(), "A2");
        assert!(plain.people[1].fields.is_empty());
        for same in [
            "\u{feff}username,serial,upn\r\nalice,A1,alice@x\r\nbob,A2,\r\n",
            "user;serial;upn\nalice;A1;alice@x\nbob;A2;",
            "user\tserial\tupn\nalice\tA1\talice@x\nbob\tA2\t\n",
            "user, serial, upn\nalice, A1, alice@x\n bob , A2,\n",
        ] {
            assert_eq!(read(same).unwrap(), plain, "{same:?}");
        }
        // Of an old Macintosh: its lines are not counted.
        let old = read("upn;serial;username\ralice@x;A1;alice\r;A2;bob\r").unwrap();
        assert_eq!(lineless(old), lineless(plain));
    }

    #[test]
    fn a_header_decides_by_its_two_columns() {
        let plain = read("user,serial,note\nalice,A1,x\n").unwrap();
        for (text, name) in [
            ("user,serial,a;b;c;d\nalice,A1,x\n", "a;b;c;d"),
            ("user\tserial\tp;q;r;s;t\nalice\tA1\tx\n", "p;q;r;s;t"),
            ("user,serial,x;user;serial;y\nalice,A1,x\n", "x;user;serial;y"),
            ("username,user,serial\nx,alice,A1\n", "username"),
        ] {
            let mut other = plain.clone();
            let cell = other.people[0].fields.remove("note").unwrap();
            other.people[0].fields.insert(name.into(), cell);
            let roster = read(text).unwrap();
            assert_eq!(roster, other, "{text:?}");
            let mut written = Vec::new();
            roster.write_csv(&mut written).unwrap();
            let written = String::from_utf8(written).unwrap();
            assert_eq!(read(&written).unwrap(), other, "{text:?} written as {written:?}");
        }
    }

    #[test]
    fn duplicates_name_both_lines() {
        let text = "user,serial\nalice,A1\n\nbob,A1\nalice,A3\n";
        assert_eq!(
            message(text),
            "users.csv:4:5: serial A1 is already on line 2\n\
             users.csv:5:1: user alice is already on line 2"
        );
    }

    #[test]
    fn faults_have_a_place_and_come_together() {
        let text = "mail,user,serial\n\"a,b\",,A1\nx,bob,A 2\nx,carol\nx,dora,1.23457E+12\n";
        let message = message(text);
        let lines: Vec<&str> = message.lines().collect();
        assert_eq!(lines[0], "users.csv:2:7: the user is empty");
        assert!(lines[1].starts_with("users.csv:3:7: the serial number holds ' '"), "{message}");
        assert_eq!(lines[2], "users.csv:4:8: the row has 2 cells, the header 3");
        assert!(lines[3].starts_with("users.csv:5:8: the serial 1.23457E+12 is a number"));
    }

    #[test]
    fn a_wrong_file_is_told_apart() {
        assert!(message("").contains("empty"));
        assert!(
            message("name,serial\n").contains("users.csv:1:1: the header has no column `user`")
        );
        assert!(message("user,serial,user\n").starts_with("users.csv:1:13: column \"user\""));
        let utf16 = Roster::from_reader("u.csv", &b"\xff\xfeu\0"[..]).unwrap_err().to_string();
        assert!(utf16.starts_with("u.csv:1:1: the file is UTF-16"), "{utf16}");
        let latin = Roster::from_reader("u.csv", &b"user,serial\nren\xe9,A1\n"[..]).unwrap_err();
        assert!(latin.to_string().starts_with("u.csv:2:4: the file is not UTF-8"), "{latin}");
        assert!(!latin.hint().is_empty());
    }

    #[test]
    fn many_faults_are_counted_not_listed() {
        let text = format!("user,serial\n{}", "x,\n".repeat(30));
        assert!(message(&text).ends_with("… and 10 more faults in users.csv"));
    }

    #[test]
    fn a_pin_is_a_secret() {
        let roster = read("user,serial,pin\nalice,A1,9371\n").unwrap();
        assert_eq!(roster.people[0].pin, Some(Secret::from(&b"9371"[..])));
        assert!(!format!("{roster:?}").contains("9371"));
    }
}
