//! What came when: over the whole run in bins that widen as it lasts, and folded onto the period
//! of the keys, where the wave after each tick shows.
//!
//! All on key time, counted from the tick before the run's start, so that bins and ticks agree and
//! the shards of one test lie on each other.

use hdrhistogram::Histogram;

use super::steps::{growing, record, timed};
use crate::recorder::{ClockInfo, Observation, Step};

const STEPS: usize = Step::ALL.len();
/// Most bins of counts: finer than a chart can show.
const BINS: usize = 1440;
/// Most intervals with a histogram of each step: a few megabytes at worst.
const INTERVALS: usize = 240;
/// Most parts of the period.
const PARTS: u64 = 60;

/// Attempts of one stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bin {
    /// Attempts due, by step.
    pub(super) due: [u64; STEPS],
    /// Answers that came, whatever they said.
    pub(super) answered: u64,
    /// Attempts given up without a usable answer.
    pub(super) faults: u64,
}

impl Bin {
    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.due.iter_mut().zip(other.due) {
            *mine += theirs;
        }
        self.answered += other.answered;
        self.faults += other.faults;
    }
}

/// Latencies of one stretch of time, µs at 2 significant digits, of the steps that had any.
#[derive(Debug, Clone, Default)]
pub(super) struct Interval([Option<Box<Histogram<u32>>>; STEPS]);

impl Interval {
    /// The histogram of a step, if there is one.
    pub(super) fn step(&self, step: Step) -> Option<&Histogram<u32>> {
        self.0[step as usize].as_deref()
    }

    /// The histogram of all steps; empty when nothing came.
    pub(super) fn all(&self) -> Histogram<u32> {
        let mut all = growing(2);
        for histogram in self.0.iter().flatten() {
            // Cannot fail: `all` grows as needed.
            let _ = all.add(histogram.as_ref());
        }
        all
    }

    fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            match (mine, theirs) {
                (Some(mine), Some(theirs)) => drop(mine.add(theirs.as_ref())),
                (mine @ None, Some(theirs)) => *mine = Some(theirs.clone()),
                (_, None) => {}
            }
        }
    }
}

/// A part of the period of the keys, over all periods.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Attempts due, by step.
    pub(super) due: [u64; STEPS],
    /// Latency of these, µs at 2 significant digits.
    pub(super) latency: Histogram<u32>,
}

/// Stretches of equal width from 0 on; when they would be too many, neighbours are merged and
/// the width doubles.
#[derive(Debug, Clone)]
pub(super) struct Stretches<T> {
    /// Width, µs of key time.
    pub(super) width: u64,
    /// The stretches, the first from 0 to `width`.
    pub(super) all: Vec<T>,
    most: usize,
    merge: fn(&mut T, &T),
}

impl<T: Clone + Default> Stretches<T> {
    fn new(width: u64, most: usize, merge: fn(&mut T, &T)) -> Self {
        Self { width: width.max(1), all: Vec::new(), most, merge }
    }

    fn at(&mut self, elapsed: u64) -> &mut T {
        while elapsed / self.width >= self.most as u64 {
            self.width = self.width.saturating_mul(2);
            let merge = self.merge;
            self.all = self
                .all
                .chunks(2)
                .map(|pair| {
                    let mut first = pair[0].clone();
                    pair.iter().skip(1).for_each(|second| merge(&mut first, second));
                    first
                })
                .collect();
        }
        // Below `most`, which is small.
        let at = usize::try_from(elapsed / self.width).unwrap_or_default();
        if self.all.len() <= at {
            self.all.resize(at + 1, T::default());
        }
        &mut self.all[at]
    }
}

/// Everything that is shown over time.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    clock: ClockInfo,
    /// Key time at the start of the first run, µs.
    pub(super) start_key: u64,
    /// Period of the keys, µs.
    pub(super) period: u64,
    /// Counts.
    pub(super) bins: Stretches<Bin>,
    /// Latencies.
    pub(super) intervals: Stretches<Interval>,
    /// The period's parts, of equal width.
    pub(super) parts: Vec<Part>,
}

impl Timeline {
    /// For runs whose keys have the period of `clock`.
    pub(super) fn new(clock: ClockInfo) -> Self {
        let seconds = u64::from(clock.period.max(1));
        let period = seconds * 1_000_000;
        // The period divided by a power of two: after any doubling, bins and ticks still agree.
        let parts = usize::try_from(seconds.min(PARTS)).unwrap_or(1);
        Self {
            clock,
            start_key: clock.start_key,
            period,
            bins: Stretches::new(period / 32, BINS, Bin::merge),
            intervals: Stretches::new(period / 4, INTERVALS, Interval::merge),
            parts: vec![Part { due: [0; STEPS], latency: growing(2) }; parts],
        }
    }

    /// From now on, attempts are of a run with this clock.
    pub(super) fn begin(&mut self, clock: ClockInfo) {
        self.clock = clock;
    }

    pub(super) fn add(&mut self, seen: &Observation) {
        let due = self.key_time(seen.due_us);
        let origin = self.clock.start_key - self.clock.start_key % self.period;
        let step = seen.step as usize;
        self.bins.at(due - origin).due[step] += 1;
        let answered = self.key_time(seen.answered_us).max(due);
        let bin = self.bins.at(answered - origin);
        match seen.fault {
            None => bin.answered += 1,
            Some(_) => bin.faults += 1,
        }
        let count = self.parts.len() as u64;
        let at = usize::try_from(due % self.period * count / self.period).unwrap_or_default();
        let part = &mut self.parts[at];
        part.due[step] += 1;
        if timed(seen) {
            record(&mut part.latency, seen.latency_us());
            let interval = self.intervals.at(due - origin);
            let histogram = interval.0[step].get_or_insert_with(|| Box::new(growing(2)));
            record(histogram, seen.latency_us());
        }
    }

    /// Key time, µs, when the run had gone on for `run_us` real µs.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn key_time(&self, run_us: u64) -> u64 {
        self.clock.start_key.saturating_add((run_us as f64 * self.clock.rate) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_widen_and_lose_nothing() {
        let mut stretches = Stretches::<Bin>::new(10, 4, Bin::merge);
        for elapsed in [0, 9, 10, 39, 40, 1_000, 10_000_000] {
            stretches.at(elapsed).answered += 1;
            assert!(stretches.all.len() <= 4);
        }
        assert_eq!(stretches.all.iter().map(|bin| bin.answered).sum::<u64>(), 7);
        assert_eq!(stretches.width % 10, 0);
        // A nonsensical time out of a damaged file must not hang or overflow.
        stretches.at(u64::MAX).answered += 1;
    }
}
