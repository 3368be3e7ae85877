//! A key in somebody's hand: it counts time by its own clock, which is a little wrong.

use crate::clock::UnixMicros;
use crate::otp::{Code, Countdown, Generator, step_start};

/// A time-based key with its own clock.
#[derive(Debug, Clone)]
pub struct VirtualKey {
    generator: Generator,
    period: u32,
    drift: i64,
}

impl VirtualKey {
    /// A key whose display changes every `period` seconds and whose clock is `drift` µs ahead.
    #[must_use]
    pub fn new(generator: Generator, period: u32, drift: i64) -> Self {
        Self { generator, period: period.max(1), drift }
    }

    /// Seconds a code is on display.
    #[must_use]
    pub fn period(&self) -> u32 {
        self.period
    }

    /// What the display shows at `now` (true time): step, bars, time left.
    #[must_use]
    pub fn display(&self, now: UnixMicros) -> Countdown {
        Countdown::at(now.saturating_add_signed(self.drift), self.period)
    }

    /// True time at which the display of `step` begins.
    #[must_use]
    pub fn shows_from(&self, step: u64) -> UnixMicros {
        step_start(step, self.period).saturating_add_signed(-self.drift)
    }

    /// The code of a step.
    #[must_use]
    pub fn code(&self, step: u64) -> Code {
        self.generator.code(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;
    use crate::otp::Hash;
    use crate::secret::Secret;

    #[test]
    fn a_fast_key_changes_early() {
        let generator = Generator::new(&Secret::from(&b"12345678901234567890"[..]), Hash::Sha1, 6);
        let key = VirtualKey::new(generator.clone(), 60, 7_000_000);
        assert_eq!(key.shows_from(10), 593 * SECOND);
        assert_eq!(key.display(593 * SECOND - 1).step, 9);
        assert_eq!((key.display(593 * SECOND).step, key.display(593 * SECOND).bars), (10, 5));
        let slow = VirtualKey::new(generator, 60, -7_000_000);
        assert_eq!(slow.shows_from(10), 607 * SECOND);
    }
}
