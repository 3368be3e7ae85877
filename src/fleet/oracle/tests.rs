//! The oracle's rules, one person against a server that is right.

use super::*;
use crate::otp::{Generator, Hash};
use crate::secret::Secret;
use crate::target::Verdict;

const MINUTE: u64 = 60_000_000;

fn key() -> VirtualKey {
    let secret = Secret::from(&b"12345678901234567890"[..]);
    VirtualKey::new(Generator::new(&secret, Hash::Sha1, 6), 60, 0)
}

fn oracle() -> Oracle {
    Oracle::new(Rules {
        back: 1,
        forward: 1,
        max_drift: 1,
        resync: 0,
        monotonic: true,
        lock_after: Some(3),
        lock_for: Some(15 * MINUTE),
        new_pin_accepts: false,
        three_steps: true,
        period: 60,
        offset: 0,
        uncertainty: 0,
    })
}

fn send(operation: Operation, step: u64) -> Attempt {
    Attempt { operation, credential: Credential::Step(step), pin_right: true }
}

/// Sends at the start of minute `at` and hears `verdict` a second later.
fn go(
    oracle: &mut Oracle,
    attempt: Attempt,
    at: u64,
    verdict: Verdict,
    acted: Acted,
) -> Expectation {
    let sent_key = at * MINUTE;
    let heard = Heard { verdict, acted, sent_key, answered_key: sent_key + MINUTE / 60 };
    let expectation = oracle.expect(&key(), sent_key, &attempt);
    oracle.learn(&key(), &attempt, &expectation, &heard);
    expectation
}

fn ready() -> Oracle {
    let mut oracle = oracle();
    let first = send(Operation::FirstCode, 100);
    let asked = go(&mut oracle, first, 100, Verdict::NewPin, Acted::Yes);
    assert_eq!((asked.expected, asked.reason), (Expected::NewPin, Reason::FreshCode));
    let again = oracle.expect(&key(), 100 * MINUTE, &send(Operation::Confirm, 100));
    assert_eq!((again.expected, again.reason), (Expected::Rejected, Reason::ReplayedCode));
    let confirm = send(Operation::Confirm, 101);
    let let_in = go(&mut oracle, confirm, 101, Verdict::Accepted, Acted::Yes);
    assert_eq!(let_in.expected, Expected::Accepted);
    assert!(oracle.initialised());
    oracle
}

#[test]
fn the_three_steps_and_what_each_spends() {
    let oracle = ready();
    let at = |step| oracle.expect(&key(), 101 * MINUTE, &send(Operation::Login, step));
    assert_eq!((at(101).expected, at(101).reason), (Expected::Rejected, Reason::ReplayedCode));
    assert_eq!(at(99).reason, Reason::OlderCode);
    assert_eq!((at(102).expected, at(102).from), (Expected::Accepted, 101 * MINUTE));
    assert_eq!((at(110).expected, at(110).reason), (Expected::Rejected, Reason::OutsideWindow));
}

#[test]
fn a_lost_answer_leaves_its_code_open_and_the_next_one_clear() {
    let mut oracle = ready();
    go(&mut oracle, send(Operation::Login, 103), 103, Verdict::Error, Acted::Perhaps);
    let at = |step| oracle.expect(&key(), 103 * MINUTE, &send(Operation::Login, step));
    assert_eq!((at(103).expected, at(103).reason), (Expected::Unknown, Reason::LostAnswer));
    assert_eq!(at(104).expected, Expected::Accepted);
    assert_eq!(at(101).expected, Expected::Rejected);
}

#[test]
fn what_was_never_sent_changes_nothing() {
    let mut oracle = ready();
    go(&mut oracle, send(Operation::Login, 103), 103, Verdict::Error, Acted::No);
    let after = oracle.expect(&key(), 103 * MINUTE, &send(Operation::Login, 103));
    assert_eq!(after.expected, Expected::Accepted);
}

#[test]
fn a_lock_may_have_fallen_after_enough_failures() {
    let mut oracle = ready();
    for step in [103, 104, 105] {
        let wrong = Attempt { pin_right: false, ..send(Operation::Login, step) };
        let refused = go(&mut oracle, wrong, step, Verdict::Rejected, Acted::Yes);
        assert_eq!((refused.expected, refused.reason), (Expected::Rejected, Reason::WrongPin));
    }
    // Three refusals that a correct server must have counted: the account is locked for a while.
    let after = oracle.expect(&key(), 106 * MINUTE, &send(Operation::Login, 106));
    assert_eq!((after.expected, after.reason), (Expected::Rejected, Reason::Locked));
    assert_eq!(after.until, 120 * MINUTE - 1);
    let later = oracle.expect(&key(), 120 * MINUTE, &send(Operation::Login, 120));
    assert_eq!((later.expected, later.reason), (Expected::Unknown, Reason::Locked));
}

