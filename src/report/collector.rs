//! From observations to a [`Summary`], in one pass.

use std::path::PathBuf;

use super::steps::PerStep;
use super::summary::Summary;
use super::timeline::Timeline;
use crate::audit::{Audit, Finding, took};
use crate::recorder::{ClockEvent, Completeness, Expected, Observation, RunInfo, Step, Verdict};

/// Where a run's observations came from, and how whole they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Folder of the record; `None` for a run that is reported as it ends.
    pub folder: Option<PathBuf>,
    /// What the record says of itself; `None` when it was never finished.
    pub completeness: Option<Completeness>,
    /// Whether the last line of the record was cut.
    pub truncated: bool,
}

/// Two runs that cannot be one report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the runs differ in {what}: {first} and {second}")]
pub struct MixedRuns {
    /// In what they differ.
    pub what: &'static str,
    /// That of the first run.
    pub first: String,
    /// That of this one.
    pub second: String,
}

/// Collects one run or several, as the shards of one test: `begin`, any number of `add`, `end`,
/// and again; then `summary`.
#[derive(Debug, Default)]
pub struct Collector {
    pub(super) audit: Audit,
    pub(super) steps: PerStep,
    pub(super) timeline: Option<Timeline>,
    pub(super) runs: Vec<(RunInfo, Source)>,
    pub(super) people: PeopleCount,
    /// Longest run, real µs.
    pub(super) lasted_us: u64,
    // What each person of the current run has reached.
    reached: Vec<Reached>,
}

/// How far the people came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PeopleCount {
    /// Made at least one attempt.
    pub(super) seen: u64,
    /// Went through all three steps.
    pub(super) initialised: u64,
    /// Logged in at least once after it.
    pub(super) logged_in: u64,
    /// Logins accepted.
    pub(super) logins: u64,
    /// Attempts with a code or a PIN.
    pub(super) credentials: u64,
    /// Of these, taken.
    pub(super) taken: u64,
    /// Keys whose drift the server learned from two codes in a row.
    pub(super) resynchronised: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    seen: bool,
    initialised: bool,
    logged_in: bool,
    resynchronised: bool,
}

impl Collector {
    /// Begins a run.
    ///
    /// # Errors
    /// [`MixedRuns`] when it cannot be added to the runs before: another scenario, target, key
    /// period, clock rate or other thresholds.
    pub fn begin(&mut self, run: &RunInfo) -> Result<(), MixedRuns> {
        if let Some((first, _)) = self.runs.first() {
            same_test(first, run)?;
        }
        self.timeline.get_or_insert_with(|| Timeline::new(run.clock)).begin(run.clock);
        self.audit.begin(run);
        self.reached = vec![Reached::default(); run.people.len()];
        Ok(())
    }

    /// Takes an attempt of the run begun last; returns what it proves, or `None` when that
    /// depends on others of its concurrent group.
    pub fn add(&mut self, seen: &Observation) -> Option<Finding> {
        self.steps[seen.step as usize].add(seen);
        if let Some(timeline) = &mut self.timeline {
            timeline.add(seen);
        }
        self.lasted_us = self.lasted_us.max(seen.answered_us);
        self.reach(seen);
        self.audit.add(seen)
    }

    /// Takes notice of something that happened to the clock: see [`Audit::clock_event`].
    pub fn clock_event(&mut self, event: ClockEvent) {
        self.audit.clock_event(event);
    }

    /// Ends the run begun last; `run` is its head as it is known now.
    pub fn end(&mut self, run: RunInfo, source: Source) {
        self.audit.end();
        self.runs.push((run, source));
    }

    /// What it all came to.
    #[must_use]
    pub fn summary(self) -> Summary {
        Summary::of(self)
    }

    fn reach(&mut self, seen: &Observation) {
        let Some(person) = self.reached.get_mut(seen.person as usize) else {
            return;
        };
        let people = &mut self.people;
        let first = |flag: &mut bool| u64::from(!std::mem::replace(flag, true));
        people.seen += first(&mut person.seen);
        if seen.expectation.expected != Expected::Page {
            people.credentials += 1;
            people.taken += u64::from(took(seen.verdict));
        }
        let accepted = seen.verdict == Verdict::Accepted;
        match seen.step {
            // Some targets log in as soon as the PIN is chosen.
            Step::Confirm | Step::NewPin if accepted => {
                people.initialised += first(&mut person.initialised);
            }
            Step::Login if accepted => {
                people.logged_in += first(&mut person.logged_in);
                people.logins += 1;
            }
            // The next code completes the login, or the first code, that asked for it.
            Step::Resync if took(seen.verdict) => {
                people.resynchronised += first(&mut person.resynchronised);
                if accepted {
                    people.logged_in += first(&mut person.logged_in);
                    people.logins += 1;
                }
            }
            _ => {}
        }
    }
}

fn same_test(first: &RunInfo, second: &RunInfo) -> Result<(), MixedRuns> {
    let short = |name: &str, digest: &str| {
        format!("{name} ({})", digest.chars().take(12).collect::<String>())
    };
    let scenario = |run: &RunInfo| short(&run.scenario, &run.scenario_sha256);
    let target = |run: &RunInfo| short(&run.target, &run.target_sha256);
    let rate = |run: &RunInfo| run.clock.rate.to_string();
    let period = |run: &RunInfo| format!("{} s", run.clock.period);
    let thresholds = |run: &RunInfo| format!("{:?}", run.thresholds);
    type Of<'a> = &'a dyn Fn(&RunInfo) -> String;
    let traits: [(&'static str, Of<'_>); 5] = [
        ("scenario", &scenario),
        ("target", &target),
        ("clock rate", &rate),
        ("key period", &period),
        ("thresholds", &thresholds),
    ];
    for (what, of) in traits {
        let (first, second) = (of(first), of(second));
        if first != second {
            return Err(MixedRuns { what, first, second });
        }
    }
    Ok(())
}
