//! Serials that were taken for a batch, until its files are there.

use jiff::Timestamp;

use super::{FileDigest, Inventory, InventoryError, State};

/// A batch whose serials were taken. Dropped without a word, it stays reserved, as after a crash:
/// the serials are not given out again.
#[derive(Debug)]
pub struct Reservation<'a> {
    inventory: &'a mut Inventory,
    id: String,
}

impl<'a> Reservation<'a> {
    pub(super) fn new(inventory: &'a mut Inventory, id: String) -> Self {
        Self { inventory, id }
    }

    /// The batch's identifier.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Records the digests of files that are whole, before they are given their names: a file that
    /// is there is then always known.
    ///
    /// # Errors
    /// When it cannot be recorded; the files must then not be given their names.
    pub fn written(&mut self, files: &[FileDigest], now: Timestamp) -> Result<(), InventoryError> {
        let step = (&[State::Reserved][..], State::Written);
        self.inventory.advance(&self.id, step, "written", (files, None), now)
    }

    /// Records that the files have their names.
    ///
    /// # Errors
    /// When it cannot be recorded: then [`Inventory::confirm`] can do it later.
    pub fn complete(self, now: Timestamp) -> Result<(), InventoryError> {
        self.inventory.confirm(&self.id, now)
    }

    /// Records that no file was made, and why. The serials stay taken: some of them may have been
    /// seen.
    ///
    /// # Errors
    /// When it cannot be recorded; then the batch stays reserved, which is as safe.
    pub fn abandon(self, why: &str, now: Timestamp) -> Result<(), InventoryError> {
        let step = (&[State::Reserved, State::Written][..], State::Abandoned);
        self.inventory.advance(&self.id, step, "abandoned", (&[], Some(why)), now)
    }
}
