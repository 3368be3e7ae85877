//! A whole run: which code of which key was taken, and the invariant that none is taken twice.

use std::collections::HashMap;

use super::group::{self, Member};
use super::spans::Spans;
use super::spent::Spent;
use super::{Contradiction, Finding, Kind, Totals, Why, classify, took};
use crate::recorder::{
    ClockEvent, ClockInfo, Expected, Observation, Reason, RunInfo, Step, Verdict,
};

/// Audits one run, or several: `begin`, any number of `add`, `end`; and again.
///
/// Beside what each attempt proves by itself, it holds the whole history against RFC 6238 §5.2:
/// at most one acceptance per key and time step, whatever each single expectation said. An answer
/// that was lost is unknown: a later acceptance of that code is then allowed once.
///
/// Until a server has taken the code of anybody, nothing shows that it knows these keys: good codes
/// that it refuses are held back, and when it never takes any, they prove nothing
/// ([`Why::Strangers`]).
///
/// Runs share their history when they went on at the same time against the same address, as the
/// shards of one test do. Otherwise the server may be another one, started anew, with keys of the
/// same serials.
///
/// What is kept does not grow with the attempts of a sound run: the last 1,024 steps of each key,
/// and concurrent groups until they are surely complete.
#[derive(Debug, Default)]
pub struct Audit {
    totals: Totals,
    contradictions: Vec<Contradiction>,
    spent: Spent,
    keys: HashMap<(usize, String), u32>,
    spans: Spans,
    run: Run,
}

/// The run that is being audited.
#[derive(Debug, Default)]
struct Run {
    index: usize,
    uncertainty: u64,
    clock: Option<ClockInfo>,
    events: Vec<ClockEvent>,
    keys: Vec<u32>,
    // By person and group.
    groups: HashMap<(u32, u32), Vec<Member>>,
    // When groups were looked through for complete ones, real µs since the start.
    swept_us: u64,
    // Whether the server took anybody's code.
    known: bool,
    // Good codes refused before it did.
    held_back: Vec<Observation>,
}

/// The members of a group are recorded together; this much later (real µs) none is to come.
const COMPLETE: u64 = 300_000_000;

impl Audit {
    /// Begins a run.
    pub fn begin(&mut self, run: &RunInfo) {
        let index = self.run.index;
        let scope = self.spans.scope(run, index);
        let mut keys = Vec::with_capacity(run.people.len());
        for (serial, _) in &run.people {
            let next = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
            keys.push(*self.keys.entry((scope, serial.clone())).or_insert(next));
        }
        let uncertainty = run.clock.uncertainty;
        let (clock, events) = (Some(run.clock), run.clock_events.clone());
        self.run = Run { index, uncertainty, clock, events, keys, ..Run::default() };
    }

    /// Takes notice of something that happened to the clock in the run that goes on, before the
    /// attempts that it touches are added. Those of a finished run are in its [`RunInfo`].
    pub fn clock_event(&mut self, event: ClockEvent) {
        self.run.events.push(event);
    }

    /// Takes an attempt; returns what it proves, or `None` while that depends on others: on the
    /// rest of its concurrent group, or on whether the server takes any code at all.
    pub fn add(&mut self, seen: &Observation) -> Option<Finding> {
        let takes = takes_a_code(seen);
        let again = takes && self.taken_before(seen);
        if takes && !self.run.known {
            self.run.known = true;
            for refused in std::mem::take(&mut self.run.held_back) {
                self.note(&refused, Finding::Contradiction(Kind::WronglyRefused));
            }
        }
        let Some(finding) = classify(seen, self.run.uncertainty) else {
            // An attempt that says it is one of a group but not of which is a group by itself.
            let group = if seen.group == 0 { u32::MAX - seen.attempt } else { seen.group };
            let members = self.run.groups.entry((seen.person, group)).or_default();
            members.push(Member { seen: seen.clone(), again });
            self.sweep(seen.answered_us);
            return None;
        };
        let finding = match finding {
            Finding::Confirmed | Finding::Contradiction(_) if self.run.astray(seen) => {
                Finding::Undetermined(Why::ClockEvent)
            }
            finding => finding,
        };
        let finding = match finding {
            Finding::Confirmed | Finding::Undetermined(_) if again => {
                Finding::Contradiction(Kind::AcceptedTwice)
            }
            finding => finding,
        };
        if finding == Finding::Contradiction(Kind::WronglyRefused) && !self.run.known {
            self.run.held_back.push(seen.clone());
            return None;
        }
        self.count_replay(seen, finding);
        self.note(seen, finding);
        self.sweep(seen.answered_us);
        Some(finding)
    }

