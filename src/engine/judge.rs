//! Judges attempts as they come, knowing what happened to the clock before they were answered.

use super::clock_watch::{ClockWatch, Reading};
use crate::recorder::{ClockEvent, Observation};
use crate::report::{Counters, Live};

/// Attempts are recorded at once and judged after the next look at the clocks, so that what
/// happened to these before an answer is known when it is judged.
pub(super) struct Judge<'a> {
    watch: ClockWatch,
    live: &'a mut Live,
    waiting: Vec<Vec<Observation>>,
    events: Vec<ClockEvent>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(watch: ClockWatch, live: &'a mut Live) -> Self {
        let mut judge = Self { watch, live, waiting: Vec::new(), events: Vec::new() };
        judge.look();
        judge
    }

    pub(super) fn take(&mut self, batch: Vec<Observation>) {
        self.waiting.push(batch);
    }

    pub(super) fn counters(&self) -> Counters {
        self.live.counters()
    }

    pub(super) fn look(&mut self) {
        // Held up: the next look sees it, and what waits goes on waiting.
        if let Some(now) = Reading::now() {
            self.judge(now);
        }
    }

    fn judge(&mut self, now: Reading) {
        for event in self.watch.look(now) {
            self.live.clock_event(event);
            self.events.push(event);
        }
        for seen in self.waiting.drain(..).flatten() {
            let _ = self.live.add(&seen);
        }
    }

    /// What still waits is judged, whatever the clocks say.
    pub(super) fn end(mut self) -> Vec<ClockEvent> {
        self.look();
        for seen in self.waiting.drain(..).flatten() {
            let _ = self.live.add(&seen);
        }
        self.events
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::timeline::Timeline;
    use super::*;
    use crate::recorder::{
        Behaviour, Expectation, Expected, Reason, Step, Verdict, run_info_for_tests,
    };

    /// A good code refused, answered at `us` after the start.
    fn refused(us: u64) -> Observation {
        Observation {
            person: 0,
            attempt: 0,
            step: Step::Login,
            behaviour: Behaviour::Careful,
            group: 0,
            due_us: us,
            sent_us: us,
            answered_us: us,
            sent_key: us,
            answered_key: us,
            counter: Some(us),
            expectation: Expectation::always(Expected::Accepted, Reason::FreshCode),
            verdict: Verdict::Rejected,
            status: 200,
            fault: None,
        }
    }

    #[test]
    fn what_came_before_the_step_counts_and_what_came_between_the_looks_does_not() {
        let run = run_info_for_tests();
        let start = Instant::now();
        let mut live = Live::new(&run);
        let watch = ClockWatch::new(Timeline::new(start, run.clock.start_key, run.clock.rate));
        let mut judge = Judge { watch, live: &mut live, waiting: Vec::new(), events: Vec::new() };
        let at = |milliseconds: u64, set: f64| {
            let passed = Duration::from_millis(milliseconds);
            let wall = 1.79e9 + passed.as_secs_f64() + set;
            Reading { monotonic: start + passed, boot: passed, wall }
        };
        judge.judge(at(0, 0.0));
        // A server that takes anybody's code knows the keys, and can be held to it.
        let taken = Observation { verdict: Verdict::Accepted, ..refused(50_000) };
        judge.take(vec![taken, refused(100_000)]);
        assert_eq!(judge.counters().attempts, 0);
        judge.judge(at(200, 0.0));
        assert_eq!(judge.counters().contradictions, 1);
        // Handed over late, answered before the step could be: still evidence.
        judge.take(vec![refused(199_000), refused(300_000)]);
        judge.judge(at(400, -5.0));
        let counters = judge.counters();
        assert_eq!((counters.contradictions, counters.undetermined), (2, 1));
        judge.take(vec![refused(500_000)]);
        let events = judge.end();
        assert_eq!(live.counters().undetermined, 2);
        assert_eq!(events.first().map(|event| event.after_us), Some(200_000));
    }
}
