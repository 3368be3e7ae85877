//! Sees when wall time is set or the machine sleeps in the middle of a run. Key time goes by the
//! monotonic clock and does neither: from then on it may not be the server's any more.

use std::time::{Duration, Instant, SystemTime};

use super::timeline::Timeline;
use crate::recorder::{ClockEvent, ClockEventKind};

/// Wall time that is slewed moves by half a millisecond a second; what moves further was set.
const STEP: f64 = 0.050;
/// Seconds of sleep.
const SLEEP: f64 = 1.0;
/// Clocks read so far apart cannot be compared: the thread was held up in between.
const APART: Duration = Duration::from_millis(5);

/// The clocks of this machine, read at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Stands still while the machine sleeps.
    pub(super) monotonic: Instant,
    /// Goes on while it sleeps; since any moment.
    pub(super) boot: Duration,
    /// Wall time, seconds since 1970.
    pub(super) wall: f64,
}

impl Reading {
    /// The clocks now; `None` when this thread was held up while it read them.
    pub(super) fn now() -> Option<Self> {
        let monotonic = Instant::now();
        let boot = boot(monotonic);
        let wall = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => since.as_secs_f64(),
            Err(before) => -before.duration().as_secs_f64(),
        };
        (monotonic.elapsed() < APART).then_some(Self { monotonic, boot, wall })
    }
}

#[cfg(target_os = "linux")]
fn boot(monotonic: Instant) -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let _ = monotonic;
    clock_gettime(ClockId::Boottime).try_into().unwrap_or_default()
}

/// Sleep is not told from a step of the clock where no clock says so.
#[cfg(not(target_os = "linux"))]
fn boot(monotonic: Instant) -> Duration {
    static FIRST: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    monotonic.saturating_duration_since(*FIRST.get_or_init(|| monotonic))
}

/// Compares each reading with the one before.
#[derive(Debug)]
pub(super) struct ClockWatch {
    timeline: Timeline,
    last: Option<Reading>,
}

impl ClockWatch {
    pub(super) fn new(timeline: Timeline) -> Self {
        Self { timeline, last: None }
    }

    /// What happened since the reading before.
    pub(super) fn look(&mut self, now: Reading) -> Vec<ClockEvent> {
        let Some(last) = self.last.replace(now) else {
            return Vec::new();
        };
        let boot = now.boot.saturating_sub(last.boot).as_secs_f64();
        let slept = boot - now.monotonic.saturating_duration_since(last.monotonic).as_secs_f64();
        let set = now.wall - last.wall - boot;
        let event = |kind, seconds| ClockEvent {
            kind,
            seconds,
            after_us: self.timeline.run_us(last.monotonic),
            seen_us: self.timeline.run_us(now.monotonic),
        };
        let slept = (slept > SLEEP).then(|| event(ClockEventKind::Suspend, slept));
        let set = (set.abs() > STEP).then(|| event(ClockEventKind::Step, set));
        slept.into_iter().chain(set).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine whose clocks the test moves.
    struct Machine(Reading);

    impl Machine {
        fn pass(&mut self, milliseconds: u64) -> Reading {
            self.0.monotonic += Duration::from_millis(milliseconds);
            self.sleep(milliseconds)
        }

        fn sleep(&mut self, milliseconds: u64) -> Reading {
            let passed = Duration::from_millis(milliseconds);
            self.0.boot += passed;
            self.0.wall += passed.as_secs_f64();
            self.0
        }
    }

    fn begin() -> (Machine, ClockWatch) {
        let start = Instant::now();
        let boot = Duration::from_secs(86_400);
        let machine = Machine(Reading { monotonic: start, boot, wall: 1_790_000_000.0 });
        let mut watch = ClockWatch::new(Timeline::new(start, 1_790_000_000_000_000, 1.0));
        assert_eq!(watch.look(machine.0), []);
        (machine, watch)
    }

    #[test]
    fn time_that_passes_is_no_event_even_when_nobody_looks_or_it_is_slewed() {
        let (mut machine, mut watch) = begin();
        for milliseconds in [200, 200, 60_000, 1] {
            assert_eq!(watch.look(machine.pass(milliseconds)), []);
        }
        for _ in 0..1000 {
            machine.0.wall -= 0.0001; // 500 ppm
            assert_eq!(watch.look(machine.pass(200)), []);
        }
    }

    #[test]
    fn a_clock_that_is_set_is_seen_with_its_sign_and_once() {
        for set in [0.051, -0.051, 3600.0, -3600.0] {
            let (mut machine, mut watch) = begin();
            watch.look(machine.pass(1000));
            machine.0.wall += set;
            let events = watch.look(machine.pass(200));
            assert_eq!(events.len(), 1, "{set}");
            assert_eq!(events[0].kind, ClockEventKind::Step);
            assert!((events[0].seconds - set).abs() < 1e-5, "{events:?}");
            assert_eq!((events[0].after_us, events[0].seen_us), (1_000_000, 1_200_000));
            assert_eq!(watch.look(machine.pass(200)), []);
        }
        let (mut machine, mut watch) = begin();
        machine.0.wall += 0.049;
        assert_eq!(watch.look(machine.pass(200)), []);
    }

    #[test]
    fn a_sleep_is_told_from_a_step() {
        let (mut machine, mut watch) = begin();
        machine.sleep(900);
        assert_eq!(watch.look(machine.pass(100)), []);
        machine.sleep(30_000);
        let events = watch.look(machine.pass(100));
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].kind, ClockEventKind::Suspend);
        assert!((events[0].seconds - 30.0).abs() < 1e-5, "{events:?}");
        // Set while it slept: both.
        machine.0.wall -= 2.0;
        machine.sleep(5_000);
        let kinds: Vec<_> = watch.look(machine.pass(1)).iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [ClockEventKind::Suspend, ClockEventKind::Step]);
    }

    #[test]
    fn this_machine_has_the_clocks() {
        let mut watch = ClockWatch::new(Timeline::new(Instant::now(), 0, 1.0));
        let read = || std::iter::repeat_with(Reading::now).flatten().next().unwrap();
        let first = read();
        assert!(first.wall > 1.7e9);
        assert_eq!(watch.look(first), []);
        assert!(read().boot >= first.boot);
    }
}
