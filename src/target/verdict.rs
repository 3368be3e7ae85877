//! What a server's answer means.

use crate::named::named;

named! {
    /// What the server answered, as read by the target's rules.
    Verdict {
        /// Logged in.
        Accepted = "accepted",
        /// Refused.
        Rejected = "rejected",
        /// Asked for a new PIN.
        NewPin = "new-pin",
        /// Asked for the next code.
        NextCode = "next-code",
        /// Took the PIN and asked for the PASSCODE.
        Confirm = "confirm",
        /// Said that the account is locked.
        Locked = "locked",
        /// Said that it has too much to do, or that we come too often.
        Throttled = "throttled",
        /// No rule matched, a server fault, or no answer at all (the transport then says why).
        Error = "error",
    }
}
