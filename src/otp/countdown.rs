//! The five-bar countdown beside the digits: 5 bars, the number has just appeared; 1 bar, it is
//! about to change. At a period of 60 s each bar stands for 12 s.

use super::{step_start, time_step};
use crate::clock::UnixMicros;

/// How many bars the display has.
pub(crate) const BARS: u8 = 5;

/// Where a key stands within its time step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Countdown {
    /// The time step on display.
    pub step: u64,
    /// Bars shown, 5 down to 1.
    pub bars: u8,
    /// Microseconds of key time until the number changes; never 0.
    pub remaining: UnixMicros,
}

impl Countdown {
    /// The countdown of a key with this `period` (seconds) whose own clock shows `now`.
    #[must_use]
    pub fn at(now: UnixMicros, period: u32) -> Self {
        let step = time_step(now, period);
        let remaining = step_start(step + 1, period) - now;
        Self { step, bars: bars(remaining, period), remaining }
    }
}

/// Bars shown when `remaining` microseconds are left of a `period` in seconds: `ceil(5·r/p)`,
/// between 1 and 5.
#[must_use]
pub fn bars(remaining: UnixMicros, period: u32) -> u8 {
    let whole = step_start(1, period);
    let shown = (remaining * u64::from(BARS)).div_ceil(whole).clamp(1, u64::from(BARS));
    u8::try_from(shown).unwrap_or(BARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    #[test]
    fn twelve_seconds_a_bar_at_sixty() {
        let shown = |second: u64| Countdown::at(second * SECOND, 60).bars;
        assert_eq!(
            [0, 11, 12, 23, 24, 35, 36, 47, 48, 59].map(shown),
            [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
        );
        assert_eq!(shown(60), 5);
    }

    #[test]
    fn the_number_changes_at_the_end_of_the_last_bar() {
        let countdown = Countdown::at(60 * SECOND - 1, 60);
        assert_eq!((countdown.step, countdown.bars, countdown.remaining), (0, 1, 1));
    }
}
