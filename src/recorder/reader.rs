//! Reading a record, also one whose run was killed.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::{ATTEMPTS_FILE, COLUMNS, Completeness, HEAD_FILE, Head, Observation, RecorderError};
use super::{RunInfo, line};

/// No line that [`super::RunWriter`] writes is longer, in bytes.
const LONGEST_LINE: usize = 1024;

/// An iterator over the observations of a record, in the order in which they were written.
///
/// Memory does not grow with the record. A last line without its end, as SIGKILL leaves it, is
/// dropped and told by [`RunReader::truncated`].
#[derive(Debug)]
pub struct RunReader {
    head: Head,
    path: PathBuf,
    lines: BufReader<File>,
    line: Vec<u8>,
    number: u64,
    truncated: bool,
    ended: bool,
}

impl RunReader {
    /// Opens the record in `folder`.
    ///
    /// # Errors
    /// [`RecorderError::Missing`], [`RecorderError::Read`], [`RecorderError::Head`], or
    /// [`RecorderError::Line`] for a wrong header of `attempts.csv`.
    pub fn open(folder: &Path) -> Result<Self, RecorderError> {
        let head = read_head(folder)?;
        let path = folder.join(ATTEMPTS_FILE);
        let file = File::open(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => {
                RecorderError::Missing { folder: folder.to_owned(), file: ATTEMPTS_FILE }
            }
            _ => RecorderError::Read { path: path.clone(), source },
        })?;
        let mut this = Self {
            head,
            path,
            lines: BufReader::with_capacity(256 * 1024, file),
            line: Vec::new(),
            number: 0,
            truncated: false,
            ended: false,
        };
        if this.next_line()? && this.line != COLUMNS.join(",").as_bytes() {
            return Err(this.fault(COLUMNS[0], "the header is not the one of this version".into()));
        }
        Ok(this)
    }

    /// What was run.
    #[must_use]
    pub fn run(&self) -> &RunInfo {
        &self.head.run
    }

    /// How much was recorded; `None` while the run goes on, or after it was killed.
    #[must_use]
    pub fn completeness(&self) -> Option<Completeness> {
        self.head.record
    }

    /// Whether the last line was cut; known once the iteration has ended.
    #[must_use]
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    fn next_observation(&mut self) -> Result<Option<Observation>, RecorderError> {
        if !self.next_line()? {
            return Ok(None);
        }
        let seen = match std::str::from_utf8(&self.line) {
            Ok(text) => line::read(text),
            Err(_) => Err((COLUMNS[0], "the line is not UTF-8".into())),
        };
        let seen = seen.map_err(|(column, message)| self.fault(column, message))?;
        let people = self.head.run.people.len();
        if seen.person as usize >= people {
            let message = format!("person {} of {people} in {HEAD_FILE}", seen.person);
            return Err(self.fault(COLUMNS[0], message));
        }
        Ok(Some(seen))
    }

    /// Reads the next whole line, without its end, into `self.line`; false at the end of the file.
    fn next_line(&mut self) -> Result<bool, RecorderError> {
        self.line.clear();
        let mut bounded = std::io::Read::take(&mut self.lines, LONGEST_LINE as u64);
        bounded
            .read_until(b'\n', &mut self.line)
            .map_err(|source| RecorderError::Read { path: self.path.clone(), source })?;
        self.number += 1;
        if self.line.pop_if(|last| *last == b'\n').is_some() {
            self.line.pop_if(|last| *last == b'\r');
            return Ok(true);
        }
        if self.line.len() >= LONGEST_LINE {
            let message = format!("the line is longer than {LONGEST_LINE} bytes");
            return Err(self.fault(COLUMNS[0], message));
        }
        self.truncated = !self.line.is_empty();
        Ok(false)
    }

    fn fault(&self, column: &'static str, message: String) -> RecorderError {
        RecorderError::Line { path: self.path.clone(), line: self.number, column, message }
    }
}

impl Iterator for RunReader {
    type Item = Result<Observation, RecorderError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_observation().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

fn read_head(folder: &Path) -> Result<Head, RecorderError> {
    let path = folder.join(HEAD_FILE);
    let text = std::fs::read(&path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => {
            RecorderError::Missing { folder: folder.to_owned(), file: HEAD_FILE }
        }
        _ => RecorderError::Read { path: path.clone(), source },
    })?;
    serde_json::from_slice(&text).map_err(|error| RecorderError::Head {
        path,
        line: error.line(),
        column: error.column(),
        message: format!("this is no run: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::RunWriter;
    use crate::recorder::run::tests::run_info;

    const LINE: &str = "0,0,login,careful,0,1,2,3,4,5,6,accepted,fresh-code,0,,accepted,200,\n";

    fn record(lines: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        RunWriter::create(folder.path(), &run_info()).unwrap();
        let path = folder.path().join(ATTEMPTS_FILE);
        let header = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, header + lines).unwrap();
        folder
    }

    #[test]
    fn a_line_cut_by_a_kill_is_dropped_and_told() {
        // Cut before the line feed: every column is there, yet nothing says the last one is whole.
        let folder = record(&format!("{LINE}{}", LINE.trim_end()));
        let mut reader = RunReader::open(folder.path()).unwrap();
        assert_eq!(reader.completeness(), None);
        assert_eq!(reader.by_ref().map(Result::unwrap).count(), 1);
        assert!(reader.truncated());
    }

    #[test]
    fn a_changed_file_is_refused_with_its_place() {
        for (lines, expected) in [
            (LINE.replace("accepted,200", "maybe,200"), ":2: column `verdict`: \"maybe\": "),
            (LINE.replacen('0', "7", 1), ":2: column `person`: person 7 of 2 in run.json"),
            (LINE.repeat(2) + "x\n", ":4: column `person`: \"x\": "),
            ("y".repeat(5000), ":2: column `person`: the line is longer than 1024 bytes"),
        ] {
            let folder = record(&lines);
            let reader = RunReader::open(folder.path()).unwrap();
            let error = reader.filter_map(Result::err).next().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_folder_without_a_run_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = RunReader::open(folder.path()).unwrap_err();
        assert!(error.to_string().ends_with("holds no run: there is no run.json in it"), "{error}");
        std::fs::write(folder.path().join(HEAD_FILE), "{\n \"scenario\": 3 }").unwrap();
        let error = RunReader::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("run.json:2:"), "{error}");
    }
}
