//! What is wrong with a roster: every fault of the file together, each with its place.

use std::fmt;
use std::io;

use crate::secret::veil;

/// Why a roster could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// The file cannot be read.
    #[error("cannot read the roster {file}: {source}")]
    Read {
        /// Path as given.
        file: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The content is at fault; nothing of it was taken.
    #[error("{}", list(.file, .faults, *.unlisted))]
    Faults {
        /// Path as given.
        file: String,
        /// The first faults, in the order of the file.
        faults: Vec<RosterFault>,
        /// How many more there are.
        unlisted: usize,
    },
}

/// One fault at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterFault {
    /// Line, from 1.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl RosterError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check the path given with --roster",
            Self::Faults { .. } => {
                "a roster is UTF-8 CSV with a header: `user,serial`, one row per key, each user and \
                 each serial once; further columns are welcome"
            }
        }
    }
}

fn list(file: &str, faults: &[RosterFault], unlisted: usize) -> impl fmt::Display {
    let mut out = String::new();
    for RosterFault { line, column, message } in faults {
        if !out.is_empty() {
            out.push('\n');
        }
        // The file may be the wrong one, of keys.
        let message = veil(message);
        out.push_str(&format!("{file}:{line}:{column}: {message}"));
    }
    if unlisted > 0 {
        out.push_str(&format!("\n… and {unlisted} more faults in {file}"));
    }
    out
}
