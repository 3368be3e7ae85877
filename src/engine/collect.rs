//! The one thread that writes the record, counts, and shows how far the run is.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::clock_watch::ClockWatch;
use super::judge::Judge;
use super::worker::Shared;
use super::{Early, ShowProgress};
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

/// First codes in a row, from the first one on, whose refusal says that these are not the keys, or
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
        if seen.expectation.expected == Expected::NewPin {
            match seen.verdict {
                Verdict::Rejected if !self.known => self.strangers += 1,
                Verdict::Rejected => {}
                _ => self.known = true,
            }
        }
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
