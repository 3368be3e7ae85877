//! Reserving, and moving a batch on: what changes the inventory.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::digest::sha256;
use super::read::{parsed, range};
use super::schema::{explain, open};
use super::{Batch, Conflict, FileDigest, InventoryError, Reservation, SerialRange, State};

/// An open inventory.
#[derive(Debug)]
pub struct Inventory {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
}

impl Inventory {
    /// Opens the inventory at `path`; makes it when there is no file of that name.
    ///
    /// # Errors
    /// When it cannot be opened, is something else, is damaged, or is of a later version.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, InventoryError> {
        let path = path.into();
        Ok(Self { connection: open(&path, true)?, path })
    }

    /// Opens an inventory that must be there; it may be a file that can only be read.
    ///
    /// # Errors
    /// As [`Inventory::open`].
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Self, InventoryError> {
        let path = path.into();
        Ok(Self { connection: open(&path, false)?, path })
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the identifier and the serials of `batch` for good, durably, before anything of it is
    /// made. Of two processes that ask for the same, one gets them.
    ///
    /// # Errors
    /// [`InventoryError::BatchIssued`] or [`InventoryError::SerialsIssued`] when they were taken
    /// before; then nothing is recorded.
    pub fn reserve(
        &mut self,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Reservation<'_>, InventoryError> {
        batch.check()?;
        self.change(|transaction| {
            if let Some((at, state)) = issued(transaction, &batch.id)? {
                return Ok(Err(InventoryError::BatchIssued { id: batch.id.clone(), at, state }));
            }
            transaction.execute(
                "INSERT INTO batch (id, state, spec, spec_sha256, key_kcv, reserved_at, changed_at)
                 VALUES (?1, 'reserved', ?2, ?3, ?4, ?5, ?5)",
                params![batch.id, batch.spec, sha256(&batch.spec), batch.key_kcv, now.to_string()],
            )?;
            let number = transaction.last_insert_rowid();
            for range in &batch.serials {
                if let Some(taken) = taken(transaction, range)? {
                    return Ok(Err(taken));
                }
                transaction.execute(
                    "INSERT INTO serials (batch, prefix, length, first, last, keys)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        number,
                        range.prefix,
                        length(range),
                        range.first,
                        range.last,
                        i64::try_from(range.keys).unwrap_or(i64::MAX),
                    ],
                )?;
            }
            Ok(Ok(()))
        })?;
        Ok(Reservation::new(self, batch.id.clone()))
    }

    /// Records that a batch was given to somebody.
    ///
    /// # Errors
    /// [`InventoryError::Recipient`], [`InventoryError::UnknownBatch`], or
    /// [`InventoryError::State`] when the batch is not complete.
    pub fn deliver(&mut self, id: &str, to: &str, now: Timestamp) -> Result<(), InventoryError> {
        if to.trim().is_empty() || to.chars().count() > 200 || to.chars().any(char::is_control) {
            return Err(InventoryError::Recipient);
        }
        let unknown = self.unknown(id);
        self.change(|transaction| {
            match issued(transaction, id)? {
                None => return Ok(Err(unknown)),
                Some((_, State::Complete)) => {}
                Some((_, state)) => {
                    let step = "delivered";
                    return Ok(Err(InventoryError::State { id: id.to_owned(), state, step }));
                }
            }
            transaction.execute(
                "INSERT INTO delivery (batch, name, at)
                 SELECT number, ?2, ?3 FROM batch WHERE id = ?1",
                params![id, to, now.to_string()],
            )?;
            Ok(Ok(()))
        })
    }

    /// Moves a batch on, with its files or a note; refused unless it is in the state `from`.
    pub(super) fn advance(
        &mut self,
        id: &str,
        (from, to): (&[State], State),
        step: &'static str,
        (files, note): (&[FileDigest], Option<&str>),
        now: Timestamp,
    ) -> Result<(), InventoryError> {
        let unknown = self.unknown(id);
        self.change(|transaction| {
            match issued(transaction, id)? {
                None => return Ok(Err(unknown)),
                Some((_, state)) if from.contains(&state) => {}
                Some((_, state)) => {
                    return Ok(Err(InventoryError::State { id: id.to_owned(), state, step }));
                }
            }
            transaction.execute(
                "UPDATE batch SET state = ?2, changed_at = ?3, note = ?4 WHERE id = ?1",
                params![id, to.name(), now.to_string(), note],
            )?;
            for file in files {
                transaction.execute(
                    "INSERT INTO file (batch, name, bytes, sha256)
                     SELECT number, ?2, ?3, ?4 FROM batch WHERE id = ?1",
                    params![
                        id,
                        file.name,
                        i64::try_from(file.bytes).unwrap_or(i64::MAX),
                        file.sha256
                    ],
                )?;
            }
            Ok(Ok(()))
        })
    }

    /// Completes a batch whose minting was cut off between recording its files and naming them,
    /// when a file of it has turned up.
    ///
    /// # Errors
    /// [`InventoryError::State`] when it is in another state.
    pub fn confirm(&mut self, id: &str, now: Timestamp) -> Result<(), InventoryError> {
        self.advance(id, (&[State::Written], State::Complete), "completed", (&[], None), now)
    }

    pub(super) fn unknown(&self, id: &str) -> InventoryError {
        InventoryError::UnknownBatch { path: self.path.clone(), id: id.to_owned() }
    }

    /// One transaction that has the file to itself from its start: nobody else reads what it has
    /// read and changes it before it commits.
    fn change(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<(), InventoryError>>,
    ) -> Result<(), InventoryError> {
        let Self { connection, path } = self;
        let done = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(
            |transaction| match work(&transaction)? {
                Ok(()) => transaction.commit().map(Ok),
                refused => Ok(refused),
            },
        );
        done.map_err(|error| explain(path, error))?
    }
}

