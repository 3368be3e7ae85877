//! Time is passed in: every part that needs to know the hour is given a [`Clock`].
//!
//! Codes live on *key time* (microseconds since 1970-01-01T00:00:00Z, as RFC 6238 counts them);
//! latencies live on [`std::time::Instant`] and are never scaled. A [`ScaledClock`] lets an hour
//! of key time pass in a minute, so that three-step initialisation needs no three real minutes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Microseconds since the Unix epoch, in key time.
pub type UnixMicros = u64;

/// Microseconds in a second.
pub const SECOND: UnixMicros = 1_000_000;

/// A source of key time.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Key time now.
    fn now(&self) -> UnixMicros;

    /// Seconds of key time that pass in one real second; 1 for wall time.
    fn rate(&self) -> f64;

    /// How long to wait, in real time, until key time is `instant`; zero when it is past.
    fn until(&self, instant: UnixMicros) -> Duration {
        let ahead = instant.saturating_sub(self.now());
        Duration::from_micros(ahead).div_f64(self.rate())
    }
}

/// The operating system's wall time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMicros {
        system_micros()
    }

    fn rate(&self) -> f64 {
        1.0
    }
}

/// Wall time sped up: `origin + rate × (wall − origin)`.
///
/// Two processes that are given the same origin and rate read the same key time, which is how
/// `serve` and `simulate` agree on the minute.
#[derive(Debug, Clone, Copy)]
pub struct ScaledClock {
    origin: UnixMicros,
    rate: f64,
    // Monotonic from the moment of creation on, so that a step of the wall clock moves no code.
    created: Instant,
    created_at: UnixMicros,
}

impl ScaledClock {
    /// A clock that shows wall time at `origin` and runs `rate` times as fast since then.
    ///
    /// # Panics
    /// When `rate` is not a positive finite number: parse it before.
    #[must_use]
    pub fn new(origin: UnixMicros, rate: f64) -> Self {
        assert!(rate.is_finite() && rate > 0.0, "clock rate must be positive");
        Self { origin, rate, created: Instant::now(), created_at: system_micros() }
    }

    /// A clock that starts at wall time now and runs `rate` times as fast.
    #[must_use]
    pub fn starting_now(rate: f64) -> Self {
        Self::new(system_micros(), rate)
    }

    /// The instant at which this clock and wall time agree.
    #[must_use]
    pub fn origin(&self) -> UnixMicros {
        self.origin
    }
}

impl Clock for ScaledClock {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn now(&self) -> UnixMicros {
        let wall = self.created_at as i128 + self.created.elapsed().as_micros() as i128;
        let since = (wall - i128::from(self.origin)) as f64 * self.rate;
        (i128::from(self.origin) + since as i128).max(0) as u64
    }

    fn rate(&self) -> f64 {
        self.rate
    }
}

/// A clock that stands still until it is told to move; for tests and for replaying a moment.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: UnixMicros) -> Self {
        Self(AtomicU64::new(now))
    }

    /// Sets the time.
    pub fn set(&self, now: UnixMicros) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves the time on by `seconds`.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds * SECOND, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMicros {
        self.0.load(Ordering::SeqCst)
    }

    fn rate(&self) -> f64 {
        1.0
    }
}

/// Wall time now, in microseconds since the Unix epoch; 0 on a machine set before 1970.
#[allow(clippy::cast_possible_truncation)]
#[must_use]
pub fn system_micros() -> UnixMicros {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_clock_is_a_line_through_its_origin() {
        let wall = system_micros();
        let clock = ScaledClock::new(wall - 10 * SECOND, 60.0);
        let shown = clock.now();
        // 10 s of wall time at rate 60 are 600 s of key time, give or take the test's own pauses.
        assert!(shown >= wall + 590 * SECOND, "{shown} {wall}");
        assert!(shown < wall + 590 * SECOND + 600 * SECOND, "{shown} {wall}");
    }

    #[test]
    fn waiting_is_in_real_time() {
        let clock = ScaledClock::new(system_micros(), 60.0);
        let wait = clock.until(clock.now() + 60 * SECOND);
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(clock.until(0), Duration::ZERO);
    }

    #[test]
    fn a_manual_clock_obeys() {
        let clock = ManualClock::at(59 * SECOND);
        clock.advance(1);
        assert_eq!(clock.now(), 60 * SECOND);
    }
}
