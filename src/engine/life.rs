//! One person's life: waits until the next deed is due, does it, writes down what came of it.

use std::rc::Rc;
use std::time::Instant;

use super::transport::{Performed, Session, Transport};
use super::worker::Worker;
use crate::fleet::{Acted, Browser, Deed, Expectation, Expected, Heard, Person, Typed};
use crate::recorder::{Observation, Step, Verdict};
use crate::target::Operation;

/// Lives the life of person `index` to its end, to the end of the run, or until the run stops.
pub(super) async fn live(worker: Rc<Worker>, index: u32) {
    let world = &worker.shared.world;
    let holder = &worker.shared.holders[index as usize];
    let mut life = Box::new(Life {
        person: Person::new(world, index, &holder.user, &holder.token, holder.pin.as_ref()),
        browser: Session::default(),
        aside: Session::default(),
        attempts: 0,
        groups: 0,
        kept: false,
    });
    while let Some(deed) = life.person.next_deed(world) {
        if deed.due >= world.end() || !worker.wait_until(deed.due).await {
            return;
        }
        // Boxed: what an attempt needs while it lasts, a waiting person need not hold.
        Box::pin(life.act(&worker, &deed)).await;
        if worker.stopping() {
            return;
        }
    }
}

struct Life {
    person: Person,
    browser: Session,
    aside: Session,
    attempts: u32,
    groups: u32,
    /// Whether the PIN was kept for a later run.
    kept: bool,
}

impl Life {
    async fn act(&mut self, worker: &Worker, deed: &Deed) {
        let world = &worker.shared.world;
        let line = &worker.shared.timeline;
        match deed.browser {
            Browser::Fresh => self.browser = Session::default(),
            Browser::FreshAside => self.aside = Session::default(),
            Browser::Same | Browser::Aside => {}
        }
        let aside = matches!(deed.browser, Browser::Aside | Browser::FreshAside);
        let session = if aside { &mut self.aside } else { &mut self.browser };
        let expectation = self.person.expect(line.key(Instant::now()), deed);
        let typed = self.person.typed(world, deed);
        let user = self.person.user();
        let (first, second) = match deed.send {
            None => (worker.perform(worker.transport.open(session, deed.operation)).await, None),
            Some(send) if send.times > 1 => {
                let mut twin = session.clone();
                let (first, second) = tokio::join!(
                    submit(worker, session, deed.operation, &typed, user),
                    submit(worker, &mut twin, deed.operation, &typed, user),
                );
                // The browser shows what the click that got in was answered.
                if took(&second) && !took(&first) {
                    *session = twin;
                }
                (first, Some(second))
            }
            Some(_) => (submit(worker, session, deed.operation, &typed, user).await, None),
        };
        let resent = first.resent + second.as_ref().map_or(0, |second| second.resent);
        let expectation = if resent > 0 { expectation.sent_again() } else { expectation };
        let group = if second.is_some() && expectation.expected == Expected::OneOfGroup {
            self.groups += 1;
            self.groups
        } else {
            0
        };
        let mut heard = Vec::with_capacity(2);
        for performed in [Some(first), second].into_iter().flatten() {
            let seen = self.observation(worker, deed, &expectation, &performed, group);
            let last = Heard {
                verdict: seen.verdict,
                acted: acted(&performed),
                sent_key: seen.sent_key,
                answered_key: seen.answered_key,
            };
            // What the server made of the sendings that it gave up, or never answered, nobody knows.
            let given_up = Heard { verdict: Verdict::Error, acted: Acted::Perhaps, ..last };
            heard.extend((0..performed.resent).map(|_| given_up));
            heard.push(last);
            worker.record(seen);
        }
        self.person.heard(world, deed, &expectation, &heard);
        if worker.shared.keep_pins
            && !self.kept
            && let Some(pin) = self.person.known_pin()
        {
            self.kept = true;
            worker.keep_pin(self.person.index(), pin);
        }
    }

    fn observation(
        &mut self,
        worker: &Worker,
        deed: &Deed,
        expectation: &Expectation,
        performed: &Performed,
        group: u32,
    ) -> Observation {
        let line = &worker.shared.timeline;
        let attempt = self.attempts;
        self.attempts += 1;
        Observation {
            person: self.person.index(),
            attempt,
            step: step(deed),
            behaviour: deed.behaviour(),
            group,
            due_us: line.run_us(line.instant(deed.due)),
            sent_us: line.run_us(performed.sent),
            answered_us: line.run_us(performed.answered),
            sent_key: line.key(performed.sent),
            answered_key: line.key(performed.answered),
            counter: deed.counter(),
            expectation: *expectation,
            verdict: performed.verdict,
            status: performed.status,
            fault: performed.fault,
        }
    }
}

async fn submit(
    worker: &Worker,
    session: &mut Session,
    operation: Operation,
    typed: &Typed,
    user: &str,
) -> Performed {
    let transport: &Transport = &worker.transport;
    worker.perform(transport.submit(session, operation, &typed.inputs(user))).await
}

fn took(performed: &Performed) -> bool {
    matches!(performed.verdict, Verdict::Accepted | Verdict::NewPin | Verdict::Confirm)
}

fn step(deed: &Deed) -> Step {
    match (deed.send, deed.operation) {
        (None, _) => Step::Open,
        (_, Operation::FirstCode) => Step::FirstCode,
        (_, Operation::NewPin) => Step::NewPin,
        (_, Operation::Confirm) => Step::Confirm,
        (_, Operation::Login) => Step::Login,
        (_, Operation::Resync) => Step::Resync,
        (_, Operation::Logout) => Step::Logout,
    }
}

/// Whether the server acted: what was never sent changed nothing there; of what was sent and not
/// answered as it should be, nothing is known.
fn acted(performed: &Performed) -> Acted {
    match performed.fault {
        None => Acted::Yes,
        Some(_) if performed.reached => Acted::Perhaps,
        Some(_) => Acted::No,
    }
}
