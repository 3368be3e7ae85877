//! What must survive: one row per key in an SQLite file.
//!
//! SQLite rather than a log or a key-value file of our own: an administrator can look into it with
//! the `sqlite3` program while the server runs, several processes may open it at once, and its
//! crash behaviour is the best examined there is. Write-ahead log and `synchronous = FULL`: what
//! was committed is on the disk, so an answer given after the commit is never taken back by a
//! crash. The seeds are not in it (they stay in the batch), nor is the key of the PIN hashes.
//!
//! A row belongs to a *key*, by serial: its used codes stay used when it is handed to somebody
//! else. The PIN belongs to key and holder: another holder means no PIN.

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, TransactionBehavior, params};

use super::pin::PinHash;
use super::verifier::{Account, Decision, Then};

/// "TRSS" in the file's header, so that no other program's database is taken for ours.
const APPLICATION_ID: i32 = 0x5452_5353;
const SCHEMA_VERSION: i32 = 2;
const SCHEMA: &str = "
CREATE TABLE account (
    serial       TEXT PRIMARY KEY,
    holder       TEXT NOT NULL,           -- user id
    last_step    INTEGER,                 -- highest time step or counter accepted
    drift        INTEGER NOT NULL DEFAULT 0, -- learned, in time steps
    failures     INTEGER NOT NULL DEFAULT 0, -- in a row
    locked_until INTEGER,                 -- key time, microseconds since 1970
    pin_salt     BLOB,                    -- both null until initialisation is complete
    pin_mac      BLOB,
    resync_drift INTEGER NOT NULL DEFAULT 0, -- of the last resynchronisation, in time steps
    CHECK ((pin_salt IS NULL) = (pin_mac IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE store (key_check BLOB NOT NULL) STRICT;
";

/// What the first version of this program made, brought up to date.
const FROM_1: &str = "
ALTER TABLE account ADD COLUMN resync_drift INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 2;
";

const READ: &str =
    "SELECT last_step, drift, failures, locked_until, pin_salt, pin_mac, resync_drift
    FROM account WHERE serial = ?1";
const REFUSE: &str = "UPDATE account SET failures = ?2, locked_until = ?3 WHERE serial = ?1";
const FIRST_CODE: &str = "UPDATE account SET last_step = ?2, drift = ?3, resync_drift = ?5
    WHERE serial = ?1 AND (?4 OR last_step IS NULL OR last_step < ?2)";
const ENTER: &str = "UPDATE account
    SET last_step = ?2, drift = ?3, failures = 0, locked_until = NULL, resync_drift = ?5
    WHERE serial = ?1 AND (?4 OR last_step IS NULL OR last_step < ?2)";
const ENROL: &str = "UPDATE account
    SET last_step = ?2, drift = ?3, failures = 0, locked_until = NULL, pin_salt = ?5, pin_mac = ?6
    WHERE serial = ?1 AND (?4 OR last_step IS NULL OR last_step < ?2) AND pin_mac IS NULL";

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file could not be made or opened.
    #[error("cannot open the store {path}: {source}", path = path.display())]
    Open {
        /// The store.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// SQLite could not work with it.
    #[error("cannot use the store {path}: {source}", path = path.display())]
    Database {
        /// The store.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A database, but not one of ours, or of a later version of this program.
    #[error("{path} is no store of this program's version", path = .0.display())]
    Foreign(PathBuf),
    /// The file with the key of the PIN hashes is missing or unusable.
    #[error("the key file {path} of the store is {fault}", path = path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        fault: KeyFault,
    },
}

/// What is wrong with the key file of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyFault {
    /// The store is there, its key is not.
    Missing,
    /// Not 64 hexadecimal digits.
    Malformed,
    /// The key of another store.
    OfAnotherStore,
    /// It could not be read or written.
    Io(String),
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Malformed => f.write_str("not 64 hexadecimal digits"),
            Self::OfAnotherStore => f.write_str("the key of another store"),
            Self::Io(error) => write!(f, "unusable: {error}"),
        }
    }
}

