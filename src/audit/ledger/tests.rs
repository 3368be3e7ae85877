//! Whole runs, a few attempts each.

use super::super::finding::tests::login;
use super::*;
use crate::recorder::Fault;
use crate::recorder::run_info_for_tests as run_info;
use Finding::{Confirmed, Contradiction as Against, Undetermined};

/// A server that knows the keys, as the login of somebody else shows first.
fn audit(seen: &[Observation]) -> (Totals, Vec<Kind>) {
    let mut audit = Audit::default();
    audit.begin(&run_info());
    audit.add(&elsewhere());
    for seen in seen {
        audit.add(seen);
    }
    audit.end();
    let (totals, found) = audit.finish();
    assert_eq!(totals.all().attempts(), seen.len() as u64 + 1);
    assert_eq!(totals.all().contradictions, found.len() as u64);
    (totals, found.iter().map(|found| found.kind).collect())
}

fn elsewhere() -> Observation {
    Observation { person: 9, ..login(Expected::Accepted, Reason::FreshCode, Verdict::Accepted) }
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
    assert_eq!((kinds, totals.all().confirmed), (vec![], 3));
    assert_eq!((totals.replays.concurrent, totals.replays.concurrent_accepted), (1, 0));

    let (totals, kinds) = audit(&double(&[Accepted, Accepted, Accepted]));
    assert_eq!(kinds, [Kind::ConcurrentReplayAccepted; 2]);
    assert_eq!((totals.replays.concurrent, totals.replays.concurrent_accepted), (2, 2));

    let (totals, kinds) = audit(&double(&[Rejected, Rejected]));
    assert_eq!((kinds, totals.all().confirmed), (vec![Kind::NoneOfGroupAccepted], 2));
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
    let (totals, kinds) = audit(&seen);
    assert_eq!(kinds, [Kind::AcceptedTwice]);
    // Both members were replays; one was taken.
    assert_eq!((totals.replays.concurrent, totals.replays.concurrent_accepted), (2, 1));

    seen[2].verdict = Verdict::Accepted;
    let (totals, kinds) = audit(&seen);
    assert_eq!(kinds, [Kind::AcceptedTwice, Kind::ConcurrentReplayAccepted]);
    assert_eq!((totals.replays.concurrent, totals.replays.concurrent_accepted), (2, 2));
}

#[test]
fn what_a_busy_server_says_of_a_double_click_proves_nothing_of_replays() {
    use Verdict::{Accepted, Locked, NextCode, Rejected, Throttled};
    for (second, why) in [(Throttled, Why::Throttled), (NextCode, Why::NextCode)] {
        let (totals, kinds) = audit(&double(&[Accepted, second]));
        assert_eq!(kinds, []);
        assert_eq!(totals.undetermined(why), 1, "{second}");
        assert_eq!(totals.replays.sent(), 0, "{second}: it did not look at the code");
        let (totals, _) = audit(&double(&[Accepted, second, Rejected]));
        assert_eq!((totals.replays.sent(), totals.undetermined(why)), (1, 1), "{second}");
    }
    let (totals, kinds) = audit(&double(&[Accepted, Locked]));
    assert_eq!((kinds, totals.replays.sent()), (vec![], 0), "a locked account refuses any code");
    // Refused when the window may have been over: right, but no proof.
    let mut late = double(&[Accepted, Rejected]);
    late[1].expectation.until = late[1].answered_key - 1;
    let (totals, kinds) = audit(&late);
    assert_eq!((kinds, totals.undetermined(Why::WindowEdge)), (vec![], 1));
    assert_eq!(totals.replays.sent(), 0);
}

#[test]
fn a_server_that_takes_nobody_is_not_accused_and_one_that_takes_somebody_is() {
    let refused = || login(Expected::Accepted, Reason::FreshCode, Verdict::Rejected);
    let mut seen = vec![refused(), Observation { person: 1, ..refused() }];
    seen.extend(double(&[Verdict::Rejected, Verdict::Rejected]));
    let judge = |seen: &[Observation]| {
        let mut audit = Audit::default();
        audit.begin(&run_info());
        for seen in seen {
            assert!(audit.add(seen).is_none() || took(seen.verdict));
        }
        assert_eq!(audit.totals().undetermined(Why::Strangers), 0, "not before the end");
        audit.end();
        audit.finish()
    };
    let (totals, found) = judge(&seen);
    assert_eq!(found, []);
    assert_eq!((totals.undetermined(Why::Strangers), totals.all().attempts()), (4, 4));

    seen.push(elsewhere());
    let (totals, found) = judge(&seen);
    let kinds: Vec<_> = found.iter().map(|found| found.kind).collect();
    use Kind::{NoneOfGroupAccepted, WronglyRefused};
    assert_eq!(kinds, [WronglyRefused, WronglyRefused, NoneOfGroupAccepted]);
    assert_eq!((totals.undetermined(Why::Strangers), totals.all().attempts()), (0, 5));
}

#[test]
fn what_is_kept_does_not_grow_with_the_hours() {
    let mut audit = Audit::default();
    audit.begin(&run_info());
    let (mut most, mut bytes) = (0, 0);
    // Twelve hours: each minute a login, a double click and a replay of each.
    for minute in 0..720_u64 {
        let at = |counter: u64, mut seen: Observation| {
            (seen.sent_us, seen.answered_us) = (minute * 60_000_000, minute * 60_000_000 + 9);
            Observation { counter: Some(counter), ..seen }
        };
        audit.add(&at(2 * minute, login(Expected::Accepted, Reason::FreshCode, Verdict::Accepted)));
        let replay = login(Expected::Rejected, Reason::ReplayedCode, Verdict::Rejected);
        audit.add(&at(2 * minute, replay));
        for seen in double(&[Verdict::Accepted, Verdict::Rejected]) {
            let group = u32::try_from(minute).unwrap() + 1;
            audit.add(&at(2 * minute + 1, Observation { group, ..seen }));
        }
        most = most.max(audit.run.groups.len());
        if minute == 10 {
            bytes = audit.spent.bytes();
        }
    }
    assert!(most <= 8, "{most} groups were kept at once");
    assert_eq!(audit.spent.bytes(), bytes);
    audit.end();
    let (totals, found) = audit.finish();
    assert_eq!(found, []);
    assert_eq!((totals.replays.sequential, totals.replays.concurrent), (720, 720));
    assert_eq!(totals.all().attempts(), 4 * 720);
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
