//! Whole files or none: written to a temporary beside the destination, synced, and given their
//! name only when complete. Never overwrites; readable by the owner alone (0600).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::leftover::{self, folder_of};

/// A file that appears under its final name only at [`AtomicFile::commit`].
///
/// Dropping it without committing removes what was written; what a killed run left is removed by
/// the next one that writes to the same name. Created with mode 0600.
#[derive(Debug)]
pub struct AtomicFile {
    temporary: BufWriter<Temporary>,
    path: PathBuf,
    cleared: usize,
}

/// Writes without naming the temporary in errors: the user asked for another file.
#[derive(Debug)]
struct Temporary(NamedTempFile);

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}

/// Why a file could not be written; names the file and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AtomicFileError {
    /// The destination is there already, and nothing here overwrites.
    #[error("{path} exists already; nothing was written", path = .0.display())]
    Exists(PathBuf),
    /// The folder of the destination cannot take a new file.
    #[error("cannot create a file in the folder of {path}: {source}", path = path.display())]
    Create {
        /// The destination.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Writing, syncing or naming failed; the temporary file is gone.
    #[error("cannot write {path}: {source}; no file was left behind", path = path.display())]
    Write {
        /// The destination.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is there, whole, but its name may not outlive a loss of power.
    #[error("{path} was written, but not its name for certain: {source}", path = path.display())]
    Sync {
        /// The destination.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl AtomicFileError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists(_) => "choose another name, or move the existing file away first",
            Self::Create { .. } => "check that the folder exists and that you may write to it",
            Self::Write { source, .. } => write_hint(source),
            Self::Sync { .. } => "check the file system; the file need not be made again",
        }
    }
}

/// What the user can do about a write that failed.
#[must_use]
pub fn write_hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "free some space, or write to another file system",
        io::ErrorKind::FileTooLarge => {
            "raise the limit on the size of files (ulimit -f), or write to a file system that takes \
             larger ones"
        }
        _ => "check the file system, then run the same command again",
    }
}

impl AtomicFile {
    /// Opens the temporary beside `path` and refuses a `path` that exists: called before the
    /// long work, so that a mistake costs nothing.
    ///
    /// # Errors
    /// [`AtomicFileError::Exists`] or [`AtomicFileError::Create`].
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, AtomicFileError> {
        let path = path.into();
        if path.symlink_metadata().is_ok() {
            return Err(AtomicFileError::Exists(path));
        }
        let cleared = leftover::clear(&path);
        let temporary = tempfile::Builder::new()
            .prefix(&leftover::beginning(&path))
            .suffix(leftover::END)
            .tempfile_in(folder_of(&path));
        match temporary {
            Ok(temporary) => {
                leftover::hold(temporary.as_file());
                let temporary = BufWriter::with_capacity(256 * 1024, Temporary(temporary));
                Ok(Self { temporary, path, cleared })
            }
            Err(source) => Err(AtomicFileError::Create { path, source }),
        }
    }

    /// How many unfinished files of the same name, left by runs that were killed, were removed.
    #[must_use]
    pub fn cleared(&self) -> usize {
        self.cleared
    }

    /// The final name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the content and gives it its final name in one step that fails if another file has
    /// taken it meanwhile.
    ///
    /// # Errors
    /// [`AtomicFileError::Exists`] or [`AtomicFileError::Write`], and nothing is left behind; or
    /// [`AtomicFileError::Sync`].
    pub fn commit(self) -> Result<(), AtomicFileError> {
        let Self { temporary, path, .. } = self;
        let failed = |source| AtomicFileError::Write { path: path.clone(), source };
        let Temporary(temporary) =
            temporary.into_inner().map_err(|error| failed(error.into_error()))?;
        temporary.as_file().sync_all().map_err(failed)?;
        match temporary.persist_noclobber(&path) {
            Ok(_) => sync_folder(&path)
                .map_err(|source| AtomicFileError::Sync { path: path.clone(), source }),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(AtomicFileError::Exists(path))
            }
            Err(error) => Err(failed(error.error)),
        }
    }

    /// Turns an error met while writing into one that names the file.
    #[must_use]
    pub fn failed(&self, source: io::Error) -> AtomicFileError {
        AtomicFileError::Write { path: self.path.clone(), source }
    }

    /// Writes `content` to `path` in one go.
    ///
    /// # Errors
    /// As [`AtomicFile::create`] and [`AtomicFile::commit`].
    pub fn write(path: impl Into<PathBuf>, content: &[u8]) -> Result<(), AtomicFileError> {
        let mut file = Self::create(path)?;
        if let Err(source) = file.write_all(content) {
            return Err(file.failed(source));
        }
        file.commit()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.temporary.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn appears_whole_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"content").unwrap();
        assert!(!path.exists());
        file.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"content");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn never_overwrites_even_when_the_name_is_taken_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        std::fs::write(&path, b"old").unwrap();
        assert!(matches!(file.commit(), Err(AtomicFileError::Exists(_))));
        assert!(matches!(AtomicFile::create(&path), Err(AtomicFileError::Exists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn dropping_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = AtomicFile::create(folder.path().join("batch")).unwrap();
        file.write_all(&[0; 1 << 20]).unwrap();
        drop(file);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = AtomicFile::create("/nonexistent/batch").unwrap_err();
        assert!(error.to_string().contains("/nonexistent/batch"), "{error}");
        assert!(error.hint().contains("folder exists"));
    }
}
