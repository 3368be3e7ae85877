//! Codes outside of every allowed window, on a server that asks for the next one and follows the key
//! from there (RFC 4226 §7.4).
//!
//! How long a server remembers the first of two is its own business. Some forget it with the dialogue;
//! privacyIDEA keeps it until the next code that is too far out, refuses that one unless it follows,
//! and begins anew with the one after.
//!
//! | a code too far out | expectation |
//! |---|---|
//! | the server can remember none before it | the next code is asked for |
//! | it may follow one that is remembered | unknown: taken, or the next one asked for |
//! | it follows none, though one may be remembered | not taken: refused, or the next one asked for |
//! | sent alone, right after the one that it follows | taken |

use super::{Drift, Initialised, Oracle, PENDING, Reach, always, unknown};
use crate::clock::UnixMicros;
use crate::fleet::{Attempt, Expectation, Expected, Reason, VirtualKey};
use crate::target::Operation;

/// A code too far out, for which the next one was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    step: u64,
    pub(super) off: Drift,
    /// When it was sent.
    at: UnixMicros,
    /// Whether it is surely this step that the server remembers.
    sure: bool,
}

impl Oracle {
    /// A code outside of every allowed window, on a server that then may ask for the next one.
    pub(super) fn expect_far(
        &self,
        key: &VirtualKey,
        now: UnixMicros,
        attempt: &Attempt,
        step: u64,
    ) -> Expectation {
        match (attempt.operation, self.initialised) {
            (Operation::Login, Initialised::Yes) | (Operation::FirstCode, Initialised::No) => {}
            (Operation::FirstCode, Initialised::Yes) => {
                return always(Expected::Rejected, Reason::WrongPin);
            }
            (Operation::Login, Initialised::No) => {
                return always(Expected::Rejected, Reason::OutOfOrder);
            }
            // Whether the third step can be resynchronised, nobody declares.
            _ => return unknown(Reason::OutsideWindow),
        }
        if self.perhaps_passed(step) || step <= self.before || self.may_be_locked() {
            return unknown(Reason::OutsideWindow);
        }
        if self.may_follow(step) {
            return unknown(Reason::OutOfOrder);
        }
        let asked = self.rules.possibly_asked(step, self.drift);
        if let Some(refused) = self.refused_outside(key, now, key.code(step), asked) {
            return refused;
        }
        let (mut from, mut until) = self.rules.surely_asked(step, self.drift);
        let (possible_from, possible_until) = self.rules.possible(step, self.drift);
        if now > possible_until {
            from = from.max(possible_until.saturating_add(1));
        } else {
            until = until.min(possible_from.saturating_sub(1));
        }
        let doubtful = || !self.doubles(key, now, step, Reach::Resync).is_empty();
        if !(from..=until).contains(&now) || doubtful() {
            return unknown(Reason::OutsideWindow);
        }
        let expected = if self.firsts.is_some() { Expected::Rejected } else { Expected::NextCode };
        Expectation { expected, reason: Reason::OutsideWindow, from, until }
    }

    /// The code after the one that was too far out: it completes what that one began.
    pub(super) fn expect_next(&self, key: &VirtualKey, now: UnixMicros, step: u64) -> Expectation {
        let Some(asked) = self.asked.filter(|asked| step == asked.step + 1) else {
            return unknown(Reason::OutOfOrder);
        };
        let (from, until) = self.rules.surely_asked(step, self.drift);
        let until = until.min(asked.at.saturating_add(PENDING));
        let open = from > until || self.may_be_locked() || self.perhaps_passed(step);
        if open || !asked.sure || !self.doubles(key, now, step, Reach::Resync).is_empty() {
            return unknown(Reason::FreshCode);
        }
        let expected = match self.initialised {
            Initialised::No => Expected::NewPin,
            Initialised::Yes => Expected::Accepted,
            Initialised::Perhaps => return unknown(Reason::LostAnswer),
        };
        Expectation { expected, reason: Reason::FreshCode, from, until }
    }

    /// The server asked for the code after that of `step`.
    pub(super) fn asked_after(&mut self, key: &VirtualKey, step: u64, between: (u64, u64)) {
        let sure = self.doubles(key, between.0, step, Reach::Resync).is_empty();
        let off = self.rules.off(step, between);
        self.asked = Some(Asked { step, off, at: between.0, sure });
    }

    /// The code that it asked to be followed was sent more than once: it may have forgotten it, as
    /// one that the second one did not follow.
    pub(super) fn asked_twice(&mut self) {
        if let Some(asked) = &mut self.asked {
            asked.sure = false;
        }
    }

    /// The server may have found this code too far out, and may remember it as the first of two.
    pub(super) fn may_be_first(&mut self, key: &VirtualKey, step: u64, now: UnixMicros) {
        let mut steps = self.doubles(key, now, step, Reach::Resync);
        steps.push(step);
        for step in steps {
            let (first, last) = self.firsts.unwrap_or((step, step));
            self.firsts = Some((first.min(step), last.max(step)));
        }
    }

    /// Whether the server may remember the code before that of `step` as the first of two.
    pub(super) fn may_follow(&self, step: u64) -> bool {
        self.firsts.is_some_and(|(first, last)| first < step && step <= last + 1)
    }

    /// Whether a server that acted between two of our times must have had `step` in its window.
    pub(super) fn surely_near(&self, step: u64, (sent, answered): (u64, u64)) -> bool {
        let (from, until) = self.rules.sure(step, self.drift);
        let doubt = self.rules.uncertainty;
        sent >= from.saturating_add(doubt) && answered.saturating_add(doubt) <= until
    }

    /// Whether it cannot have had it there.
    pub(super) fn surely_far(&self, step: u64, (sent, answered): (u64, u64)) -> bool {
        let (from, until) = self.rules.possible(step, self.drift);
        let doubt = self.rules.uncertainty;
        answered.saturating_add(doubt) < from || sent > until.saturating_add(doubt)
    }
}
