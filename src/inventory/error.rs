//! What can go wrong with an inventory. Every error names its file or batch.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use super::{SerialRange, State};

/// Why the inventory refused, or could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// The file could not be made or opened.
    #[error("cannot open the inventory {path}: {source}", path = path.display())]
    Open {
        /// The inventory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another file, or another program's database.
    #[error("{path} is no inventory: {problem}", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that shows.
        problem: String,
    },
    /// An inventory of a later version of this program.
    #[error("the inventory {path} has version {found}, and this program knows version {known}", path = path.display())]
    Version {
        /// The inventory.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// The only version known.
        known: i32,
    },
    /// The file is damaged.
    #[error("the inventory {path} is damaged: {problem}", path = path.display())]
    Damaged {
        /// The inventory.
        path: PathBuf,
        /// What SQLite found.
        problem: String,
    },
    /// Another process has kept it locked.
    #[error("the inventory {path} has been in use by another process for 30 s", path = .0.display())]
    Busy(PathBuf),
    /// It may only be read.
    #[error("the inventory {path} can only be read, and a change was to be recorded", path = .0.display())]
    ReadOnly(PathBuf),
    /// Anything else that SQLite said.
    #[error("cannot use the inventory {path}: {source}", path = path.display())]
    Database {
        /// The inventory.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// No identifier of a batch.
    #[error("{0:?} is no batch identifier: it has 1 to 160 printable ASCII characters, no blanks")]
    BatchId(String),
    /// No range of serials.
    #[error("{0}")]
    Serials(String),
    /// The identifier is taken.
    #[error("the batch identifier {id} was issued before, at {at} (state: {state})")]
    BatchIssued {
        /// The identifier.
        id: String,
        /// When.
        at: Timestamp,
        /// The state of that batch.
        state: State,
    },
    /// Serials are taken.
    #[error("{0}")]
    SerialsIssued(Box<Conflict>),
    /// No such batch.
    #[error("the inventory {path} has no batch {id}", path = path.display())]
    UnknownBatch {
        /// The inventory.
        path: PathBuf,
        /// The identifier.
        id: String,
    },
    /// The batch is not in the state that the step needs.
    #[error("batch {id} is {state}, so it cannot be {step}")]
    State {
        /// The identifier.
        id: String,
        /// Its state.
        state: State,
        /// What was to be done.
        step: &'static str,
    },
    /// A recipient's name that is none.
    #[error("a recipient's name has 1 to 200 characters and no control characters")]
    Recipient,
}

impl InventoryError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Open { .. } => "check the name, and that you may read and write it".into(),
            Self::Foreign { .. } => "name an inventory, or a new file: mint makes one".into(),
            Self::Version { .. } => "use the version of trousseau that wrote it, or a later one".into(),
            Self::Damaged { .. } => {
                "issue no serials until it is restored from a copy: sqlite3 FILE .recover shows what \
                 is left, and the batches that are missing from the copy must be entered again".into()
            }
            Self::Busy(_) => "wait for the other trousseau to end, then run the same command again".into(),
            Self::ReadOnly(_) => "check the permissions of the file and of its folder".into(),
            Self::Database { .. } => "check the file system, then run the same command again".into(),
            Self::BatchId(_) => "choose another --batch-id".into(),
            Self::Serials(_) => "check the serial prefix and numbers".into(),
            Self::BatchIssued { .. } => {
                "choose another --batch-id; `trousseau inventory show ID` tells what was made".into()
            }
            Self::SerialsIssued(conflict) => format!(
                "the highest serial like these is {}: start behind it with --first-serial; \
                 serials of a batch that was cut off stay taken",
                conflict.highest
            ),
            Self::UnknownBatch { .. } => "`trousseau inventory list` shows all batches".into(),
            Self::State { state: State::Written, .. } => {
                "its minting was cut off at the very end: `trousseau inventory verify FILE` completes \
                 it when its file is there".into()
            }
            Self::State { .. } => "it has no file: mint another batch, with serials behind it".into(),
            Self::Recipient => "give a name such as \"Example University, IT\"".into(),
        }
    }
}

/// Serials that were asked for and had been issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What was asked for.
    pub asked: SerialRange,
    /// The batch that has some of them.
    pub id: String,
    /// What that batch has.
    pub taken: SerialRange,
    /// The state of that batch.
    pub state: State,
    /// The highest serial issued under this prefix and of this length.
    pub highest: String,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { asked, id, taken, state, .. } = self;
        write!(
            f,
            "serials from {} to {} were issued before: batch {id} has {} to {} (state: {state})",
            asked.first(),
            asked.last(),
            taken.first(),
            taken.last()
        )
    }
}
