//! The rules, pure: key, account, attempt and hour in, decision out. Nothing is read or written
//! here; the store makes a decision true.
//!
//! | account | submitted | then |
//! |---|---|---|
//! | no PIN yet | code | burn; choose a PIN (step 1) |
//! | no PIN yet, one chosen | that PIN + a later code | burn; the PIN is effective; logged in (step 3) |
//! | PIN | PIN + code | burn; logged in |
//! | locked, or anything else | | refuse; one more failure |
//!
//! * A code counts for one time step (TOTP, RFC 6238) or counter (HOTP, RFC 4226), taken from the
//!   window around the server's step plus the learned drift, and only if that step lies *after*
//!   the last one accepted: so each code is good once, and all before it are dead (RFC 6238 §5.2).
//! * The learned drift is the accepted step less the server's, kept within ±1: the window follows a
//!   clock that is a little off and never walks away (RFC 6238 §6).
//! * A wrong PIN does not burn the code: only whoever holds the key could have typed it, and may
//!   try again within the minute; it is a failure all the same.
//! * Ten failures in a row lock the account for a time. While it is locked nothing is counted and
//!   nothing helps; when the time is over, counting starts again at 0. Only a complete login
//!   resets the count: steps 1 and 2 are half a login and leave it as it is (RFC 4226 §7.3).
//! * Every attempt costs the same digests, whatever it is worth.

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
    /// Counters of an event-based key accepted beyond the expected one (RFC 4226 §7.4).
    pub look_ahead: u64,
    /// Failures in a row that lock an account (RFC 4226 §7.3).
    pub lock_after: u32,
    /// How long a lock lasts, in microseconds of key time.
    pub lock_for: UnixMicros,
}

impl Default for Policy {
    fn default() -> Self {
        Self { window: 1, max_drift: 1, look_ahead: 10, lock_after: 10, lock_for: 900 * SECOND }
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
}

/// What is to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    /// Not good; these are the new failure count and lock.
    Refuse { failures: u32, locked_until: Option<UnixMicros> },
    /// Good, provided that the step is still unused at the moment of writing.
    Burn { step: u64, drift: i64, then: Then },
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
    let (Attempt::Login(passcode) | Attempt::Confirm(passcode, _)) = attempt;
    let (typed_pin, typed_code) = split(passcode, key.digits);

    // Both halves are always computed; no early way out tells which of them was wrong.
    let step = matching(policy, defect, key, account, attempt, typed_code, now);
    let (pin, then) = match (attempt, account.pin) {
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
    match (step, then) {
        (Some(step), Some(then)) if pin_good && !locked => {
            Decision::Burn { step, drift: learned_drift(policy, defect, key, step, now), then }
        }
        _ => refuse(policy, defect, account, now),
    }
}

/// The last `digits` octets are the code, all before them is the PIN (RFC 6030 §5.1: appended to
/// the PIN). What is too short has no code.
fn split(passcode: &[u8], digits: usize) -> (&[u8], &[u8]) {
    passcode.split_at_checked(passcode.len().wrapping_sub(digits)).unwrap_or((passcode, &[]))
}

/// The first unused step of the window that shows `typed`.
fn matching(
    policy: &Policy,
    defect: Option<Defect>,
    key: &Key,
    account: &Account,
    attempt: Attempt<'_>,
    typed: &[u8],
    now: UnixMicros,
) -> Option<u64> {
    let floor = floor(defect, key, account, attempt, now);
    let mut found = Choice::from(0);
    let mut step = 0;
    for candidate in candidates(policy, defect, key, account.drift, floor, now) {
        let shown = zeroize::Zeroizing::new(key.generator.code(candidate).to_string());
        let unused = Choice::from(u8::from(floor.is_none_or(|last| candidate > last)));
        let hit = shown.as_bytes().ct_eq(typed) & unused & !found;
        step.conditional_assign(&candidate, hit);
        found |= hit;
    }
    let in_use = (key.valid_from..key.valid_until).contains(&now);
    (bool::from(found) & in_use).then_some(step)
}

/// The steps that a code may stand for, earliest first.
fn candidates(
    policy: &Policy,
    defect: Option<Defect>,
    key: &Key,
    drift: i64,
    floor: Option<u64>,
    now: UnixMicros,
) -> std::ops::RangeInclusive<u64> {
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

fn learned_drift(
    policy: &Policy,
    defect: Option<Defect>,
    key: &Key,
    step: u64,
    now: UnixMicros,
) -> i64 {
    let Some(period) = key.period() else { return 0 };
    let bound = match defect {
        Some(Defect::DriftWalk) => i64::MAX,
        _ => i64::try_from(policy.max_drift).unwrap_or(i64::MAX),
    };
    let off = i128::from(step) - i128::from(time_step(now, period));
    i64::try_from(off).unwrap_or(0).clamp(-bound, bound)
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
