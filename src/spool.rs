//! What is held back from standard output until all of it is known to be right.
//!
//! A pipe cannot be taken back, so a result that may still turn out wrong waits here: its last
//! piece in memory, what came before in a temporary file without a name. It may be full of seeds,
//! so that file is encrypted under a key that never leaves this process: what a disk keeps of it
//! after the process has ended, however it ended, is noise.

mod again;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// Why the temporary file failed; the source of the [`io::Error`] that the writer gives.
#[derive(Debug, thiserror::Error)]
#[error("the temporary file in {folder} that holds it back: {source}", folder = folder.display())]
pub(crate) struct SpoolError {
    folder: PathBuf,
    source: io::Error,
}

impl SpoolError {
    /// What the user can do about it.
    pub(crate) const HINT: &str =
        "set TMPDIR to a folder with room for all of it, or name a file with --out";
}

/// A text of any length, in little memory. Dropping it leaves nothing behind.
pub(crate) struct Spool {
    /// The last piece: all there is of a short text, which never sees a disk.
    piece: Zeroizing<Vec<u8>>,
    /// The pieces before it.
    sealed: Option<Sealed>,
    folder: PathBuf,
}

/// Whole pieces in a file, each with its tag, numbered from 0 by their nonces.
struct Sealed {
    file: File,
    cipher: Aes256Gcm,
    pieces: u64,
}

impl Spool {
    /// Bytes held in memory.
    const PIECE: usize = 1 << 20;
    const TAG: usize = 16;

    /// Nothing yet. What does not fit into memory will go to `TMPDIR`, or else to `/var/tmp`, as
    /// `/tmp` is often memory itself.
    pub(crate) fn new() -> Self {
        let folder = match std::env::var_os("TMPDIR").filter(|name| !name.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None if Path::new("/var/tmp").is_dir() => "/var/tmp".into(),
            None => std::env::temp_dir(),
        };
        Self::within(folder)
    }

    fn within(folder: PathBuf) -> Self {
        Self { piece: Zeroizing::new(Vec::new()), sealed: None, folder }
    }

    /// Gives all of it to `out`.
    ///
    /// # Errors
    /// Those of `out` as they are; those of the temporary file, which is not trusted to be as it
    /// was written, as [`SpoolError`].
    pub(crate) fn write_to(mut self, out: &mut impl Write) -> io::Result<()> {
        if let Some(mut sealed) = self.sealed.take() {
            let failed = |source| wrapped(&self.folder, source);
            sealed.file.rewind().map_err(failed)?;
            let mut block = Zeroizing::new(vec![0; Self::PIECE + Self::TAG]);
            for number in 0..sealed.pieces {
                sealed.file.read_exact(&mut block).map_err(failed)?;
                out.write_all(sealed.open(number, &mut block).map_err(failed)?)?;
            }
        }
        out.write_all(&self.piece)?;
        out.flush()
    }

    /// Moves the piece at hand to the file.
    fn spill(&mut self) -> io::Result<()> {
        let sealed = match &mut self.sealed {
            Some(sealed) => sealed,
            None => self.sealed.insert(Sealed::create(&self.folder)?),
        };
        sealed.push(&mut self.piece)?;
        self.piece.clear();
        Ok(())
    }
}

impl Sealed {
    fn create(folder: &Path) -> io::Result<Self> {
        let key = Secret::random(32).map_err(io::Error::other)?;
        let cipher = Aes256Gcm::new_from_slice(key.expose()).map_err(io::Error::other)?;
        // Without a name from the start, or unlinked at once; 0600 either way.
        Ok(Self { file: tempfile::tempfile_in(folder)?, cipher, pieces: 0 })
    }

    /// The key serves this file alone, so the number of a piece is a nonce never used before.
    fn nonce(number: u64) -> Nonce<U12> {
        let mut nonce = Nonce::default();
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        nonce
    }