impl StoreError {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } => "check that the folder exists and that you may write to it",
            Self::Database { .. } => {
                "check that it is an SQLite file, that the disk is not full, and that you may write \
                 to its folder; or name a new file"
            }
            Self::Foreign(_) => "name a new file, or the store of an earlier run",
            Self::Key { .. } => {
                "bring back the key file that was made with the store, or name a new store: without \
                 it no PIN can be verified and everybody would have to initialise again"
            }
        }
    }
}

/// Whether the condition "still unused" holds at the moment of writing, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Write only if the step is above every one accepted before.
    Unused,
    /// Write anyway: what a planted defect does.
    Skip,
}

/// Keys that have another holder than the store knew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandedOn {
    /// How many.
    pub keys: u64,
    /// Of these, how many had a PIN, which is forgotten.
    pub pins: u64,
}

/// Why keys were not handed on.
#[derive(Debug)]
pub(super) struct Losing {
    /// How many PINs would be lost.
    pub(super) pins: u64,
    /// The first key.
    pub(super) serial: String,
    /// Its holder in the store.
    pub(super) before: String,
    /// Its holder by the roster.
    pub(super) after: String,
}

/// The open store.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens or makes the file at `path`; with `None`, a store that ends with the process.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        let name = path.unwrap_or(Path::new(":memory:"));
        let failed = |source| StoreError::Database { path: name.into(), source };
        let connection = match path {
            None => Connection::open_in_memory().map_err(failed)?,
            Some(path) => {
                // SQLite would make it readable by everybody; its companions inherit the mode.
                OpenOptions::new()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(|source| StoreError::Open { path: path.into(), source })?;
                Connection::open(path).map_err(failed)?
            }
        };
        let store = Self { connection };
        if store.prepare().map_err(failed)? {
            Ok(store)
        } else {
            Err(StoreError::Foreign(name.into()))
        }
    }

    /// Sets the pragmas, makes the tables of an empty file; false when the file is not ours.
    fn prepare(&self) -> rusqlite::Result<bool> {
        let db = &self.connection;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let tables =
            || db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
        if tables()? == 0 {
            let making = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
            // Another process may have made them while this one waited.
            if tables()? == 0 {
                db.execute_batch(&format!(
                    "{SCHEMA} PRAGMA application_id = {APPLICATION_ID};
                     PRAGMA user_version = {SCHEMA_VERSION};"
                ))?;
            }
            making.commit()?;
        }
        if pragma("application_id")? != APPLICATION_ID
            || !(1..=SCHEMA_VERSION).contains(&pragma("user_version")?)
        {
            return Ok(false);
        }
        if pragma("user_version")? == 1 {
            self.bring_up_to_date()?;
        }
        write_ahead(db)?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.set_prepared_statement_cache_capacity(16);
        Ok(true)
    }

    /// From the first version to this one; another process may be doing the same.
    fn bring_up_to_date(&self) -> rusqlite::Result<()> {
        let db = &self.connection;
        let change = rusqlite::Transaction::new_unchecked(db, TransactionBehavior::Immediate)?;
        let version: i32 = change.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 1 {
            change.execute_batch(FROM_1)?;
        }
        change.commit()
    }

    /// The value by which the key of the PIN hashes is recognised; `None` in a new store.
    pub(super) fn key_check(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        self.connection.query_row("SELECT key_check FROM store", [], |row| row.get(0)).optional()
    }

    /// Sets it, unless another process has meanwhile.
    pub(super) fn set_key_check(&self, check: &[u8]) -> rusqlite::Result<()> {
        let set = "INSERT INTO store (key_check) SELECT ?1 WHERE NOT EXISTS (SELECT * FROM store)";
        self.connection.execute(set, [check]).map(drop)
    }

    /// Makes sure that each key has a row; one that has changed hands loses its PIN, failures and
    /// lock, but never its used codes. Unless `reassign`, nothing is changed when a PIN would be
    /// lost: the first such key is returned, and how many there are.
    pub(super) fn assign<'a>(
        &mut self,
        holders: impl Iterator<Item = (&'a str, &'a str)> + Clone,
        reassign: bool,
    ) -> rusqlite::Result<Result<HandedOn, Losing>> {
        let transaction = self.begin()?;
        let mut handed_on = HandedOn::default();
        {
            let mut held = transaction
                .0
                .prepare("SELECT holder, pin_mac IS NOT NULL FROM account WHERE serial = ?1")?;
            let mut first = None;
            for (serial, after) in holders.clone() {
                let row = held.query_row([serial], |row| Ok((row.get(0)?, row.get(1)?)));
                let Some((before, pin)) = row.optional()? else { continue };
                let before: String = before;
                if before != after {
                    handed_on.keys += 1;
                    handed_on.pins += u64::from(pin);
                    if pin && first.is_none() {
                        first = Some((serial.to_owned(), before, after.to_owned()));
                    }
                }
            }
            if let (false, Some((serial, before, after))) = (reassign, first) {
                return Ok(Err(Losing { pins: handed_on.pins, serial, before, after }));
            }
        }
        {
            let mut insert = transaction.0.prepare(
                "INSERT INTO account (serial, holder) VALUES (?1, ?2)
                 ON CONFLICT (serial) DO UPDATE SET holder = excluded.holder, failures = 0,
                     locked_until = NULL, pin_salt = NULL, pin_mac = NULL
                 WHERE holder <> excluded.holder",
            )?;
            for (serial, holder) in holders {
                insert.execute([serial, holder])?;
            }
        }
        transaction.commit()?;
        Ok(Ok(handed_on))
    }

    /// Begins a transaction that no other process can write beside.
    pub(super) fn begin(&mut self) -> rusqlite::Result<Transaction<'_>> {
        self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map(Transaction)
    }
}

