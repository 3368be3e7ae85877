//! Where keys are read from: files and file descriptors. And how a new transport key is made.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroize;

use super::BatchKey;
use crate::atomic_file::{AtomicFile, AtomicFileError};
use crate::custody::CustodyError;
use crate::interrupt::{Input, Interrupt};
use crate::secret::Secret;

/// Longest key file read, in bytes: more is a mistake in the name.
const LONGEST: u64 = 64 * 1024;

/// Where a key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// An open file descriptor, as a shell's `3< file` or `3< <(command)` makes it.
    Descriptor(u32),
}

/// Why a key could not be had. Names the source, never the content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The source could not be read.
    #[error("cannot read {from}: {source}")]
    Read {
        /// The source.
        from: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The source is far too long to be a key.
    #[error("{from}: longer than {LONGEST} bytes, so this is no key")]
    TooLong {
        /// The source.
        from: String,
    },
    /// Hexadecimal text with a slip in it.
    #[error("{from}: character {character} of the transport key is no hexadecimal digit")]
    Mistyped {
        /// Where it came from.
        from: String,
        /// Which character, from 1, blanks around the key not counted.
        character: usize,
    },
    /// Neither hexadecimal text nor raw bytes of a length that AES takes.
    #[error("{from}: a transport key has 16, 24 or 32 bytes, this one has {bytes}")]
    TransportKey {
        /// The source.
        from: String,
        /// Bytes found.
        bytes: usize,
    },
    /// The first line is no passphrase.
    #[error("{from}: the passphrase (its first line) {problem}")]
    Passphrase {
        /// The source.
        from: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No private key that can be used.
    #[error(transparent)]
    Private(#[from] Box<CustodyError>),
    /// The operating system has no random bytes to give.
    #[error("the operating system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    /// The file of a new key could not be written.
    #[error(transparent)]
    Write(#[from] AtomicFileError),
}

impl KeystoreError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check the name, and that you may read it",
            Self::TooLong { .. } => "name the file that holds the key, and nothing but the key",
            Self::Mistyped { .. } | Self::TransportKey { .. } => {
                "give 32, 48 or 64 hexadecimal digits, or a file of 16, 24 or 32 raw bytes"
            }
            Self::Passphrase { .. } => "put the passphrase on the first line, as UTF-8 text",
            Self::Private(error) => error.hint(),
            Self::Random(_) => "the system is still starting up, or its getrandom call is blocked",
            Self::Write(error) => error.hint(),
        }
    }
}

impl Source {
    /// The content, whole.
    ///
    /// # Errors
    /// [`KeystoreError::Read`] or [`KeystoreError::TooLong`].
    pub fn read(&self) -> Result<Secret, KeystoreError> {
        let path = match self {
            Self::File(path) => path.clone(),
            Self::Descriptor(number) => PathBuf::from(format!("/dev/fd/{number}")),
        };
        let failed = |source| KeystoreError::Read { from: self.to_string(), source };
        let file = Input::open(&path, &Interrupt::installed()).map_err(failed)?;
        // With room for all of it from the start, no copy is left behind by growing.
        let mut content = Vec::with_capacity(LONGEST as usize + 1);
        if let Err(error) = file.take(LONGEST + 1).read_to_end(&mut content) {
            content.zeroize();
            return Err(failed(error));
        }
        let content = Secret::new(content);
        if content.len() as u64 > LONGEST {
            return Err(KeystoreError::TooLong { from: self.to_string() });
        }
        Ok(content)
    }

    /// Whether others than the owner may read it; only for files.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        use std::os::unix::fs::PermissionsExt;
        match self {
            Self::File(path) => path
                .metadata()
                .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o077 != 0),
            Self::Descriptor(_) => false,
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Descriptor(number) => write!(f, "file descriptor {number}"),
        }
    }
}

/// A new transport key on its way to its file, which appears only at
/// [`NewTransportKey::commit`]: a batch that fails leaves no key behind.
#[derive(Debug)]
pub struct NewTransportKey {
    key: BatchKey,
    file: AtomicFile,
}

impl NewTransportKey {
    /// Makes a random key for AES-128 and opens the file that will hold it, as hexadecimal text
    /// and 0600.
    ///
    /// # Errors
    /// When `path` exists or cannot be made, or there are no random bytes.
    pub fn create(path: &Path) -> Result<Self, KeystoreError> {
        Self::create_of(path, 16)
    }

    /// As [`NewTransportKey::create`], a key of 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// As [`NewTransportKey::create`].
    pub fn create_of(path: &Path, bytes: usize) -> Result<Self, KeystoreError> {
        use std::io::Write;
        let mut file = AtomicFile::create(path)?;
        let key = Secret::random(bytes)?;
        writeln!(file, "{}", key.to_hex().as_str()).map_err(|error| file.failed(error))?;
        Ok(Self { key: BatchKey::Transport(key), file })
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &BatchKey {
        &self.key
    }

    /// The file that will hold it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// As [`AtomicFile::commit`].
    pub fn commit(self) -> Result<BatchKey, KeystoreError> {
        self.file.commit()?;
        Ok(self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_new_key_is_private_hexadecimal_and_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transport.hex");
        drop(NewTransportKey::create(&path).unwrap());
        assert!(!path.exists(), "a key that was not committed must leave nothing");

        let key = NewTransportKey::create(&path).unwrap().commit().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let source = Source::File(path.clone());
        assert!(!source.is_open_to_others());
        assert_eq!(BatchKey::transport(&source.read().unwrap(), "f").unwrap(), key);

        let error = NewTransportKey::create(&path).unwrap_err();
        assert!(error.to_string().contains("exists already"), "{error}");
    }

    #[test]
    fn sources_that_cannot_be_keys_are_named() {
        let missing = Source::File("/nonexistent/key".into()).read().unwrap_err();
        assert!(missing.to_string().starts_with("cannot read /nonexistent/key: "), "{missing}");
        let closed = Source::Descriptor(987).read().unwrap_err();
        assert!(closed.to_string().starts_with("cannot read file descriptor 987: "), "{closed}");
        let endless = Source::File("/dev/zero".into()).read().unwrap_err();
        assert!(matches!(endless, KeystoreError::TooLong { .. }), "{endless}");
    }

    #[test]
    fn files_open_to_others_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "00").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Source::File(path).is_open_to_others());
    }
}
