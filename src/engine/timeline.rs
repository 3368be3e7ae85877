//! Key time and real time of one run: two lines through its start.

use std::time::{Duration, Instant};

use crate::clock::{Clock, UnixMicros};

/// Converts between key time and the monotonic clock. Fixed at the start of the run, so that a
/// step of the wall clock in the middle moves no due instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    start: Instant,
    start_key: UnixMicros,
    rate: f64,
}

impl Timeline {
    /// A run that begins `lead` (real time) from now.
    pub(super) fn beginning_in(lead: Duration, clock: &dyn Clock) -> Self {
        let now = Self::new(Instant::now(), clock.now(), clock.rate());
        let start = now.start + lead;
        Self::new(start, now.key(start), now.rate)
    }

    pub(super) fn new(start: Instant, start_key: UnixMicros, rate: f64) -> Self {
        Self { start, start_key, rate }
    }

    pub(super) fn start_key(&self) -> UnixMicros {
        self.start_key
    }

    /// The real instant of a key time; the start for anything before it.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn instant(&self, key: UnixMicros) -> Instant {
        let seconds = key.saturating_sub(self.start_key) as f64 / 1e6 / self.rate;
        self.start + Duration::from_secs_f64(seconds)
    }

    /// The key time of a real instant.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn key(&self, instant: Instant) -> UnixMicros {
        let since = instant.saturating_duration_since(self.start).as_secs_f64();
        self.start_key + (since * self.rate * 1e6) as u64
    }

    /// Real microseconds since the start.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn run_us(&self, instant: Instant) -> u64 {
        instant.saturating_duration_since(self.start).as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_there_and_back() {
        let line = Timeline::new(Instant::now(), 1_790_000_000_000_000, 60.0);
        let minute = 1_790_000_060_000_000;
        assert_eq!(line.run_us(line.instant(minute)), 1_000_000);
        assert!(line.key(line.instant(minute)).abs_diff(minute) < 2);
        assert_eq!(line.instant(0), line.instant(line.start_key()));
    }
}