/// Everything between two commits; dropping it without committing undoes it.
#[derive(Debug)]
pub(super) struct Transaction<'a>(rusqlite::Transaction<'a>);

impl Transaction<'_> {
    /// The account of the key `serial`.
    pub(super) fn read(&self, serial: &str) -> rusqlite::Result<Account> {
        self.0.prepare_cached(READ)?.query_row([serial], account)
    }

    /// As [`Transaction::read`], of a key that the store may not know yet.
    pub(super) fn find(&self, serial: &str) -> rusqlite::Result<Option<Account>> {
        self.0.prepare_cached(READ)?.query_row([serial], account).optional()
    }

    /// Makes `decision` true. False when it was to burn a step and that was no longer possible:
    /// the conditional `UPDATE` is what makes each code good for once.
    pub(super) fn write(
        &self,
        serial: &str,
        decision: &Decision,
        guard: Guard,
    ) -> rusqlite::Result<bool> {
        let skip = guard == Guard::Skip;
        let rows = match decision {
            Decision::Refuse { failures, locked_until }
            | Decision::Ask { failures, locked_until, .. } => {
                let until = locked_until.map(signed);
                self.0.prepare_cached(REFUSE)?.execute(params![serial, failures, until])?
            }
            Decision::Burn { step, drift, base, then } => {
                let step = signed(*step);
                match then {
                    Then::NewPin => self
                        .0
                        .prepare_cached(FIRST_CODE)?
                        .execute(params![serial, step, drift, skip, base])?,
                    Then::Enter => self
                        .0
                        .prepare_cached(ENTER)?
                        .execute(params![serial, step, drift, skip, base])?,
                    Then::Enrol(PinHash { salt, mac }) => self
                        .0
                        .prepare_cached(ENROL)?
                        .execute(params![serial, step, drift, skip, salt, mac])?,
                }
            }
        };
        Ok(rows == 1)
    }

    /// Writes everything to the disk.
    pub(super) fn commit(self) -> rusqlite::Result<()> {
        self.0.commit()
    }
}

/// Sets the write-ahead log. Two processes that do so at once on a new file are in each other's
/// way, and SQLite does not wait for that by itself.
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let mut tries = 0;
    loop {
        match db.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && tries < 250 =>
            {
                tries += 1;
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            result => return result,
        }
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let salt: Option<[u8; 16]> = row.get("pin_salt")?;
    let mac: Option<[u8; 32]> = row.get("pin_mac")?;
    Ok(Account {
        pin: salt.zip(mac).map(|(salt, mac)| PinHash { salt, mac }),
        last: row.get::<_, Option<i64>>("last_step")?.map(unsigned),
        drift: row.get("drift")?,
        base: row.get("resync_drift")?,
        failures: row.get("failures")?,
        locked_until: row.get::<_, Option<i64>>("locked_until")?.map(unsigned),
    })
}

/// SQLite's integers are signed; no step or hour of this universe reaches the top bit.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
