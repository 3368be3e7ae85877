//! A folder of files that appears whole or not at all, for formats with a file for each key.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with, syncfs};
use tempfile::TempDir;

use super::{Exit, Failure};
use crate::atomic_file::write_hint;
use crate::counted::counted;
use crate::format::Sink;
use crate::leftover;

/// A folder under a temporary name beside its own; readable by the owner alone.
pub(super) struct Folder {
    temporary: TempDir,
    /// Open for the lock that says that somebody works on it.
    _held: File,
    files: PathBuf,
    at_hand: Option<File>,
    path: PathBuf,
}

impl Folder {
    /// Refuses a `path` that exists, before the long work.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        say_cleared(leftover::clear(path), path);
        let made = tempfile::Builder::new()
            .prefix(&leftover::beginning(path))
            .suffix(leftover::END)
            .tempdir_in(leftover::folder_of(path));
        let made = made.and_then(|temporary| {
            let held = File::open(temporary.path())?;
            leftover::hold(&held);
            let files = temporary.path().join("files");
            DirBuilder::new().mode(0o700).create(&files)?;
            let path = path.to_owned();
            Ok(Self { temporary, _held: held, files, at_hand: None, path })
        });
        made.map_err(|error| {
            Failure::new(Exit::Io, format!("cannot create the folder {}: {error}", path.display()))
                .hint("check that the folder above exists and that you may write to it")
        })
    }

    /// A new file of the folder; readable by the owner alone.
    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(self.files.join(name))
    }

    /// An error of writing, as the user sees it.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        let path = self.path.display();
        Failure::new(Exit::Io, format!("cannot write {path}: {error}; nothing was left behind"))
            .hint(write_hint(error))
    }

    /// Syncs the files and gives the folder its name, unless something has taken it meanwhile.
    pub(super) fn commit(mut self) -> Result<(), Failure> {
        self.at_hand = None;
        let done = File::open(self.temporary.path()).and_then(|folder| {
            syncfs(&folder)?;
            renameat_with(CWD, &self.files, CWD, &self.path, RenameFlags::NOREPLACE)?;
            syncfs(&folder)?;
            Ok(())
        });
        match done {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&self.path)),
            Err(error) => Err(self.failed(&error)),
            Ok(()) => Ok(()),
        }
    }
}

impl Sink for Folder {
    fn text(&mut self, text: &str) -> io::Result<()> {
        match &mut self.at_hand {
            Some(file) => file.write_all(text.as_bytes()),
            // A key whose file has no name is a fault already: nothing of the folder will stay.
            None => Ok(()),
        }
    }

    fn begin(&mut self, name: &str) -> io::Result<()> {
        self.at_hand = Some(self.file(name)?);
        Ok(())
    }
}

/// Tells that what killed runs left of `path` was removed.
pub(super) fn say_cleared(count: usize, path: &Path) {
    if count > 0 {
        let left = counted(count, "unfinished copy", "unfinished copies");
        say!("note: removed {left} of {} that a killed run had left", path.display());
    }
}

fn exists(path: &Path) -> Failure {
    Failure::bad_input(format!("{} exists already; nothing was written", path.display()))
        .hint("choose another name, or move the existing folder away first")
}
