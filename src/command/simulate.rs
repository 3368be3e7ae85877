//! `trousseau simulate`: a population against a live server.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{Context, Exit, Failure, Outcome, holders, permission, reach};
use crate::atomic_file::AtomicFile;
use crate::audit::Why;
use crate::cli::SimulateArgs;
use crate::clock::{Clock, SECOND, UnixMicros};
use crate::counted::counted;
use crate::engine::{self, Early, Finished, Holder, Plan, Progress, ShowProgress, simulate};
use crate::interrupt::Interrupt;
use crate::keystore::Source;
use crate::report::{self, Outcome as Came};
use crate::roster::{Person, Roster};
use crate::scenario::{SCENARIOS, Scenario, Span};
use crate::target::{TARGETS, Target};

pub(super) fn run(args: &SimulateArgs, context: &Context) -> Result<Outcome, Failure> {
    play(args, folder(args.out.as_deref())?, reach::clock(&args.clock), false, context)
}

/// Runs what `args` say on `clock`, into `folder`; `shared_with_server` when the server is of this
/// process too.
pub(super) fn play(
    args: &SimulateArgs,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    shared_with_server: bool,
    context: &Context,
) -> Result<Outcome, Failure> {
    let scenario_text = SCENARIOS.find(&args.scenario)?;
    let scenario = Scenario::load(&scenario_text, &args.set)?;
    let target_text = TARGETS.find(&args.target)?;
    let target = Target::load(&target_text)?;
    let holders = people(args, clock.now(), &context.interrupt)?;
    let pins = args.save_pins.as_deref().map(|path| saving(path, &target)).transpose()?;
    let simulated = holders.len();
    let finished = simulate(Plan {
        scenario,
        scenario_sha256: sha256(&scenario_text.text),
        target,
        target_sha256: sha256(&target_text.text),
        url: args.url.clone(),
        endpoint: reach::endpoint(&args.reach)?,
        holders,
        seed: args.seed,
        workers: args.workers.map_or_else(processors, std::num::NonZeroUsize::get),
        max_connections: args.max_connections.get(),
        clock,
        ignore_clock: args.ignore_clock,
        folder,
        shared_with_server,
        keep_pins: pins.is_some(),
        unused_keys: args.unused_keys,
        interrupt: context.interrupt.clone(),
        progress: progress(args.live),
    })?;
    // Before anything else can fail: the server will not tell them again.
    let saved = pins.map(|file| save(file, &finished.pins, simulated)).transpose();
    let outcome = conclude(&finished)?;
    saved?;
    Ok(outcome)
}

/// The file for the PINs, begun before the run so that a mistake costs nothing.
fn saving(path: &Path, target: &Target) -> Result<AtomicFile, Failure> {
    if !target.policy.three_steps {
        return Err(Failure::bad_input(format!(
            "--save-pins: nobody chooses a PIN over the target {}, which has no new_pin",
            target.name
        ))
        .hint("give the PINs that were set beforehand in the column `pin` of the roster"));
    }
    Ok(AtomicFile::create(path)?)
}

fn save(mut file: AtomicFile, people: &[Person], simulated: usize) -> Result<(), Failure> {
    let path = file.path().display().to_string();
    let roster = Roster::new(people.to_vec());
    roster.write_pins(&mut file).map_err(|error| file.failed(error))?;
    file.commit()?;
    let saved = counted(people.len(), "person", "people");
    say(&format!("{path}: the PINs of {saved}; the --roster of the next run against this server"));
    if people.len() < simulated {
        say(&format!(
            "note: {} left out, whose PIN the server did not take in this run",
            counted(simulated - people.len(), "person is", "people are")
        ));
    }
    Ok(())
}

/// Writes the reports, prints the one for reading, and chooses the exit code.
pub(super) fn conclude(finished: &Finished) -> Result<Outcome, Failure> {
    let written = report::write_all(&finished.folder, &finished.summary);
    let text = finished.summary.to_text();
    if let Err(error) = io::stdout().write_all(text.as_bytes())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}")));
    }
    for note in notes(&finished.troubles) {
        say(&format!("note: {note}"));
    }
    say(&format!("record and reports: {}", finished.folder.display()));
    if let Some(Early::Signal(signal)) = finished.early {
        return Ok(Outcome::Exit(Exit::of_signal(signal)));
    }
    if let Some(error) = &finished.incomplete {
        return Err(Failure::new(Exit::Io, error).hint(error.hint()));
    }
    written?;
    if finished.early == Some(Early::Unreachable) {
        return Err(Failure::new(
            Exit::Unreachable,
            "the server could not be reached any more: every attempt so far failed to connect",
        )
        .hint("check that it is still running and takes connections from this machine"));
    }
    let strangers = |count: &report::Count| count.name == Why::Strangers.name();
    if finished.summary.undetermined.iter().any(strangers) {
        let early = match finished.early {
            Some(Early::Stranger) => "given up early: ",
            _ => "",
        };
        say(&format!(
            "note: {early}the server took nobody's code, which proves nothing against it. Perhaps it \
             has initialised these keys already: give a --roster with their PINs, as --save-pins of \
             the run before wrote it, or give the server a new store. Or it holds other seeds, or \
             other PINs, or its clock is far from ours: see `trousseau doctor`"
        ));
    }
    Ok(match finished.summary.outcome {
        Came::Ok => Outcome::Done,
        Came::Contradiction => Outcome::Exit(Exit::Contradiction),
        Came::GeneratorFault => Outcome::Exit(Exit::Generator),
        Came::ThresholdMissed => Outcome::Exit(Exit::Threshold),
    })
}

