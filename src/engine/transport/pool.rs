//! One worker thread's idle connections, and its limit.

use std::cell::{Cell, RefCell};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::connection::Connection;

pub(super) struct Pool {
    /// The one used last is used next: the fewest stay warm, the rest grow stale in peace.
    /// Boxed: it moves between here and an exchange at every request, and is large.
    #[allow(clippy::vec_box)]
    idle: RefCell<Vec<Box<Connection>>>,
    permits: Semaphore,
    opened: Cell<u64>,
    resent: Cell<u64>,
}

impl Pool {
    pub(super) fn new(max_connections: usize) -> Self {
        Self {
            idle: RefCell::default(),
            permits: Semaphore::new(max_connections.clamp(1, Semaphore::MAX_PERMITS)),
            opened: Cell::new(0),
            resent: Cell::new(0),
        }
    }

    /// Waits for leave to use one connection; first come, first served.
    pub(super) async fn wait(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there always is one.
        self.permits.acquire().await.ok()
    }

    /// An idle connection that can still be used.
    pub(super) async fn idle(&self) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.idle.borrow_mut().pop()?;
            if connection.is_usable().await {
                return Some(connection);
            }
        }
    }

    pub(super) fn give_back(&self, connection: Box<Connection>) {
        self.idle.borrow_mut().push(connection);
    }

    pub(super) fn count_opened(&self) {
        self.opened.set(self.opened.get() + 1);
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened.get()
    }

    pub(super) fn count_resent(&self) {
        self.resent.set(self.resent.get() + 1);
    }

    pub(super) fn resent(&self) -> u64 {
        self.resent.get()
    }
}
