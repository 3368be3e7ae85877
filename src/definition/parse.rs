//! From TOML text to a checked structure, with errors that point into the user's own file.

use serde::de::DeserializeOwned;

use crate::interrupt::Interrupted;
use crate::secret::veil;

/// What is wrong with a definition, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// The text is no TOML, or not of the expected shape.
    #[error("{file}:{line}:{column}: {message}{excerpt}")]
    Syntax {
        /// File name or `embedded:NAME`.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// On lines of its own, the line with a caret under the place.
        excerpt: String,
    },
    /// A stop was asked for while the file was read.
    #[error("interrupted while {file} was read")]
    Interrupted {
        /// File name.
        file: String,
        /// 2 (SIGINT) or 15 (SIGTERM).
        signal: u8,
    },
    /// The shape is right, the meaning is not.
    #[error("{file}: {message}")]
    Meaning {
        /// File name or `embedded:NAME`.
        file: String,
        /// What is wrong, naming the key.
        message: String,
    },
    /// There is no definition of that name.
    #[error("there is no {kind} {name:?}; known: {known}")]
    Unknown {
        /// `format`, `scenario` or `target`.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The file named cannot be read.
    #[error("cannot read {file}: {message}")]
    Read {
        /// Path as given.
        file: String,
        /// What the operating system said.
        message: String,
    },
}

impl DefinitionError {
    /// A fault of meaning in `file`.
    #[must_use]
    pub fn meaning(file: &str, message: impl Into<String>) -> Self {
        Self::Meaning { file: file.into(), message: message.into() }
    }

    /// The `file` that cannot be read.
    #[must_use]
    pub fn unreadable(file: String, error: &std::io::Error) -> Self {
        match Interrupted::of(error) {
            Some(Interrupted { signal }) => Self::Interrupted { file, signal },
            None => Self::Read { file, message: error.to_string() },
        }
    }

    /// A fault at byte `offset` of `text`, the content of `file`.
    #[must_use]
    pub fn at(file: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = &text[..floor_char_boundary(text, offset.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before[start..].chars().count() + 1;
        // The file may be the wrong one, of keys and PINs: these are not to be shown.
        let excerpt = if file.ends_with(".toml") {
            let source = veil(text.lines().nth(line - 1).unwrap_or_default());
            format!("\n{line:>5} | {source}\n      | {:>column$}", '^')
        } else {
            "; a definition is TOML, in a file named so: is this the right one?".into()
        };
        Self::Syntax {
            file: file.to_owned(),
            line,
            column,
            message: veil(&message.into()),
            excerpt,
        }
    }
}

/// Parses `text`, the content of `file`; the shape is `T`'s, which must refuse unknown keys
/// (`#[serde(deny_unknown_fields)]`).
///
/// # Errors
/// [`DefinitionError::Syntax`] with line, column and a caret.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, DefinitionError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        DefinitionError::at(file, text, offset, error.message())
    })
}

fn floor_char_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[allow(dead_code)]
        name: String,
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let text = "name = \"é\"\n  colour = \"red\"\n";
        let error = parse::<Shape>("x.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("x.toml:2:3: unknown field `colour`"), "{error}");
        assert!(error.ends_with("    2 |   colour = \"red\"\n      |   ^"), "{error}");
    }

    #[test]
    fn of_a_file_that_may_be_no_definition_nothing_is_quoted() {
        let text = "bob\t1234\t3132333435363738393031323334353637383930\n";
        let error = parse::<Shape>("users.oath", text).unwrap_err().to_string();
        assert!(error.starts_with("users.oath:1:"), "{error}");
        assert!(error.ends_with("is this the right one?"), "{error}");
        assert!(!error.contains("1234") && !error.contains("bob"), "{error}");
    }
}
