//! The rules, pure: key, account, attempt and hour in, decision out. Nothing is read or written
//! here; the store makes a decision true.
//!
//! | account | submitted | then |
//! |---|---|---|
//! | no PIN yet | code | burn; choose a PIN (step 1) |
//! | no PIN yet, one chosen | that PIN + a later code | burn; the PIN is effective; logged in (step 3) |
//! | PIN | PIN + code | burn; logged in |
//! | no PIN yet, or PIN | the same, with a code too far out | ask for the next code; one more failure |
//! | asked for the next code | the code after that one, alone | burn; as above |
//! | locked, or anything else | | refuse; one more failure |
//!
//! * A code counts for one time step (TOTP, RFC 6238) or counter (HOTP, RFC 4226), taken from the
//!   window around the server's step plus the learned drift, and only if that step lies *after*
//!   the last one accepted: so each code is good once, and all before it are dead (RFC 6238 §5.2).
//! * The learned drift is the accepted step less the server's, kept within ±1: the window follows a
//!   clock that is a little off and never walks away (RFC 6238 §6).
//! * A key that is further off is resynchronised by two codes in a row (RFC 4226 §7.4): the drift so
//!   learned is the new middle, around which ±1 is learned from then on. The first of the two opens
//!   nothing and counts as a failure, so that nobody can go on guessing.
//! * A wrong PIN does not burn the code: only whoever holds the key could have typed it, and may
//!   try again within the minute; it is a failure all the same.
//! * Ten failures in a row lock the account for a time. While it is locked nothing is counted and
//!   nothing helps; when the time is over, counting starts again at 0. Only a complete login
//!   resets the count: steps 1 and 2 are half a login and leave it as it is (RFC 4226 §7.3).
//! * Every attempt costs the same digests, whatever it is worth.

use std::ops::RangeInclusive;

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::defect::Defect;
use super::pin::{PinHash, PinKeeper};
use crate::clock::{SECOND, UnixMicros};
use crate::otp::{Generator, time_step};
use crate::token::{Algorithm, Token};

/// What the server tolerates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Time steps accepted before and after the expected one (RFC 6238 §5.2, §6).
    pub window: u64,
    /// Largest learned drift, in time steps either way (RFC 6238 §6).
    pub max_drift: u64,
    /// Time steps either way, or counters beyond the look-ahead, within which the next code is asked
    /// for; 0 for never (RFC 4226 §7.4).
    pub resync: u64,
    /// Counters of an event-based key accepted beyond the expected one (RFC 4226 §7.4).
    pub look_ahead: u64,
    /// Failures in a row that lock an account (RFC 4226 §7.3).
    pub lock_after: u32,
    /// How long a lock lasts, in microseconds of key time.
    pub lock_for: UnixMicros,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window: 1,
            max_drift: 1,
            resync: 10,
            look_ahead: 10,
            lock_after: 10,
            lock_for: 900 * SECOND,
        }
    }
}

/// A key as the verifier needs it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    generator: Generator,
    digits: usize,
    kind: Kind,
    valid_from: UnixMicros,
    valid_until: UnixMicros,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// TOTP: seconds per step.
    Time { period: u32 },
    /// HOTP: the first counter never used.
    Event { first: u64 },
}

impl Key {
    /// The key of `token`; `None` when its algorithm is not one that is verified here.
    pub(super) fn of(token: &Token) -> Option<Self> {
        let kind = match token.algorithm {
            Algorithm::Totp => Kind::Time { period: token.period },
            Algorithm::Hotp => Kind::Event { first: token.counter },
            Algorithm::Other(_) => return None,
        };
        let micros = |date: jiff::Timestamp| u64::try_from(date.as_microsecond()).unwrap_or(0);
        Some(Self {
            generator: token.generator(),
            digits: usize::from(token.digits),
            kind,
            valid_from: token.start_date.map_or(0, micros),
            valid_until: token.expiry_date.map_or(UnixMicros::MAX, micros),
        })
    }

    /// Seconds per time step; `None` when the key counts events.
    pub(super) fn period(&self) -> Option<u32> {
        match self.kind {
            Kind::Time { period } => Some(period),
            Kind::Event { .. } => None,
        }
    }
}

/// What is remembered of one key and its holder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// The PIN, once initialisation is complete.
    pub(super) pin: Option<PinHash>,
    /// Highest time step or counter accepted.
    pub(super) last: Option<u64>,
    /// Learned drift, in time steps.
    pub(super) drift: i64,
    /// Drift of the last resynchronisation, around which it is learned.
    pub(super) base: i64,
    /// Failures in a row.
    pub(super) failures: u32,
    /// End of the lock, key time.
    pub(super) locked_until: Option<UnixMicros>,
}

