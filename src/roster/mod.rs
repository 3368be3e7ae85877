//! Rosters: who holds which key. A CSV file with a header; `user` (or `username`) and `serial` are
//! required, every further column is kept by name for the formats that want it.

use std::collections::BTreeMap;

use crate::serial::Serial;

/// One row of a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// User id, as typed on the login page.
    pub user: String,
    /// Serial number of the key this person holds.
    pub serial: Serial,
    /// Further columns, by lower-case header name (`upn`, `mail`, `realm`, …).
    pub fields: BTreeMap<String, String>,
}

/// A roster: unique users and unique serials, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The rows.
    pub people: Vec<Person>,
}
