//! What an answer does to a person: the transitions of the table in [`super`].

use rand::RngExt;

use super::{Person, State};
use crate::clock::UnixMicros;
use crate::fleet::deed::attempt;
use crate::fleet::{Acted, Behaviour, Credential, Deed, Expectation, Heard, Send, World};
use crate::target::{Operation, Verdict};

impl Person {
    /// Takes in what came of `deed`, of which `expectation` was expected: one answer for each time
    /// it was sent.
    pub fn heard(
        &mut self,
        world: &World,
        deed: &Deed,
        expectation: &Expectation,
        heard: &[Heard],
    ) {
        let attempt = attempt(deed);
        if deed.send.is_some() {
            match heard {
                [one] => self.oracle.learn(&self.key, &attempt, expectation, one),
                many => self.oracle.learn_group(&self.key, &attempt, expectation, many),
            }
        }
        let Some(answer) = decisive(heard) else { return };
        self.since = answer.answered_key.max(deed.due);
        let good = answer.acted == Acted::Yes && answer.verdict != Verdict::Error;
        match deed.send {
            None if good => self.opened = true,
            // The second browser is not worth a second try.
            None if self.again.take().is_some() => self.opened = false,
            None => self.try_again(world),
            Some(_) if self.again.take().is_some() => self.opened = false,
            Some(send) => {
                let lost = heard.iter().any(|heard| heard.acted == Acted::Perhaps);
                self.move_on(world, send, answer, lost);
            }
        }
    }

    /// `lost` when the server may have answered more than was heard.
    fn move_on(&mut self, world: &World, send: Send, answer: Heard, lost: bool) {
        self.opened = false;
        let step = match send.credential {
            Credential::Step(step) => Some(step),
            // The person does not know which digit was wrong, and waits for another number.
            Credential::Wrong(_) => Some(self.key.display(self.since).step),
            Credential::None => None,
        };
        self.last = self.last.max(step);
        let verdict = if answer.acted == Acted::Yes { answer.verdict } else { Verdict::Error };
        let replay = |this: &Self, now: UnixMicros| {
            let same = step.filter(|step| this.key.display(now).step == *step);
            same.filter(|_| this.habits.impatient && send.behaviour == Behaviour::Careful)
        };
        match (self.state, verdict) {
            (State::FirstCode | State::Resync, Verdict::NewPin) => {
                self.enter(State::NewPin);
                if !self.hasty {
                    self.again = replay(self, self.since).map(|step| (Operation::FirstCode, step));
                }
            }
            (State::FirstCode | State::Login, Verdict::NextCode)
                if world.resync
                    && step == self.last
                    && matches!(send.credential, Credential::Step(_)) =>
            {
                self.enter(State::Resync);
            }
            (State::NewPin, Verdict::Confirm) => self.enter(State::Confirm),
            (State::NewPin, Verdict::Accepted) | (State::Confirm, Verdict::Accepted) => {
                self.welcome = true;
                self.next_visit(world);
            }
            (State::Login | State::FirstCode | State::Resync, Verdict::Accepted) => {
                self.welcome = true;
                self.visits += 1;
                self.again = replay(self, self.since).map(|step| (Operation::Login, step));
                if world.logout && self.rng.random_bool(world.scenario.logins.logout) {
                    self.enter(State::Logout);
                } else {
                    self.next_visit(world);
                }
            }
            (State::Logout, _) => self.next_visit(world),
            (State::Probe, _) => self.probed(world),
            (State::Confirm, verdict) | (State::NewPin, verdict)
                if (verdict == Verdict::Error || lost)
                    && (self.state == State::Confirm || world.policy.new_pin_accepts) =>
            {
                // Perhaps it was taken: a person would simply try to log in.
                self.enter(State::Login);
                self.fresh = true;
                self.try_again(world);
            }
            (State::Resync, _) => {
                let ready = !world.policy.three_steps || self.oracle.initialised();
                self.enter(if ready { State::Login } else { State::FirstCode });
                self.try_again(world);
            }
            (State::NewPin, _) => {
                self.enter(State::FirstCode);
                self.try_again(world);
            }
            (State::Login, _) if world.policy.three_steps && !self.oracle.initialised() => {
                self.enter(State::FirstCode);
                self.try_again(world);
            }
            _ => self.try_again(world),
        }
    }

    pub(super) fn enter(&mut self, state: State) {
        self.state = state;
        self.opened = false;
    }

    /// Goes away, comes back after the gap, to another workstation.
    fn next_visit(&mut self, world: &World) {
        let done = self.visits >= self.habits.logins;
        let last = if self.habits.probes { State::Probe } else { State::Done };
        self.enter(if done { last } else { State::Login });
        self.tries = 0;
        self.fresh = true;
        self.resume = self.after(&world.scenario.logins.gap);
    }

    fn try_again(&mut self, world: &World) {
        self.tries += 1;
        self.opened = false;
        self.fresh |= self.state != State::Confirm;
        self.since = self.after(&world.scenario.people.reaction);
        if self.tries > world.scenario.people.tries {
            self.gave_up = true;
            self.enter(State::Done);
        }
    }
}

/// Of several answers to the same request, the one the person goes by.
fn decisive(heard: &[Heard]) -> Option<Heard> {
    let rank = |heard: &&Heard| match (heard.acted, heard.verdict) {
        (Acted::Yes, Verdict::Accepted | Verdict::NewPin | Verdict::Confirm) => 2,
        (Acted::Yes, _) => 1,
        _ => 0,
    };
    heard.iter().max_by_key(rank).copied()
}