fn length(range: &SerialRange) -> i64 {
    i64::try_from(range.first.len()).unwrap_or(i64::MAX)
}

fn issued(transaction: &Transaction<'_>, id: &str) -> rusqlite::Result<Option<(Timestamp, State)>> {
    let sql = "SELECT reserved_at, state FROM batch WHERE id = ?1";
    transaction.query_row(sql, [id], |row| Ok((parsed(row, 0)?, parsed(row, 1)?))).optional()
}

/// The error to give when some of `asked` was issued before.
fn taken(
    transaction: &Transaction<'_>,
    asked: &SerialRange,
) -> rusqlite::Result<Option<InventoryError>> {
    let mut statement = transaction.prepare_cached(
        "SELECT prefix, first, last, keys, id, state FROM serials JOIN batch ON batch = number
         WHERE length = ?1 AND first <= ?3 AND last >= ?2 ORDER BY first",
    )?;
    let rows = statement.query_map(params![length(asked), asked.first, asked.last], |row| {
        Ok((range(row)?, row.get::<_, String>(4)?, parsed::<State>(row, 5)?))
    })?;
    for row in rows {
        let (taken, id, state) = row?;
        if taken.overlaps(asked) {
            let highest = transaction.query_row(
                "SELECT max(last) FROM serials WHERE length = ?1 AND prefix = ?2",
                params![length(asked), taken.prefix],
                |row| row.get(0),
            )?;
            let conflict = Conflict { asked: asked.clone(), id, taken, state, highest };
            return Ok(Some(InventoryError::SerialsIssued(Box::new(conflict))));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-09-01T08:00:00Z".parse().unwrap()
    }

    fn batch(id: &str, prefix: &str, first: u64, last: u64) -> Batch {
        let serial = |number: u64| format!("{prefix}{number:06}");
        let range = SerialRange::new(prefix, &serial(first), &serial(last), last - first + 1);
        Batch {
            id: id.into(),
            spec: "count = 5".into(),
            key_kcv: Some("A1B2C3".into()),
            serials: vec![range.unwrap()],
        }
    }

    fn file() -> FileDigest {
        FileDigest { name: "b.pskcxml".into(), bytes: 7, sha256: sha256("content") }
    }

    fn inventory() -> (tempfile::TempDir, Inventory) {
        let folder = tempfile::tempdir().unwrap();
        let inventory = Inventory::open(folder.path().join("inventory")).unwrap();
        (folder, inventory)
    }

    #[test]
    fn a_batch_goes_from_reserved_to_delivered() {
        let (_folder, mut inventory) = inventory();
        let asked = batch("first", "ACME", 1, 5);
        let mut reservation = inventory.reserve(&asked, now()).unwrap();
        reservation.written(&[file()], now()).unwrap();
        reservation.complete(now()).unwrap();
        inventory.deliver("first", "Example University", now()).unwrap();

        let again = Inventory::open_existing(inventory.path()).unwrap();
        let record = again.batch("first").unwrap();
        assert_eq!(record.batch, asked);
        assert_eq!(record.state, State::Complete);
        assert_eq!(record.spec_sha256, sha256("count = 5"));
        assert_eq!(record.files, [file()]);
        assert_eq!(record.deliveries[0].to, "Example University");
        assert_eq!(record.deliveries[0].at, now());
        assert_eq!(again.batches().unwrap(), std::slice::from_ref(&record));
        assert_eq!(again.with_digest(&file().sha256).unwrap(), std::slice::from_ref(&record));
        assert_eq!(again.with_file("b.pskcxml").unwrap().len(), 1);
        assert_eq!(again.with_serial("ACME000003").unwrap(), Some(record));
        for other in ["ACME000006", "ACME00003", "ACME0000x3", ""] {
            assert_eq!(again.with_serial(other).unwrap(), None, "{other}");
        }
    }

    #[test]
    fn nothing_is_issued_twice_whatever_became_of_it() {
        let (_folder, mut inventory) = inventory();
        drop(inventory.reserve(&batch("a", "ACME", 1, 100), now()).unwrap());
        inventory
            .reserve(&batch("b", "ACME", 101, 200), now())
            .unwrap()
            .abandon("interrupted", now())
            .unwrap();
        assert_eq!(inventory.batch("b").unwrap().note.as_deref(), Some("interrupted"));
        assert_eq!(
            inventory.reserve(&batch("a", "OTHER", 1, 2), now()).unwrap_err().to_string(),
            "the batch identifier a was issued before, at 2026-09-01T08:00:00Z (state: reserved)"
        );
        let error = inventory.reserve(&batch("c", "ACME", 100, 150), now()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "serials from ACME000100 to ACME000150 were issued before: batch a has ACME000001 to \
             ACME000100 (state: reserved)"
        );
        assert!(error.hint().contains("ACME000200"), "{}", error.hint());
        let longer = batch("c", "ACME0001", 50, 60);
        let short = SerialRange::new("ACME0001", "ACME000150", "ACME000160", 11).unwrap();
        let hidden = Batch { serials: vec![short], ..longer };
        assert!(inventory.reserve(&hidden, now()).is_err());
        assert_eq!(inventory.batches().unwrap().len(), 2, "a refusal records nothing");
        inventory.reserve(&batch("c", "ACME", 201, 300), now()).unwrap();
    }

    #[test]
    fn ranges_of_one_batch_may_not_overlap_either() {
        let (_folder, mut inventory) = inventory();
        let mut twice = batch("a", "ACME", 1, 10);
        twice.serials.push(batch("a", "ACME", 10, 20).serials.remove(0));
        assert!(inventory.reserve(&twice, now()).is_err());
        assert_eq!(inventory.batches().unwrap(), []);
        twice.serials[1] = batch("a", "ACME", 11, 20).serials.remove(0);
        drop(inventory.reserve(&twice, now()).unwrap());
        assert_eq!(inventory.batch("a").unwrap().batch, twice);
        assert_eq!(twice.keys(), 20);
    }

    #[test]
    fn what_was_cut_off_at_the_end_is_completed_by_its_file() {
        let (_folder, mut inventory) = inventory();
        let mut reservation = inventory.reserve(&batch("a", "ACME", 1, 10), now()).unwrap();
        reservation.written(&[file()], now()).unwrap();
        drop(reservation);
        let error = inventory.deliver("a", "x", now()).unwrap_err();
        assert_eq!(error.to_string(), "batch a is written, so it cannot be delivered");
        assert!(error.hint().contains("inventory verify"), "{}", error.hint());
        inventory.confirm("a", now()).unwrap();
        let error = inventory.confirm("a", now()).unwrap_err();
        assert_eq!(error.to_string(), "batch a is complete, so it cannot be completed");
        inventory.deliver("a", "x", now()).unwrap();
    }

    #[test]
    fn senseless_names_are_refused() {
        let (_folder, mut inventory) = inventory();
        for id in ["", "a b", "\u{1b}[31m", &"x".repeat(161)] {
            let error = inventory.reserve(&batch(id, "ACME", 1, 2), now()).unwrap_err();
            assert!(matches!(error, InventoryError::BatchId(_)), "{error}");
            assert!(!error.to_string().contains('\u{1b}'));
        }
        let none = Batch { serials: Vec::new(), ..batch("a", "ACME", 1, 2) };
        assert!(inventory.reserve(&none, now()).is_err());
        assert!(matches!(
            inventory.deliver("nobody", "x", now()).unwrap_err(),
            InventoryError::UnknownBatch { .. }
        ));
        for to in ["", " ", "a\nb", &"x".repeat(201)] {
            assert!(matches!(
                inventory.deliver("a", to, now()).unwrap_err(),
                InventoryError::Recipient
            ));
        }
    }

    #[test]
    fn the_file_itself_refuses_to_forget_serials() {
        let (_folder, mut inventory) = inventory();
        drop(inventory.reserve(&batch("a", "ACME", 1, 2), now()).unwrap());
        for sql in ["DELETE FROM serials", "UPDATE serials SET last = first", "DELETE FROM batch"] {
            let error = inventory.connection.execute(sql, ()).unwrap_err().to_string();
            assert!(error.contains("never"), "{error}");
        }
    }

    #[test]
    fn of_many_who_ask_at_once_one_gets_the_serials() {
        let (folder, inventory) = inventory();
        let path = folder.path().join("inventory");
        drop(inventory);
        let won: usize = std::thread::scope(|scope| {
            let asked: Vec<_> = (0..8)
                .map(|number| {
                    let path = &path;
                    scope.spawn(move || {
                        let mut inventory = Inventory::open(path).unwrap();
                        let batch = batch(&format!("b{number}"), "ACME", number, number + 10);
                        usize::from(inventory.reserve(&batch, now()).is_ok())
                    })
                })
                .collect();
            asked.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
        assert_eq!(Inventory::open(&path).unwrap().batches().unwrap().len(), 1);
    }
}
