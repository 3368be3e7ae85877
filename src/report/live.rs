//! Counting while a run goes on: the progress line, and the report at its end, without reading
//! the record again (which a full disk may have cut short).

use hdrhistogram::Histogram;

use super::collector::{Collector, Source};
use super::steps::{growing, record, timed};
use super::summary::Summary;
use crate::audit::Finding;
use crate::recorder::{ClockEvent, Completeness, Observation, RunInfo, Step};

/// A run that goes on.
#[derive(Debug)]
pub struct Live {
    collector: Collector,
    latency: Histogram<u64>,
    attempts: u64,
}

/// Counts of a run up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Attempts finished.
    pub attempts: u64,
    /// People who went through all three steps.
    pub initialised: u64,
    /// Logins accepted.
    pub logins: u64,
    /// Replays answered, those of unfinished concurrent groups left out.
    pub replays: u64,
    /// Of these, refused as they must be.
    pub replays_refused: u64,
    /// Contradictions.
    pub contradictions: u64,
    /// Attempts that prove nothing.
    pub undetermined: u64,
    /// Attempts without a usable answer.
    pub faults: u64,
    /// 99th percentile of latency over all steps that send a credential, µs.
    pub p99_us: u64,
}

impl Live {
    /// Begins to count.
    #[must_use]
    pub fn new(run: &RunInfo) -> Self {
        let mut collector = Collector::default();
        // The first run of a collector differs from none.
        let _ = collector.begin(run);
        Self { collector, latency: growing(3), attempts: 0 }
    }

    /// Takes an attempt; returns what it proves, or `None` while that depends on the rest of its
    /// concurrent group.
    pub fn add(&mut self, seen: &Observation) -> Option<Finding> {
        self.attempts += 1;
        if timed(seen) && !matches!(seen.step, Step::Open | Step::Logout) {
            record(&mut self.latency, seen.latency_us());
        }
        self.collector.add(seen)
    }

    /// Takes notice of something that happened to the clock, before the attempts that it touches
    /// are added.
    pub fn clock_event(&mut self, event: ClockEvent) {
        self.collector.clock_event(event);
    }

    /// Counts up to now.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let totals = self.collector.audit.totals();
        let replays = totals.replays;
        Counters {
            attempts: self.attempts,
            initialised: self.collector.people.initialised,
            logins: self.collector.people.logins,
            replays: replays.sent(),
            replays_refused: replays.sent() - replays.accepted(),
            contradictions: self.collector.audit.contradictions_by_now(),
            undetermined: totals.all().undetermined,
            faults: totals.all().faults,
            p99_us: self.latency.value_at_quantile(0.99),
        }
    }

    /// Ends the run: `run` is its head with `finished`, `interrupted`, `generator` and what was counted filled in,
    /// and `lost` the number of attempts that the record does not hold
    /// ([`crate::recorder::RunWriter::lost`]).
    #[must_use]
    pub fn finish(mut self, run: &RunInfo, lost: u64) -> Summary {
        let completeness = Completeness { attempts: self.attempts - lost.min(self.attempts), lost };
        let source = Source { completeness: Some(completeness), ..Source::default() };
        self.collector.end(run.clone(), source);
        self.collector.summary()
    }
}
