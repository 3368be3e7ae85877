//! Which steps a correct server takes at a given moment, when all that is known of the drift it
//! has learned lies between two bounds.

use crate::clock::UnixMicros;
use crate::otp::{step_start, time_step};
use crate::target::Policy;

/// What a server declares, as the oracle needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Steps before its own that the server accepts.
    pub back: i64,
    /// Steps after its own that it accepts.
    pub forward: i64,
    /// Largest drift it learns, in steps.
    pub max_drift: i64,
    /// Steps beyond the window within which it asks for the next code; 0 when it refuses.
    pub resync: i64,
    /// Whether steps before the last accepted one are refused.
    pub monotonic: bool,
    /// Consecutive failures after which it locks.
    pub lock_after: Option<u32>,
    /// How long a lock lasts, µs; `None` until an administrator ends it.
    pub lock_for: Option<u64>,
    /// Whether a new PIN logs the person in at once.
    pub new_pin_accepts: bool,
    /// Whether people initialise their keys here.
    pub three_steps: bool,
    /// Period of the keys, seconds.
    pub period: u32,
    /// Server's clock minus ours, µs.
    pub offset: i64,
    /// How far off that may be, µs.
    pub uncertainty: u64,
}

/// Drift that the server may have learned, in steps: anything between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Drift {
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Rules {
    /// From what the target declares.
    #[must_use]
    pub fn new(policy: &Policy, period: u32, offset: i64, uncertainty: u64) -> Self {
        Self {
            back: i64::from(policy.window_back),
            forward: i64::from(policy.window_forward),
            max_drift: i64::from(policy.max_drift_steps),
            resync: i64::from(policy.resync_steps),
            monotonic: policy.monotonic,
            lock_after: policy.lock_after,
            lock_for: policy.lock_seconds.map(|seconds| u64::from(seconds) * 1_000_000),
            new_pin_accepts: policy.new_pin_accepts,
            three_steps: policy.three_steps,
            period: period.max(1),
            offset,
            uncertainty,
        }
    }

    /// The server's own step at our time `now`.
    #[allow(clippy::cast_possible_wrap)]
    pub(super) fn step(&self, now: UnixMicros) -> i64 {
        time_step(now.saturating_add_signed(self.offset), self.period) as i64
    }

    /// Our time at which the server's own step `step` begins; 0 before 1970.
    pub(super) fn start(&self, step: i64) -> UnixMicros {
        let server = step_start(u64::try_from(step).unwrap_or(0), self.period);
        server.saturating_add_signed(-self.offset)
    }

    /// Our times (first, last) between which the server *must* have `step` in its window,
    /// whatever drift within `drift` it has learned; empty when first > last.
    #[allow(clippy::cast_possible_wrap)]
    pub(super) fn sure(&self, step: u64, drift: Drift) -> (UnixMicros, UnixMicros) {
        let step = step as i64;
        let first = self.start(step - self.forward - drift.low);
        let last = self.start(step + self.back - drift.high + 1).saturating_sub(1);
        (first, last)
    }

    /// Our times (first, last) outside of which the server *cannot* have `step` in its window.
    #[allow(clippy::cast_possible_wrap)]
    pub(super) fn possible(&self, step: u64, drift: Drift) -> (UnixMicros, UnixMicros) {
        let step = step as i64;
        let first = self.start(step - self.forward - drift.high);
        let last = self.start(step + self.back - drift.low + 1).saturating_sub(1);
        (first, last)
    }

    /// As [`Rules::sure`], of the steps that a server asks the next code for.
    pub(super) fn surely_asked(&self, step: u64, drift: Drift) -> (UnixMicros, UnixMicros) {
        Self { back: self.resync, forward: self.resync, ..*self }.sure(step, drift)
    }

    /// As [`Rules::possible`], of the steps that a server asks the next code for.
    pub(super) fn possibly_asked(&self, step: u64, drift: Drift) -> (UnixMicros, UnixMicros) {
        Self { back: self.resync, forward: self.resync, ..*self }.possible(step, drift)
    }

    /// Every step that may be in the window, or asked the next code for, while the server's own step
    /// is within `own`.
    pub(super) fn union(&self, own: (i64, i64), drift: Drift) -> std::ops::RangeInclusive<u64> {
        let low = own.0 - self.back.max(self.resync) + drift.low;
        let high = own.1 + self.forward.max(self.resync) + drift.high;
        u64::try_from(low).unwrap_or(0)..=u64::try_from(high).unwrap_or(0)
    }

    /// How far `step` may be from the server's own, received between two of our times.
    #[allow(clippy::cast_possible_wrap)]
    pub(super) fn off(&self, step: u64, between: (UnixMicros, UnixMicros)) -> Drift {
        let step = step as i64;
        Drift {
            low: step - self.step(between.1.saturating_add(self.uncertainty)),
            high: step - self.step(between.0.saturating_sub(self.uncertainty)),
        }
    }

    /// The drift a server may learn from accepting a code that was so far `off`, bounded around
    /// `base`, the drift by which the key was resynchronised last.
    pub(super) fn learned(&self, off: Drift, base: Drift) -> Drift {
        let (low, high) = (base.low - self.max_drift, base.high + self.max_drift);
        Drift { low: off.low.clamp(low, high), high: off.high.clamp(low, high) }
    }
}