/// What was submitted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attempt<'a> {
    /// User id and passcode: step 1, or a login any day after.
    Login(&'a [u8]),
    /// The passcode of step 3, and the PIN chosen in step 2.
    Confirm(&'a [u8], &'a PinHash),
    /// The code after the one of this step, which was too far out.
    Next(&'a [u8], u64),
}

/// What is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Not good; these are the new failure count and lock.
    Refuse { failures: u32, locked_until: Option<UnixMicros> },
    /// Right, but of this step, which is too far out; these are the new failure count and lock.
    Ask { step: u64, failures: u32, locked_until: Option<UnixMicros> },
    /// Good, provided that the step is still unused at the moment of writing.
    Burn { step: u64, drift: i64, base: i64, then: Then },
}

/// What a good code opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The choice of a PIN.
    NewPin,
    /// The portal.
    Enter,
    /// The portal, with this PIN from now on.
    Enrol(PinHash),
}

/// Decides on one attempt at key time `now`.
pub(super) fn judge(
    policy: &Policy,
    keeper: &PinKeeper,
    defect: Option<Defect>,
    key: &Key,
    account: &Account,
    attempt: Attempt<'_>,
    now: UnixMicros,
) -> Decision {
    let (Attempt::Login(passcode) | Attempt::Confirm(passcode, _) | Attempt::Next(passcode, _)) =
        attempt;
    let (typed_pin, typed_code) = split(passcode, key.digits);

    // Both halves are always computed; no early way out tells which of them was wrong.
    let Matching { step, far } = matching(policy, defect, key, account, attempt, typed_code, now);
    let (pin, then) = match (attempt, account.pin) {
        // The PIN came with the code before.
        (Attempt::Next(..), None) => (None, Some(Then::NewPin)),
        (Attempt::Next(..), Some(_)) => (None, Some(Then::Enter)),
        (Attempt::Login(_), None) => (None, Some(Then::NewPin)),
        (Attempt::Login(_), Some(pin)) => (Some(pin), Some(Then::Enter)),
        (Attempt::Confirm(_, chosen), None) => (Some(*chosen), Some(Then::Enrol(*chosen))),
        (Attempt::Confirm(_, chosen), Some(_)) => (Some(*chosen), None),
    };
    let pin_typed = keeper.verify(pin.as_ref(), typed_pin);
    let pin_good = match pin {
        None => typed_pin.is_empty(),
        Some(_) => pin_typed || defect == Some(Defect::PinIgnored),
    };

    let locked = account.locked_until.is_some_and(|until| now < until);
    if !pin_good || locked {
        return refuse(policy, defect, account, now);
    }
    match (step, far, attempt, then) {
        (Some(step), _, Attempt::Next(..), Some(then)) => {
            let off = off(key, step, now);
            Decision::Burn { step, drift: off, base: off, then }
        }
        (Some(step), _, _, Some(then)) => {
            let drift = learned_drift(policy, defect, account, off(key, step, now));
            Decision::Burn { step, drift, base: account.base, then }
        }
        (None, Some(step), Attempt::Login(_), Some(_)) => {
            match refuse(policy, defect, account, now) {
                Decision::Refuse { failures, locked_until } => {
                    Decision::Ask { step, failures, locked_until }
                }
                other => other,
            }
        }
        _ => refuse(policy, defect, account, now),
    }
}

/// The last `digits` octets are the code, all before them is the PIN (RFC 6030 §5.1: appended to
/// the PIN). What is too short has no code.
fn split(passcode: &[u8], digits: usize) -> (&[u8], &[u8]) {
    passcode.split_at_checked(passcode.len().wrapping_sub(digits)).unwrap_or((passcode, &[]))
}

/// The first unused step that shows `typed`.
struct Matching {
    /// In the window, or the one that follows the code that was too far out.
    step: Option<u64>,
    /// Beyond the window.
    far: Option<u64>,
}

