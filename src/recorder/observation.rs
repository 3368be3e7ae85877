//! One attempt as it was due, sent and answered, with what should have come and what did.

use crate::fleet::{Behaviour, Expectation};
use crate::named::named;
use crate::target::Verdict;

named! {
    /// What the person was doing.
    Step {
        /// Opening a page: no credential is sent.
        Open = "open",
        /// User id and the bare code (first connection, step 1).
        FirstCode = "first-code",
        /// Choosing a PIN, typed twice (step 2).
        NewPin = "new-pin",
        /// PIN and the next code (step 3).
        Confirm = "confirm",
        /// User id and PASSCODE, any day after.
        Login = "login",
        /// The next code, asked for after one that was too far out.
        Resync = "resync",
        /// Leaving.
        Logout = "logout",
    }
}

named! {
    /// Why there was no usable answer, and whose fault it was.
    Fault {
        /// The connection was refused or could not be made.
        Connect = "connect",
        /// TLS could not be agreed.
        Tls = "tls",
        /// No answer in time: whether the server acted is unknown.
        Timeout = "timeout",
        /// The connection broke before the answer: whether the server acted is unknown.
        Reset = "reset",
        /// The answer could not be understood (no rule matched, a value was not found, too long).
        Answer = "answer",
        /// The server answered that it had failed (HTTP 5xx).
        Server = "server",
        /// This program's fault: no file descriptor, no port. Never counted against the server.
        Generator = "generator",
        /// The run ended before the answer came.
        Unfinished = "unfinished",
    }
}

/// One attempt. Times ending in `_us` are real microseconds since the start of the run; times
/// ending in `_key` are key time in microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Index of the person in the run's roster.
    pub person: u32,
    /// Running number of this person's attempts, from 0.
    pub attempt: u32,
    /// What the person was doing.
    pub step: Step,
    /// How.
    pub behaviour: Behaviour,
    /// Attempts of one person with the same non-zero number were sent at the same time.
    pub group: u32,
    /// When it was due: open-model latency runs from here.
    pub due_us: u64,
    /// When its first byte was sent; equal to `answered_us` when it never was.
    pub sent_us: u64,
    /// When its answer was complete, or given up.
    pub answered_us: u64,
    /// Key time when it was sent.
    pub sent_key: u64,
    /// Key time when its answer was complete.
    pub answered_key: u64,
    /// Time step or counter of the code sent; `None` when no code was, or a mistyped one.
    pub counter: Option<u64>,
    /// What should come.
    pub expectation: Expectation,
    /// What came.
    pub verdict: Verdict,
    /// HTTP status or RADIUS packet code of the deciding answer; 0 when none came.
    pub status: u16,
    /// Why there was no usable answer.
    pub fault: Option<Fault>,
}

impl Observation {
    /// From due to answer, µs: what the person waited.
    #[must_use]
    pub fn latency_us(&self) -> u64 {
        self.answered_us.saturating_sub(self.due_us)
    }

    /// From sent to answer, µs: what the server took.
    #[must_use]
    pub fn service_us(&self) -> u64 {
        self.answered_us.saturating_sub(self.sent_us)
    }

    /// From due to sent, µs: how late this program was.
    #[must_use]
    pub fn lateness_us(&self) -> u64 {
        self.sent_us.saturating_sub(self.due_us)
    }

    /// Whether the server must have acted while the expectation held, give or take
    /// `uncertainty` µs of key time between its clock and ours.
    #[must_use]
    pub fn decided(&self, uncertainty: u64) -> bool {
        self.expectation.decided(self.sent_key, self.answered_key, uncertainty)
    }
}
