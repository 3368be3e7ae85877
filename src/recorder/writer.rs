//! Writing a record while the run goes on.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{ATTEMPTS_FILE, COLUMNS, Completeness, HEAD_FILE, Head, Observation, RecorderError};
use super::{RunInfo, line};

/// Lines wait here at most until the next [`RunWriter::flush`].
const BUFFER: usize = 256 * 1024;

/// Writes `run.json` and `attempts.csv`.
///
/// A full disk ends no run: attempts that could not be written are counted, the file keeps whole
/// lines only, and [`RunWriter::finish`] says what is missing.
#[derive(Debug)]
pub struct RunWriter {
    folder: PathBuf,
    file: File,
    buffer: Vec<u8>,
    buffered: u64,
    // Length of the whole lines in the file: what a failed write is cut back to.
    good: u64,
    torn: bool,
    done: Completeness,
    failure: Option<io::Error>,
}

impl RunWriter {
    /// Begins a record in `folder`, which is made if need be (0700). Both files are made at once
    /// (0600), so that a wrong folder costs no run.
    ///
    /// # Errors
    /// [`RecorderError::Exists`] when the folder holds a record already; [`RecorderError::Write`].
    pub fn create(folder: &Path, run: &RunInfo) -> Result<Self, RecorderError> {
        for file in [HEAD_FILE, ATTEMPTS_FILE] {
            if folder.join(file).symlink_metadata().is_ok() {
                return Err(RecorderError::Exists { folder: folder.to_owned(), file });
            }
        }
        let is_new = folder.symlink_metadata().is_err();
        Self::begin(folder, run).inspect_err(|error| {
            let lost_race = matches!(error, RecorderError::Write { source, .. }
                if source.kind() == io::ErrorKind::AlreadyExists);
            if lost_race {
                return; // what is there is another run's
            }
            // Nothing was recorded: leave no trace, so that the same command can be given again.
            for file in [HEAD_FILE, ATTEMPTS_FILE] {
                let _ = std::fs::remove_file(folder.join(file));
            }
            if is_new {
                let _ = std::fs::remove_dir(folder);
            }
        })
    }

    fn begin(folder: &Path, run: &RunInfo) -> Result<Self, RecorderError> {
        let failed = |path: &Path, source| RecorderError::Write { path: path.to_owned(), source };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| failed(folder, source))?;
        write_head(folder, run, None)?;
        let path = folder.join(ATTEMPTS_FILE);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|source| failed(&path, source))?;
        let mut writer = Self {
            folder: folder.to_owned(),
            file,
            buffer: Vec::with_capacity(BUFFER + 1024),
            buffered: 0,
            good: 0,
            torn: false,
            done: Completeness::default(),
            failure: None,
        };
        writer.buffer.extend_from_slice(COLUMNS.join(",").as_bytes());
        writer.buffer.push(b'\n');
        writer.flush();
        match writer.failure.take() {
            None => Ok(writer),
            Some(source) => Err(failed(&path, source)),
        }
    }

    /// The folder of the record.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Records one attempt. Never fails: see [`RunWriter::lost`].
    pub fn record(&mut self, seen: &Observation) {
        line::write(&mut self.buffer, seen);
        self.buffered += 1;
        if self.buffer.len() >= BUFFER {
            self.flush();
        }
    }

    /// Hands what was recorded to the operating system; called at least once a second, so that
    /// even SIGKILL loses no more than that.
    pub fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        match self.append() {
            Ok(()) => self.done.attempts += self.buffered,
            Err(error) => {
                self.done.lost += self.buffered;
                self.failure.get_or_insert(error);
            }
        }
        self.buffer.clear();
        self.buffered = 0;
    }

    /// Appends the buffer; after a failure, part of it may be in the file, so the next append
    /// first cuts the file back to whole lines.
    fn append(&mut self) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.good)?;
            self.file.seek(SeekFrom::Start(self.good))?;
        }
        self.torn = true;
        self.file.write_all(&self.buffer)?;
        self.torn = false;
        self.good += self.buffer.len() as u64;
        Ok(())
    }

    /// Attempts that could not be written so far.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.done.lost
    }

    /// Ends the record: writes what is left, and `run.json` anew with `run`, whose `finished`,
    /// `interrupted` and `generator` are known now.
    ///
    /// # Errors
    /// [`RecorderError::Lost`] when attempts are missing (exit code 5; the record that there is
    /// can be read), [`RecorderError::Write`].
    pub fn finish(mut self, run: &RunInfo) -> Result<Completeness, RecorderError> {
        self.flush();
        if self.torn {
            let _ = self.file.set_len(self.good);
        }
        let path = self.folder.join(ATTEMPTS_FILE);
        let synced = self.file.sync_all();
        let head = write_head(&self.folder, run, Some(self.done));
        if self.done.lost > 0 {
            return Err(RecorderError::Lost {
                path,
                lost: self.done.lost,
                attempts: self.done.attempts + self.done.lost,
                source: self.failure.unwrap_or_else(|| io::ErrorKind::Other.into()),
            });
        }
        synced.map_err(|source| RecorderError::Write { path, source })?;
        head.map(|()| self.done)
    }
}

