//! What a server can be asked to do.

use crate::named::named;

named! {
    /// One thing a person does at the server; the names are those of `[operation.NAME]`.
    Operation {
        /// User id and the bare code (first connection, step 1).
        FirstCode = "first_code",
        /// Choosing a PIN, typed twice (step 2).
        NewPin = "new_pin",
        /// PIN and the next code (step 3).
        Confirm = "confirm",
        /// User id and PASSCODE.
        Login = "login",
        /// The next code, asked for after one that was too far out (RFC 4226 §7.4).
        Resync = "resync",
        /// Leaving.
        Logout = "logout",
    }
}

/// The two halves of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The person opens the page: nothing is typed yet.
    Open,
    /// The person has typed.
    Submit,
}
