//! Sets of files: how large each may be, and the manifest by which whoever receives them knows that
//! all are there, unchanged.
//!
//! The manifest is JSON: `{"manifest": 1, "content": "pskc", "keys": N, "files": [{"name", "bytes",
//! "sha256", "keys", "first_serial", "last_serial"}, …]}`. It holds no secret.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::interrupt::{Interrupt, Interrupted};
use crate::inventory::{FileDigest, Watch, digest_of};
use crate::seen::Seen;

/// How large each file of a set may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Split {
    /// Most keys.
    pub rows: Option<u64>,
    /// Most bytes, before compression.
    pub bytes: Option<u64>,
}

impl Split {
    /// Whether a set is wanted at all.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.rows.is_some() || self.bytes.is_some()
    }

    /// Whether a file of `keys` keys and `bytes` bytes is small enough.
    #[must_use]
    pub fn fits(&self, keys: u64, bytes: u64) -> bool {
        self.rows.is_none_or(|most| keys <= most) && self.bytes.is_none_or(|most| bytes <= most)
    }
}

/// What is in one file of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Number of keys.
    pub keys: u64,
    /// Serial number of the first key.
    pub first: String,
    /// Serial number of the last key.
    pub last: String,
}

impl Part {
    /// Counts one key more.
    pub fn add(&mut self, serial: &str) {
        if self.keys == 0 {
            self.first.push_str(serial);
        }
        self.keys += 1;
        self.last.clear();
        self.last.push_str(serial);
    }
}

/// A set of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this shape: 1.
    pub manifest: u32,
    /// Format of the files, as `export --format` names it.
    pub content: String,
    /// Keys in all files.
    pub keys: u64,
    /// The files, in order.
    pub files: Vec<Listed>,
}

/// One file of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its name, beside the manifest.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// Keys in it.
    pub keys: u64,
    /// Serial number of its first key.
    pub first_serial: String,
    /// Serial number of its last key.
    pub last_serial: String,
}

impl Listed {
    /// A file and what is in it.
    #[must_use]
    pub fn new(digest: FileDigest, part: Part) -> Self {
        let FileDigest { name, bytes, sha256 } = digest;
        let Part { keys, first, last } = part;
        Self { name, bytes, sha256, keys, first_serial: first, last_serial: last }
    }

    /// The digest alone.
    #[must_use]
    pub fn digest(&self) -> FileDigest {
        let Self { name, bytes, sha256, .. } = self.clone();
        FileDigest { name, bytes, sha256 }
    }
}

/// Why a set is not what its manifest says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The manifest cannot be read, or a stop was asked for while a file was.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// It is no manifest.
    #[error("{file}: {what}")]
    Shape {
        /// The manifest, with line and column where they are known.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// Files are missing or changed: each of them.
    #[error("{file}: {} of {listed} files are not as listed\n  {}", .faults.len(), .faults.join("\n  "))]
    Files {
        /// The manifest.
        file: String,
        /// Number of files listed.
        listed: usize,
        /// What is wrong with each that is not as listed.
        faults: Vec<String>,
    },
}

impl ManifestError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check the name, and that you may read it",
            Self::Shape { .. } => "give the manifest.json that came with the files",
            Self::Files { .. } => "use none of the files; ask the sender for the set again",
        }
    }
}

impl Manifest {
    /// The manifest of `files`.
    #[must_use]
    pub fn new(content: &str, files: Vec<Listed>) -> Self {
        let keys = files.iter().map(|file| file.keys).sum();
        Self { manifest: 1, content: content.to_owned(), keys, files }
    }

