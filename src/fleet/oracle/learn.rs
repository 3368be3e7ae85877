//! What the oracle takes in from the answers: which code is spent, surely or perhaps, and what may
//! have changed at the server.

use super::{Acted, Attempt, Credential, Drift, Heard, Initialised, Oracle, Refusals};
use crate::fleet::{Expectation, Expected, Reason, VirtualKey};
use crate::target::{Operation, Verdict};

/// Steps whose use is remembered: more than any window holds of one person's logins.
const REMEMBERED: usize = 12;

/// Longest time from one failure to the next that surely counts with it, µs of key time.
const SOON: u64 = 5 * 60 * 1_000_000;

impl Oracle {
    /// Takes in what came back for an attempt of which `expectation` was expected.
    pub fn learn(
        &mut self,
        key: &VirtualKey,
        attempt: &Attempt,
        expectation: &Expectation,
        heard: &Heard,
    ) {
        let taken = heard.acted == Acted::Yes && taken(heard.verdict);
        let perhaps = heard.acted == Acted::Perhaps
            || heard.acted == Acted::Yes
                && matches!(heard.verdict, Verdict::Throttled | Verdict::Error);
        let asks = heard.acted == Acted::Yes && heard.verdict == Verdict::NextCode;
        if attempt.operation == Operation::NewPin {
            if taken && heard.verdict == Verdict::Accepted {
                self.logged_in();
            } else if perhaps && self.rules.new_pin_accepts {
                self.initialised = Initialised::Perhaps;
            }
            return;
        }
        match attempt.credential {
            Credential::None => {}
            Credential::Step(step) => {
                let between = (heard.sent_key, heard.answered_key);
                let near = self.surely_near(step, between);
                let far = self.surely_far(step, between);
                let follows = !near && self.may_follow(step);
                if asks {
                    // Whether this spends the code is the server's business.
                    self.spend(step, false);
                    self.asked_after(key, step, between);
                } else if taken || perhaps {
                    let mut off = self.rules.off(step, between);
                    let mut sure = taken;
                    if expectation.expected == Expected::Unknown {
                        for twin in self.twins(key, heard.sent_key, key.code(step), Some(step)) {
                            self.spend(twin, false);
                            off = off.hull(self.rules.off(twin, between));
                            sure = false;
                        }
                    }
                    self.spend(step, sure);
                    if attempt.operation == Operation::Resync {
                        self.resynchronised(off, taken);
                    } else if taken && self.adrift {
                        self.found(off);
                    } else if follows {
                        self.resynchronised(off, taken && far);
                    }
                    self.drift = self.drift.hull(self.rules.learned(off, self.base));
                } else if heard.acted == Acted::Yes
                    && matches!(
                        expectation.reason,
                        Reason::FreshCode | Reason::Concurrent | Reason::WrongPin
                    )
                {
                    // Refused: for the wrong PIN (whether that spends the code differs among
                    // servers), or against expectation. Nothing sure is known of this code now.
                    self.spend(step, false);
                }
                if taken && far {
                    self.firsts = None;
                } else if !taken && !near && self.remembers(attempt, heard) {
                    self.may_be_first(key, step, heard.sent_key);
                }
            }
            Credential::Wrong(_) if taken => {
                // It took something that is no code: nothing is known of its window any more.
                let Drift { low, high } = self.base;
                let (low, high) = (low - self.rules.max_drift, high + self.rules.max_drift);
                self.drift = Drift { low, high };
            }
            Credential::Wrong(_) => {}
        }
        if taken {
            self.refusals = Refusals::default();
            // A monotonic server that takes this code had taken none after it.
            if self.rules.monotonic {
                self.before = 0;
            }
            match (attempt.operation, heard.verdict) {
                (_, Verdict::Accepted) => self.logged_in(),
                (Operation::FirstCode | Operation::Resync, _) => {
                    self.initialised = Initialised::No;
                    self.pending = heard.sent_key;
                }
                _ => {}
            }
        } else if heard.acted != Acted::No && attempt.credential != Credential::None {
            self.failures = self.failures.saturating_add(1);
            let wrong = matches!(expectation.reason, Reason::WrongCode | Reason::WrongPin);
            let told = matches!(heard.verdict, Verdict::Rejected | Verdict::Locked);
            if wrong && told && expectation.expected == Expected::Rejected {
                self.refused_at(heard.sent_key);
            }
            if perhaps && attempt.operation == Operation::Confirm && !self.initialised() {
                self.initialised = Initialised::Perhaps;
            }
        }
    }

