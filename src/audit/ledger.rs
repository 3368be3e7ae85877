//! A whole run: which code of which key was taken, and the invariant that none is taken twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Contradiction, Finding, Kind, Totals, Why, classify, took};
use crate::recorder::{
    ClockEvent, ClockInfo, Expected, Fault, Observation, Reason, RunInfo, Step, Verdict,
};

/// Audits one run, or several: `begin`, any number of `add`, `end`; and again.
///
/// Beside what each attempt proves by itself, it holds the whole history against RFC 6238 §5.2:
/// at most one acceptance per key and time step, whatever each single expectation said. An answer
/// that was lost is unknown: a later acceptance of that code is then allowed once.
///
/// Runs share their history when they went on at the same time against the same address, as the
/// shards of one test do. Otherwise the server may be another one, started anew, with keys of the
/// same serials.
#[derive(Debug, Default)]
pub struct Audit {
    totals: Totals,
    contradictions: Vec<Contradiction>,
    // (key, time step or counter) of every code taken.
    taken: HashMap<(u32, u64), ()>,
    keys: HashMap<(usize, String), u32>,
    spans: Vec<Span>,
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
    groups: HashMap<(u32, u32), Vec<Member>>,
    // Second acceptances within groups, which become contradictions at `end`.
    foreseen: u64,
}

/// An attempt of a concurrent group.
#[derive(Debug)]
struct Member {
    seen: Observation,
    // Whether the same code had been taken before by an attempt outside the group, or in it.
    again: bool,
}

/// When and where a run went on.
#[derive(Debug)]
struct Span {
    url: String,
    from: jiff::Timestamp,
    until: jiff::Timestamp,
    scope: usize,
}

impl Audit {
    /// Begins a run.
    pub fn begin(&mut self, run: &RunInfo) {
        let scope = self.scope(run);
        let index = self.run.index;
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

    /// Takes an attempt; returns what it proves, or `None` while that depends on the rest of its
    /// concurrent group.
    pub fn add(&mut self, seen: &Observation) -> Option<Finding> {
        let again = takes_a_code(seen) && self.taken_before(seen);
        match classify(seen, self.run.uncertainty) {
            Some(finding) => {
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
                self.count_replay(seen, finding);
                self.note(seen, finding);
                Some(finding)
            }
            None => {
                // An attempt that says it is one of a group but not of which is a group by itself.
                let group = if seen.group == 0 { u32::MAX - seen.attempt } else { seen.group };
                let members = self.run.groups.entry((seen.person, group)).or_default();
                let taken = members.iter().any(|member| took(member.seen.verdict));
                self.run.foreseen += u64::from(took(seen.verdict) && (taken || again));
                members.push(Member { seen: seen.clone(), again });
                None
            }
        }
    }

    /// Ends a run: concurrent groups are complete and decided.
    pub fn end(&mut self) {
        let mut groups: Vec<_> = std::mem::take(&mut self.run.groups).into_iter().collect();
        groups.sort_unstable_by_key(|(group, _)| *group);
        for (_, mut members) in groups {
            members.sort_by_key(|member| (member.seen.answered_us, member.seen.attempt));
            self.settle(&members);
        }
        self.run.foreseen = 0;
        self.run.index += 1;
    }

    /// Counts so far; attempts of concurrent groups are in them from [`Audit::end`] on.
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
        self.contradictions.len() as u64 + self.run.foreseen
    }

    /// Counts and contradictions of all runs.
    #[must_use]
    pub fn finish(self) -> (Totals, Vec<Contradiction>) {
        (self.totals, self.contradictions)
    }

