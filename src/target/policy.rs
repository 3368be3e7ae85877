//! What a server declares about itself: from it the oracle knows what a correct one must answer.

use crate::clock::UnixMicros;

/// Order of PIN and code in a PASSCODE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinPosition {
    /// PIN, then code.
    Before,
    /// Code, then PIN.
    After,
}

/// Of which characters a PIN may be: ASCII digits and letters in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PinCharacters {
    /// Digits alone.
    Digits,
    /// Letters alone.
    Letters,
    /// Digits, letters, or both.
    #[default]
    LettersOrDigits,
    /// At least one letter and at least one digit.
    LettersAndDigits,
}

impl PinCharacters {
    /// Every kind, by its name in a target file.
    pub(super) const NAMES: [(&'static str, Self); 4] = [
        ("digits", Self::Digits),
        ("letters", Self::Letters),
        ("letters-or-digits", Self::LettersOrDigits),
        ("letters-and-digits", Self::LettersAndDigits),
    ];
}

/// The `[policy]` of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Steps before the server's own that it accepts.
    pub window_back: u32,
    /// Steps after the server's own that it accepts.
    pub window_forward: u32,
    /// Steps either way of its own, and beyond the window, within which a code with the right PIN is
    /// answered by `next-code`: two codes in a row then move the window (RFC 4226 §7.4). 0 when such
    /// a code is refused.
    pub resync_steps: u32,
    /// Largest drift in steps, either way, that the server learns; 0 when it learns none.
    pub max_drift_steps: u32,
    /// Whether a step before the last accepted one is refused.
    pub monotonic: bool,
    /// Consecutive failures after which the account is locked; `None` when it never is.
    pub lock_after: Option<u32>,
    /// Seconds of key time until a lock ends; `None` when an administrator must end it.
    pub lock_seconds: Option<u32>,
    /// Fewest characters of a PIN.
    pub pin_min: u8,
    /// Most characters of a PIN.
    pub pin_max: u8,
    /// Of which characters a PIN may be.
    pub pin_characters: PinCharacters,
    /// Order of PIN and code.
    pub pin_position: PinPosition,
    /// Whether the server takes a person through first code, new PIN and confirmation; when not,
    /// PINs were set beforehand and people only log in.
    pub three_steps: bool,
    /// Whether a new PIN is answered by `accepted` (the third step is then an ordinary login)
    /// instead of `confirm`.
    pub new_pin_accepts: bool,
    /// Where the server shows its clock beside the `Date` header.
    pub clock: Option<ClockSource>,
}

/// A JSON document in which the server shows its clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockSource {
    /// Path to GET.
    pub path: String,
    /// JSON pointer (RFC 6901) to the time.
    pub time: String,
    /// Microseconds in one unit of that number.
    pub unit: UnixMicros,
    /// JSON pointer to the seconds of key time per real second.
    pub rate: Option<String>,
}
