//! What the oracle is told: what is about to be sent, and what came back.

use crate::clock::UnixMicros;
use crate::otp::Code;
use crate::target::{Operation, Verdict};

/// What is sent as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// None: a page is opened, a PIN chosen, a session left.
    None,
    /// The key's code of this step.
    Step(u64),
    /// Something else.
    Wrong(Code),
}

/// One attempt as the oracle sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What is asked of the server.
    pub operation: Operation,
    /// The code sent.
    pub credential: Credential,
    /// Whether the PIN sent is the right one (true where none is due).
    pub pin_right: bool,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How the answer reads.
    pub verdict: Verdict,
    /// Whether the server acted.
    pub acted: Acted,
    /// Key time when the attempt was sent, µs.
    pub sent_key: UnixMicros,
    /// Key time when the answer was complete or given up, µs.
    pub answered_key: UnixMicros,
}

/// Whether the server acted on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It answered.
    Yes,
    /// It never saw the attempt.
    No,
    /// The answer was lost.
    Perhaps,
}
