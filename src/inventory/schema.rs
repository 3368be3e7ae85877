//! The tables, and opening a file that holds them.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::InventoryError;

/// "TRSI" in the file's header, so that no other program's database is taken for ours.
const APPLICATION_ID: i32 = 0x5452_5349;
const VERSION: i32 = 1;
/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

const SCHEMA: &str = "
CREATE TABLE batch (
    number      INTEGER PRIMARY KEY,      -- in the order of reservation
    id          TEXT NOT NULL UNIQUE,
    state       TEXT NOT NULL CHECK (state IN ('reserved', 'written', 'complete', 'abandoned')),
    spec        TEXT NOT NULL,
    spec_sha256 TEXT NOT NULL,
    key_kcv     TEXT,
    reserved_at TEXT NOT NULL,            -- RFC 3339
    changed_at  TEXT NOT NULL,
    note        TEXT
) STRICT;
CREATE TABLE serials (
    batch  INTEGER NOT NULL REFERENCES batch,
    prefix TEXT NOT NULL,
    length INTEGER NOT NULL,              -- of every serial, in characters
    first  TEXT NOT NULL,
    last   TEXT NOT NULL,
    keys   INTEGER NOT NULL
) STRICT;
CREATE INDEX serials_by_first ON serials (length, first, last);
CREATE TABLE file (
    batch  INTEGER NOT NULL REFERENCES batch,
    name   TEXT NOT NULL,
    bytes  INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (batch, name)
) STRICT;
CREATE INDEX file_by_digest ON file (sha256);
CREATE TABLE delivery (
    batch INTEGER NOT NULL REFERENCES batch,
    name  TEXT NOT NULL,
    at    TEXT NOT NULL
) STRICT;
-- The second line of defence, against hands and other programs.
CREATE TRIGGER serials_are_not_deleted BEFORE DELETE ON serials
    BEGIN SELECT RAISE(ABORT, 'serials are never taken back'); END;
CREATE TRIGGER serials_are_not_changed BEFORE UPDATE ON serials
    BEGIN SELECT RAISE(ABORT, 'serials are never changed'); END;
CREATE TRIGGER batches_are_not_deleted BEFORE DELETE ON batch
    BEGIN SELECT RAISE(ABORT, 'batches are never deleted'); END;
";

/// Opens the inventory at `path`, and makes it, 0600, when it is not there and `create` says so.
pub(super) fn open(path: &Path, create: bool) -> Result<Connection, InventoryError> {
    if create {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
                return Err(InventoryError::Open { path: path.to_owned(), source });
            }
            _ => {}
        }
    }
    // SQLite's own words for a missing or unreadable file are vague.
    if let Err(source) = std::fs::File::open(path) {
        return Err(InventoryError::Open { path: path.to_owned(), source });
    }
    // Without SQLITE_OPEN_URI, a name that begins with `file:` is a name. For reading, too, a
    // journal left by a crash may have to be rolled back; SQLite falls back to reading alone.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connect = || {
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        connection.execute_batch(
            "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;
             PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
        )?;
        let behavior = match create {
            true => TransactionBehavior::Immediate,
            false => TransactionBehavior::Deferred,
        };
        let transaction = connection.transaction_with_behavior(behavior)?;
        let number = |pragma: &str| transaction.pragma_query_value(None, pragma, |row| row.get(0));
        let (id, version): (i32, i32) = (number("application_id")?, number("user_version")?);
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
        let empty = (id, version, tables) == (0, 0, 0);
        if empty && create {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            return Ok((connection, Ok(())));
        }
        let (path, shown) = (path.to_owned(), path.to_owned());
        let verdict = if empty {
            Err(InventoryError::Foreign { path, problem: "it is empty".into() })
        } else if id != APPLICATION_ID {
            Err(InventoryError::Foreign {
                path,
                problem: "it is another program's database".into(),
            })
        } else if version != VERSION {
            Err(InventoryError::Version { path, found: version, known: VERSION })
        } else {
            let sound: String =
                transaction.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
            match sound.as_str() {
                "ok" => Ok(()),
                _ => Err(InventoryError::Damaged { path, problem: sound }),
            }
        };
        drop(transaction);
        // A transaction for writing begins on a file that can only be read, and fails at its first
        // change: too late, when keys have been made.
        if verdict.is_ok() && create && connection.is_readonly("main")? {
            return Ok((connection, Err(InventoryError::ReadOnly(shown))));
        }
        Ok((connection, verdict))
    };
    let (connection, verdict) = connect().map_err(|error| explain(path, error))?;
    verdict.map(|()| connection)
}

/// What SQLite said, as one of our errors.
pub(super) fn explain(path: &Path, source: rusqlite::Error) -> InventoryError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            InventoryError::Foreign { path, problem: "it is no SQLite file".into() }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            InventoryError::Damaged { path, problem: source.to_string() }
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => InventoryError::Busy(path),
        Some(ErrorCode::ReadOnly) => InventoryError::ReadOnly(path),
        _ => InventoryError::Database { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn refusal(path: &Path) -> String {
        let before = std::fs::read(path).unwrap();
        let error = open(path, true).unwrap_err();
        assert_eq!(std::fs::read(path).unwrap(), before, "a refused file was changed");
        assert!(!error.hint().is_empty());
        error.to_string()
    }

    #[test]
    fn a_new_inventory_is_private_and_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file:inventory?mode=memory");
        drop(open(&path, true).unwrap());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(open(&path, false).unwrap());
    }

    #[test]
    fn a_missing_or_empty_file_is_no_inventory_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory");
        let error = open(&path, false).unwrap_err();
        assert!(matches!(error, InventoryError::Open { .. }), "{error}");
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert!(open(&path, false).unwrap_err().to_string().ends_with("it is empty"));
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory");
        std::fs::write(&path, "serial,secret\n".repeat(100)).unwrap();
        assert!(refusal(&path).ends_with("is no inventory: it is no SQLite file"));
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        assert!(refusal(&path).ends_with("it is another program's database"));
    }

    #[test]
    fn later_versions_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory");
        open(&path, true).unwrap().pragma_update(None, "user_version", 7).unwrap();
        assert!(refusal(&path).ends_with("has version 7, and this program knows version 1"));
    }

    #[test]
    fn damage_is_found_before_anything_is_issued() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory");
        drop(open(&path, true).unwrap());
        let sound = std::fs::read(&path).unwrap();
        // Half of the file, and the head of the second page overwritten.
        std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
        assert!(refusal(&path).contains(" is damaged: "));
        let mut damaged = sound.clone();
        damaged[4096..4196].fill(0xff);
        std::fs::write(&path, damaged).unwrap();
        assert!(refusal(&path).contains(" is damaged: "));
    }

    /// Permissions mean nothing to root, so the file's own mark is set: a write version (byte 18)
    /// above 2 makes it readable only.
    #[test]
    fn a_file_that_can_only_be_read_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory");
        drop(open(&path, true).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[18] = 3;
        std::fs::write(&path, bytes).unwrap();
        drop(open(&path, false).unwrap());
        let error = open(&path, true).unwrap_err();
        assert!(matches!(error, InventoryError::ReadOnly(_)), "{error}");
    }
}
