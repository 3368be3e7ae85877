//! What a correct server must answer, fixed before the attempt is sent.

use crate::named::named;

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
        /// Tries on purpose what a server must not take.
        Probing = "probing",
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
        /// Ask for the next code: this one is right but too far out.
        NextCode = "next-code",
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
        /// A step was left out, or one that was begun and left may not be forgotten.
        OutOfOrder = "out-of-order",
        /// An earlier answer was lost, so the server's state is not known.
        LostAnswer = "lost-answer",
        /// The code may have been used before the run began.
        EarlierRun = "earlier-run",
        /// No credential is involved.
        NoCredential = "no-credential",
    }
}

/// What a correct server must answer, fixed before the attempt is sent.
///
/// The verdict may only be held against it when the server acted within `from..=until` (key
/// time): near the end of a window, an answer that took long proves nothing. See
/// [`Expectation::decided`].
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

    /// What is left of it when the server may have got the request more than once, and acted each
    /// time.
    ///
    /// | had to be | then |
    /// |---|---|
    /// | refused | refused each time: what was spent before the request stays spent |
    /// | taken | unknown: taken once, and then spent |
    /// | asked the next code for | not taken: the same code again is no next one |
    /// | a page | a page |
    #[must_use]
    pub fn sent_again(self) -> Self {
        match self.expected {
            Expected::Rejected | Expected::Page => self,
            Expected::NextCode => Self { expected: Expected::Rejected, ..self },
            Expected::Accepted
            | Expected::NewPin
            | Expected::Confirm
            | Expected::OneOfGroup
            | Expected::Unknown => Self::always(Expected::Unknown, Reason::LostAnswer),
        }
    }

    /// Whether a server that acted between `sent_key` and `answered_key` (key time, µs) must have
    /// acted while the expectation held, give or take `uncertainty` µs of key time between its
    /// clock and ours.
    #[must_use]
    pub fn decided(&self, sent_key: u64, answered_key: u64, uncertainty: u64) -> bool {
        (self.from == 0 || sent_key >= self.from.saturating_add(uncertainty))
            && (self.until == u64::MAX || answered_key.saturating_add(uncertainty) <= self.until)
    }
}
