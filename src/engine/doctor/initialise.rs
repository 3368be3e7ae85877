//! The three steps of one key: first code, new PIN, confirmation; and in between, once, a PIN that is
//! too short, which must be refused and leave the person able to go on.
//!
//! | a PIN one character too short | then the right one | said |
//! |---|---|---|
//! | rejected, or asked for anew | taken | good |
//! | rejected | not taken, but after a first code again | note: a refusal ends the dialogue |
//! | accepted, confirm | not sent | fault: and nothing further of this key |
//! | anything else | as after a refusal | note |

use zeroize::Zeroizing;

use super::{Examination, Finding, finding};
use crate::engine::hands::{Done, Hands, Which};
use crate::recorder::Verdict;
use crate::target::Operation;

/// Failures that a trial may cost, besides those that follow, without a lock coming near.
const SPARE: u32 = 3;

/// What came of the PIN that is too short.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Short {
    /// It was not sent.
    NotTried,
    /// It was not taken.
    Refused,
    /// The server took it.
    Taken,
}

impl Examination<'_> {
    /// First code, new PIN, confirmation, as far as the server has them; whether the key is
    /// initialised now.
    pub(super) async fn three_steps(
        &mut self,
        hands: &mut Hands,
        new_pin: &Zeroizing<String>,
    ) -> bool {
        let asked = [Verdict::NewPin];
        let done = hands.perform(Operation::FirstCode, Which::Shown).await;
        if !self.expect("the first code asks for a PIN", &done, Operation::FirstCode, &asked) {
            return false;
        }
        let short = self.short_pin(hands, new_pin).await;
        if short == Short::Taken {
            return false;
        }
        let wanted =
            if self.target.policy.new_pin_accepts { Verdict::Accepted } else { Verdict::Confirm };
        let mut done = hands.perform(Operation::NewPin, Which::Shown).await;
        if done.performed.verdict != wanted && short == Short::Refused {
            // As a person would: from the beginning, with another code.
            if !self.next_code(hands).await {
                return false;
            }
            let again = hands.perform(Operation::FirstCode, Which::Shown).await;
            if !self.expect(
                "a first code after that asks for a PIN",
                &again,
                Operation::FirstCode,
                &asked,
            ) {
                return false;
            }
            done = hands.perform(Operation::NewPin, Which::Shown).await;
            if done.performed.verdict == wanted {
                self.bedside.tell(&Finding::note(
                    "a refused PIN ends the dialogue: the person begins again with the next code",
                    "tell people so, or have the server ask for the PIN again",
                ));
            }
        }
        if !self.expect("the PIN is taken", &done, Operation::NewPin, &[wanted]) {
            return false;
        }
        let confirmed = wanted == Verdict::Accepted || self.confirmed(hands).await;
        let has = if confirmed { "has" } else { "may have" };
        self.bedside.tell(&Finding::note(
            format!("{} {has} a PIN now: the one that was given", self.user),
            "for `trousseau simulate`, leave this user out of the roster, or give the PIN in its \
             column pin",
        ));
        confirmed
    }

    async fn confirmed(&mut self, hands: &mut Hands) -> bool {
        if !self.next_code(hands).await {
            return false;
        }
        let done = hands.perform(Operation::Confirm, Which::Shown).await;
        self.expect("PIN and next code confirm it", &done, Operation::Confirm, &[Verdict::Accepted])
    }

    /// The beginning of the new PIN, one character too short; once.
    async fn short_pin(&mut self, hands: &mut Hands, new_pin: &Zeroizing<String>) -> Short {
        let policy = &self.target.policy;
        let length = usize::from(policy.pin_min).saturating_sub(1);
        // Of a PIN that is too short itself, the trial would say nothing.
        if length == 0 || new_pin.chars().count() <= length {
            return Short::NotTried;
        }
        if policy.lock_after.is_some_and(|failures| failures < SPARE) {
            self.bedside.tell(&Finding::note(
                "a PIN that is too short was not tried: its refusal might lock the key",
                "try it by hand with a key that may be locked",
            ));
            return Short::NotTried;
        }
        hands.choose(Zeroizing::new(new_pin.chars().take(length).collect()));
        let done = hands.perform(Operation::NewPin, Which::Shown).await;
        hands.choose(new_pin.clone());
        let what = format!("a PIN of {length} characters");
        let (short, finding) = self.judged(&what, &done);
        self.bedside.tell(&finding);
        short
    }

    fn judged(&self, what: &str, done: &Done) -> (Short, Finding) {
        let verdict = done.performed.verdict;
        match verdict {
            Verdict::Rejected | Verdict::NewPin => {
                (Short::Refused, Finding::good(format!("{what} is refused: {verdict}")))
            }
            Verdict::Accepted | Verdict::Confirm => {
                let fault = Finding::fault(
                    format!(
                        "{what} was taken ({verdict}): the target declares at least {}; it may be \
                         the PIN of {} now",
                        self.target.policy.pin_min, self.user
                    ),
                    "correct pin_min in [policy], or the rule of the server; then reset this key",
                );
                (Short::Taken, fault)
            }
            _ => {
                let wanted = [Verdict::Rejected];
                let unread = finding::unexpected(
                    &format!("whether {what} is refused cannot be told"),
                    done,
                    Operation::NewPin,
                    &wanted,
                    self.target,
                );
                let fix = unread.fix.unwrap_or_default();
                (Short::Refused, Finding::note(unread.what, fix))
            }
        }
    }
}
