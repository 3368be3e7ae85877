//! The oracle: knows one person's seed and history, and so what a correct server must answer to
//! the next attempt, before it is sent.
//!
//! It knows less than the server: answers get lost, and whether a server learns drift at once, in
//! part or never is its own business. So it reasons with bounds, and where they leave room it says
//! until when its expectation holds, or that nothing can be said. It must never accuse a correct
//! server.
//!
//! | known of a code | expectation |
//! |---|---|
//! | surely used | refused (RFC 6238 §5.2), unless the same digits are also a fresh code's |
//! | before the last surely used one, on a monotonic server | refused, likewise |
//! | of no step that any allowed window holds | refused |
//! | perhaps used (an answer was lost) | unknown |
//! | right PIN, otherwise | taken, while every allowed window holds it |
//! | wrong PIN, otherwise | refused |

mod learn;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::rules::{Drift, Rules};
use super::{Expectation, Expected, Reason, VirtualKey};
use crate::clock::UnixMicros;
use crate::otp::Code;
use crate::target::{Operation, Verdict};

/// What is sent as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// None: a page is opened, a PIN chosen, a session left.
    None,
    /// The key's code of this step.
    Step(u64),
    /// Something else.
    Wrong(Code),
}

/// One attempt as the oracle sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// What is asked of the server.
    pub operation: Operation,
    /// The code sent.
    pub credential: Credential,
    /// Whether the PIN sent is the right one (true where none is due).
    pub pin_right: bool,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// How the answer reads.
    pub verdict: Verdict,
    /// Whether the server acted.
    pub acted: Acted,
    /// Key time when the attempt was sent, µs.
    pub sent_key: UnixMicros,
    /// Key time when the answer was complete or given up, µs.
    pub answered_key: UnixMicros,
}

/// Whether the server acted on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It answered.
    Yes,
    /// It never saw the attempt.
    No,
    /// The answer was lost.
    Perhaps,
}

/// Whether the key is initialised at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Initialised {
    No,
    Yes,
    Perhaps,
}

/// How long a started initialisation is surely remembered by the server, µs of key time.
const PENDING: UnixMicros = 9 * 60 * 1_000_000;

/// The knowledge of one person's standing with the server.
#[derive(Debug, Clone)]
pub struct Oracle {
    rules: Rules,
    drift: Drift,
    /// Steps used, and whether that is sure; the newest dozen of them.
    used: Vec<(u64, bool)>,
    initialised: Initialised,
    /// Most consecutive failures that the server may have counted.
    failures: u32,
    /// When the pending initialisation began.
    pending: UnixMicros,
}

