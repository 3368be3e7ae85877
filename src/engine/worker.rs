//! One worker thread: its share of the people, its own connections, its own buffer. Workers share
//! nothing that is written to while they work, but the flag that says stop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::Holder;
use super::life::live;
use super::outbox::{Outbox, Waited};
use super::timeline::Timeline;
use super::timer::Timer;
use super::transport::{Endpoint, Performed, Transport};
use crate::clock::UnixMicros;
use crate::fleet::World;
use crate::recorder::{Fault, Observation, Verdict};
use crate::secret::Secret;
use crate::target::Target;

/// How often a worker looks up from its work.
const TICK: Duration = Duration::from_millis(20);
/// How long answers in flight are waited for when the run is stopped.
const GRACE: Duration = Duration::from_secs(1);

/// What all workers read.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: World,
    pub(super) target: Arc<Target>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) holders: Vec<Holder>,
    pub(super) timeline: Timeline,
    /// Set when nothing more may be begun.
    pub(super) stop: AtomicBool,
    /// Attempts that were due and not begun when the run was stopped.
    pub(super) unsent: AtomicU64,
    /// Connections opened.
    pub(super) connections: AtomicU64,
    /// Requests sent a second time.
    pub(super) resent: AtomicU64,
    /// How long workers waited for the record.
    pub(super) waited: Waited,
    /// Whether PINs that the server knows are to be kept for a later run.
    pub(super) keep_pins: bool,
    /// These, by person; each worker brings its own at its end.
    pub(super) pins: Mutex<Vec<(u32, Secret)>>,
}

/// One worker, as its people see it.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) transport: Transport,
    timer: Timer,
    outbox: Outbox,
    pins: RefCell<Vec<(u32, Secret)>>,
    stopping: Cell<bool>,
    in_flight: Cell<usize>,
    alive: Cell<usize>,
    broken: Cell<bool>,
    abandon: Notify,
}

/// Runs the people `mine` (arrival in key time, index; sorted) to their ends.
///
/// # Errors
/// When the operating system gives no runtime.
pub(super) fn work(
    shared: Arc<Shared>,
    mine: Vec<(UnixMicros, u32)>,
    connections: usize,
    sink: SyncSender<Vec<Observation>>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let people = LocalSet::new();
    let transport =
        Transport::new(Arc::clone(&shared.target), Arc::clone(&shared.endpoint), connections);
    let timer = {
        let _entered = runtime.enter();
        Timer::new()?
    };
    let worker = Rc::new(Worker {
        shared,
        transport,
        timer,
        outbox: Outbox::new(sink),
        pins: RefCell::default(),
        stopping: Cell::new(false),
        in_flight: Cell::new(0),
        alive: Cell::new(mine.len()),
        broken: Cell::new(false),
        abandon: Notify::new(),
    });
    people.block_on(&runtime, async {
        tokio::task::spawn_local(admit(Rc::clone(&worker), mine));
        tokio::select! {
            biased;
            failed = worker.timer.drive() => failed,
            () = watch(&worker) => Ok(()),
        }
    })?;
    // Nobody is held up any more: this wait counts for nothing.
    worker.outbox.empty();
    worker.shared.pins.lock().expect("no panic while held").append(&mut worker.pins.borrow_mut());
    worker.shared.connections.fetch_add(worker.transport.connections(), Ordering::Relaxed);
    worker.shared.resent.fetch_add(worker.transport.resent(), Ordering::Relaxed);
    Ok(())
}

/// Lets people in as they come: who is not there yet needs no task.
async fn admit(worker: Rc<Worker>, mine: Vec<(UnixMicros, u32)>) {
    for (arrival, index) in mine {
        if !worker.wait_until(arrival).await {
            return;
        }
        let one = Alive(Rc::clone(&worker));
        tokio::task::spawn_local(async move { live(Rc::clone(&one.0), index).await });
    }
}

/// Counts a person among the living. A task's panic ends only the task: noted here, it ends the
/// worker, since a run that silently lost people would prove nothing.
struct Alive(Rc<Worker>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
        if std::thread::panicking() {
            self.0.broken.set(true);
        }
    }
}

/// Looks up every [`TICK`] until everybody is done, or the run is stopped and its answers are in.
async fn watch(worker: &Worker) {
    let mut handed_over = Instant::now();
    loop {
        tokio::time::sleep(TICK).await;
        if worker.shared.stop.load(Ordering::Relaxed) {
            break;
        }
        if worker.broken.get() {
            worker.shared.stop.store(true, Ordering::Relaxed);
            panic!("the task of a person panicked; see above");
        }
        if worker.alive.get() == 0 {
            return;
        }
        if handed_over.elapsed() > Duration::from_millis(200) {
            worker.outbox.hand_over();
            handed_over = Instant::now();
        }
    }
    worker.stopping.set(true);
    let stopped = Instant::now();
    while worker.in_flight.get() > 0 && stopped.elapsed() < GRACE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.abandon.notify_waiters();
    // The abandoned note down that they are unfinished.
    while worker.in_flight.get() > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

impl Worker {
    /// Whether nothing more may be begun.
    pub(super) fn stopping(&self) -> bool {
        self.stopping.get() || self.shared.stop.load(Ordering::Relaxed)
    }

    /// Waits until key time `due`; false when the run was stopped meanwhile.
    pub(super) async fn wait_until(&self, due: UnixMicros) -> bool {
        let due = self.shared.timeline.instant(due);
        if due > Instant::now() {
            // An alarm that cannot be set cannot ring either: that ends the worker.
            if self.timer.sleep_until(due).await.is_err() {
                self.broken.set(true);
            }
        }
        if self.stopping() {
            self.shared.unsent.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Awaits an attempt's answer, but not for ever once the run is stopped.
    pub(super) async fn perform(&self, attempt: impl Future<Output = Performed>) -> Performed {
        let began = Instant::now();
        self.in_flight.set(self.in_flight.get() + 1);
        let performed = tokio::select! {
            biased;
            performed = attempt => performed,
            () = self.abandon.notified() => Performed {
                verdict: Verdict::Error,
                status: 0,
                fault: Some(Fault::Unfinished),
                reached: true,
                resent: 0,
                sent: began,
                answered: Instant::now(),
            },
        };
        self.in_flight.set(self.in_flight.get() - 1);
        performed
    }

    /// Keeps a PIN that the server knows.
    pub(super) fn keep_pin(&self, person: u32, pin: Secret) {
        self.pins.borrow_mut().push((person, pin));
    }

    /// Notes down what was seen.
    pub(super) fn record(&self, seen: Observation) {
        self.outbox.put(seen, &self.shared.waited);
    }
}
