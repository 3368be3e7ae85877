//! One person: a state machine that says what is due next and takes in what came of it. Pure: the
//! time comes from outside, and so do the answers.
//!
//! | state | what the person does | then |
//! |---|---|---|
//! | first code | opens the page, reads the key, sends user id and code | new PIN; an impatient one tries the same code again beside it |
//! | new PIN | chooses a PIN, types it twice | confirmation, or logged in |
//! | confirmation | waits for the number to change (an impatient one does not), sends PASSCODE | visits |
//! | login | opens the page, reads the key, sends user id and PASSCODE | log-out, or the gap to the next visit; an impatient one sends it again |
//! | next code | waits for the number to change, sends it alone | as after the first code, or after a login |
//! | probing | tries what must not be taken: see [`probing`] | done |
//! | log-out | leaves | the gap to the next visit |
//!
//! Refused or left without an answer, a person begins the state again with a fresh number, a few
//! times, and gives up then.

mod hearing;
mod pin;
mod probing;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use zeroize::Zeroizing;

use self::pin::{choose_pin, mistyped};
use super::deed::{attempt, plain};
use super::{Behaviour, Browser, Credential, Deed, Expectation, Expected, Oracle};
use super::{Reason, Send, Typed, VirtualKey, World};
use crate::clock::UnixMicros;
use crate::otp::time_step;
use crate::scenario::{Distribution, Habits, Span};
use crate::secret::Secret;
use crate::target::{Operation, PinPosition};
use crate::token::Token;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FirstCode,
    NewPin,
    Confirm,
    Login,
    Resync,
    Probe,
    Logout,
    Done,
}

/// A person of the population.
pub struct Person {
    index: u32,
    user: Box<str>,
    key: VirtualKey,
    pin: Zeroizing<String>,
    habits: Habits,
    rng: ChaCha8Rng,
    oracle: Oracle,
    state: State,
    /// Key time of the last answer, or of the arrival.
    since: UnixMicros,
    /// Whether the page of the state is open.
    opened: bool,
    /// Step of the last right code sent; the next one must be later.
    last: Option<u64>,
    /// What an impatient person is about to send again, in the second browser.
    again: Option<(Operation, u64)>,
    /// An impatient person who does not wait at step 3.
    hasty: bool,
    /// When the next visit begins, key time.
    resume: UnixMicros,
    tries: u32,
    visits: u32,
    gave_up: bool,
    /// Whether the next page is opened in a fresh browser.
    fresh: bool,
    /// Whether the server took the PIN in this run.
    welcome: bool,
    /// Which of the tries of a probing person comes next.
    turn: u32,
}

impl Person {
    /// Person `index` of the world, with a key and a user id.
    ///
    /// `pin` is the one that the server knows already. Without one, the person initialises the key
    /// where the server has the three steps, and has no PIN where it has not.
    #[must_use]
    pub fn new(world: &World, index: u32, user: &str, token: &Token, pin: Option<&Secret>) -> Self {
        let (habits, mut rng) = world.scenario.draw(world.seed, index, world.people);
        let length = habits.pin_length.clamp(world.policy.pin_min, world.policy.pin_max);
        let new = world.policy.three_steps && pin.is_none();
        // Drawn in any case: what else a person does must not depend on where the PIN is from.
        let chosen = choose_pin(length, world.policy.pin_characters, &mut rng);
        let pin = match pin {
            Some(pin) => String::from_utf8_lossy(pin.expose()).into_owned(),
            None if new => chosen,
            None => String::new(),
        };
        let state = match (new, habits.logins) {
            (true, _) => State::FirstCode,
            (false, 0) => State::Done,
            (false, _) => State::Login,
        };
        let oracle = if new {
            Oracle::new(world.rules)
        } else if world.unused {
            Oracle::unused(world.rules)
        } else {
            Oracle::known_before(world.rules, shown_before(world, token.period))
        };
        Self {
            index,
            user: user.into(),
            key: VirtualKey::new(token.generator(), token.period, habits.drift),
            pin: pin.into(),
            since: world.start.saturating_add(habits.arrival),
            habits,
            hasty: habits.impatient && rng.random_bool(0.5),
            rng,
            oracle,
            state,
            opened: false,
            last: None,
            again: None,
            resume: 0,
            tries: 0,
            visits: 0,
            gave_up: false,
            fresh: true,
            welcome: false,
            turn: 0,
        }
    }

    /// Index in the roster of the run.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// User id.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether the initialisation is over.
    #[must_use]
    pub fn initialised(&self) -> bool {
        self.oracle.initialised()
    }

    /// The PIN that the server knows, once it has shown so.
    #[must_use]
    pub fn known_pin(&self) -> Option<Secret> {
        (self.welcome && self.initialised()).then(|| Secret::from(self.pin.as_bytes()))
    }

    /// Whether the person gave up after too many refusals.
    #[must_use]
    pub fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Logins made.
    #[must_use]
    pub fn visits(&self) -> u32 {
        self.visits
    }

    /// What is due next; `None` when the person is done. Asked once per deed, followed by
    /// [`Person::heard`] with what came of it.
    pub fn next_deed(&mut self, world: &World) -> Option<Deed> {
        if let Some((operation, step)) = self.again {
            return Some(self.next_again(world, operation, step));
        }
        let operation = self.operation()?;
        if matches!(self.state, State::Login | State::Probe) && !self.opened {
            self.since = self.since.max(self.resume);
        }
        if !self.opened && world.opens.contains(&operation) {
            let browser = self.browser();
            return Some(Deed { due: self.since, browser, operation, send: None });
        }
        Some(match self.state {
            State::NewPin => self.next_new_pin(world),
            State::Probe => self.next_probe(world),
            State::Logout => Deed {
                due: self.after(&world.scenario.people.reaction),
                browser: Browser::Same,
                operation,
                send: Some(plain(Credential::None)),
            },
            _ => self.next_code(world, operation),
        })
    }

