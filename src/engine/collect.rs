//! The one thread that writes the record, counts, and shows how far the run is.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::clock_watch::ClockWatch;
use super::judge::Judge;
use super::worker::Shared;
use super::{Early, ShowProgress};
use crate::audit::took;
use crate::clock::UnixMicros;
use crate::recorder::{ClockEvent, Expected, Fault, Observation, RunWriter, Verdict};
use crate::report::{Counters, Live};

/// How far the run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Counts up to now.
    pub counters: Counters,
    /// Key time now, µs.
    pub key_time: UnixMicros,
    /// Key time since the start, µs.
    pub elapsed: UnixMicros,
    /// People in the run.
    pub people: u32,
}

/// Attempts in a row that failed to connect, after which a run is given up.
const HOPELESS: u64 = 100;

/// How often the clocks are looked at, and how far the run is shown.
const LOOK: Duration = Duration::from_millis(200);

/// What the collector knows beside the record.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Why the run was given up, if it was.
    pub(super) hopeless: Option<Early>,
    /// What happened to the clock.
    pub(super) clock_events: Vec<ClockEvent>,
}

/// Good codes in a row, from the first one on, whose refusal says that these are not the keys, or
/// not the state of the keys, that the server knows.
const STRANGERS: u64 = 20;

/// What shows early that a run is for nothing.
#[derive(Debug, Default)]
struct Prospects {
    unconnected: u64,
    strangers: u64,
    known: bool,
}

impl Prospects {
    fn add(&mut self, seen: &Observation) -> Option<Early> {
        match seen.fault {
            Some(Fault::Connect | Fault::Tls) => self.unconnected += 1,
            _ => self.unconnected = 0,
        }
        let good = matches!(seen.expectation.expected, Expected::NewPin | Expected::Accepted);
        let credential = seen.expectation.expected != Expected::Page;
        self.known |= credential && took(seen.verdict);
        self.strangers += u64::from(good && seen.verdict == Verdict::Rejected);
        if self.unconnected >= HOPELESS {
            Some(Early::Unreachable)
        } else if self.strangers >= STRANGERS && !self.known {
            Some(Early::Stranger)
        } else {
            None
        }
    }
}

/// Takes everything the workers hand over until the last of them is gone. Stops the run when it
/// shows early that it is for nothing.
pub(super) fn collect(
    shared: &Shared,
    seen: &Receiver<Vec<Observation>>,
    writer: &mut RunWriter,
    live: &mut Live,
    mut show: Option<ShowProgress>,
) -> Collected {
    let mut judge = Judge::new(ClockWatch::new(shared.timeline), live);
    let (mut prospects, mut hopeless) = (Prospects::default(), None);
    let mut shown = Instant::now();
    loop {
        let batch = match seen.recv_timeout(LOOK) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => {
                return Collected { hopeless, clock_events: judge.end() };
            }
        };
        for seen in &batch {
            writer.record(seen);
            hopeless = hopeless.or_else(|| prospects.add(seen));
        }
        judge.take(batch);
        if hopeless.is_some() {
            shared.stop.store(true, Ordering::Relaxed);
        }
        if shown.elapsed() > LOOK {
            shown = Instant::now();
            judge.look();
            writer.flush();
            if let Some(show) = show.as_mut() {
                let key_time = shared.timeline.key(shown);
                show(&Progress {
                    counters: judge.counters(),
                    key_time,
                    elapsed: key_time.saturating_sub(shared.timeline.start_key()),
                    people: shared.world.people,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{Behaviour, Expectation, Reason, Step};

    fn seen(expected: Expected, verdict: Verdict, fault: Option<Fault>) -> Observation {
        Observation {
            person: 0,
            attempt: 0,
            step: if expected == Expected::Page { Step::Open } else { Step::FirstCode },
            behaviour: Behaviour::Careful,
            group: 0,
            due_us: 1,
            sent_us: 1,
            answered_us: 1,
            sent_key: 1,
            answered_key: 1,
            counter: None,
            expectation: Expectation::always(expected, Reason::FreshCode),
            verdict,
            status: 0,
            fault,
        }
    }

    /// What was made of each, up to the first reason to give up.
    fn until_given_up(attempts: impl IntoIterator<Item = Observation>) -> (usize, Option<Early>) {
        let (mut prospects, mut count) = (Prospects::default(), 0);
        for seen in attempts {
            count += 1;
            let early = prospects.add(&seen);
            if early.is_some() {
                return (count, early);
            }
        }
        (count, None)
    }

    #[test]
    fn connecting_in_vain_a_hundred_times_in_a_row_ends_a_run() {
        let failed = |fault| seen(Expected::NewPin, Verdict::Error, Some(fault));
        let many = |fault, count| std::iter::repeat_n(failed(fault), count);
        for fault in [Fault::Connect, Fault::Tls] {
            let early = until_given_up(many(fault, 200));
            assert_eq!(early, (100, Some(Early::Unreachable)), "{fault}");
        }
        // Any other outcome in between: somebody is there.
        for other in [
            seen(Expected::NewPin, Verdict::NewPin, None),
            seen(Expected::Page, Verdict::Accepted, None),
            failed(Fault::Timeout),
        ] {
            let attempts =
                many(Fault::Connect, 99).chain([other.clone()]).chain(many(Fault::Connect, 99));
            assert_eq!(until_given_up(attempts.clone()), (199, None), "{other:?}");
            let one_more = attempts.chain([failed(Fault::Tls)]);
            assert_eq!(until_given_up(one_more), (200, Some(Early::Unreachable)));
        }
    }

    #[test]
    fn refusing_the_first_twenty_good_codes_ends_a_run_and_one_taken_before_them_never() {
        let refused = |expected| seen(expected, Verdict::Rejected, None);
        // Pages open well, a mistyped code is refused, answers are lost: neither here nor there.
        let others = [
            seen(Expected::Page, Verdict::Accepted, None),
            refused(Expected::Rejected),
            seen(Expected::NewPin, Verdict::Error, Some(Fault::Timeout)),
            seen(Expected::NewPin, Verdict::Throttled, None),
        ];
        for expected in [Expected::NewPin, Expected::Accepted] {
            let attempts = (0..50).flat_map(|_| others.iter().cloned().chain([refused(expected)]));
            assert_eq!(until_given_up(attempts.clone()), (100, Some(Early::Stranger)));
            for verdict in [Verdict::NewPin, Verdict::Accepted] {
                let one = seen(Expected::Unknown, verdict, None);
                let known = attempts.clone().take(95).chain([one]).chain(attempts.clone());
                assert_eq!(until_given_up(known).1, None, "{verdict}");
            }
        }
    }
}
