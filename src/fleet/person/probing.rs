//! What a probing person tries, once the logins are made: a few things that no correct server takes,
//! and that an ordinary morning never shows. Which of them, the index decides, so that few people
//! try all.
//!
//! | kind | tries | a correct server |
//! |---|---|---|
//! | lock | wrong codes to the threshold, then a right one | refuses them all |
//! | window | a wrong PIN; a code beyond the window | refuses it, or asks for the next code |
//! | walk | codes one step further out each time | follows to its bound, no further |
//! | late | a code, and the same again when the next is on display | takes it once |

use super::{Person, State};
use crate::clock::{SECOND, UnixMicros};
use crate::fleet::deed::plain;
use crate::fleet::{Behaviour, Browser, Credential, Deed, Send, World};
use crate::target::Operation;

/// Failures that a probing person is ready to make.
const PATIENCE: u32 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lock(u32),
    Window,
    Walk,
    Late,
}

impl Kind {
    /// How many tries it takes.
    fn turns(self) -> u32 {
        match self {
            Self::Lock(failures) => failures + 1,
            Self::Walk => 5,
            Self::Window | Self::Late => 2,
        }
    }
}

impl Person {
    fn kind(&self, world: &World) -> Kind {
        match (self.index % 4, world.policy.lock_after) {
            (0, Some(failures)) if failures <= PATIENCE => Kind::Lock(failures),
            (0 | 1, _) => Kind::Window,
            (2, _) => Kind::Walk,
            _ => Kind::Late,
        }
    }

    pub(super) fn next_probe(&mut self, world: &World) -> Deed {
        let people = &world.scenario.people;
        let mut due = self.after(&people.reaction) + people.typing.whole(&mut self.rng);
        // A code of the display that was not sent yet.
        let unused = |this: &Self, due: UnixMicros| {
            let next = this.last.map_or(0, |last| last + 1);
            due.max(this.key.shows_from(next) + SECOND)
        };
        let far = |this: &Self, due: UnixMicros, steps: u64| {
            let own = u64::try_from(world.rules.step(due)).unwrap_or_default();
            Credential::Step(this.last.map_or(0, |last| last + 1).max(own + steps))
        };
        let (kind, turn) = (self.kind(world), self.turn);
        let mut send = Send { behaviour: Behaviour::Probing, ..plain(Credential::None) };
        send.credential = match (kind, turn) {
            (Kind::Lock(failures), turn) if turn < failures => {
                let step = self.key.display(due).step;
                Credential::Wrong(self.oracle.mistype(&self.key, due, step, &mut self.rng))
            }
            (Kind::Window, 1) => {
                let policy = &world.policy;
                let beyond = policy.window_forward + policy.max_drift_steps + 2;
                far(self, due, u64::from(beyond))
            }
            (Kind::Walk, turn) => far(self, due, u64::from(turn) + 1),
            (Kind::Late, 1) => {
                let sent = self.last.unwrap_or_default();
                due = due.max(self.key.shows_from(sent + 1) + SECOND);
                Credential::Step(sent)
            }
            _ => {
                due = unused(self, due);
                Credential::Step(self.key.display(due).step)
            }
        };
        send.pin_right = !(kind == Kind::Window && turn == 0);
        Deed {
            due,
            browser: self.browser_for_probe(),
            operation: Operation::Login,
            send: Some(send),
        }
    }

    fn browser_for_probe(&mut self) -> Browser {
        // The page, if there is one, was opened in a fresh browser already.
        if std::mem::take(&mut self.fresh) { Browser::Fresh } else { Browser::Same }
    }

    /// On to the next try, if there is one.
    pub(super) fn probed(&mut self, world: &World) {
        self.turn += 1;
        let kind = self.kind(world);
        if self.turn >= kind.turns() {
            self.enter(State::Done);
            return;
        }
        self.enter(State::Probe);
        self.fresh = true;
        if kind == Kind::Walk {
            // A step further out must not be one that was on the way before.
            let period = u64::from(self.key.period()) * SECOND;
            self.resume = self.since.saturating_add(3 * period);
        }
    }
}