impl Oracle {
    /// A person whom the server has just been told of; when it has no three steps, the key may
    /// have been used before.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let (drift, initialised) = if rules.three_steps {
            (Drift { low: 0, high: 0 }, Initialised::No)
        } else {
            (Drift { low: -rules.max_drift, high: rules.max_drift }, Initialised::Yes)
        };
        Self { rules, drift, used: Vec::new(), initialised, failures: 0, pending: 0 }
    }

    /// Whether the server surely knows this key's PIN.
    #[must_use]
    pub fn initialised(&self) -> bool {
        self.initialised == Initialised::Yes
    }

    /// What a correct server must answer to `attempt`, about to be sent at `now`.
    #[must_use]
    pub fn expect(&self, key: &VirtualKey, now: UnixMicros, attempt: &Attempt) -> Expectation {
        match (attempt.operation, attempt.credential) {
            (Operation::NewPin, _) => self.expect_new_pin(),
            (Operation::Logout, _) | (_, Credential::None) => {
                Expectation::always(Expected::Page, Reason::NoCredential)
            }
            (_, Credential::Wrong(code)) => self.refused(key, now, code, Reason::WrongCode, None),
            (_, Credential::Step(step)) => self.expect_step(key, now, attempt, step),
        }
    }

    /// The same attempt sent several times at once: exactly one may be taken, where one would be.
    #[must_use]
    pub fn expect_each_of_group(&self, single: Expectation) -> Expectation {
        match single.expected {
            Expected::Accepted | Expected::NewPin => {
                Expectation { expected: Expected::OneOfGroup, reason: Reason::Concurrent, ..single }
            }
            _ => single,
        }
    }

    fn expect_new_pin(&self) -> Expectation {
        let expected =
            if self.rules.new_pin_accepts { Expected::Accepted } else { Expected::Confirm };
        Expectation {
            until: self.pending.saturating_add(PENDING),
            ..always(expected, Reason::GoodPin)
        }
    }

    fn expect_step(
        &self,
        key: &VirtualKey,
        now: UnixMicros,
        attempt: &Attempt,
        step: u64,
    ) -> Expectation {
        let code = key.code(step);
        let (possible_from, possible_until) = self.rules.possible(step, self.drift);
        if self.surely_used(step) {
            return self.refused(key, now, code, Reason::ReplayedCode, None);
        }
        if self.surely_passed(step) {
            return self.refused(key, now, code, Reason::OlderCode, None);
        }
        if now > possible_until {
            let from = possible_until.saturating_add(1);
            return self.refused(key, now, code, Reason::OutsideWindow, Some((from, u64::MAX)));
        }
        if now < possible_from {
            let until = possible_from.saturating_sub(1);
            return self.refused(key, now, code, Reason::OutsideWindow, Some((0, until)));
        }
        if !attempt.pin_right {
            return always(Expected::Rejected, Reason::WrongPin);
        }
        if self.perhaps_passed(step) {
            return unknown(Reason::LostAnswer);
        }
        if self.rules.lock_after.is_some_and(|limit| self.failures >= limit) {
            return unknown(Reason::Locked);
        }
        let (from, mut until) = self.rules.sure(step, self.drift);
        let expected = match (attempt.operation, self.initialised) {
            (_, Initialised::Perhaps) => return unknown(Reason::LostAnswer),
            (Operation::FirstCode, Initialised::No) => Expected::NewPin,
            (Operation::FirstCode, Initialised::Yes) => {
                return always(Expected::Rejected, Reason::WrongPin);
            }
            (Operation::Confirm, Initialised::No) => {
                until = until.min(self.pending.saturating_add(PENDING));
                Expected::Accepted
            }
            (_, Initialised::No) => return always(Expected::Rejected, Reason::OutOfOrder),
            (_, Initialised::Yes) => Expected::Accepted,
        };
        // Two steps with the same digits (p = 1e-6 a pair): which one the server takes, and so
        // which one is spent, is its own choice.
        if from > until || !self.twins(key, now, code, Some(step)).is_empty() {
            return unknown(Reason::FreshCode);
        }
        Expectation { expected, reason: Reason::FreshCode, from, until }
    }

    /// A refusal of these digits, for as long as they are surely of no step that could be taken.
    fn refused(
        &self,
        key: &VirtualKey,
        now: UnixMicros,
        code: Code,
        reason: Reason,
        within: Option<(UnixMicros, UnixMicros)>,
    ) -> Expectation {
        if !self.twins(key, now, code, None).is_empty() {
            return unknown(reason);
        }
        let own = self.own_steps(now);
        let (from, until) = within.unwrap_or((0, u64::MAX));
        Expectation {
            expected: Expected::Rejected,
            reason,
            from: from.max(self.rules.start(own.0)),
            until: until.min(self.rules.start(own.1 + 1).saturating_sub(1)),
        }
    }

    /// Steps other than `except` that could be taken soon and whose code has the same digits.
    fn twins(
        &self,
        key: &VirtualKey,
        now: UnixMicros,
        code: Code,
        except: Option<u64>,
    ) -> Vec<u64> {
        self.rules
            .union(self.own_steps(now), self.drift)
            .filter(|step| Some(*step) != except)
            .filter(|step| !self.surely_used(*step) && !self.surely_passed(*step))
            .filter(|step| key.code(*step) == code)
            .collect()
    }

    /// The server's own steps over which collisions are looked for.
    fn own_steps(&self, now: UnixMicros) -> (i64, i64) {
        let own = self.rules.step(now);
        (own - 1, own + 2)
    }

    fn surely_used(&self, step: u64) -> bool {
        self.used.contains(&(step, true))
    }

    fn surely_passed(&self, step: u64) -> bool {
        self.rules.monotonic && self.used.iter().any(|(used, sure)| *sure && *used >= step)
    }

    fn perhaps_passed(&self, step: u64) -> bool {
        self.used.iter().any(|(used, _)| *used == step || self.rules.monotonic && *used > step)
    }

    /// A mistyped code: one digit of the code of `step` changed, and of no step near the window.
    #[must_use]
    pub fn mistype(
        &self,
        key: &VirtualKey,
        now: UnixMicros,
        step: u64,
        rng: &mut ChaCha8Rng,
    ) -> Code {
        let right = key.code(step);
        let own = self.own_steps(now);
        let near = self.rules.union((own.0 - 2, own.1 + 3), self.drift);
        let avoid: Vec<Code> = near.chain([step]).map(|step| key.code(step)).collect();
        loop {
            let place = 10_u32.pow(rng.random_range(0..u32::from(right.digits().clamp(1, 9))));
            let old = right.value() / place % 10;
            let new = (old + rng.random_range(1..10)) % 10;
            let wrong = Code::new(right.value() - old * place + new * place, right.digits());
            if !avoid.contains(&wrong) {
                return wrong;
            }
        }
    }
}

fn always(expected: Expected, reason: Reason) -> Expectation {
    Expectation::always(expected, reason)
}

fn unknown(reason: Reason) -> Expectation {
    always(Expected::Unknown, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Generator, Hash};
    use crate::secret::Secret;

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
            monotonic: true,
            lock_after: Some(3),
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
        let after = oracle.expect(&key(), 106 * MINUTE, &send(Operation::Login, 106));
        assert_eq!((after.expected, after.reason), (Expected::Unknown, Reason::Locked));
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
}
