//! New PIN Mode as a chain of Access-Challenges, each remembered under a State of its own.
//!
//! | turn | the password is | then |
//! |---|---|---|
//! | no State | passcode | accept; reject; first code good: `Choose` |
//! | `Choose` | the new PIN | taken: `Again`; not taken: `Choose` |
//! | `Again` | the new PIN | the same: `Confirm`; another: `Choose` |
//! | no State | passcode with a code too far out | `Next` |
//! | `Next` | the next code | as the passcode would have been; reject, and the State stays good |
//! | `Confirm` | PIN and the next code | accept; reject, and the State stays good |
//!
//! A State is 128 random bits, good for one user and (but for a refused `Confirm` or `Next`) for one use
//! (RFC 2865 §5.24, RFC 5080 §2.1.1); a State that is not known is a reject.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::clock::{SECOND, UnixMicros};
use crate::portal::pin::{NewPin, PinFault};
use crate::portal::service::{Choice, Confirmation, Login, NextCode, Service};
use crate::portal::session::SessionId;
use crate::portal::worker::Unavailable;
use crate::secret::Secret;

const CHOOSE: &str = "Enter a new PIN of 4 to 6 characters:";
const AGAIN: &str = "Please re-enter new PIN:";
const CONFIRM: &str =
    "PIN accepted. Wait for the token code to change, then enter the new PASSCODE:";
const NEXT: &str = "Wait for the token code to change, then enter the new token code:";
const DIFFER: &str = "PINs do not match. Enter a new PIN of 4 to 6 characters:";
const LENGTH: &str = "PIN must have 4 to 6 characters. Enter a new PIN of 4 to 6 characters:";
const CHARACTER: &str =
    "PIN has a character that is not allowed. Enter a new PIN of 4 to 6 characters:";

/// How long a challenge may be answered: as long as the session behind it.
const LASTS: UnixMicros = 600 * SECOND;
/// Challenges open at once; beyond it the oldest ends.
const MOST: usize = 1 << 17;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Logged in.
    Accept,
    /// Not good; nothing more is said.
    Reject,
    /// Something more is asked for.
    Challenge {
        /// What.
        text: &'static str,
        /// To be sent back.
        state: SessionId,
    },
}

/// What was asked, to be told by the State that comes back.
#[derive(Clone)]
enum Turn {
    Choose(SessionId),
    Again(SessionId, Zeroizing<String>),
    Confirm(SessionId),
    Next(SessionId),
}

impl Turn {
    fn session(&self) -> SessionId {
        let (Self::Choose(id) | Self::Again(id, _) | Self::Confirm(id) | Self::Next(id)) = self;
        *id
    }
}

/// Shows no PIN.
impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Choose(_) => "Choose",
            Self::Again(..) => "Again",
            Self::Confirm(_) => "Confirm",
            Self::Next(_) => "Next",
        })
    }
}

/// All challenges that may still be answered.
#[derive(Debug, Default)]
pub(super) struct Conversations(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    turns: HashMap<SessionId, Turn>,
    oldest_first: VecDeque<(UnixMicros, SessionId)>,
}

impl Conversations {
    /// One request and its reply.
    pub(super) async fn turn(
        &self,
        service: &Service,
        user: &str,
        password: Secret,
        state: Option<&[u8]>,
    ) -> Result<Reply, Unavailable> {
        let Some(state) = state else {
            let login = service.login(user, password).await?;
            return self.received(service, login);
        };
        let Some((state, turn)) = self.find(service, user, state) else {
            return Ok(Reply::Reject);
        };
        match turn {
            Turn::Confirm(session) => match service.confirm(session, password).await? {
                Confirmation::Accepted(session) => {
                    service.logout(session);
                    self.open().turns.remove(&state);
                    Ok(Reply::Accept)
                }
                Confirmation::Rejected | Confirmation::OutOfOrder => Ok(Reply::Reject),
            },
            Turn::Next(session) => match service.next_code(session, password).await? {
                NextCode::Taken(login) => {
                    self.open().turns.remove(&state);
                    self.received(service, login)
                }
                NextCode::Rejected | NextCode::OutOfOrder => Ok(Reply::Reject),
            },
            Turn::Choose(_) | Turn::Again(..) => {
                // Of two who answer the same challenge at once, one is heard.
                let Some(turn) = self.open().turns.remove(&state) else {
                    return Ok(Reply::Reject);
                };
                self.choose(service, turn, &text(&password))
            }
        }
    }

    fn received(&self, service: &Service, login: Login) -> Result<Reply, Unavailable> {
        match login {
            Login::Accepted(session) => {
                // RADIUS knows no log-out here: the session serves nobody.
                service.logout(session);
                Ok(Reply::Accept)
            }
            Login::NewPin(session) => self.ask(service, CHOOSE, Turn::Choose(session)),
            Login::NextCode(session) => self.ask(service, NEXT, Turn::Next(session)),
            Login::Rejected => Ok(Reply::Reject),
        }
    }

    fn choose(
        &self,
        service: &Service,
        turn: Turn,
        pin: &Zeroizing<String>,
    ) -> Result<Reply, Unavailable> {
        match turn {
            Turn::Choose(session) => match NewPin::choose(pin.clone(), pin) {
                Ok(_) => self.ask(service, AGAIN, Turn::Again(session, pin.clone())),
                Err(fault) => self.ask(service, fault_text(fault), Turn::Choose(session)),
            },
            Turn::Again(session, first) => match service.new_pin(session, first, pin)? {
                Choice::Confirm(next) => self.ask(service, CONFIRM, Turn::Confirm(next)),
                Choice::Bad(fault) => self.ask(service, fault_text(fault), Turn::Choose(session)),
                Choice::OutOfOrder => Ok(Reply::Reject),
            },
            Turn::Confirm(_) | Turn::Next(_) => Ok(Reply::Reject),
        }
    }

    fn ask(&self, service: &Service, text: &'static str, turn: Turn) -> Result<Reply, Unavailable> {
        let state = SessionId::random().map_err(|_| Unavailable)?;
        let now = service.now();
        let mut open = self.open();
        while let Some(&(since, oldest)) = open.oldest_first.front() {
            if now < since.saturating_add(LASTS) && open.oldest_first.len() < MOST {
                break;
            }
            open.oldest_first.pop_front();
            open.turns.remove(&oldest);
        }
        open.oldest_first.push_back((now, state));
        open.turns.insert(state, turn);
        Ok(Reply::Challenge { text, state })
    }

    /// The turn that `state` stands for, if it is this user's.
    fn find(&self, service: &Service, user: &str, state: &[u8]) -> Option<(SessionId, Turn)> {
        let state = SessionId::of(state)?;
        let turn = self.open().turns.get(&state)?.clone();
        let (owner, _) = service.stage(turn.session())?;
        (owner == user).then_some((state, turn))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Octets that are no UTF-8 become U+FFFD, which no PIN may hold.
fn text(password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(password.expose()).into_owned())
}

fn fault_text(fault: PinFault) -> &'static str {
    match fault {
        PinFault::Differ => DIFFER,
        PinFault::Length => LENGTH,
        PinFault::Character => CHARACTER,
    }
}
