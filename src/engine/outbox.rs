//! What a worker has seen, on its way to the collector: handed over in batches, through a channel
//! that holds so many and no more. A collector that falls behind, as behind a slow disk, costs a
//! worker memory first, up to a bound; then the worker waits, and the wait is counted.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use crate::recorder::Observation;

/// Observations handed over at once.
const BATCH: usize = 512;
/// Batches on the way, all workers together.
const ON_THE_WAY: usize = 256;
/// Observations that a worker keeps when the channel is full.
const MOST: usize = 64 * BATCH;

/// A way from any number of workers to one collector.
pub(super) fn channel() -> (SyncSender<Vec<Observation>>, Receiver<Vec<Observation>>) {
    mpsc::sync_channel(ON_THE_WAY)
}

/// How long workers waited for the collector: people were held up by as much, which shows as
/// lateness.
#[derive(Debug, Default)]
pub(super) struct Waited(AtomicU64);

impl Waited {
    /// All of them together.
    pub(super) fn sum(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// One worker's end of the way.
pub(super) struct Outbox {
    seen: RefCell<Vec<Observation>>,
    sink: SyncSender<Vec<Observation>>,
}

impl Outbox {
    pub(super) fn new(sink: SyncSender<Vec<Observation>>) -> Self {
        Self { seen: RefCell::new(Vec::with_capacity(BATCH)), sink }
    }

    /// Takes what was seen; waits only when there is no room left anywhere.
    pub(super) fn put(&self, seen: Observation, waited: &Waited) {
        let mut kept = self.seen.borrow_mut();
        kept.push(seen);
        let count = kept.len();
        drop(kept);
        if count >= MOST {
            let began = Instant::now();
            self.empty();
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            waited.0.fetch_add(micros, Ordering::Relaxed);
        } else if count.is_multiple_of(BATCH) {
            self.hand_over();
        }
    }

    /// Hands over what there is room for.
    pub(super) fn hand_over(&self) {
        let mut kept = self.seen.take();
        while !kept.is_empty() {
            // A batch and no more, or the bound on batches would be none on observations.
            let rest = kept.split_off(kept.len().min(BATCH));
            // The collector outlives the workers; were it gone, there would be nobody to tell.
            if let Err(TrySendError::Full(mut first)) = self.sink.try_send(kept) {
                first.extend(rest);
                kept = first;
                break;
            }
            kept = rest;
        }
        *self.seen.borrow_mut() = kept;
    }

    /// Hands over what there is, however long that takes.
    pub(super) fn empty(&self) {
        let mut kept = self.seen.take();
        while !kept.is_empty() {
            let rest = kept.split_off(kept.len().min(BATCH));
            let _ = self.sink.send(kept);
            kept = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{Behaviour, Expectation, Expected, Reason, Step, Verdict};

    fn seen(number: u32) -> Observation {
        Observation {
            person: 0,
            attempt: number,
            step: Step::Login,
            behaviour: Behaviour::Careful,
            group: 0,
            due_us: 1,
            sent_us: 1,
            answered_us: 1,
            sent_key: 1,
            answered_key: 1,
            counter: None,
            expectation: Expectation::always(Expected::Accepted, Reason::FreshCode),
            verdict: Verdict::Accepted,
            status: 200,
            fault: None,
        }
    }

    #[test]
    fn what_was_kept_back_goes_on_in_batches() {
        let (sink, source) = mpsc::sync_channel(1);
        let (outbox, waited) = (Outbox::new(sink), Waited::default());
        let all = u32::try_from(5 * BATCH + 7).unwrap();
        (0..all).for_each(|number| outbox.put(seen(number), &waited));
        let mut got = Vec::new();
        while let Ok(batch) = source.try_recv() {
            assert!(batch.len() <= BATCH, "{}", batch.len());
            got.extend(batch.iter().map(|seen| seen.attempt));
            outbox.hand_over();
        }
        assert!(got.iter().copied().eq(0..all), "in order, each once");
        assert_eq!(waited.sum(), Duration::ZERO);
    }

    #[test]
    fn a_collector_that_stands_still_stops_the_worker_at_a_bound_and_loses_nothing() {
        let (sink, source) = channel();
        let room = u32::try_from(ON_THE_WAY * BATCH + MOST).unwrap();
        let waited = Waited::default();
        std::thread::scope(|scope| {
            let (outbox, waited) = (Outbox::new(sink), &waited);
            let (full, is_full) = mpsc::channel();
            let worker = scope.spawn(move || {
                (0..room - 1).for_each(|number| outbox.put(seen(number), waited));
                assert_eq!(waited.sum(), Duration::ZERO, "as long as there is room");
                full.send(()).unwrap();
                (room - 1..room + 100).for_each(|number| outbox.put(seen(number), waited));
                outbox.empty();
            });
            is_full.recv().unwrap();
            // It waits now, or will in a moment: only what is taken away lets it go on.
            std::thread::sleep(Duration::from_millis(50));
            assert!(!worker.is_finished());
            let numbers = source.iter().flatten().map(|seen| seen.attempt);
            assert!(numbers.eq(0..room + 100), "in order, each once");
        });
        assert!(waited.sum() > Duration::ZERO);
    }
}
