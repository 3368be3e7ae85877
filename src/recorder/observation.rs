//! One attempt as it was due, sent and answered, with what should have come and what did.

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
        /// Leaving.
        Logout = "logout",
    }
}

named! {
    /// How the person behaved at this attempt.
    Behaviour {
        /// As the leaflet asks.
        Careful = "careful",
        /// Sends the same code again within its minute, after it was accepted.
        Impatient = "impatient",
        /// Clicks twice: the same request twice at once.
        DoubleClick = "double-click",
        /// Mistypes.
        Typo = "typo",
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

named! {
    /// What a correct server must answer.
    Expected {
        /// Log the person in.
        Accepted = "accepted",
        /// Refuse (any of rejected, locked, throttled will do).
        Rejected = "rejected",
        /// Take the code and ask for a new PIN.
        NewPin = "new-pin",
        /// Take the PIN and ask for the PASSCODE.
        Confirm = "confirm",
        /// One attempt of a concurrent group, of which exactly one may be taken as the other
        /// values say; which one is the server's choice.
        OneOfGroup = "one-of-group",
        /// Serve the page.
        Page = "page",
        /// Nothing can be said (an earlier answer was lost, or the target declares no rule).
        Unknown = "unknown",
    }
}

named! {
    /// Why the oracle expects what it expects.
    Reason {
        /// An unused code within the window, with the right PIN.
        FreshCode = "fresh-code",
        /// The code was accepted before: RFC 6238 §5.2, "MUST NOT accept the second attempt".
        ReplayedCode = "replayed-code",
        /// The code is of a step before the last accepted one.
        OlderCode = "older-code",
        /// The code is of no step within the window.
        WrongCode = "wrong-code",
        /// The code is right, the PIN is not.
        WrongPin = "wrong-pin",
        /// The code is of a step outside the declared window.
        OutsideWindow = "outside-window",
        /// The new PIN satisfies the rules and is typed twice alike.
        GoodPin = "good-pin",
        /// The new PIN breaks a rule, or the two differ.
        BadPin = "bad-pin",
        /// The account has had too many failures.
        Locked = "locked",
        /// The same request at the same time.
        Concurrent = "concurrent",
        /// A step was left out.
        OutOfOrder = "out-of-order",
        /// An earlier answer was lost, so the server's state is not known.
        LostAnswer = "lost-answer",
        /// No credential is involved.
        NoCredential = "no-credential",
    }
}

/// What a correct server must answer, fixed before the attempt is sent.
///
/// The verdict may only be held against it when the server acted within `from..=until` (key
/// time): near the end of a window, an answer that took long proves nothing. See
/// [`Observation::decided`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// The answer that must come.
    pub expected: Expected,
    /// Why.
    pub reason: Reason,
    /// First instant of key time (µs) at which a server must answer so; 0 for always.
    pub from: u64,
    /// Last instant of key time (µs) at which it must; `u64::MAX` for always.
    pub until: u64,
}

impl Expectation {
    /// An expectation that holds at any time.
    #[must_use]
    pub fn always(expected: Expected, reason: Reason) -> Self {
        Self { expected, reason, from: 0, until: u64::MAX }
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
        let Expectation { from, until, .. } = self.expectation;
        let always = from == 0 && until == u64::MAX;
        always
            || self.sent_key >= from.saturating_add(uncertainty)
                && self.answered_key.saturating_add(uncertainty) <= until
    }
}