    fn push(&mut self, piece: &mut [u8]) -> io::Result<()> {
        let nonce = Self::nonce(self.pieces);
        let tag = self.cipher.encrypt_inout_detached(&nonce, b"", piece.into());
        self.file.write_all(piece)?;
        self.file.write_all(&tag.map_err(io::Error::other)?)?;
        self.pieces += 1;
        Ok(())
    }

    fn open<'a>(&self, number: u64, block: &'a mut [u8]) -> io::Result<&'a [u8]> {
        let changed = || io::Error::new(io::ErrorKind::InvalidData, "it was changed meanwhile");
        let (piece, tag) = block.split_at_mut(block.len() - Spool::TAG);
        let tag = Tag::try_from(&*tag).map_err(|_| changed())?;
        let opened = self.cipher.decrypt_inout_detached(
            &Self::nonce(number),
            b"",
            (&mut *piece).into(),
            &tag,
        );
        opened.map_err(|_| changed())?;
        Ok(piece)
    }
}

fn wrapped(folder: &Path, source: io::Error) -> io::Error {
    io::Error::new(source.kind(), SpoolError { folder: folder.to_owned(), source })
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == Self::PIECE {
            let folder = self.folder.clone();
            self.spill().map_err(|source| wrapped(&folder, source))?;
        }
        if self.piece.capacity() == 0 {
            // Room for all of it, so that no copy is left behind by growing.
            self.piece.reserve_exact(Self::PIECE);
        }
        let taken = bytes.len().min(Self::PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    fn filled(bytes: usize, folder: &Path) -> (Spool, Vec<u8>) {
        let text: Vec<u8> = (0..bytes).map(|at| (at % 251) as u8).collect();
        let mut spool = Spool::within(folder.to_owned());
        for part in text.chunks(77_777) {
            spool.write_all(part).unwrap();
        }
        (spool, text)
    }

    #[test]
    fn all_of_it_comes_back_whatever_its_length() {
        let folder = tempfile::tempdir().unwrap();
        const PIECE: usize = Spool::PIECE;
        for bytes in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 5] {
            let (spool, text) = filled(bytes, folder.path());
            assert!(spool.piece.capacity() <= PIECE, "the piece grew");
            assert_eq!(spool.sealed.is_some(), bytes > PIECE);
            let mut out = Vec::new();
            spool.write_to(&mut out).unwrap();
            assert!(out == text, "{bytes} bytes");
        }
    }

    #[test]
    fn the_file_has_no_name_and_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::within(folder.path().to_owned());
        for _ in 0..3 {
            spool.write_all(&b"GEZDGNBVGY3TQOJQ".repeat(Spool::PIECE / 16)).unwrap();
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut on_disk = Vec::new();
        let mut file = &spool.sealed.as_ref().unwrap().file;
        file.rewind().unwrap();
        file.read_to_end(&mut on_disk).unwrap();
        assert_eq!(on_disk.len(), 2 * (Spool::PIECE + Spool::TAG));
        assert!(!on_disk.windows(6).any(|seen| seen == b"GEZDGN"));
        assert_ne!(on_disk[..64], on_disk[Spool::PIECE + Spool::TAG..][..64], "a nonce twice");
    }

    #[test]
    fn a_file_that_changed_or_cannot_be_made_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, _) = filled(3 * Spool::PIECE, folder.path());
        spool.sealed.as_ref().unwrap().file.write_at(b"?", 5).unwrap();
        let mut out = Vec::new();
        let error = spool.write_to(&mut out).unwrap_err();
        assert!(error.to_string().ends_with("it was changed meanwhile"), "{error}");
        assert!(out.is_empty(), "nothing of a piece comes before its tag");

        let mut spool = Spool::within("/nonexistent".into());
        let error = spool.write_all(&[0; Spool::PIECE + 1]).unwrap_err();
        assert!(error.get_ref().unwrap().is::<SpoolError>());
        assert!(
            error.to_string().starts_with("the temporary file in /nonexistent that"),
            "{error}"
        );
    }
}
