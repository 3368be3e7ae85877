//! Where a command writes a batch or an import file: one file or standard output, compressed when
//! the name says so.

use std::io::{self, IsTerminal, StdoutLock, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Exit, Failure};
use crate::atomic_file::{AtomicFile, write_hint};
use crate::compression::{Compression, Packer, Unsupported};
use crate::inventory::{Digesting, FileDigest};

/// What standard output is given while the work may still fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Everything at once: memory stays flat.
    Stream,
    /// Nothing: what is wrong is known at the end only.
    Back,
}

/// A file that appears when it is whole, or standard output.
pub(super) struct Output {
    path: PathBuf,
    /// What is being written, until [`Output::end`].
    at_hand: Option<Packer<Digesting<Target>>>,
    /// What was written, until [`Output::commit`].
    whole: Option<Target>,
    digest: Option<FileDigest>,
}

enum Target {
    Stdout(StdoutLock<'static>),
    Held(Held),
    File(AtomicFile),
}

impl Output {
    /// Opens `path`, which must not exist; `-` is standard output. Takes the digest of what is
    /// written if `digest` is wanted.
    pub(super) fn create(path: &Path, hold: Hold, digest: bool) -> Result<Self, Failure> {
        let compression = Compression::of(path)?;
        let target = match (path == Path::new("-"), hold) {
            (true, Hold::Stream) => Target::Stdout(io::stdout().lock()),
            (true, Hold::Back) => Target::Held(Held::default()),
            (false, _) => Target::File(AtomicFile::create(path)?),
        };
        let at_hand = Some(Packer::new(Digesting::new(target, digest), compression));
        Ok(Self { path: path.to_owned(), at_hand, whole: None, digest: None })
    }

    /// Whether `path` is standard output, and a terminal.
    pub(super) fn is_terminal(path: &Path) -> bool {
        path == Path::new("-") && io::stdout().is_terminal()
    }

    /// What to call it.
    pub(super) fn name(&self) -> String {
        match self.path == Path::new("-") {
            true => "standard output".into(),
            false => self.path.display().to_string(),
        }
    }

    /// An error of writing, as the user sees it.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        let (name, left) = (
            self.name(),
            match self.path == Path::new("-") {
                true => "",
                false => "; no file was left behind",
            },
        );
        Failure::new(Exit::Io, format!("cannot write {name}: {error}{left}"))
            .hint(write_hint(error))
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) -> Result<(), Failure> {
        let Some(packer) = self.at_hand.take() else { return Ok(()) };
        let name = match self.path == Path::new("-") {
            true => "-".into(),
            false => self.path.file_name().unwrap_or_default().to_string_lossy(),
        };
        let done = packer.finish().and_then(|mut out| {
            out.flush()?;
            Ok(out.into_parts(&name))
        });
        let (target, digest) = done.map_err(|error| self.failed(&error))?;
        (self.whole, self.digest) = (Some(target), digest);
        Ok(())
    }

    /// The digests of what was written, when they were wanted; after [`Output::end`].
    pub(super) fn digests(&self) -> &[FileDigest] {
        self.digest.as_slice()
    }

    /// Gives the file its name, or standard output what was held back.
    pub(super) fn commit(mut self) -> Result<(), Failure> {
        self.end()?;
        match self.whole.take() {
            Some(Target::File(file)) => Ok(file.commit()?),
            Some(Target::Held(held)) => held.write_to(&mut io::stdout()).map_err(|error| {
                Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
                    .hint("free some space, or write elsewhere; what was written is incomplete")
            }),
            Some(Target::Stdout(_)) | None => Ok(()),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.at_hand {
            Some(packer) => packer.write(bytes),
            None => Err(io::Error::other("the file was ended")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.at_hand.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Held(held) => held.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Held(_) => Ok(()),
            Self::File(file) => file.flush(),
        }
    }
}

impl From<Unsupported> for Failure {
    fn from(error: Unsupported) -> Self {
        Self::bad_input(&error).hint(error.hint())
    }
}

/// A text held back from standard output until all of it is known to be right; in pieces that
/// never move, so that wiping them wipes every copy.
#[derive(Default)]
struct Held(Vec<Zeroizing<Vec<u8>>>);

impl Held {
    const PIECE: usize = 1 << 20;

    fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.0.iter().try_for_each(|piece| out.write_all(piece))?;
        out.flush()
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let full = self.0.last().is_none_or(|piece| piece.len() == Self::PIECE);
        if full {
            self.0.push(Zeroizing::new(Vec::with_capacity(Self::PIECE)));
        }
        let Some(piece) = self.0.last_mut() else { return Ok(0) };
        let taken = bytes.len().min(Self::PIECE - piece.len());
        piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