    /// Exactly one of a group is taken. More: each further one is a replay that was taken. None:
    /// a good code was refused, unless a lost or undecided answer may have been the one.
    fn settle(&mut self, members: &[Member]) {
        let uncertainty = self.run.uncertainty;
        let lost = |seen: &Observation| seen.verdict == Verdict::Error;
        let refused = members.iter().filter(|m| m.seen.verdict == Verdict::Rejected).count() as u64;
        let accepted = members.iter().filter(|member| took(member.seen.verdict)).count() as u64;
        let open = members.iter().any(|Member { seen, .. }| {
            let silent = matches!(seen.verdict, Verdict::Throttled | Verdict::NextCode);
            lost(seen) || silent || !seen.decided(uncertainty) || self.run.astray(seen)
        });
        let mut first = true;
        for Member { seen, again } in members {
            let finding = match seen.verdict {
                Verdict::Error => Finding::Fault(seen.fault.unwrap_or(Fault::Answer)),
                verdict if took(verdict) => {
                    let repeated = if std::mem::take(&mut first) {
                        // Another attempt, outside the group, had this code taken before: only
                        // then is `again` set for the first, unless records are out of order.
                        (*again && accepted == 1).then_some(Kind::AcceptedTwice)
                    } else {
                        Some(Kind::ConcurrentReplayAccepted)
                    };
                    repeated.map_or(Finding::Confirmed, Finding::Contradiction)
                }
                Verdict::Throttled if accepted > 0 => Finding::Undetermined(Why::Throttled),
                _ if accepted > 0 => Finding::Confirmed,
                _ if open => Finding::Undetermined(Why::GroupUnknown),
                _ if std::mem::take(&mut first) => {
                    Finding::Contradiction(Kind::NoneOfGroupAccepted)
                }
                _ => Finding::Confirmed,
            };
            self.note(seen, finding);
        }
        if accepted > 0 {
            self.totals.replays.concurrent += refused + accepted - 1;
            self.totals.replays.concurrent_accepted += accepted - 1;
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
        match self.taken.entry((*key, counter)) {
            Entry::Occupied(_) => true,
            Entry::Vacant(free) => {
                free.insert(());
                false
            }
        }
    }

    /// Number of the history that `run` belongs to.
    fn scope(&mut self, run: &RunInfo) -> usize {
        let fresh = self.run.index;
        let Ok(from) = run.started.parse::<jiff::Timestamp>() else {
            return fresh;
        };
        // A killed run has no end: what came after it is not known to have gone on beside it.
        let until = run.finished.as_deref().and_then(|end| end.parse().ok()).unwrap_or(from);
        let beside = |span: &&Span| span.url == run.url && span.from <= until && from <= span.until;
        let scope = self.spans.iter().find(beside).map_or(fresh, |span| span.scope);
        self.spans.push(Span { url: run.url.clone(), from, until, scope });
        scope
    }
}

impl Run {
    /// Whether what was expected of an attempt may have been computed for the wrong time. That a
    /// code was taken twice is so at any time.
    fn astray(&self, seen: &Observation) -> bool {
        let Some(clock) = self.clock else { return false };
        let touched = |event: &ClockEvent| event.touches(&clock, seen.sent_us, seen.answered_us);
        seen.expectation.expected != Expected::Page && self.events.iter().any(touched)
    }
}

/// Whether the server took a code by this answer; at the other steps it takes a PIN, or nothing.
fn takes_a_code(seen: &Observation) -> bool {
    took(seen.verdict) && matches!(seen.step, Step::FirstCode | Step::Confirm | Step::Login)
}

#[cfg(test)]
mod tests {
    use super::super::finding::tests::login;
    use super::*;
    use crate::recorder::run_info_for_tests as run_info;
    use Finding::{Confirmed, Contradiction as Against, Undetermined};

    fn audit(seen: &[Observation]) -> (Totals, Vec<Kind>) {
        let mut audit = Audit::default();
        audit.begin(&run_info());
        for seen in seen {
            audit.add(seen);
        }
        audit.end();
        let (totals, found) = audit.finish();
        assert_eq!(totals.all().attempts(), seen.len() as u64);
        assert_eq!(totals.all().contradictions, found.len() as u64);
        (totals, found.iter().map(|found| found.kind).collect())
    }

    fn double(verdicts: &[Verdict]) -> Vec<Observation> {
        let one = |(attempt, verdict): (usize, &Verdict)| Observation {
            attempt: u32::try_from(attempt).unwrap(),
            group: 1,
            ..login(Expected::OneOfGroup, Reason::Concurrent, *verdict)
        };
        verdicts.iter().enumerate().map(one).collect()
    }

    #[test]
    fn a_replay_taken_is_found_and_counted() {
        let (totals, kinds) = audit(&[
            login(Expected::Accepted, Reason::FreshCode, Verdict::Accepted),
            login(Expected::Rejected, Reason::ReplayedCode, Verdict::Rejected),
            login(Expected::Rejected, Reason::ReplayedCode, Verdict::Accepted),
            login(Expected::Rejected, Reason::ReplayedCode, Verdict::Error),
        ]);
        assert_eq!(kinds, [Kind::ReplayAccepted]);
        // The one without an answer says nothing of replays.
        assert_eq!((totals.replays.sent(), totals.replays.accepted()), (2, 1));
        assert_eq!((totals.all().faults, totals.faults(Fault::Timeout)), (1, 1));
    }

    #[test]
    fn no_code_is_taken_twice_even_where_nothing_was_expected() {
        let unknown = login(Expected::Unknown, Reason::LostAnswer, Verdict::Accepted);
        let (totals, kinds) = audit(&[unknown.clone(), unknown.clone()]);
        assert_eq!(kinds, [Kind::AcceptedTwice]);
        assert_eq!(totals.undetermined(Why::NoExpectation), 1);
        assert_eq!((totals.replays.sent(), totals.replays.accepted()), (1, 1));

        let next = Observation { counter: Some(17), ..unknown.clone() };
        let other = Observation { person: 1, ..unknown.clone() };
        assert_eq!(audit(&[unknown, next, other]).1, []);
    }

    #[test]
    fn a_lost_answer_allows_one_later_acceptance() {
        let lost = login(Expected::Accepted, Reason::FreshCode, Verdict::Error);
        let later = login(Expected::Unknown, Reason::LostAnswer, Verdict::Accepted);
        assert_eq!(audit(&[lost, later]).1, []);
    }

