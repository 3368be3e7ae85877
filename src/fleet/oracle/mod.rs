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
//! | but within reach of a resynchronisation | the next code is asked for: see [`far`] |
//! | the one after that | taken, as the first would have been |
//! | perhaps used (an answer was lost) | unknown |
//! | right PIN, otherwise | taken, while every allowed window holds it |
//! | wrong PIN, otherwise | refused |

mod attempt;
mod far;
mod learn;
#[cfg(test)]
mod tests;

pub use attempt::{Acted, Attempt, Credential, Heard};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use self::far::Asked;
use super::rules::{Drift, Rules};
use super::{Expectation, Expected, Reason, VirtualKey};
use crate::clock::UnixMicros;
use crate::otp::Code;
use crate::target::Operation;

/// Whether the key is initialised at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Initialised {
    No,
    Yes,
    Perhaps,
}

/// How far a server looks for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Within its window.
    Window,
    /// Within the steps that it asks the next code for, too.
    Resync,
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
    /// Last step that may have been used before the run; 0 when none was.
    before: u64,
    /// Drift of the last resynchronisation, around which the server learns.
    base: Drift,
    /// The code that was answered by asking for the next one.
    asked: Option<Asked>,
    /// First and last step of the codes too far out that the server may still remember.
    firsts: Option<(u64, u64)>,
    /// Whether the server may follow the key at any distance: it was resynchronised, or not, by
    /// somebody else before the run.
    adrift: bool,
    /// Refusals in a row that the server has surely counted.
    refusals: Refusals,
}

/// Refusals of wrong codes and PINs, one soon after the other.
#[derive(Debug, Clone, Copy, Default)]
struct Refusals {
    count: u32,
    /// When the last of them was sent.
    last: UnixMicros,
    /// When the one was sent that locked the account.
    locked: Option<UnixMicros>,
}

impl Oracle {
    /// A person whom the server has just been told of.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            drift: Drift::NONE,
            used: Vec::new(),
            initialised: Initialised::No,
            failures: 0,
            pending: 0,
            before: 0,
            base: Drift::NONE,
            asked: None,
            firsts: None,
            adrift: false,
            refusals: Refusals::default(),
        }
    }

    /// A person whom the server knows, with a PIN if it wants one, and whose key nobody has used.
    #[must_use]
    pub fn unused(rules: Rules) -> Self {
        Self { initialised: Initialised::Yes, ..Self::new(rules) }
    }

    /// A person whom the server knows, with a PIN if it wants one, at the beginning of a run. Any
    /// code that the key has shown before, to step `shown`, may be used, at any drift, and there may
    /// have been as many failures as leave it just unlocked.
    #[must_use]
    pub fn known_before(rules: Rules, shown: u64) -> Self {
        // Who asks for the next code may have followed the key that far, or has to.
        let most = rules.max_drift + rules.resync;
        let drift = Drift { low: -most, high: most };
        Self {
            drift,
            initialised: Initialised::Yes,
            failures: rules.lock_after.map_or(0, |limit| limit.saturating_sub(1)),
            before: shown,
            firsts: (rules.resync > 0).then_some((0, shown)),
            adrift: rules.resync > 0,
            ..Self::new(rules)
        }
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
            (Operation::Resync, Credential::Step(step)) => self.expect_next(key, now, step),
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
            // The same code again is no next one: neither may open anything.
            Expected::NextCode => Expectation { expected: Expected::Rejected, ..single },
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
            // Of a code that is too old anyway, a refusal says nothing of replays.
            let old = now > possible_until;
            let reason = if old { Reason::OutsideWindow } else { Reason::ReplayedCode };
            return self.refused(key, now, code, reason, None);
        }
        if self.surely_passed(step) {
            return self.refused(key, now, code, Reason::OlderCode, None);
        }
        let outside = now > possible_until || now < possible_from;
        if outside && self.rules.resync > 0 && attempt.pin_right {
            return self.expect_far(key, now, attempt, step);
        }
        let possible = (possible_from, possible_until);
        if let Some(refused) = self.refused_outside(key, now, code, possible) {
            return refused;
        }
        if !attempt.pin_right {
            return always(Expected::Rejected, Reason::WrongPin);
        }
        if self.perhaps_passed(step) {
            return unknown(Reason::LostAnswer);
        }
        if step <= self.before {
            return unknown(Reason::EarlierRun);
        }
        if let Some(end) = self.surely_locked_until(now) {
            let until = end.saturating_sub(1);
            return Expectation { until, ..always(Expected::Rejected, Reason::Locked) };
        }
        if self.may_be_locked() {
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
        if from > until || !self.doubles(key, now, step, Reach::Window).is_empty() {
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

    /// The same of a code that can only be taken at these times, both included; `None` at one of them.
    fn refused_outside(
        &self,
        key: &VirtualKey,
        now: UnixMicros,
        code: Code,
        (from, until): (UnixMicros, UnixMicros),
    ) -> Option<Expectation> {
        let within = if now > until {
            (until.saturating_add(1), u64::MAX)
        } else if now < from {
            (0, from.saturating_sub(1))
        } else {
            return None;
        };
        Some(self.refused(key, now, code, Reason::OutsideWindow, Some(within)))
    }

    /// Steps other than `step` within `reach` whose code has the same digits (p = 1e-6 a pair). Which
    /// of them the server takes, and so which one is spent, is its own choice; it may even come upon
    /// one that is passed, look no further, and refuse.
    fn doubles(&self, key: &VirtualKey, now: UnixMicros, step: u64, reach: Reach) -> Vec<u64> {
        let code = key.code(step);
        let rules = match reach {
            Reach::Window => Rules { resync: 0, ..self.rules },
            Reach::Resync => self.rules,
        };
        rules
            .union(self.own_steps(now), self.drift)
            .filter(|other| *other != step && key.code(*other) == code)
            .collect()
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

    /// When a lock ends that has surely fallen.
    fn surely_locked_until(&self, now: UnixMicros) -> Option<UnixMicros> {
        let since = self.refusals.locked?;
        let end = self.rules.lock_for.map_or(UnixMicros::MAX, |lasts| since.saturating_add(lasts));
        (now < end).then_some(end)
    }

    fn may_be_locked(&self) -> bool {
        self.rules.lock_after.is_some_and(|limit| self.failures >= limit)
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
