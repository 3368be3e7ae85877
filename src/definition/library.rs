//! Where definitions come from: embedded, the user's folder, or a path.

use std::path::{Path, PathBuf};

use super::DefinitionError;
use crate::interrupt::read_text;

/// Where a definition was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the binary.
    Embedded,
    /// In a file: given as a path, or found in the user's folder.
    File(PathBuf),
}

/// The text of one definition and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Name, without folder and `.toml`.
    pub name: String,
    /// For messages: the path, or `embedded:KIND/NAME.toml`.
    pub file: String,
    /// The TOML text.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
}

/// All definitions of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Library {
    /// What one of them is called: `format`, `scenario`, `target`.
    pub kind: &'static str,
    /// Folder under the user's configuration folder: `formats`, `scenarios`, `targets`.
    pub folder: &'static str,
    /// Names and texts in the binary, sorted by name.
    pub embedded: &'static [(&'static str, &'static str)],
}

impl Library {
    /// Finds `wanted`: a path when it holds a `/` or ends in `.toml`, otherwise a name, looked for
    /// in the user's folder first and then in the binary. The current folder is never searched.
    ///
    /// # Errors
    /// [`DefinitionError::Unknown`] or [`DefinitionError::Read`].
    pub fn find(&self, wanted: &str) -> Result<Definition, DefinitionError> {
        if wanted.contains('/') || wanted.ends_with(".toml") {
            return read(Path::new(wanted));
        }
        if let Some(path) = self.user_folder().map(|folder| folder.join(format!("{wanted}.toml")))
            && path.is_file()
        {
            return read(&path);
        }
        let Some((name, text)) = self.embedded.iter().find(|(name, _)| *name == wanted) else {
            return Err(DefinitionError::Unknown {
                kind: self.kind,
                name: wanted.to_owned(),
                known: self.names().join(", "),
            });
        };
        Ok(Definition {
            name: (*name).to_owned(),
            file: format!("embedded:{}/{name}.toml", self.folder),
            text: (*text).to_owned(),
            origin: Origin::Embedded,
        })
    }

    /// Every name that [`Library::find`] knows, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.embedded.iter().map(|(name, _)| (*name).to_owned()).collect();
        let entries = self.user_folder().and_then(|folder| std::fs::read_dir(folder).ok());
        for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "toml")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                names.push(stem.to_owned());
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn user_folder(&self) -> Option<PathBuf> {
        let base = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")))?;
        base.is_absolute().then(|| base.join("trousseau").join(self.folder))
    }
}

fn read(path: &Path) -> Result<Definition, DefinitionError> {
    let file = path.display().to_string();
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    match read_text(path) {
        Ok(text) => Ok(Definition { name, file, text, origin: Origin::File(path.to_owned()) }),
        Err(error) => Err(DefinitionError::unreadable(file, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: Library =
        Library { kind: "format", folder: "formats", embedded: &[("a", "x = 1"), ("b", "")] };

    #[test]
    fn finds_by_name_and_by_path() {
        assert_eq!(LIBRARY.find("a").unwrap().text, "x = 1");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, "y = 2").unwrap();
        let found = LIBRARY.find(path.to_str().unwrap()).unwrap();
        assert_eq!((found.name.as_str(), found.text.as_str()), ("mine", "y = 2"));
        assert_eq!(found.origin, Origin::File(path));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = LIBRARY.find("c").unwrap_err().to_string();
        assert!(message.starts_with("there is no format \"c\"; known: a, b"), "{message}");
    }
}