impl Drift {
    /// None.
    pub(super) const NONE: Self = Self { low: 0, high: 0 };

    /// The smallest interval that holds both.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    fn leaflet() -> Rules {
        Rules {
            back: 1,
            forward: 1,
            max_drift: 1,
            resync: 0,
            monotonic: true,
            lock_after: Some(10),
            lock_for: None,
            new_pin_accepts: false,
            three_steps: true,
            period: 60,
            offset: 0,
            uncertainty: 0,
        }
    }

    #[test]
    fn unknown_drift_narrows_what_is_sure_and_widens_what_is_possible() {
        let rules = leaflet();
        let none = Drift { low: 0, high: 0 };
        let any = Drift { low: -1, high: 1 };
        let minutes =
            |(first, last): (u64, u64)| (first / (60 * SECOND), (last + 1) / (60 * SECOND));
        assert_eq!(minutes(rules.sure(100, none)), (99, 102));
        assert_eq!(minutes(rules.possible(100, none)), (99, 102));
        assert_eq!(minutes(rules.sure(100, any)), (100, 101));
        assert_eq!(minutes(rules.possible(100, any)), (98, 103));
        assert_eq!(rules.union((100, 101), any), 98..=103);
    }

    #[test]
    fn the_offset_of_the_servers_clock_moves_the_window() {
        let rules = Rules { offset: 5_000_000, ..leaflet() };
        let none = Drift { low: 0, high: 0 };
        assert_eq!(rules.sure(100, none).0, (99 * 60 - 5) * SECOND);
        assert_eq!(rules.step(100 * 60 * SECOND - 5 * SECOND), 100);
    }

    #[test]
    fn learning_is_bounded() {
        let rules = leaflet();
        let at = |minute: u64| minute * 60 * SECOND;
        let learned = |between, base| rules.learned(rules.off(100, between), base);
        assert_eq!(learned((at(101), at(101)), Drift::NONE), Drift { low: -1, high: -1 });
        assert_eq!(learned((at(99), at(101)), Drift::NONE), Drift { low: -1, high: 1 });
        assert_eq!(learned((at(90), at(90)), Drift::NONE), Drift { low: 1, high: 1 });
        let resynchronised = Drift { low: 7, high: 8 };
        assert_eq!(learned((at(90), at(90)), resynchronised), Drift { low: 9, high: 9 });
        assert_eq!(learned((at(100), at(100)), resynchronised), Drift { low: 6, high: 6 });
    }
}
