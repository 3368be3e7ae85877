//! Digests of files, taken while they are written or afterwards.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::interrupt::{Input, Interrupt};

/// Length and SHA-256 of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// Its name, without folders.
    pub name: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// A writer that takes the digest of what passes through it, when told to.
pub struct Digesting<W> {
    inner: W,
    hash: Option<Sha256>,
    bytes: u64,
}

impl<W: Write> Digesting<W> {
    /// Passes everything on to `inner`; takes a digest only when `wanted`, as nothing is free.
    pub fn new(inner: W, wanted: bool) -> Self {
        Self { inner, hash: wanted.then(Sha256::new), bytes: 0 }
    }

    /// The digest of what was written, under `name`; `None` when it was not wanted.
    pub fn finish(self, name: &str) -> Option<FileDigest> {
        self.into_parts(name).1
    }

    /// What it wrote to, and the digest as of [`Digesting::finish`].
    pub fn into_parts(self, name: &str) -> (W, Option<FileDigest>) {
        let Self { inner, hash, bytes } = self;
        let digest =
            hash.map(|hash| FileDigest { name: name.to_owned(), bytes, sha256: hex(hash) });
        (inner, digest)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.inner.write(bytes)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&bytes[..taken]);
            self.bytes += taken as u64;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Stands between a file of so many bytes and whoever reads it, to see how far that has come.
pub type Watch<'a> = &'a dyn Fn(Input, u64) -> Box<dyn Read>;

/// The digest of a file that is there, read by way of `watch`.
///
/// # Errors
/// When it cannot be read, or `interrupt` asked to stop.
pub fn digest_of(path: &Path, interrupt: &Interrupt, watch: Watch<'_>) -> io::Result<FileDigest> {
    let file = Input::open(path, interrupt)?;
    let bytes = file.file().metadata()?.len();
    let mut file = watch(file, bytes);
    let mut out = Digesting::new(io::sink(), true);
    let mut block = vec![0; 256 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => break,
            taken => out.write_all(&block[..taken])?,
        }
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(out.finish(&name).unwrap_or_else(|| unreachable!("it was wanted")))
}

/// SHA-256 of a text, lower-case hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    hex(Sha256::new().chain_update(text))
}

fn hex(hash: Sha256) -> String {
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_are_equal_on_the_way_and_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        let mut out = Digesting::new(File::create(&path).unwrap(), true);
        out.write_all(b"a").unwrap();
        out.write_all(b"bc").unwrap();
        let digest = out.finish("abc").unwrap();
        assert_eq!(digest, FileDigest { name: "abc".into(), bytes: 3, sha256: ABC.into() });
        assert_eq!(
            digest_of(&path, &Interrupt::never(), &|file, _| Box::new(file)).unwrap(),
            digest
        );
        assert_eq!(sha256("abc"), ABC);
        assert_eq!(Digesting::new(io::sink(), false).finish("x"), None);
    }
}
