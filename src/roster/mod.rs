//! Rosters: who holds which key. A CSV file with a header; `user` (or `username`) and `serial` are
//! required, every further column is kept by name for the formats that want it.
//!
//! [`Roster`] is the data, `read` the way in with places for every fault, `write` the way out.
//! Nothing here knows tokens: whether a serial exists is for whoever joins the two.

mod dialect;
mod error;
mod read;
mod write;

pub use error::{RosterError, RosterFault};

use std::collections::BTreeMap;
use std::fmt;

use crate::secret::Secret;
use crate::serial::Serial;

/// One row of a roster.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// User id, as typed on the login page.
    pub user: String,
    /// Serial number of the key this person holds.
    pub serial: Serial,
    /// PIN, where the roster has a `pin` column and the row fills it.
    pub pin: Option<Secret>,
    /// Further columns, by lower-case header name (`upn`, `mail`, `realm`, …); empty cells are
    /// left out.
    pub fields: BTreeMap<String, String>,
    /// Line of the roster file, from 1; 0 for a person that comes from no file.
    pub line: u64,
}

/// A roster: unique users and unique serials, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Where it was read from, for messages; empty when it comes from no file.
    pub file: String,
    /// The rows.
    pub people: Vec<Person>,
}

impl Roster {
    /// A roster that comes from no file.
    #[must_use]
    pub fn new(people: Vec<Person>) -> Self {
        Self { file: String::new(), people }
    }
}

impl Person {
    /// A person and the key that is theirs; no PIN, no further columns, no line.
    #[must_use]
    pub fn new(user: impl Into<String>, serial: Serial) -> Self {
        Self { user: user.into(), serial, pin: None, fields: BTreeMap::new(), line: 0 }
    }
}

/// Shows who and which key; the further columns are personal data, so only their names.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("user", &self.user)
            .field("serial", &self.serial)
            .field("pin", &self.pin)
            .field("fields", &self.fields.keys())
            .field("line", &self.line)
            .finish()
    }
}
