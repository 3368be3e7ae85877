//! How far an exchange has come, so that a missed deadline is blamed on what took so long.

use std::cell::Cell;
use std::time::Duration;

use super::connection::Broken;
use crate::recorder::Fault;

#[derive(Default)]
pub(super) struct Stage {
    at: Cell<At>,
    answered: Cell<bool>,
    resent: Cell<u32>,
}

#[derive(Clone, Copy, Default)]
enum At {
    #[default]
    Connecting,
    Securing,
    Waiting,
}

impl Stage {
    pub(super) fn connecting(&self) {
        self.at.set(At::Connecting);
    }

    pub(super) fn securing(&self) {
        self.at.set(At::Securing);
    }

    pub(super) fn waiting(&self) {
        self.at.set(At::Waiting);
    }

    /// A hop was answered: whatever fails after it, the server may have acted.
    pub(super) fn answered(&self) {
        self.answered.set(true);
    }

    /// A request is sent again whose first sending the server says it has not had. Whether that is
    /// so, only the server knows.
    pub(super) fn resending(&self) {
        self.answered.set(true);
        self.resent.set(self.resent.get() + 1);
    }

    /// Requests sent again so far.
    pub(super) fn resent(&self) -> u32 {
        self.resent.get()
    }

    /// Marks what broke off after an answer.
    pub(super) fn blame(&self, mut broken: Broken) -> Broken {
        broken.reached |= self.answered.get();
        broken
    }

    /// What a missed deadline means here. Before the request was sent, the server cannot have
    /// acted; after, nobody knows.
    pub(super) fn timed_out(&self, deadline: Duration) -> Broken {
        let (fault, what) = match self.at.get() {
            At::Connecting => (Fault::Connect, "cannot connect: not taken"),
            At::Securing => (Fault::Tls, "TLS failed: not agreed"),
            At::Waiting => (Fault::Timeout, "no whole answer"),
        };
        Broken::new(fault, format!("{what} within {deadline:?}"))
    }
}
