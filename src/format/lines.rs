//! Lines of cells: delimiters, quotes and line ends, written and read side by side.

use zeroize::Zeroizing;

use super::cell::{Cell, Column};
use super::draft::Draft;
use super::field::Record;
use super::shape::{Eol, Formulas, Quote};

/// A file of one line per key.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) delimiter: Delimiter,
    /// Lines before the first key; the header is the last of them.
    pub(super) preamble: Vec<String>,
    pub(super) quote: Quote,
    pub(super) eol: Eol,
    pub(super) comment: Option<String>,
    pub(super) formulas: Formulas,
    pub(super) columns: Vec<Column>,
}

/// What stands between cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Char(char),
    /// Written as a tab, read as any run of blanks.
    Whitespace,
}

impl Delimiter {
    fn as_char(self) -> char {
        match self {
            Self::Char(c) => c,
            Self::Whitespace => '\t',
        }
    }
}

/// A cell of a line that is read, and the column (in characters, from 1) at which it begins.
struct Found<'a> {
    column: usize,
    text: std::borrow::Cow<'a, str>,
}

impl Lines {
    fn eol(&self) -> &'static str {
        match self.eol {
            Eol::Lf => "\n",
            Eol::Crlf => "\r\n",
        }
    }

    /// What stands before the first key.
    pub(super) fn head(&self) -> String {
        self.preamble.iter().flat_map(|line| [line.as_str(), self.eol()]).collect()
    }

    /// Adds the line of one key to `out`, and every reason why there can be none to `faults`.
    pub(super) fn write(&self, record: &Record<'_>, out: &mut String, faults: &mut Vec<String>) {
        let mut pending = String::new();
        for (index, column) in self.columns.iter().enumerate() {
            let delimiter =
                if index > 0 { self.delimiter.as_char().to_string() } else { String::new() };
            match column.write(record) {
                Ok(Cell::Text(text)) => {
                    out.push_str(&std::mem::take(&mut pending));
                    out.push_str(&delimiter);
                    if let Err(why) = self.cell(index, &text, out) {
                        let shown = if column.is_secret() {
                            "the cell".into()
                        } else {
                            format!("{:?}", *text)
                        };
                        faults.push(format!("column {}: {shown} {why}", column.name));
                    }
                }
                // Held back: what is left off at the end leaves no delimiter either.
                Ok(Cell::Empty) if column.optional => {
                    pending.push_str(&delimiter);
                    pending.push_str(&column.empty);
                }
                Ok(Cell::Empty) => {
                    out.push_str(&std::mem::take(&mut pending));
                    out.push_str(&delimiter);
                    out.push_str(&column.empty);
                }
                Err(why) => faults.push(why),
            }
        }
        out.push_str(self.eol());
    }

    fn cell(&self, index: usize, text: &str, out: &mut String) -> Result<(), String> {
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(format!("holds the control character {c:?}"));
        }
        if self.formulas == Formulas::Refuse && text.starts_with(['=', '+', '-', '@']) {
            return Err("begins like a formula: a spreadsheet would run it".into());
        }
        if let Some(comment) = &self.comment
            && index == 0
            && text.starts_with(comment.as_str())
        {
            return Err("begins like a comment: the server would skip the line".into());
        }
        if self.delimiter == Delimiter::Whitespace && (text.is_empty() || text.contains(' ')) {
            return Err("is empty or holds a blank, which separates columns here".into());
        }
        let awkward = text.contains([self.delimiter.as_char(), '"'])
            || text.starts_with(' ')
            || text.ends_with(' ');
        match self.quote {
            Quote::Never if awkward => {
                Err("holds the delimiter, a quote or outer blanks, and the server knows no quotes"
                    .into())
            }
            Quote::Never => {
                out.push_str(text);
                Ok(())
            }
            Quote::Needed if !awkward => {
                out.push_str(text);
                Ok(())
            }
            Quote::Needed | Quote::Always => {
                out.push('"');
                out.push_str(&text.replace('"', "\"\""));
                out.push('"');
                Ok(())
            }
        }
    }

    /// Whether `line` holds no key.
    pub(super) fn skips(&self, line: &str) -> bool {
        let comment = self.comment.as_deref();
        line.trim().is_empty() || comment.is_some_and(|comment| line.starts_with(comment))
    }

    /// Reads one line into a draft; an error with the column (in characters) at fault.
    pub(super) fn read(&self, line: &str) -> Result<Draft, (usize, Option<String>, String)> {
        let cells = self.split(line).map_err(|(column, why)| (column, None, why))?;
        let mut draft = Draft::default();
        if let Some(extra) = cells.get(self.columns.len()) {
            let why =
                format!("the line has {} cells, the format {}", cells.len(), self.columns.len());
            return Err((extra.column, None, why));
        }
        // Columns with cases lean on what the plain ones say.
        let plain = |column: &Column| column.cases.len() == 1;
        for round in [true, false] {
            for (index, column) in self.columns.iter().enumerate() {
                if plain(column) != round {
                    continue;
                }
                let (at, text) = match (cells.get(index), &column.default) {
                    (Some(found), _) => (found.column, &*found.text),
                    (None, Some(default)) => (line.chars().count() + 1, default.as_str()),
                    (None, None) if column.optional => continue,
                    (None, None) => {
                        let why = format!("the line ends before column {}", column.name);
                        // What stands where the serial should be may be anything, a key too.
                        return Err((line.chars().count() + 1, None, why));
                    }
                };
                column.read(text, &mut draft).map_err(|why| (at, serial(&draft), why))?;
            }
        }
        Ok(draft)
    }

    fn split<'a>(&self, line: &'a str) -> Result<Vec<Found<'a>>, (usize, String)> {
        let Delimiter::Char(delimiter) = self.delimiter else {
            let start = |cell: &str| cell.as_ptr() as usize - line.as_ptr() as usize;
            return Ok(line
                .split_whitespace()
                .map(|cell| Found {
                    column: line[..start(cell)].chars().count() + 1,
                    text: cell.into(),
                })
                .collect());
        };
        let (mut cells, mut rest, mut column) = (Vec::new(), line, 1);
        loop {
            let blanks = rest.chars().take_while(|c| *c == ' ').count();
            let quoted = self.quote != Quote::Never && rest[blanks..].starts_with('"');
            let (text, used) = if quoted {
                let (text, used) = unquote(&rest[blanks + 1..])
                    .ok_or_else(|| (column + blanks, "the quote is never closed".to_owned()))?;
                (text.into(), blanks + 1 + used)
            } else {
                let end = rest.find(delimiter).unwrap_or(rest.len());
                (rest[..end].trim().into(), end)
            };
            cells.push(Found { column: column + blanks, text });
            column += rest[..used].chars().count();
            let after = &rest[used..];
            let gap = after.len() - after.trim_start_matches(' ').len();
            match after[gap..].strip_prefix(delimiter) {
                Some(next) => rest = next,
                None if after[gap..].is_empty() => return Ok(cells),
                None => return Err((column + gap, "text after the closing quote".into())),
            }
            column += gap + 1;
        }
    }
}

/// The text up to the closing quote, and how many bytes that took, the quote included.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let at = rest.find('"')?;
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                out.push('"');
                rest = more;
            }
            None => return Some((out, text.len() - rest.len())),
        }
    }
}

fn serial(draft: &Draft) -> Option<String> {
    draft.serial.as_ref().map(ToString::to_string)
}

/// A line, wiped when it is done with: it holds a seed.
pub(super) type Line = Zeroizing<String>;