/// A replay, or an answer that was lost, may have counted for the server too: the lock may have
/// fallen earlier, and be over earlier, or not have fallen at all.
#[test]
fn a_lock_is_sure_only_when_nothing_else_may_have_counted() {
    for (step, verdict, acted) in
        [(101, Verdict::Rejected, Acted::Yes), (103, Verdict::Error, Acted::Perhaps)]
    {
        let mut oracle = ready();
        go(&mut oracle, send(Operation::Login, step), 103, verdict, acted);
        for step in [104, 105, 106] {
            let wrong = Attempt { pin_right: false, ..send(Operation::Login, step) };
            go(&mut oracle, wrong, step, Verdict::Rejected, Acted::Yes);
        }
        let after = oracle.expect(&key(), 107 * MINUTE, &send(Operation::Login, 107));
        assert_eq!((after.expected, after.reason), (Expected::Unknown, Reason::Locked));
    }
}

#[test]
fn a_used_code_that_is_too_old_anyway_is_no_test_of_replays() {
    let oracle = ready();
    let replay = oracle.expect(&key(), 102 * MINUTE, &send(Operation::Login, 101));
    assert_eq!((replay.expected, replay.reason), (Expected::Rejected, Reason::ReplayedCode));
    let old = oracle.expect(&key(), 110 * MINUTE, &send(Operation::Login, 101));
    assert_eq!((old.expected, old.reason), (Expected::Rejected, Reason::OutsideWindow));
}

#[test]
fn failures_far_apart_or_unheard_lock_nothing_for_sure() {
    for (gap, acted) in [(9, Acted::Yes), (1, Acted::Perhaps)] {
        let mut oracle = ready();
        for step in (0..3).map(|n| 103 + n * gap) {
            let wrong = Attempt { pin_right: false, ..send(Operation::Login, step) };
            let verdict = if acted == Acted::Yes { Verdict::Rejected } else { Verdict::Error };
            go(&mut oracle, wrong, step, verdict, acted);
        }
        let at = 103 + 3 * gap;
        let after = oracle.expect(&key(), at * MINUTE, &send(Operation::Login, at));
        assert_eq!((after.expected, after.reason), (Expected::Unknown, Reason::Locked));
    }
}

#[test]
fn a_mistyped_code_is_of_no_step_nearby() {
    use rand::SeedableRng;
    let (oracle, mut rng) = (ready(), ChaCha8Rng::seed_from_u64(7));
    for _ in 0..500 {
        let wrong = oracle.mistype(&key(), 103 * MINUTE, 103, &mut rng);
        assert!((96..=110).all(|step| key().code(step) != wrong));
        let attempt = Attempt {
            operation: Operation::Login,
            credential: Credential::Wrong(wrong),
            pin_right: true,
        };
        let expected = oracle.expect(&key(), 103 * MINUTE, &attempt);
        assert_eq!(expected.reason, Reason::WrongCode);
        assert!(expected.decided(103 * MINUTE, 104 * MINUTE, 0));
    }
}

#[test]
fn twins_by_chance_accuse_nobody() {
    // Two steps of this key within one window that show the same digits, found by search.
    let key = key();
    let twin = (0_u64..).find(|step| key.code(*step) == key.code(step + 1)).unwrap();
    let mut oracle = oracle();
    let first = send(Operation::FirstCode, twin);
    let now = twin * MINUTE;
    assert_eq!(oracle.expect(&key, now, &first).expected, Expected::Unknown);
    let asked = Expectation::always(Expected::NewPin, Reason::FreshCode);
    let heard =
        Heard { verdict: Verdict::NewPin, acted: Acted::Yes, sent_key: now, answered_key: now };
    oracle.learn(&key, &first, &asked, &heard);
    let replay = oracle.expect(&key, now, &send(Operation::Confirm, twin));
    assert_eq!((replay.expected, replay.reason), (Expected::Unknown, Reason::ReplayedCode));
}

/// As [`ready`], of a server that asks for the next code up to ten steps out.
fn ready_to_resynchronise() -> Oracle {
    let mut oracle = ready();
    oracle.rules = Rules { resync: 10, lock_after: None, ..oracle.rules };
    oracle
}

/// privacyIDEA keeps the first of two codes until another one is too far out, and refuses that one
/// unless it follows the first.
#[test]
fn after_a_resynchronisation_that_failed_another_code_too_far_out_may_be_refused() {
    let mut oracle = ready_to_resynchronise();
    let first = go(&mut oracle, send(Operation::Login, 106), 102, Verdict::NextCode, Acted::Yes);
    assert_eq!((first.expected, first.reason), (Expected::NextCode, Reason::OutsideWindow));
    let typo = Credential::Wrong(Code::new(1, 6));
    let typo = Attempt { credential: typo, ..send(Operation::Resync, 0) };
    let typo = go(&mut oracle, typo, 103, Verdict::Rejected, Acted::Yes);
    assert_eq!(typo.expected, Expected::Rejected);
    // It may be the second of two, or begin anew.
    let second = oracle.expect(&key(), 103 * MINUTE, &send(Operation::Login, 107));
    assert_eq!((second.expected, second.reason), (Expected::Unknown, Reason::OutOfOrder));
    // It may not open anything.
    let other = go(&mut oracle, send(Operation::Login, 108), 104, Verdict::Rejected, Acted::Yes);
    assert_eq!((other.expected, other.reason), (Expected::Rejected, Reason::OutsideWindow));
    // Asked for again and followed, the two are done with.
    go(&mut oracle, send(Operation::Login, 110), 106, Verdict::NextCode, Acted::Yes);
    let next = go(&mut oracle, send(Operation::Resync, 111), 107, Verdict::Accepted, Acted::Yes);
    assert_eq!((next.expected, next.reason), (Expected::Accepted, Reason::FreshCode));
    let far = oracle.expect(&key(), 113 * MINUTE, &send(Operation::Login, 122));
    assert_eq!(far.expected, Expected::NextCode);
}