/// Writes `run.json` whole or not at all, over the one that [`RunWriter::create`] wrote.
fn write_head(
    folder: &Path,
    run: &RunInfo,
    record: Option<Completeness>,
) -> Result<(), RecorderError> {
    let path = folder.join(HEAD_FILE);
    let head = Head { run: run.clone(), record };
    let written = serde_json::to_vec_pretty(&head).map_err(io::Error::from).and_then(|text| {
        let mut temporary = tempfile::Builder::new().prefix(".run-").tempfile_in(folder)?;
        // Not through `temporary`, whose errors name it instead of the file that was asked for.
        temporary.as_file_mut().write_all(&text)?;
        temporary.as_file_mut().write_all(b"\n")?;
        temporary.as_file().sync_all()?;
        temporary.persist(&path)?;
        File::open(folder)?.sync_all()
    });
    written.map_err(|source| RecorderError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::RunReader;
    use crate::recorder::run::tests::run_info;
    use crate::recorder::{Behaviour, Expectation, Expected, Reason, Step, Verdict};
    use std::os::unix::fs::PermissionsExt;

    fn seen(attempt: u32) -> Observation {
        Observation {
            person: 0,
            attempt,
            step: Step::Login,
            behaviour: Behaviour::Careful,
            group: 0,
            due_us: 1,
            sent_us: 2,
            answered_us: 3,
            sent_key: 4,
            answered_key: 5,
            counter: Some(6),
            expectation: Expectation::always(Expected::Accepted, Reason::FreshCode),
            verdict: Verdict::Accepted,
            status: 200,
            fault: None,
        }
    }

    #[test]
    fn a_record_comes_back_private_and_complete() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("a/run");
        let mut run = run_info();
        let mut writer = RunWriter::create(&folder, &run).unwrap();
        writer.record(&seen(0));
        writer.record(&seen(1));
        run.finished = Some("2026-09-01T08:00:00Z".into());
        let done = writer.finish(&run).unwrap();
        assert_eq!(done, Completeness { attempts: 2, lost: 0 });
        for file in [HEAD_FILE, ATTEMPTS_FILE] {
            let mode = folder.join(file).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let mut reader = RunReader::open(&folder).unwrap();
        assert_eq!(reader.run(), &run);
        assert_eq!(reader.completeness(), Some(done));
        let all: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert_eq!(all, [seen(0), seen(1)]);
        assert!(!reader.truncated());
    }

    #[test]
    fn a_second_run_in_the_same_folder_is_refused_and_the_first_kept() {
        let folder = tempfile::tempdir().unwrap();
        RunWriter::create(folder.path(), &run_info()).unwrap().finish(&run_info()).unwrap();
        let before = std::fs::read(folder.path().join(HEAD_FILE)).unwrap();
        let error = RunWriter::create(folder.path(), &run_info()).unwrap_err();
        assert!(matches!(error, RecorderError::Exists { file: HEAD_FILE, .. }), "{error}");
        assert_eq!(std::fs::read(folder.path().join(HEAD_FILE)).unwrap(), before);
    }

    #[test]
    fn a_full_disk_loses_attempts_but_no_count_and_no_half_line() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = RunWriter::create(folder.path(), &run_info()).unwrap();
        writer.record(&seen(0));
        writer.flush();
        // /dev/full answers every write as a full disk does.
        let good = std::mem::replace(&mut writer.file, File::create("/dev/full").unwrap());
        writer.record(&seen(1));
        writer.record(&seen(2));
        writer.flush();
        assert_eq!(writer.lost(), 2);
        // Space again: the run's record goes on.
        writer.file = good;
        writer.record(&seen(3));
        let error = writer.finish(&run_info()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("attempts.csv misses 2 of 4 attempts"), "{message}");
        assert!(message.contains("No space left on device"), "{message}");
        assert!(error.hint().contains("free some space"));
        let mut reader = RunReader::open(folder.path()).unwrap();
        assert_eq!(reader.completeness(), Some(Completeness { attempts: 2, lost: 2 }));
        let all: Vec<_> = reader.by_ref().map(|seen| seen.unwrap().attempt).collect();
        assert_eq!(all, [0, 3]);
    }
}
