//! The load engine: sends a population through a target against a live server.
//!
//! An open model: each attempt is due at an instant that follows from the plan and the answer
//! before it, never from when this program got round to it; latency runs from there. *When* comes
//! from [`crate::scenario`], *who* from [`crate::fleet`], *over what* from [`transport`]; they meet
//! only here. Worker threads share nothing, so that adding one adds its whole speed.

mod clock_watch;
mod collect;
pub mod doctor;
mod error;
mod feasible;
mod hands;
mod judge;
mod life;
mod limits;
mod outbox;
mod preflight;
mod timeline;
mod timer;
pub mod transport;
mod worker;

pub use collect::Progress;
pub use error::Error;
pub use hands::{CodeSource, Done, Hands, Which};

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{Clock, UnixMicros};
use crate::fleet::{Rules, World};
use crate::interrupt::Interrupt;
use crate::recorder::{
    ClockInfo, Datagrams, GeneratorInfo, RecorderError, RunInfo, RunWriter, ThresholdInfo,
};
use crate::report::{Live, Summary};
use crate::roster::Person;
use crate::scenario::{Scenario, Span};
use crate::secret::Secret;
use crate::target::Target;
use crate::token::Token;
use outbox::Waited;
use timeline::Timeline;
use transport::{Endpoint, EndpointOptions};
use worker::Shared;

/// A person and the key they hold.
#[derive(Debug, Clone)]
pub struct Holder {
    /// User id.
    pub user: String,
    /// The key.
    pub token: Token,
    /// PIN that the server knows already: whoever has one goes straight to the logins.
    pub pin: Option<Secret>,
}

/// Workers that waited less than this for the record held nobody up.
const NOTEWORTHY: Duration = Duration::from_millis(100);

/// Called now and then with how far the run is, on a thread of the engine's.
pub type ShowProgress = Box<dyn FnMut(&Progress) + Send>;

/// Everything a run needs.
pub struct Plan {
    /// What people do and when.
    pub scenario: Scenario,
    /// SHA-256 of the scenario's text, lower-case hex.
    pub scenario_sha256: String,
    /// How the server is talked to.
    pub target: Target,
    /// SHA-256 of the target's text, lower-case hex.
    pub target_sha256: String,
    /// Base address of the server.
    pub url: String,
    /// Deadline, certificate authorities, credentials.
    pub endpoint: EndpointOptions,
    /// The people: those of `holders`, in this order.
    pub holders: Vec<Holder>,
    /// Seed of the population.
    pub seed: u64,
    /// Worker threads, 1 or more.
    pub workers: usize,
    /// Most connections at a time, all workers together.
    pub max_connections: usize,
    /// Key time.
    pub clock: Arc<dyn Clock>,
    /// Run although the server's clock is far from ours.
    pub ignore_clock: bool,
    /// Folder of the record.
    pub folder: PathBuf,
    /// Whether the server runs in this process too, which blurs what the processor time says.
    pub shared_with_server: bool,
    /// Whether [`Finished::pins`] are wanted.
    pub keep_pins: bool,
    /// Whether nobody has used the keys before, though the server knows them.
    pub unused_keys: bool,
    /// Set by Ctrl-C and SIGTERM.
    pub interrupt: Interrupt,
    /// Shows how far the run is.
    pub progress: Option<ShowProgress>,
}

/// How a run ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// By this signal (2 or 15).
    Signal(u8),
    /// The first hundred attempts all failed to connect, or as many one after the other later on.
    Unreachable,
    /// The server refused the good codes of every one of the first people.
    Stranger,
}

/// A run that is over: its record is complete.
#[derive(Debug)]
pub struct Finished {
    /// What it came to.
    pub summary: Summary,
    /// Folder of the record.
    pub folder: PathBuf,
    /// Why it ended before everybody was done, if it did.
    pub early: Option<Early>,
    /// Who is surely initialised at the server, and with which PIN, in the order of the holders;
    /// empty unless asked for.
    pub pins: Vec<Person>,
    /// What went wrong with the first attempts that failed, secrets masked.
    pub troubles: Vec<String>,
    /// Attempts that the record does not hold because the disk was full, as an error.
    pub incomplete: Option<RecorderError>,
}

