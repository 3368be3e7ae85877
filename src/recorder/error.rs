//! What can go wrong with a record, and where.

use std::io;
use std::path::PathBuf;

use crate::atomic_file::write_hint;

/// Why a record could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecorderError {
    /// The folder holds a record already, and nothing here overwrites.
    #[error("{path} holds a run already ({file}); nothing was written", path = .folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
        /// Which file was found.
        file: &'static str,
    },
    /// A file or the folder could not be made or written.
    #[error("cannot write {path}: {source}", path = .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The disk did not take every attempt; the rest of the record is good.
    #[error(
        "{path} misses {lost} of {attempts} attempts: {source}; the report counts them all",
        path = .path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// Attempts not written.
        lost: u64,
        /// Attempts made.
        attempts: u64,
        /// What the operating system said first.
        source: io::Error,
    },
    /// The folder holds no record.
    #[error("{path} holds no run: there is no {file} in it", path = .folder.display())]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// Which file is missing.
        file: &'static str,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// `run.json` is not what this program writes.
    #[error("{path}:{line}:{column}: {message}", path = .path.display())]
    Head {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// A line of `attempts.csv` is not what this program writes.
    #[error("{path}:{line}: column `{column}`: {message}", path = .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line, from 1; the header is line 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl RecorderError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists { .. } => "name a new folder: a record is never written over",
            Self::Write { source, .. } | Self::Lost { source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge
                ) =>
            {
                write_hint(source)
            }
            Self::Write { .. } | Self::Lost { .. } => {
                "check the folder, its file system and that you may write to it"
            }
            Self::Missing { .. } => {
                "name the folder that `trousseau simulate --out` or `trousseau demo --out` made"
            }
            Self::Read { .. } => "check that the file exists and that you may read it",
            Self::Head { .. } | Self::Line { .. } => {
                "the file was changed after the run, or written by another version: restore it"
            }
        }
    }
}
