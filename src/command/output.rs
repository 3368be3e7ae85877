//! Where a command writes a batch or an import file: one file, a set of files or standard output,
//! compressed when the name says so.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};
use std::path::{Path, PathBuf};

use super::folder::{self, Folder};
use super::{Exit, Failure, sign};
use crate::atomic_file::{AtomicFile, write_hint};
use crate::cli::CompressionName;
use crate::compression::{Compression, Packer, Unsupported};
use crate::format::Sink;
use crate::inventory::Digesting;
use crate::manifest::{Listed, Manifest, Part};
use crate::signature::detached;
use crate::spool::{Spool, SpoolError};

/// What standard output is given while the work may still fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// Everything at once: memory stays flat.
    Stream,
    /// Nothing: what is wrong is known at the end only. It waits in a spool.
    Back,
}

/// A file that appears when it is whole, a set of files in a folder that does, or standard output.
pub(super) struct Output {
    path: PathBuf,
    compression: Compression,
    digest: bool,
    set: Option<Set>,
    /// What is being written, until [`Output::ended`].
    at_hand: Option<Packer<Digesting<Target>>>,
    /// Bytes written to it, before compression.
    bytes: u64,
    /// What was written, until [`Output::commit`].
    whole: Option<Target>,
    files: Vec<Listed>,
    /// Who signs what is written, and where the signature goes, unless into the folder of a set.
    signer: Option<(sign::Signer, Option<AtomicFile>)>,
}

enum Target {
    Stdout(StdoutLock<'static>),
    Held(Box<Spool>),
    File(AtomicFile),
    Part(BufWriter<File>),
}

/// A folder of numbered files.
struct Set {
    folder: Folder,
    stem: String,
    ending: String,
}

impl Set {
    /// Files in a set: the numbers have four digits.
    const MOST: usize = 9999;

    fn create(path: &Path) -> Result<Self, Failure> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => {
                let path = path.display();
                return Err(Failure::bad_input(format!(
                    "--out {path}: a set of files goes into a new folder, which appears with all of \
                     them or not at all"
                ))
                .hint("name folder and file, as --out FOLDER/NAME.EXT"));
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let plain = Compression::strip(&name);
        let at = plain.rfind('.').filter(|at| *at > 0).unwrap_or(plain.len());
        let (stem, ending) = (name[..at].to_owned(), name[at..].to_owned());
        Ok(Self { folder: Folder::create(folder)?, stem, ending })
    }

    fn name(&self, number: usize) -> String {
        format!("{}-{number:04}{}", self.stem, self.ending)
    }
}

impl Output {
    /// Opens `path`, which must not exist; `-` is standard output. Takes the digest of what is
    /// written if `digest` is wanted. Compresses as `asked`, or else as the name says.
    pub(super) fn create(
        path: &Path,
        asked: Option<CompressionName>,
        hold: Hold,
        digest: bool,
    ) -> Result<Self, Failure> {
        let mut this = Self::empty(path, asked, digest)?;
        let target = match (path == Path::new("-"), hold) {
            (true, Hold::Stream) => Target::Stdout(io::stdout().lock()),
            (true, Hold::Back) => Target::Held(Box::new(Spool::new())),
            (false, _) => {
                let file = AtomicFile::create(path)?;
                folder::say_cleared(file.cleared(), path);
                Target::File(file)
            }
        };
        this.start(target).map_err(|error| this.failed(&error))?;
        Ok(this)
    }

    /// Opens a set of files: for `FOLDER/NAME.EXT`, `NAME-0001.EXT` and so on in FOLDER, which must
    /// not exist.
    pub(super) fn create_set(path: &Path, asked: Option<CompressionName>) -> Result<Self, Failure> {
        let mut this = Self::empty(path, asked, true)?;
        this.set = Some(Set::create(path)?);
        this.next().map_err(|error| this.failed(&error))?;
        Ok(this)
    }

    /// The same, with a signature beside it. Digests must be wanted.
    pub(super) fn signed_by(mut self, signer: Option<sign::Signer>) -> Result<Self, Failure> {
        let Some(signer) = signer else { return Ok(self) };
        if self.is_stdout() {
            return Err(Failure::bad_input(
                "--sign-detached and --out -: there is no name to sign",
            )
            .hint("name a file with --out"));
        }
        let place = match &self.set {
            Some(_) => None,
            None => Some(AtomicFile::create(sign::signature_of(&self.path))?),
        };
        self.signer = Some((signer, place));
        Ok(self)
    }

    fn empty(path: &Path, asked: Option<CompressionName>, digest: bool) -> Result<Self, Failure> {
        let compression = match asked {
            Some(CompressionName::None) => Compression::None,
            Some(CompressionName::Gzip) => Compression::Gzip,
            Some(CompressionName::Zstd) => Compression::Zstd,
            None => Compression::of(path)?,
        };
        let (path, files) = (path.to_owned(), Vec::new());
        let (set, at_hand, whole, signer) = (None, None, None, None);
        Ok(Self { path, compression, digest, set, at_hand, bytes: 0, whole, files, signer })
    }

    fn start(&mut self, target: Target) -> io::Result<()> {
        self.bytes = 0;
        self.at_hand = Some(Packer::new(Digesting::new(target, self.digest), self.compression)?);
        Ok(())
    }