/// Runs a plan to its end. Blocks.
///
/// # Errors
/// [`Error`]: the run did not begin, and nothing but the preflight was sent.
pub fn simulate(mut plan: Plan) -> Result<Finished, Error> {
    let period = feasible::check(&plan.scenario, &plan.target, &plan.holders)?;
    let workers = plan.workers.clamp(1, plan.holders.len());
    let connections = plan.max_connections.max(workers);
    limits::descriptors(connections as u64)?;
    let options = std::mem::take(&mut plan.endpoint);
    let endpoint = Arc::new(Endpoint::resolve(&plan.url, options).map_err(Error::Address)?);
    let target = Arc::new(plan.target);
    let clock = Arc::clone(&plan.clock);
    let met =
        preflight::meet(&target, &endpoint, &*clock, period, plan.ignore_clock, &plan.interrupt)?;

    // A moment ahead, so that getting ready makes nobody late.
    let timeline = Timeline::beginning_in(Duration::from_millis(100), &*clock);
    let people = u32::try_from(plan.holders.len()).unwrap_or(u32::MAX);
    let offset = met.server_offset.unwrap_or(0);
    let rules = Rules::new(&target.policy, period, offset, met.uncertainty);
    let mut world =
        World::new(plan.scenario, &target, rules, timeline.start_key(), plan.seed, people);
    world.unused = plan.unused_keys;
    let mut info = RunInfo {
        trousseau: env!("CARGO_PKG_VERSION").into(),
        scenario: world.scenario.scenario.name.clone(),
        scenario_sha256: plan.scenario_sha256,
        target: target.name.clone(),
        target_sha256: plan.target_sha256,
        url: plan.url,
        users: people,
        seed: plan.seed,
        people: plan
            .holders
            .iter()
            .map(|holder| (holder.token.serial.to_string(), holder.user.clone()))
            .collect(),
        clock: ClockInfo {
            rate: clock.rate(),
            start_key: timeline.start_key(),
            server_offset: met.server_offset,
            uncertainty: met.uncertainty,
            period,
        },
        started: now(),
        finished: None,
        interrupted: None,
        thresholds: thresholds(&world.scenario),
        generator: None,
        clock_events: Vec::new(),
        datagrams: Vec::new(),
    };
    let mut writer = RunWriter::create(&plan.folder, &info)?;
    let mut live = Live::new(&info);
    let shared = Arc::new(Shared {
        world,
        target,
        endpoint: Arc::clone(&endpoint),
        holders: plan.holders,
        timeline,
        stop: AtomicBool::new(false),
        unsent: AtomicU64::new(0),
        connections: AtomicU64::new(0),
        resent: AtomicU64::new(0),
        waited: Waited::default(),
        keep_pins: plan.keep_pins,
        pins: Mutex::default(),
    });

    let cpu = limits::cpu_seconds();
    let collected = run(
        &shared,
        workers,
        connections,
        &plan.interrupt,
        &mut writer,
        &mut live,
        plan.progress.take(),
    )?;

    info.finished = Some(now());
    info.interrupted = plan.interrupt.signal();
    info.clock_events = collected.clock_events;
    let datagrams = endpoint.radius_counters();
    info.datagrams = datagrams
        .each()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| Datagrams { name: name.into(), count })
        .collect();
    info.generator = Some(GeneratorInfo {
        cpu_seconds: limits::cpu_seconds() - cpu,
        shared_with_server: plan.shared_with_server,
        peak_rss_kib: limits::peak_rss_kib(),
        unsent: shared.unsent.load(Ordering::Relaxed),
        connections: shared.connections.load(Ordering::Relaxed),
        resent: shared.resent.load(Ordering::Relaxed),
    });
    writer.flush();
    let summary = live.finish(&info, writer.lost());
    let incomplete = writer.finish(&info).err();
    let early = match plan.interrupt.signal() {
        Some(signal) => Some(Early::Signal(signal)),
        None => collected.hopeless,
    };
    let pins = if plan.keep_pins { pins(&shared) } else { Vec::new() };
    let mut troubles = endpoint.troubles();
    let waited = shared.waited.sum();
    if waited >= NOTEWORTHY {
        troubles.insert(0, format!(
            "the record could not keep up: the workers waited {waited:.1?} for it in all, which shows \
             as lateness; write to a faster disk"
        ));
    }
    Ok(Finished { summary, folder: plan.folder, early, pins, troubles, incomplete })
}

/// Starts the workers and stays until the last one is done.
fn run(
    shared: &Arc<Shared>,
    workers: usize,
    connections: usize,
    interrupt: &Interrupt,
    writer: &mut RunWriter,
    live: &mut Live,
    progress: Option<ShowProgress>,
) -> Result<collect::Collected, Error> {
    let (sink, seen) = outbox::channel();
    let shares = shares(&shared.world, workers);
    thread::scope(|scope| {
        let mut threads = Vec::with_capacity(workers);
        for (number, mine) in shares.into_iter().enumerate() {
            let (worker_shared, sink) = (Arc::clone(shared), sink.clone());
            let most = connections / workers + usize::from(number < connections % workers);
            let spawned = thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn_scoped(scope, move || worker::work(worker_shared, mine, most, sink));
            match spawned {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    shared.stop.store(true, Ordering::Relaxed);
                    return Err(Error::Workers(error));
                }
            }
        }
        drop(sink);
        let watched = Arc::clone(shared);
        let collector =
            scope.spawn(move || collect::collect(&watched, &seen, writer, live, progress));
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            if interrupt.requested() {
                shared.stop.store(true, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(10));
        }
        for thread in threads {
            match thread.join() {
                Ok(result) => result.map_err(Error::Workers)?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        match collector.join() {
            Ok(collected) => Ok(collected),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// The people whose PIN the server knows: those who came with one, and those who chose one.
fn pins(shared: &Shared) -> Vec<Person> {
    let kept = std::mem::take(&mut *shared.pins.lock().expect("no panic while held"));
    let mut kept: HashMap<usize, Secret> =
        kept.into_iter().map(|(index, pin)| (index as usize, pin)).collect();
    let known = |(index, holder): (usize, &Holder)| {
        let pin = kept.remove(&index)?;
        let person = Person::new(&holder.user, holder.token.serial.clone());
        Some(Person { pin: Some(pin), ..person })
    };
    shared.holders.iter().enumerate().filter_map(known).collect()
}

/// Wall time, RFC 3339, to the millisecond.
fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

/// Who comes when, dealt out to the workers.
fn shares(world: &World, workers: usize) -> Vec<Vec<(UnixMicros, u32)>> {
    let mut shares = vec![Vec::new(); workers];
    for index in 0..world.people {
        let (habits, _) = world.scenario.draw(world.seed, index, world.people);
        let arrival = world.start.saturating_add(habits.arrival);
        shares[index as usize % workers].push((arrival, index));
    }
    for share in &mut shares {
        share.sort_unstable();
    }
    shares
}

fn thresholds(scenario: &Scenario) -> ThresholdInfo {
    let limits = &scenario.thresholds;
    ThresholdInfo {
        contradictions: limits.contradictions,
        error_rate: limits.error_rate,
        p99_ms: limits.p99.map(Span::millis),
        lateness_p99_ms: limits.lateness_p99.map(Span::millis),
    }
}