fn matching(
    policy: &Policy,
    defect: Option<Defect>,
    key: &Key,
    account: &Account,
    attempt: Attempt<'_>,
    typed: &[u8],
    now: UnixMicros,
) -> Matching {
    let floor = floor(defect, key, account, attempt, now);
    let window = window(policy, defect, key, account.drift, floor, now);
    let (mut found, mut found_far) = (Choice::from(0), Choice::from(0));
    let (mut step, mut far) = (0, 0);
    for candidate in reach(policy, key, &window) {
        let shown = zeroize::Zeroizing::new(key.generator.code(candidate).to_string());
        let unused = Choice::from(u8::from(floor.is_none_or(|last| candidate > last)));
        let near = match attempt {
            Attempt::Next(_, before) => candidate == before.saturating_add(1),
            Attempt::Login(_) | Attempt::Confirm(..) => window.contains(&candidate),
        };
        let near = Choice::from(u8::from(near));
        let hit = shown.as_bytes().ct_eq(typed) & unused;
        step.conditional_assign(&candidate, hit & near & !found);
        far.conditional_assign(&candidate, hit & !near & !found_far);
        found |= hit & near;
        found_far |= hit & !near;
    }
    let in_use = (key.valid_from..key.valid_until).contains(&now);
    let told = |found: Choice, step| (bool::from(found) & in_use).then_some(step);
    Matching { step: told(found, step), far: told(found_far, far) }
}

/// The steps of the window and those beyond it within which the next code is asked for, earliest
/// first: computed each time, so that a code far out costs what another costs.
fn reach(policy: &Policy, key: &Key, window: &RangeInclusive<u64>) -> RangeInclusive<u64> {
    match key.kind {
        Kind::Time { .. } => {
            let middle = window.start().midpoint(*window.end());
            let (low, high) =
                (middle.saturating_sub(policy.resync), middle.saturating_add(policy.resync));
            low.min(*window.start())..=high.max(*window.end())
        }
        Kind::Event { .. } => *window.start()..=window.end().saturating_add(policy.resync),
    }
}

/// The steps that a code may stand for, earliest first.
fn window(
    policy: &Policy,
    defect: Option<Defect>,
    key: &Key,
    drift: i64,
    floor: Option<u64>,
    now: UnixMicros,
) -> RangeInclusive<u64> {
    match key.kind {
        Kind::Time { period } => {
            let window = if defect == Some(Defect::WideWindow) { 5 } else { policy.window };
            let expected = time_step(now, period).saturating_add_signed(drift);
            expected.saturating_sub(window)..=expected.saturating_add(window)
        }
        Kind::Event { first } => {
            let next = floor.map_or(first, |last| last.saturating_add(1).max(first));
            next..=next.saturating_add(policy.look_ahead)
        }
    }
}

/// The step up to and including which every code is dead.
fn floor(
    defect: Option<Defect>,
    key: &Key,
    account: &Account,
    attempt: Attempt<'_>,
    now: UnixMicros,
) -> Option<u64> {
    match (defect, key.period()) {
        (Some(Defect::ReplayNone), _) => None,
        (Some(Defect::BurnCurrentStepOnly), Some(period)) => {
            account.last.filter(|last| *last >= time_step(now, period))
        }
        (Some(Defect::InitCodeReuse), _) if matches!(attempt, Attempt::Confirm(..)) => {
            account.last.and_then(|last| last.checked_sub(1))
        }
        _ => account.last,
    }
}

/// Steps by which `step` is ahead of the server's own; 0 for a key that counts events.
fn off(key: &Key, step: u64, now: UnixMicros) -> i64 {
    let Some(period) = key.period() else { return 0 };
    let off = i128::from(step) - i128::from(time_step(now, period));
    i64::try_from(off).unwrap_or(0)
}

fn learned_drift(policy: &Policy, defect: Option<Defect>, account: &Account, off: i64) -> i64 {
    let bound = match defect {
        Some(Defect::DriftWalk) => i64::MAX,
        _ => i64::try_from(policy.max_drift).unwrap_or(i64::MAX),
    };
    let (low, high) = (account.base.saturating_sub(bound), account.base.saturating_add(bound));
    off.clamp(low, high)
}

fn refuse(policy: &Policy, defect: Option<Defect>, account: &Account, now: UnixMicros) -> Decision {
    let (failures, locked_until) = match account.locked_until {
        Some(until) if now < until => (account.failures, Some(until)),
        Some(_) => (1, None),
        None => (account.failures.saturating_add(1), None),
    };
    let lock = failures >= policy.lock_after
        && locked_until.is_none()
        && defect != Some(Defect::NoLockout);
    Decision::Refuse {
        failures,
        locked_until: if lock { Some(now.saturating_add(policy.lock_for)) } else { locked_until },
    }
}

#[cfg(test)]
mod tests;