    /// Begins the next file of the set.
    fn next(&mut self) -> io::Result<()> {
        let Some(set) = &self.set else { return Ok(()) };
        if self.files.len() >= Set::MOST {
            return Err(io::Error::other(format!("a set has at most {} files", Set::MOST)));
        }
        let file = set.folder.file(&set.name(self.files.len() + 1))?;
        self.start(Target::Part(BufWriter::with_capacity(256 * 1024, file)))
    }

    /// Whether `path` is standard output, and a terminal.
    pub(super) fn is_terminal(path: &Path) -> bool {
        path == Path::new("-") && io::stdout().is_terminal()
    }

    fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    /// What to call it.
    pub(super) fn name(&self) -> String {
        match self.is_stdout() {
            true => "standard output".into(),
            false => self.path.display().to_string(),
        }
    }

    /// Bytes of the file at hand, before compression.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// An error of writing, as the user sees it.
    pub(super) fn failed(&self, error: &io::Error) -> Failure {
        let left = if self.is_stdout() { "" } else { "; no file was left behind" };
        Failure::new(Exit::Io, format!("cannot write {}: {error}{left}", self.name()))
            .hint(hint(error))
    }

    /// The files that were written, when digests were wanted.
    pub(super) fn files(&self) -> &[Listed] {
        &self.files
    }

    /// Gives the file its name, the set its manifest and its folder, or standard output what was
    /// held back. `content` is the name of the format.
    pub(super) fn commit(mut self, content: &str) -> Result<(), Failure> {
        if let Some(set) = self.set.take() {
            let mut covered = self.covered();
            let manifest = Manifest::new(content, std::mem::take(&mut self.files)).to_json();
            let mut texts = vec![("manifest.json", manifest)];
            if let Some((signer, _)) = &self.signer {
                let mut digest = Digesting::new(io::sink(), true);
                digest.write_all(texts[0].1.as_bytes()).map_err(|error| self.failed(&error))?;
                let digest = digest.finish("manifest.json");
                covered.extend(digest.map(|digest| (digest.name, digest.sha256)));
                texts.push(("manifest.json.sig", detached(&**signer, &sign::decoded(&covered))?));
            }
            for (name, text) in texts {
                let mut file = set.folder.file(name).map_err(|error| self.failed(&error))?;
                file.write_all(text.as_bytes()).map_err(|error| self.failed(&error))?;
            }
            return set.folder.commit();
        }
        match self.whole.take() {
            Some(Target::File(file)) => {
                // The signature first: a file must never be there without it.
                let covered = self.covered();
                let beside = match self.signer.take() {
                    Some((signer, Some(place))) => {
                        let path = place.path().to_owned();
                        sign::write_detached(place, &*signer, &covered)?;
                        Some(path)
                    }
                    _ => None,
                };
                file.commit().map_err(|error| {
                    if let Some(path) = beside {
                        let _ = std::fs::remove_file(path);
                    }
                    error.into()
                })
            }
            Some(Target::Held(held)) => held.write_to(&mut io::stdout().lock()).map_err(|error| {
                Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
                    .hint("free some space, or write elsewhere; what was written is incomplete")
            }),
            Some(Target::Stdout(_) | Target::Part(_)) | None => Ok(()),
        }
    }

    /// Names and digests of what was written.
    fn covered(&self) -> Vec<(String, String)> {
        self.files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect()
    }

    /// The file at hand is whole and holds `part`; when `more`, the next one of the set begins.
    pub(super) fn ended(&mut self, part: Part, more: bool) -> io::Result<()> {
        let Some(packer) = self.at_hand.take() else { return Ok(()) };
        let name = match &self.set {
            Some(set) => set.name(self.files.len() + 1),
            None if self.is_stdout() => "-".into(),
            None => self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        };
        let mut out = packer.finish()?;
        out.flush()?;
        let (target, digest) = out.into_parts(&name);
        self.files.extend(digest.map(|digest| Listed::new(digest, part)));
        // A part is closed at once: there may be thousands.
        self.whole = self.set.is_none().then_some(target);
        if more { self.next() } else { Ok(()) }
    }
}

/// What can be done about a write that failed.
fn hint(error: &io::Error) -> &'static str {
    match error.get_ref() {
        Some(cause) if cause.is::<SpoolError>() => SpoolError::HINT,
        _ => write_hint(error),
    }
}

/// What a format writes to.
pub(super) struct Pages<'a>(pub(super) &'a mut Output);

impl Sink for Pages<'_> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }

    fn begin(&mut self, _name: &str) -> io::Result<()> {
        Err(io::Error::other("the format makes a file for each key: it needs a folder"))
    }

    fn ended(&mut self, part: Part, more: bool) -> io::Result<()> {
        self.0.ended(part, more)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.at_hand {
            Some(packer) => {
                let taken = packer.write(bytes)?;
                self.bytes += taken as u64;
                Ok(taken)
            }
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
            Self::Part(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Held(_) => Ok(()),
            Self::File(file) => file.flush(),
            Self::Part(file) => file.flush(),
        }
    }
}

impl From<Unsupported> for Failure {
    fn from(error: Unsupported) -> Self {
        Self::bad_input(&error).hint(error.hint())
    }
}
