//! The inventory: an SQLite file that remembers every batch, so that no batch identifier and no
//! serial number is ever issued twice.
//!
//! A batch is *reserved*, durably, before its first key is made; whatever happens then, its serials
//! are never given out again:
//!
//! | state | then | next |
//! |---|---|---|
//! | (none) | `reserve` | reserved |
//! | reserved | its files are whole, their digests recorded | written |
//! | reserved | minting failed or was interrupted, and said so | abandoned |
//! | reserved | kill −9, power cut | stays reserved |
//! | written | its files have their names | complete |
//! | written | kill −9 in between, and a file with that digest turns up | complete |
//!
//! One file, with a rollback journal rather than a write-ahead log: a few transactions a day need no
//! log, and a single file can be copied, mailed and read from a read-only medium. `synchronous =
//! EXTRA`: what was committed survives a power cut. Never holds a secret.

mod batch;
mod digest;
mod error;
mod read;
mod reservation;
mod schema;
mod store;

pub use batch::{Batch, Delivery, Record, SerialRange, State};
pub use digest::{Digesting, FileDigest, Watch, digest_of};
pub use error::{Conflict, InventoryError};
pub use reservation::Reservation;
pub use store::Inventory;