    fn operation(&self) -> Option<Operation> {
        match self.state {
            State::FirstCode => Some(Operation::FirstCode),
            State::NewPin => Some(Operation::NewPin),
            State::Confirm => Some(Operation::Confirm),
            State::Login | State::Probe => Some(Operation::Login),
            State::Resync => Some(Operation::Resync),
            State::Logout => Some(Operation::Logout),
            State::Done => None,
        }
    }

    fn browser(&mut self) -> Browser {
        if std::mem::take(&mut self.fresh) { Browser::Fresh } else { Browser::Same }
    }

    fn after(&mut self, wait: &Distribution<Span>) -> UnixMicros {
        self.since.saturating_add(wait.whole(&mut self.rng))
    }

    fn next_new_pin(&mut self, world: &World) -> Deed {
        Deed {
            due: self.after(&world.scenario.people.new_pin),
            browser: Browser::Same,
            operation: Operation::NewPin,
            send: Some(plain(Credential::None)),
        }
    }

    /// Reads the key, waits for another number when that is called for, types, presses the button.
    fn next_code(&mut self, world: &World, operation: Operation) -> Deed {
        let people = &world.scenario.people;
        let mut look = self.after(&people.reaction);
        let mut shown = self.key.display(look);
        let mut send = plain(Credential::Step(shown.step));
        if operation == Operation::Confirm && self.hasty && self.last == Some(shown.step) {
            self.hasty = false;
            send.behaviour = Behaviour::Impatient;
        } else {
            let used = self.last.is_some_and(|last| shown.step <= last);
            if used || self.habits.waits_at_one_bar && shown.bars == 1 {
                let step = self.last.map_or(0, |last| last + 1).max(shown.step + u64::from(!used));
                look = look.max(self.key.shows_from(step)) + people.reaction.whole(&mut self.rng);
                shown = self.key.display(look);
            }
            send.credential = Credential::Step(shown.step);
            self.accident(world, operation, look, shown.step, &mut send);
        }
        let due = look + people.typing.whole(&mut self.rng);
        Deed { due, browser: self.browser(), operation, send: Some(send) }
    }

    fn accident(
        &mut self,
        world: &World,
        operation: Operation,
        look: UnixMicros,
        step: u64,
        send: &mut Send,
    ) {
        let people = &world.scenario.people;
        if self.rng.random_bool(people.typo) {
            send.behaviour = Behaviour::Typo;
            let bare = matches!(operation, Operation::FirstCode | Operation::Resync);
            let pin_is_sent = !bare && !self.pin.is_empty();
            if pin_is_sent && self.rng.random_bool(0.5) {
                send.pin_right = false;
            } else {
                let wrong = self.oracle.mistype(&self.key, look, step, &mut self.rng);
                send.credential = Credential::Wrong(wrong);
            }
        } else if self.rng.random_bool(people.double_click) {
            send.behaviour = Behaviour::DoubleClick;
            send.times = 2;
        }
    }

    /// The second browser: the page, then the very same code.
    fn next_again(&mut self, world: &World, operation: Operation, step: u64) -> Deed {
        if !self.opened && world.opens.contains(&operation) {
            let due = self.after(&world.scenario.people.impatience);
            return Deed { due, browser: Browser::FreshAside, operation, send: None };
        }
        let due = self.after(&world.scenario.people.reaction);
        let browser = if self.opened { Browser::Aside } else { Browser::FreshAside };
        let behaviour = Behaviour::Impatient;
        let send = Some(Send { behaviour, ..plain(Credential::Step(step)) });
        Deed { due, browser, operation, send }
    }

    /// What a correct server must answer to `deed`, about to be sent at `now`; to be asked just
    /// before, as it holds for the knowledge of that moment.
    #[must_use]
    pub fn expect(&self, now: UnixMicros, deed: &Deed) -> Expectation {
        let single = self.oracle.expect(&self.key, now, &attempt(deed));
        match deed.send {
            None => Expectation::always(Expected::Page, Reason::NoCredential),
            Some(send) if send.times > 1 => self.oracle.expect_each_of_group(single),
            _ => single,
        }
    }

    /// What is typed for `deed`.
    #[must_use]
    pub fn typed(&self, world: &World, deed: &Deed) -> Typed {
        let send = deed.send.unwrap_or(plain(Credential::None));
        let code = match send.credential {
            Credential::None => String::new(),
            Credential::Step(step) => self.key.code(step).to_string(),
            Credential::Wrong(code) => code.to_string(),
        };
        let pin =
            if send.pin_right { self.pin.to_string() } else { mistyped(&self.pin, self.index) };
        let passcode = match world.policy.pin_position {
            PinPosition::Before => format!("{pin}{code}"),
            PinPosition::After => format!("{code}{pin}"),
        };
        Typed { code: code.into(), pin: pin.into(), passcode: passcode.into() }
    }
}

/// The last step that a key can have shown before the run, whatever its drift was then.
#[allow(clippy::cast_possible_truncation)]
fn shown_before(world: &World, period: u32) -> u64 {
    let ahead = world.scenario.keys.drift.bounds().1.ceil() as i64;
    time_step(world.start.saturating_add_signed(ahead), period)
}

// By hand: a derived one would show the PIN.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("index", &self.index).field("state", &self.state).finish()
    }
}