/// The second of two codes may be typed as a login, PIN and all.
#[test]
fn a_second_code_taken_by_a_login_moves_the_window_too() {
    let mut oracle = ready_to_resynchronise();
    go(&mut oracle, send(Operation::Login, 106), 102, Verdict::Error, Acted::Perhaps);
    go(&mut oracle, send(Operation::Login, 107), 103, Verdict::Accepted, Acted::Yes);
    let after = oracle.expect(&key(), 110 * MINUTE, &send(Operation::Login, 114));
    assert_eq!((after.expected, after.reason), (Expected::Accepted, Reason::FreshCode));
}

#[test]
fn a_code_too_far_out_that_came_twice_may_be_forgotten() {
    let mut oracle = ready_to_resynchronise();
    let far = send(Operation::Login, 106);
    let asked = oracle.expect(&key(), 102 * MINUTE, &far);
    let asked = oracle.expect_each_of_group(asked);
    assert_eq!((asked.expected, asked.reason), (Expected::Rejected, Reason::OutsideWindow));
    let times = (102 * MINUTE, 102 * MINUTE + 1);
    let heard = [Verdict::NextCode, Verdict::Rejected].map(|verdict| Heard {
        verdict,
        acted: Acted::Yes,
        sent_key: times.0,
        answered_key: times.1,
    });
    oracle.learn_group(&key(), &far, &asked, &heard);
    let next = oracle.expect(&key(), 103 * MINUTE, &send(Operation::Resync, 107));
    assert_eq!(next.expected, Expected::Unknown);
}

/// A server that looks for the first step with these digits comes upon one that is passed.
#[test]
fn a_passed_step_with_the_same_digits_excuses_a_refusal() {
    let key = key();
    let used = (0_u64..).find(|step| key.code(*step) == key.code(step + 2)).unwrap();
    let rules = Rules { back: 3, ..oracle().rules };
    let mut oracle = Oracle::unused(rules);
    let now = (used + 1) * MINUTE;
    let heard =
        Heard { verdict: Verdict::Accepted, acted: Acted::Yes, sent_key: now, answered_key: now };
    let taken = Expectation::always(Expected::Accepted, Reason::FreshCode);
    oracle.learn(&key, &send(Operation::Login, used + 1), &taken, &heard);
    let good = oracle.expect(&key, now + MINUTE, &send(Operation::Login, used + 2));
    assert_eq!((good.expected, good.reason), (Expected::Unknown, Reason::FreshCode));

    // Likewise of the two codes of a resynchronisation, within its reach.
    let rules = Rules { resync: 10, ..rules };
    let oracle = Oracle { rules, ..Oracle::unused(rules) };
    let apart = |far: u64| (0_u64..).find(|step| key.code(*step) == key.code(step + far)).unwrap();
    let step = apart(6) + 6;
    let first = oracle.expect(&key, (step - 5) * MINUTE, &send(Operation::Login, step));
    assert_eq!((first.expected, first.reason), (Expected::Unknown, Reason::OutsideWindow));
    let mut oracle = Oracle::unused(rules);
    let asked = Heard { verdict: Verdict::NextCode, ..heard };
    let now = (step - 6) * MINUTE;
    let asked = Heard { sent_key: now, answered_key: now, ..asked };
    let expected = Expectation::always(Expected::NextCode, Reason::OutsideWindow);
    oracle.learn(&key, &send(Operation::Login, step - 1), &expected, &asked);
    let next = oracle.expect(&key, now + MINUTE, &send(Operation::Resync, step));
    assert_eq!((next.expected, next.reason), (Expected::Unknown, Reason::FreshCode));
}

#[test]
fn what_is_left_of_an_expectation_when_the_server_may_have_acted_twice() {
    let left = |expected| {
        let one = Expectation { until: 7, ..Expectation::always(expected, Reason::FreshCode) };
        let twice = one.sent_again();
        (twice.expected, twice.until)
    };
    for taken in [Expected::Accepted, Expected::NewPin, Expected::Confirm, Expected::OneOfGroup] {
        assert_eq!(left(taken), (Expected::Unknown, u64::MAX));
    }
    assert_eq!(left(Expected::Rejected), (Expected::Rejected, 7));
    assert_eq!(left(Expected::NextCode), (Expected::Rejected, 7));
    assert_eq!(left(Expected::Page), (Expected::Page, 7));
}