/// The first few of what went wrong, each told once.
fn notes(troubles: &[String]) -> Vec<String> {
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for trouble in troubles {
        match counted.iter_mut().find(|(told, _)| told == trouble) {
            Some((_, times)) => *times += 1,
            None => counted.push((trouble, 1)),
        }
    }
    let note = |(told, times)| match times {
        1 => String::from(told),
        // Only the first are kept: how many more came, nobody counted.
        times => format!("{told} ({times} times among the first {})", troubles.len()),
    };
    counted.into_iter().take(5).map(note).collect()
}

/// A line on standard error that says how far the run is: redrawn on a terminal, every 5 s a new
/// one otherwise, when asked for.
pub(super) fn progress(live: bool) -> Option<ShowProgress> {
    let terminal = io::stderr().is_terminal();
    if !terminal && !live {
        return None;
    }
    let mut last: Option<Instant> = None;
    Some(Box::new(move |progress: &Progress| {
        if terminal {
            draw(&format!("\r\x1b[2K{}\r", line(progress)));
        } else if last.is_none_or(|last| last.elapsed() > Duration::from_secs(5)) {
            last = Some(Instant::now());
            say(&line(progress));
        }
    }))
}

fn line(progress: &Progress) -> String {
    let counters = &progress.counters;
    let elapsed = Span(i64::try_from(progress.elapsed / SECOND * SECOND).unwrap_or(0));
    format!(
        "{elapsed} of key time: {} of {} initialised, {} logins, {} of {} replays refused, \
         {} contradictions, p99 {:.1} ms",
        counters.initialised,
        progress.people,
        counters.logins,
        counters.replays_refused,
        counters.replays,
        counters.contradictions,
        counters.p99_us as f64 / 1e3,
    )
}

fn people(
    args: &SimulateArgs,
    now: UnixMicros,
    interrupt: &Interrupt,
) -> Result<Vec<Holder>, Failure> {
    let mut people = holders::open_with_people(&args.keys, &args.key, &args.roster, interrupt)?;
    let keys = people.len();
    match args.users {
        Some(users) if users > keys => return Err(engine::Error::TooFewKeys { users, keys }.into()),
        Some(users) => people.truncate(users),
        None => {}
    }
    let tokens = || people.iter().map(|(_, token)| token);
    permission::check(&args.keys, tokens(), &args.policy, Some(now))?;
    permission::warn_of_limits(&args.keys, tokens());
    let source = Source::File(args.roster.clone());
    if people.iter().any(|(person, _)| person.pin.is_some()) && source.is_open_to_others() {
        say(&format!("warning: {source}: others may read these PINs; chmod 600 {source}"));
    }
    Ok(people
        .into_iter()
        .map(|(person, token)| Holder { user: person.user, token, pin: person.pin })
        .collect())
}

/// The folder of the run: new, or empty.
fn folder(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = match wanted {
        Some(folder) => folder.to_owned(),
        None => jiff::Timestamp::now().strftime("run-%Y%m%d-%H%M%SZ").to_string().into(),
    };
    match std::fs::read_dir(&folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Err(Failure::bad_input(format!(
            "{} is there already and not empty; nothing was done",
            folder.display()
        ))
        .hint("give --out a new folder: a run never overwrites another")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::new(
            Exit::Io,
            format!("cannot use {} as the folder of the run: {error}", folder.display()),
        )
        .hint("give --out a folder that you may write to")),
        _ => Ok(folder),
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// Lower-case hexadecimal SHA-256 of a definition, by which a report names it.
pub(super) fn sha256(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        let exit = match &error {
            engine::Error::Interrupted(signal) => Exit::of_signal(*signal),
            engine::Error::Unreachable(_) => Exit::Unreachable,
            engine::Error::Record(_) => Exit::Io,
            engine::Error::Workers(_) | engine::Error::Descriptors { .. } => Exit::Generator,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}

fn say(words: &str) {
    say!("{words}");
}

fn draw(words: &str) {
    super::words::text(words);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_time_and_again_is_told_once() {
        let told =
            |words: &[&str]| notes(&words.iter().map(|word| (*word).into()).collect::<Vec<_>>());
        assert_eq!(told(&["a", "b", "a", "a"]), ["a (3 times among the first 4)", "b"]);
        assert_eq!(told(&["a", "b", "c", "d", "e", "f"]).len(), 5);
        assert!(told(&[]).is_empty());
    }
}