    /// Takes in what came back for attempts sent at once: whichever was taken spent the code.
    pub fn learn_group(
        &mut self,
        key: &VirtualKey,
        attempt: &Attempt,
        expectation: &Expectation,
        heard: &[Heard],
    ) {
        let is_taken = |heard: &&Heard| heard.acted == Acted::Yes && taken(heard.verdict);
        // The others first, so that the success comes last and clears the failures it outweighs.
        for other in heard.iter().filter(|heard| !is_taken(heard)) {
            self.learn(key, attempt, expectation, other);
        }
        for one in heard.iter().filter(is_taken) {
            self.learn(key, attempt, expectation, one);
            // Whether the refusal or the success came last is not known.
            let refused = heard.len().saturating_sub(1);
            self.failures = self.failures.max(u32::try_from(refused).unwrap_or(u32::MAX));
        }
        if heard.iter().any(|heard| heard.verdict == Verdict::NextCode) {
            self.asked_twice();
        }
    }

    /// Whether a server looks at a code that far out, and may have got this one.
    fn remembers(&self, attempt: &Attempt, heard: &Heard) -> bool {
        self.rules.resync > 0 && attempt.pin_right && heard.acted != Acted::No
    }

    /// Two codes in a row were taken, surely or perhaps: the server follows the key from there.
    fn resynchronised(&mut self, off: Drift, sure: bool) {
        // The drift may be taken from either of the two codes.
        let off = self.asked.map_or(off, |asked| off.hull(asked.off));
        self.adrift &= !sure;
        (self.base, self.drift) =
            if sure { (off, off) } else { (self.base.hull(off), self.drift.hull(off)) };
    }

    /// A code was taken by a server that followed the key at a distance unknown until now: its window
    /// held this step.
    fn found(&mut self, Drift { low, high }: Drift) {
        self.drift = Drift { low: low - self.rules.forward, high: high + self.rules.back };
        let most = self.rules.max_drift;
        self.base = Drift { low: self.drift.low - most, high: self.drift.high + most };
        self.adrift = false;
    }

    /// Counts a refusal; one long after the last begins anew, as some servers forget.
    fn refused_at(&mut self, at: u64) {
        let refusals = &mut self.refusals;
        if at > refusals.last.saturating_add(SOON) {
            *refusals = Refusals::default();
        }
        (refusals.count, refusals.last) = (refusals.count + 1, at);
        // Where anything else may have counted for the server, a replay or a lost answer, the lock
        // may have fallen earlier, and be over earlier.
        let sure = self.failures == refusals.count;
        if refusals.locked.is_none() && Some(refusals.count) == self.rules.lock_after && sure {
            refusals.locked = Some(at);
        }
    }

    fn logged_in(&mut self) {
        self.initialised = Initialised::Yes;
        self.failures = 0;
    }

    fn spend(&mut self, step: u64, sure: bool) {
        match self.used.iter_mut().find(|(used, _)| *used == step) {
            Some(entry) => entry.1 |= sure,
            None => self.used.push((step, sure)),
        }
        if self.used.len() > REMEMBERED
            && let Some(oldest) = (0..self.used.len()).min_by_key(|index| self.used[*index].0)
        {
            self.used.swap_remove(oldest);
        }
    }
}

fn taken(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Accepted | Verdict::NewPin | Verdict::Confirm)
}