    /// Ends a run: concurrent groups are complete and decided.
    pub fn end(&mut self) {
        for refused in std::mem::take(&mut self.run.held_back) {
            self.note(&refused, Finding::Undetermined(Why::Strangers));
        }
        self.settle(|_| true);
        self.run.index += 1;
    }

    /// Counts so far; attempts of concurrent groups are in them some minutes later, or from
    /// [`Audit::end`] on.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Contradictions found, in the order in which they were.
    #[must_use]
    pub fn contradictions(&self) -> &[Contradiction] {
        &self.contradictions
    }

    /// Number of contradictions seen by now, those of unfinished groups included.
    #[must_use]
    pub fn contradictions_by_now(&self) -> u64 {
        let foreseen: u64 = self.run.groups.values().map(|members| group::foreseen(members)).sum();
        self.contradictions.len() as u64 + foreseen
    }

    /// Counts and contradictions of all runs.
    #[must_use]
    pub fn finish(self) -> (Totals, Vec<Contradiction>) {
        (self.totals, self.contradictions)
    }

    /// Decides the groups that are complete by `now`, looking once in a while. While no code was
    /// taken, it is not known what a refused group means.
    fn sweep(&mut self, now: u64) {
        if self.run.known && now > self.run.swept_us.saturating_add(COMPLETE / 5) {
            self.run.swept_us = now;
            self.settle(|members| {
                let last = members.iter().map(|member| member.seen.answered_us).max();
                last.is_none_or(|last| last.saturating_add(COMPLETE) < now)
            });
        }
    }

    fn settle(&mut self, complete: impl Fn(&[Member]) -> bool) {
        let mut groups: Vec<_> =
            self.run.groups.extract_if(|_, members| complete(members)).collect();
        groups.sort_unstable_by_key(|(group, _)| *group);
        for (_, mut members) in groups {
            members.sort_by_key(|member| (member.seen.answered_us, member.seen.attempt));
            let doubt = |seen: &Observation| match seen {
                _ if !seen.decided(self.run.uncertainty) => Some(Why::WindowEdge),
                _ if self.run.astray(seen) => Some(Why::ClockEvent),
                _ => None,
            };
            let settled = group::settle(&members, self.run.known, doubt);
            for (member, finding) in members.iter().zip(settled.findings) {
                self.note(&member.seen, finding);
            }
            self.totals.replays.concurrent += settled.replays;
            self.totals.replays.concurrent_accepted += settled.accepted;
        }
    }

    fn count_replay(&mut self, seen: &Observation, finding: Finding) {
        let replay = seen.expectation.expected == Expected::Rejected
            && seen.expectation.reason == Reason::ReplayedCode;
        let replays = &mut self.totals.replays;
        match finding {
            Finding::Contradiction(Kind::ReplayAccepted | Kind::AcceptedTwice) => {
                replays.sequential += 1;
                replays.sequential_accepted += 1;
            }
            // Only what the server says of this code: a locked account refuses any.
            Finding::Confirmed if replay && seen.verdict == Verdict::Rejected => {
                replays.sequential += 1;
            }
            _ => {}
        }
    }

    fn note(&mut self, seen: &Observation, finding: Finding) {
        self.totals.add(seen, finding);
        if let Finding::Contradiction(kind) = finding {
            let run = self.run.index;
            self.contradictions.push(Contradiction { run, kind, seen: seen.clone() });
        }
    }

    /// Enters the code of an accepted attempt; true when it was taken before.
    fn taken_before(&mut self, seen: &Observation) -> bool {
        let key = self.run.keys.get(seen.person as usize);
        let (Some(key), Some(counter)) = (key, seen.counter) else {
            return false;
        };
        self.spent.enter(*key, counter)
    }
}

impl Run {
    /// Whether what was expected of an attempt may have been computed for the wrong time. That a
    /// code was taken twice is so at any time.
    fn astray(&self, seen: &Observation) -> bool {
        let Some(clock) = self.clock else { return false };
        // A wrong PIN is wrong at any time.
        if seen.expectation.reason == Reason::WrongPin && took(seen.verdict) {
            return false;
        }
        let touched = |event: &ClockEvent| event.touches(&clock, seen.sent_us, seen.answered_us);
        seen.expectation.expected != Expected::Page && self.events.iter().any(touched)
    }
}

/// Whether the server took a code by this answer; at the other steps it takes a PIN, or nothing.
fn takes_a_code(seen: &Observation) -> bool {
    took(seen.verdict)
        && matches!(seen.step, Step::FirstCode | Step::Confirm | Step::Login | Step::Resync)
}

#[cfg(test)]
mod tests;
