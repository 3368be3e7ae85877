//! One-time passwords: HOTP (RFC 4226) and TOTP (RFC 6238), and the arithmetic of time steps.
//!
//! Pure functions of key, counter and time. Verification (windows, replay, drift) is *not* here:
//! the reference server and the oracle each have their own, so that one bug cannot hide in both.

mod countdown;
mod generator;
mod hash;

pub use countdown::{Countdown, bars};
pub use generator::{Code, Generator};
pub use hash::Hash;

use crate::clock::{SECOND, UnixMicros};

/// The TOTP time step `T = floor((unix − T0) / X)` with T0 = 0 (RFC 6238 §4.2), `period` in
/// seconds. 64 bits wide, so it goes on after 2038.
#[must_use]
pub fn time_step(now: UnixMicros, period: u32) -> u64 {
    now / (u64::from(period.max(1)) * SECOND)
}

/// The instant at which time step `step` begins.
#[must_use]
pub fn step_start(step: u64, period: u32) -> UnixMicros {
    step.saturating_mul(u64::from(period.max(1)) * SECOND)
}