    #[test]
    fn of_a_group_exactly_one_is_taken() {
        use Verdict::{Accepted, Error, Rejected, Throttled};
        let (totals, kinds) = audit(&double(&[Rejected, Accepted]));
        assert_eq!((kinds, totals.all().confirmed), (vec![], 2));
        assert_eq!((totals.replays.concurrent, totals.replays.concurrent_accepted), (1, 0));

        let (totals, kinds) = audit(&double(&[Accepted, Accepted, Accepted]));
        assert_eq!(kinds, [Kind::ConcurrentReplayAccepted; 2]);
        assert_eq!((totals.replays.concurrent, totals.replays.concurrent_accepted), (2, 2));

        let (totals, kinds) = audit(&double(&[Rejected, Rejected]));
        assert_eq!((kinds, totals.all().confirmed), (vec![Kind::NoneOfGroupAccepted], 1));
        assert_eq!(totals.replays.sent(), 0);

        for silent in [Error, Throttled] {
            let (totals, kinds) = audit(&double(&[Rejected, silent]));
            assert_eq!(kinds, []);
            assert!(totals.undetermined(Why::GroupUnknown) >= 1);
        }
    }

    #[test]
    fn what_the_clock_spoilt_proves_nothing_but_a_code_taken_twice() {
        use crate::recorder::{ClockEvent, ClockEventKind};
        let event =
            ClockEvent { kind: ClockEventKind::Suspend, seconds: 5.0, after_us: 30, seen_us: 31 };
        let at = |us: u64, seen: Observation| Observation { sent_us: us, answered_us: us, ..seen };
        let fresh = login(Expected::Accepted, Reason::FreshCode, Verdict::Accepted);
        let refused = login(Expected::Accepted, Reason::FreshCode, Verdict::Rejected);
        let replayed = login(Expected::Rejected, Reason::ReplayedCode, Verdict::Accepted);
        let mut seen = vec![at(29, fresh), at(30, refused.clone()), at(40, replayed)];
        seen.extend(double(&[Verdict::Rejected, Verdict::Rejected]));
        let judge = |recorded: bool| {
            let mut run = run_info();
            if recorded {
                run.clock_events.push(event);
            }
            let mut audit = Audit::default();
            audit.begin(&run);
            if !recorded {
                audit.clock_event(event);
            }
            for seen in &seen {
                audit.add(seen);
            }
            audit.end();
            audit.finish()
        };
        for recorded in [false, true] {
            let (totals, found) = judge(recorded);
            let kinds: Vec<_> = found.iter().map(|found| found.kind).collect();
            assert_eq!(kinds, [Kind::AcceptedTwice]);
            assert_eq!(totals.undetermined(Why::ClockEvent), 1);
            assert_eq!(totals.undetermined(Why::GroupUnknown), 2);
            assert_eq!(totals.all().confirmed, 1);
        }
        // Without the event, the same refusal is held against the server.
        assert_eq!(audit(&[refused]).1, [Kind::WronglyRefused]);
    }

    #[test]
    fn an_undecided_refusal_of_a_group_proves_nothing() {
        let mut members = double(&[Verdict::Rejected, Verdict::Rejected]);
        members[1].expectation.until = members[1].answered_key - 1;
        let (totals, kinds) = audit(&members);
        assert_eq!(kinds, []);
        assert_eq!(totals.undetermined(Why::GroupUnknown), 2);
    }

    #[test]
    fn a_group_after_its_code_was_taken_is_a_replay() {
        let mut seen = vec![login(Expected::Accepted, Reason::FreshCode, Verdict::Accepted)];
        seen.extend(double(&[Verdict::Accepted, Verdict::Rejected]));
        assert_eq!(audit(&seen).1, [Kind::AcceptedTwice]);
    }

    #[test]
    fn contradictions_of_groups_are_known_before_the_end() {
        let mut audit = Audit::default();
        audit.begin(&run_info());
        for seen in double(&[Verdict::Accepted, Verdict::Accepted]) {
            assert_eq!(audit.add(&seen), None);
        }
        assert_eq!(audit.contradictions_by_now(), 1);
        audit.end();
        assert_eq!(audit.contradictions_by_now(), 1);
    }

    #[test]
    fn shards_share_their_history_and_later_runs_do_not() {
        let seen = login(Expected::Unknown, Reason::LostAnswer, Verdict::Accepted);
        let between = |from: &str, until: &str| {
            let mut run = run_info();
            run.started = format!("2026-09-01T{from}Z");
            run.finished = Some(format!("2026-09-01T{until}Z"));
            run
        };
        for (second, finding) in [
            (between("07:30:00", "08:30:00"), Against(Kind::AcceptedTwice)),
            (between("08:00:01", "09:00:00"), Undetermined(Why::NoExpectation)),
        ] {
            let mut audit = Audit::default();
            audit.begin(&between("07:00:00", "08:00:00"));
            assert_eq!(audit.add(&seen), Some(Undetermined(Why::NoExpectation)));
            audit.end();
            audit.begin(&second);
            assert_eq!(audit.add(&seen), Some(finding));
            let refused = login(Expected::Rejected, Reason::WrongPin, Verdict::Locked);
            assert_eq!(audit.add(&refused), Some(Confirmed));
        }
    }
}
