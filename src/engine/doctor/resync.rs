//! The next code (RFC 4226 §7.4): a code from beyond the window must be answered by asking for the
//! one that follows, and that one must be taken.

use super::{Examination, Finding};
use crate::engine::hands::{Hands, Which};
use crate::recorder::Verdict;
use crate::target::{Operation, Policy};

/// Failures in a row that may stand against the key by then: the used code, and the far one.
const FAILURES: u32 = 2;

impl Examination<'_> {
    /// Sends a code from ahead of the window, and the one after it.
    pub(super) async fn resync(&mut self, hands: &mut Hands) {
        let policy = &self.target.policy;
        if policy.resync_steps == 0 {
            self.bedside.tell(&Finding::note(
                "no code from beyond the window was tried: the target declares no resync_steps",
                "where the server asks for the next code of a key that is far off, declare them and \
                 [operation.resync]",
            ));
            return;
        }
        let Some(steps) = ahead(policy) else {
            self.bedside.tell(&Finding::note(
                "no code from beyond the window was tried: what it is answered cannot be foretold",
                "resync_steps is hardly beyond the window and the drift that the server learns, or \
                 two refusals lock the key",
            ));
            return;
        };
        let done = hands.perform(Operation::Login, Which::Ahead(steps)).await;
        let what = format!("a code {steps} steps ahead is answered by asking for the next");
        if !self.expect(&what, &done, Operation::Login, &[Verdict::NextCode]) {
            return;
        }
        let done = hands.perform(Operation::Resync, Which::Next).await;
        if self.expect("the next code is taken", &done, Operation::Resync, &[Verdict::Accepted]) {
            let minutes = (u64::from(steps + 2) * u64::from(self.period)).div_ceil(60);
            self.bedside.tell(&Finding::note(
                format!("the server takes the key of {} for {steps} steps fast now", self.user),
                format!(
                    "resynchronise it there before it is used again; or leave it alone for {minutes} \
                     minutes, and its holder is asked for the next code once"
                ),
            ));
        }
    }
}

/// So far that no drift learned brings it into the window, and still within reach.
fn ahead(policy: &Policy) -> Option<u32> {
    let beyond = policy.window_forward + 2;
    let sure = (beyond + policy.max_drift_steps).min(policy.resync_steps.saturating_sub(1));
    let locks = policy.lock_after.is_some_and(|failures| failures <= FAILURES);
    (sure >= beyond && !locks).then_some(sure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{TARGETS, Target};

    #[test]
    fn the_code_is_beyond_the_window_and_within_reach_and_costs_no_lock() {
        let mut policy = Target::load(&TARGETS.find("portal-json").unwrap()).unwrap().policy;
        assert_eq!(ahead(&policy), Some(4));
        policy.resync_steps = 4;
        assert_eq!(ahead(&policy), Some(3));
        policy.resync_steps = 3;
        assert_eq!(ahead(&policy), None);
        policy.resync_steps = 10;
        policy.lock_after = Some(2);
        assert_eq!(ahead(&policy), None);
    }
}
