//! Reading what was recorded.

use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::Type;

use super::schema::explain;
use super::{Batch, Delivery, FileDigest, Inventory, InventoryError, Record, SerialRange};

impl Inventory {
    /// Every batch, in the order of reservation.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn batches(&self) -> Result<Vec<Record>, InventoryError> {
        self.records("SELECT * FROM batch ORDER BY number", &[])
    }

    /// The batch with this identifier.
    ///
    /// # Errors
    /// [`InventoryError::UnknownBatch`], or when the file cannot be read.
    pub fn batch(&self, id: &str) -> Result<Record, InventoryError> {
        let found = self.records("SELECT * FROM batch WHERE id = ?1", &[id])?;
        found.into_iter().next().ok_or_else(|| self.unknown(id))
    }

    /// The batches that have a file with this SHA-256 (lower-case hexadecimal).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn with_digest(&self, sha256: &str) -> Result<Vec<Record>, InventoryError> {
        self.records(
            "SELECT * FROM batch WHERE number IN (SELECT batch FROM file WHERE sha256 = ?1)
             ORDER BY number",
            &[sha256],
        )
    }

    /// The batches that have a file of this name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn with_file(&self, name: &str) -> Result<Vec<Record>, InventoryError> {
        self.records(
            "SELECT * FROM batch WHERE number IN (SELECT batch FROM file WHERE name = ?1)
             ORDER BY number",
            &[name],
        )
    }

    /// The batch that has this serial.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn with_serial(&self, serial: &str) -> Result<Option<Record>, InventoryError> {
        let candidates = self.records(
            "SELECT * FROM batch WHERE number IN (SELECT batch FROM serials
                WHERE length = length(?1) AND first <= ?1 AND last >= ?1)",
            &[serial],
        )?;
        Ok(candidates.into_iter().find(|record| {
            record.batch.serials.iter().any(|range| {
                let one = SerialRange::new(&range.prefix, serial, serial, 1);
                one.is_ok_and(|one| range.overlaps(&one))
            })
        }))
    }

    fn records(&self, sql: &str, values: &[&str]) -> Result<Vec<Record>, InventoryError> {
        let read = || {
            let mut statement = self.connection.prepare(sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
                Ok((row.get::<_, i64>("number")?, record(row)?))
            })?;
            rows.map(|row| {
                let (number, mut record) = row?;
                record.batch.serials = self.serials(number)?;
                record.files = self.files(number)?;
                record.deliveries = self.deliveries(number)?;
                Ok(record)
            })
            .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| explain(&self.path, error))
    }

    fn serials(&self, number: i64) -> rusqlite::Result<Vec<SerialRange>> {
        let sql = "SELECT prefix, first, last, keys FROM serials WHERE batch = ?1 ORDER BY rowid";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_map([number], range)?.collect()
    }

    fn files(&self, number: i64) -> rusqlite::Result<Vec<FileDigest>> {
        let sql = "SELECT name, bytes, sha256 FROM file WHERE batch = ?1 ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([number], |row| {
            let bytes = u64::try_from(row.get::<_, i64>(1)?).unwrap_or_default();
            Ok(FileDigest { name: row.get(0)?, bytes, sha256: row.get(2)? })
        })?;
        rows.collect()
    }

    fn deliveries(&self, number: i64) -> rusqlite::Result<Vec<Delivery>> {
        let sql = "SELECT name, at FROM delivery WHERE batch = ?1 ORDER BY rowid";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map([number], |row| Ok(Delivery { to: row.get(0)?, at: parsed(row, 1)? }))?;
        rows.collect()
    }
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let at = |name: &str| {
        let index = row.as_ref().column_index(name)?;
        parsed::<Timestamp>(row, index)
    };
    Ok(Record {
        batch: Batch {
            id: row.get("id")?,
            spec: row.get("spec")?,
            key_kcv: row.get("key_kcv")?,
            serials: Vec::new(),
        },
        state: parsed(row, row.as_ref().column_index("state")?)?,
        spec_sha256: row.get("spec_sha256")?,
        reserved_at: at("reserved_at")?,
        changed_at: at("changed_at")?,
        note: row.get("note")?,
        files: Vec::new(),
        deliveries: Vec::new(),
    })
}

pub(super) fn range(row: &Row<'_>) -> rusqlite::Result<SerialRange> {
    Ok(SerialRange {
        prefix: row.get(0)?,
        first: row.get(1)?,
        last: row.get(2)?,
        keys: u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default(),
    })
}

/// A column of text as a value of ours.
pub(super) fn parsed<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: std::str::FromStr,
    T::Err: ToString,
{
    let text: String = row.get(index)?;
    text.parse().map_err(|error: T::Err| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.to_string().into())
    })
}
