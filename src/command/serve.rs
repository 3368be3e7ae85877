//! `trousseau serve`: the reference server until a signal comes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, Exit, Failure, Outcome, holders, permission, radius};
use crate::cli::ServeArgs;
use crate::clock::{Clock, SECOND, ScaledClock, SystemClock, system_micros};
use crate::counted::counted;
use crate::portal::{Policy, Portal, PortalConfig, PortalError, RadiusConfig, RunningPortal};

pub(super) fn run(args: &ServeArgs, context: &Context) -> Result<Outcome, Failure> {
    // A whole second, so that what is announced is exact.
    let origin = args.clock_origin.unwrap_or_else(|| system_micros() / SECOND);
    let clock = clock(args.clock_rate, origin);
    let (portal, people) = start(args, &clock, context)?;
    announce(args, portal.addr(), people, &*clock, origin);
    let handed_on = portal.handed_on();
    if handed_on.keys > 0 {
        say(&format!(
            "note: {} to other people than the store knew; {} forgotten, used codes stay used",
            counted(handed_on.keys, "key goes", "keys go"),
            counted(handed_on.pins, "PIN is", "PINs are")
        ));
    }
    if let Some(addr) = portal.radius_addr() {
        say(&format!("RADIUS: {addr} (UDP)"));
    }
    while !context.interrupt.requested() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let stats = portal.stop();
    say(&format!(
        "stopped: {} logins accepted, {} first codes, {} PINs chosen, {} refused",
        stats.accepted, stats.first_codes, stats.pins, stats.rejected
    ));
    // A signal is how a server ends: no failure, so no 130.
    Ok(Outcome::Done)
}

/// The server that `args` describe, on `clock`, and how many keys it serves.
pub(super) fn start(
    args: &ServeArgs,
    clock: &Arc<dyn Clock>,
    context: &Context,
) -> Result<(RunningPortal, usize), Failure> {
    let tokens = holders::open(&args.keys, &args.key, &args.roster, &context.interrupt)?;
    // Their dates are for the server to keep to, code by code.
    permission::check(&args.keys, tokens.iter().map(|(_, token)| token), &args.policy, None)?;
    permission::warn_of_limits(&args.keys, tokens.iter().map(|(_, token)| token));
    raise_file_limit();
    let people = tokens.len();
    let policy = Policy {
        lock_for: args.lock_seconds.saturating_mul(SECOND),
        resync: args.resync_steps,
        ..Policy::default()
    };
    let defect = args.defect.as_deref().map(str::parse).transpose().map_err(Failure::bad_input)?;
    let portal = Portal::start(PortalConfig {
        listen: args.listen,
        radius: match (args.radius, radius::shared(&args.radius_secret)?) {
            (Some(listen), Some(secret)) => Some(RadiusConfig { listen, secret }),
            _ => None,
        },
        store: args.store.clone(),
        reassign: args.reassign,
        secure_cookies: args.cookie_secure,
        policy,
        defect,
        ..PortalConfig::new(tokens, Arc::clone(clock))
    })?;
    Ok((portal, people))
}

fn clock(rate: f64, origin: u64) -> Arc<dyn Clock> {
    if is_wall(rate) {
        Arc::new(SystemClock)
    } else {
        Arc::new(ScaledClock::new(origin.saturating_mul(SECOND), rate))
    }
}

/// Whether key time is wall time: at rate 1 they agree at every instant.
#[allow(clippy::float_cmp)] // exactly the default, or exactly what was typed
fn is_wall(rate: f64) -> bool {
    rate == 1.0
}

fn announce(args: &ServeArgs, addr: SocketAddr, people: usize, clock: &dyn Clock, origin: u64) {
    say(&format!("serving {} at http://{addr}/ (Ctrl-C to stop)", counted(people, "key", "keys")));
    let second = i64::try_from(clock.now() / SECOND).unwrap_or_default();
    let shown = jiff::Timestamp::from_second(second).map_or_else(|_| "?".into(), |t| t.to_string());
    if is_wall(clock.rate()) {
        say(&format!("clock: {shown}, wall time"));
    } else {
        let rate = args.clock_rate;
        say(&format!(
            "clock: {shown}, {rate} times as fast as wall time; for others to read the same hour: \
             --clock-rate {rate} --clock-origin {origin}"
        ));
    }
    match &args.store {
        Some(store) => say(&format!("store: {}", store.display())),
        None => say("store: none; PINs and used codes are forgotten at the end (see --store)"),
    }
    if let Some(defect) = &args.defect {
        say(&format!("warning: the fault {defect} is planted: this server is wrong on purpose"));
    }
    if !addr.ip().is_loopback() {
        say("warning: this address can be reached from other machines, and there is no TLS: \
             codes and PINs travel readable; put a proxy with TLS in front");
    }
}

/// Every connection is a file; the usual soft limit of 1,024 is too low for a minute's wave.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // When the system refuses, the server still works, for fewer at a time.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn say(words: &str) {
    say!("{words}");
}

impl From<PortalError> for Failure {
    fn from(error: PortalError) -> Self {
        let exit = match &error {
            PortalError::Listen { .. } | PortalError::Radius { .. } => Exit::Io,
            PortalError::Store(_) | PortalError::Thread(_) | PortalError::Entropy(_) => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}
