//! `trousseau doctor`: is a server ready for a run, and if not, what is to be done.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::{Context, Exit, Failure, Outcome, holders, permission, probe, reach};
use crate::cli::DoctorArgs;
use crate::engine::doctor::{Bedside, Finding, Level, Patient, examine};
use crate::engine::transport::Endpoint;
use crate::interrupt::Interrupt;
use crate::secret::Secret;
use crate::target::{TARGETS, Target};

pub(super) fn run(args: &DoctorArgs, context: &Context) -> Result<Outcome, Failure> {
    let target = Arc::new(Target::load(&TARGETS.find(&args.target)?)?);
    let [pin, new_pin] = reach::pins(&args.pins)?;
    let people =
        holders::open_with_people(&args.keys, &args.key, &args.roster, &context.interrupt)?;
    let wanted = |user: &str| args.user.as_deref().is_none_or(|wanted| wanted == user);
    let (person, token) =
        people.into_iter().find(|(person, _)| wanted(&person.user)).ok_or_else(|| {
            let who = args.user.as_deref().unwrap_or("nobody");
            Failure::bad_input(format!("{}: user {who} is not in it", args.roster.display()))
                .hint("give --user a name of its column user")
        })?;
    let clock = reach::clock(&args.clock);
    permission::check(&args.keys, [&token], &args.policy, Some(clock.now()))?;
    let of_roster = person.pin.as_ref().map(written).transpose()?;
    let endpoint = Endpoint::resolve(&args.url, reach::endpoint(&args.reach)?)?;
    let mut told = Told { context: context.interrupt.clone(), faults: 0, failed: None };
    let patient = Patient {
        target,
        endpoint: Arc::new(endpoint),
        clock,
        period: token.period,
        user: person.user,
        code: probe::key(&token)?,
        pin: pin.or(of_roster),
        new_pin,
    };
    let runtime = probe::runtime()?;
    let people = tokio::task::LocalSet::new();
    let complete = people.block_on(&runtime, examine(patient, &mut told))?;
    if let Some(failure) = told.failed {
        return Err(failure);
    }
    if let Some(signal) = context.interrupt.signal().filter(|_| !complete) {
        return Ok(Outcome::Exit(Exit::of_signal(signal)));
    }
    probe::print(&match told.faults {
        0 => "nothing is at fault\n".to_owned(),
        1 => "1 thing is to be put right\n".to_owned(),
        faults => format!("{faults} things are to be put right\n"),
    })?;
    Ok(if told.faults == 0 { Outcome::Done } else { Outcome::Exit(Exit::Contradiction) })
}

fn written(pin: &Secret) -> Result<Zeroizing<String>, Failure> {
    reach::word(pin, "the roster", "PIN")
}

/// Prints findings as they come.
struct Told {
    context: Interrupt,
    faults: usize,
    failed: Option<Failure>,
}

impl Bedside for Told {
    fn tell(&mut self, finding: &Finding) {
        let level = match finding.level {
            Level::Good => "ok   ",
            Level::Note => "note ",
            Level::Fault => {
                self.faults += 1;
                "FAULT"
            }
        };
        let mut text = format!("{level}  {}\n", finding.what);
        if let Some(fix) = &finding.fix {
            text.push_str(&format!("       to do: {fix}\n"));
        }
        if let Err(failure) = probe::print(&text) {
            self.failed = Some(failure);
        }
    }

    fn wait(&mut self, left: Duration) {
        if left > Duration::from_secs(1) {
            say!("waiting {} s for the key to change", left.as_secs() + 1);
        }
    }

    fn stopped(&self) -> bool {
        self.context.requested() || self.failed.is_some()
    }
}
