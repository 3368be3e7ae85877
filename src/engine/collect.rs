//! The one thread that writes the record, counts, and shows how far the run is.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::ShowProgress;
use super::worker::Shared;
use crate::clock::UnixMicros;
use crate::recorder::{Fault, Observation, RunWriter};
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

/// Attempts after which a run that reached nobody is given up.
const HOPELESS: u64 = 100;

/// Takes everything the workers hand over until the last of them is gone. Stops the run when the
/// first hundred attempts all failed to connect; returns whether it did.
pub(super) fn collect(
    shared: &Shared,
    seen: &Receiver<Vec<Observation>>,
    writer: &mut RunWriter,
    live: &mut Live,
    mut show: Option<ShowProgress>,
) -> bool {
    let (mut attempts, mut unconnected, mut hopeless) = (0_u64, 0_u64, false);
    let mut shown = Instant::now();
    loop {
        let batch = match seen.recv_timeout(Duration::from_millis(200)) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => Vec::new(),
            Err(RecvTimeoutError::Disconnected) => return hopeless,
        };
        for seen in &batch {
            writer.record(seen);
            let _ = live.add(seen);
            attempts += 1;
            unconnected += u64::from(matches!(seen.fault, Some(Fault::Connect | Fault::Tls)));
        }
        if attempts >= HOPELESS && unconnected == attempts {
            hopeless = true;
            shared.stop.store(true, Ordering::Relaxed);
        }
        if shown.elapsed() > Duration::from_millis(200) {
            shown = Instant::now();
            writer.flush();
            if let Some(show) = show.as_mut() {
                let key_time = shared.timeline.key(shown);
                show(&Progress {
                    counters: live.counters(),
                    key_time,
                    elapsed: key_time.saturating_sub(shared.timeline.start_key()),
                    people: shared.world.people,
                });
            }
        }
    }
}
