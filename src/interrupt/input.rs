//! Inputs that end when the user asks to stop: the work that reads them ends as after any other
//! error of reading, and cleans up after itself.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

use super::Interrupt;

/// A stop was asked for while something was read: the source of the [`io::Error`] that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted {
    /// 2 (SIGINT) or 15 (SIGTERM).
    pub signal: u8,
}

impl Interrupted {
    /// Whether `error` is one.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// A file, pipe or terminal. A read fails with [`Interrupted`] once a stop was asked for, even
/// while it waits for whoever writes to the other end.
#[derive(Debug)]
pub struct Input {
    file: File,
    interrupt: Interrupt,
    /// Whether a read may wait for somebody.
    waits: bool,
}

/// How long the other end is waited for before the flag is looked at once more: the signal may have
/// come just before the wait, or to another thread.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

impl Input {
    /// Opens `path`. A pipe with a name is there at once; its first read waits for who writes.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn open(path: &Path, interrupt: &Interrupt) -> io::Result<Self> {
        // Whatever it is: between a look at it and the opening it could become a pipe.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        Self::of(File::from(rustix::fs::open(path, flags, Mode::empty())?), interrupt)
    }

    /// Standard input, of which nothing was read into a buffer before.
    ///
    /// # Errors
    /// When it is closed.
    pub fn stdin(interrupt: &Interrupt) -> io::Result<Self> {
        Self::of(File::from(io::stdin().as_fd().try_clone_to_owned()?), interrupt)
    }

    fn of(file: File, interrupt: &Interrupt) -> io::Result<Self> {
        let waits = !file.metadata()?.is_file();
        Ok(Self { file, interrupt: interrupt.clone(), waits })
    }

    /// Whether it is a regular file, which can be read [`Input::again`].
    #[must_use]
    pub fn is_regular(&self) -> bool {
        !self.waits
    }

    /// The file behind it.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The same file from its beginning, whatever became of its name. The place in it is shared:
    /// they are read one after the other.
    ///
    /// # Errors
    /// When it is none that has a beginning.
    pub fn again(&self) -> io::Result<Self> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(Self { file, interrupt: self.interrupt.clone(), waits: self.waits })
    }

    /// Waits for a while; returns whether there is something to read, or an end.
    fn is_ready(&self) -> io::Result<bool> {
        match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&PATIENCE)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
            Ok(_) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.interrupt.check()?;
            if self.waits && !self.is_ready()? {
                continue;
            }
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Another reader of the same pipe was faster.
                Err(error) if self.waits && error.kind() == io::ErrorKind::WouldBlock => {}
                done => return done,
            }
        }
    }
}

/// The text of `path`, a small file, until a stop of this process is asked for.
///
/// # Errors
/// Those of the operating system, and when it is large or no text.
pub fn read_text(path: &Path) -> io::Result<String> {
    /// Written by hand, nothing is longer.
    const LONGEST: u64 = 16 << 20;
    let mut text = String::new();
    Input::open(path, &Interrupt::installed())?.take(LONGEST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LONGEST {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, "it is far too long")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Duration;

    #[test]
    fn a_file_is_read_again_and_until_a_stop() {
        let mut made = tempfile::NamedTempFile::new().unwrap();
        made.write_all(b"content").unwrap();
        let interrupt = Interrupt::never();
        let input = Input::open(made.path(), &interrupt).unwrap();
        assert!(input.is_regular());
        for _ in 0..2 {
            let mut text = String::new();
            input.again().unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "content");
        }
        interrupt.request();
        let error = input.again().unwrap().read(&mut [0]).unwrap_err();
        assert_eq!(Interrupted::of(&error), Some(Interrupted { signal: 2 }));
        assert_eq!(Interrupted::of(&io::Error::other("interrupted")), None);
    }

    #[test]
    fn a_pipe_with_a_name_is_waited_for_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::RWXU).unwrap();
        let interrupt = Interrupt::never();

        let (late, text) = (path.clone(), b"late, but whole".repeat(20_000));
        let written = text.clone();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(250));
            let mut out = File::options().write(true).open(late).unwrap();
            for part in written.chunks(70_000) {
                out.write_all(part).unwrap();
            }
        });
        let mut read = Vec::new();
        Input::open(&path, &interrupt).unwrap().read_to_end(&mut read).unwrap();
        writer.join().unwrap();
        assert!(read == text, "{} bytes of {}", read.len(), text.len());

        let mut waiting = Input::open(&path, &interrupt).unwrap();
        assert!(!waiting.is_regular());
        let reader = std::thread::spawn(move || waiting.read(&mut [0]).unwrap_err());
        interrupt.request();
        assert!(Interrupted::of(&reader.join().unwrap()).is_some());
    }
}