    /// As text, with a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads `content`, the manifest that messages call `file`.
    ///
    /// # Errors
    /// [`ManifestError::Shape`].
    pub fn from_slice(file: &str, content: &[u8]) -> Result<Self, ManifestError> {
        let shape = |what: String| ManifestError::Shape { file: file.to_owned(), what };
        let this: Self = serde_json::from_slice(content)
            .map_err(|error| shape(format!("no manifest: {error}")))?;
        if this.manifest != 1 {
            return Err(shape(format!("manifest version {}; 1 is known", this.manifest)));
        }
        let mut names = Seen::default();
        for Listed { name, .. } in &this.files {
            // The names come from a stranger: they may lead nowhere else.
            if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
                return Err(shape(format!("{name:?} is no name of a file beside it")));
            }
            if !names.insert(name) {
                return Err(shape(format!("{name:?} is listed twice")));
            }
        }
        if this.files.iter().try_fold(0u64, |sum, file| sum.checked_add(file.keys))
            != Some(this.keys)
        {
            return Err(shape(format!("the files do not have {} keys together", this.keys)));
        }
        Ok(this)
    }

    /// Holds the files beside the manifest `path` against it.
    ///
    /// # Errors
    /// [`ManifestError::Files`] with every file that is missing or changed; [`ManifestError::Read`]
    /// once `interrupt` asked to stop.
    pub fn verify(
        &self,
        path: &Path,
        interrupt: &Interrupt,
        watch: Watch<'_>,
    ) -> Result<(), ManifestError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut faults = Vec::new();
        for file in &self.files {
            let fault = file.fault(folder, interrupt, watch).map_err(|source| {
                let file = folder.join(&file.name).display().to_string();
                ManifestError::Read { file, source }
            })?;
            faults.extend(fault);
        }
        if faults.is_empty() {
            return Ok(());
        }
        let file = path.display().to_string();
        Err(ManifestError::Files { file, listed: self.files.len(), faults })
    }
}

impl Listed {
    /// What is wrong with the file; fails when a stop was asked for.
    fn fault(
        &self,
        folder: &Path,
        interrupt: &Interrupt,
        watch: Watch<'_>,
    ) -> io::Result<Option<String>> {
        let Self { name, bytes, sha256, .. } = self;
        Ok(match digest_of(&folder.join(name), interrupt, watch) {
            Err(error) if Interrupted::of(&error).is_some() => return Err(error),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some(format!("{name}: missing"))
            }
            Err(error) => Some(format!("{name}: cannot be read: {error}")),
            Ok(found) if found.bytes != *bytes => {
                Some(format!("{name}: has {} bytes, not {bytes}", found.bytes))
            }
            Ok(found) if found.sha256 != *sha256 => {
                Some(format!("{name}: changed (SHA-256 {}, not {sha256})", found.sha256))
            }
            Ok(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, content: &str) -> (Listed, String) {
        let mut part = Part::default();
        part.add("A1");
        part.add("A2");
        let digest = FileDigest {
            name: name.into(),
            bytes: content.len() as u64,
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into(),
        };
        (Listed::new(digest, part), content.to_owned())
    }

    #[test]
    fn a_set_is_held_against_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (file, content) = listed("a.xml", "abc");
        std::fs::write(at("a.xml"), &content).unwrap();
        let manifest = Manifest::new("pskc", vec![file]);
        let read = Manifest::from_slice("m", manifest.to_json().as_bytes()).unwrap();
        assert_eq!((&read, read.keys), (&manifest, 2));
        assert_eq!(read.files[0].first_serial, "A1");
        let verify =
            || read.verify(&at("manifest.json"), &Interrupt::never(), &|file, _| Box::new(file));
        verify().unwrap();
        let fault = || verify().unwrap_err().to_string();
        std::fs::write(at("a.xml"), "abd").unwrap();
        assert!(fault().contains("1 of 1 files are not as listed\n  a.xml: changed (SHA-256 "));
        std::fs::write(at("a.xml"), "ab").unwrap();
        assert!(fault().contains("a.xml: has 2 bytes, not 3"));
        std::fs::remove_file(at("a.xml")).unwrap();
        assert!(fault().contains("a.xml: missing"));
    }

    #[test]
    fn a_manifest_leads_nowhere_else_and_adds_up() {
        let said = |text: &str| Manifest::from_slice("m", text.as_bytes()).unwrap_err().to_string();
        let good = Manifest::new("pskc", vec![listed("a.xml", "abc").0]).to_json();
        assert!(said(&good.replace("a.xml", "../a.xml")).contains("no name of a file beside it"));
        assert!(said(&good.replace("\"manifest\": 1", "\"manifest\": 2")).contains("1 is known"));
        assert!(said(&good.replacen("\"keys\": 2", "\"keys\": 3", 1)).contains("3 keys together"));
        assert!(said(&good.replace("bytes", "octets")).contains("unknown field `octets`"));
        assert!(said("<xml/>").contains("no manifest"));
    }

    #[test]
    fn both_limits_of_a_split_hold() {
        let split = Split { rows: Some(2), bytes: Some(10) };
        assert!(split.is_wanted() && split.fits(2, 10));
        assert!(!split.fits(3, 1) && !split.fits(1, 11));
        assert!(!Split::default().is_wanted() && Split::default().fits(u64::MAX, u64::MAX));
    }
}
