//! What can be done here, whatever it travels over: the pages, the JSON interface and whatever else
//! listens call these five, and each knows one more stage of the way in.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::defect::Defect;
use super::pin::{NewPin, PinFault, PinKeeper};
use super::session::{SessionId, Sessions, Stage};
use super::verifier::Then;
use super::worker::{Answer, Ask, Holder, Unavailable, Who, Worker};
use crate::clock::{Clock, UnixMicros};
use crate::secret::Secret;

/// Between check and burning, with [`Defect::Toctou`]: real time.
const GAP: Duration = Duration::from_millis(5);

/// What the portal has done since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Logins accepted, the confirmations of step 3 among them.
    pub accepted: u64,
    /// First codes accepted (step 1).
    pub first_codes: u64,
    /// PINs chosen (step 2).
    pub pins: u64,
    /// Codes too far out, after which the next one was asked for.
    pub next_codes: u64,
    /// Codes and passcodes refused.
    pub rejected: u64,
    /// Attempts left undecided because the store could not be written.
    pub unavailable: u64,
}

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicU64,
    first_codes: AtomicU64,
    pins: AtomicU64,
    next_codes: AtomicU64,
    rejected: AtomicU64,
    unavailable: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// How user id and passcode were received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// Logged in, with this session.
    Accepted(SessionId),
    /// The first code was good: choose a PIN, under this name.
    NewPin(SessionId),
    /// Right, but too far out: the next code is asked for, under this name.
    NextCode(SessionId),
    /// Not good; nothing more is said.
    Rejected,
}

/// How the next code was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextCode {
    /// As the first would have been: logged in, or a PIN to choose.
    Taken(Login),
    /// Not good; the stage stays open.
    Rejected,
    /// Nobody of that name was asked for it.
    OutOfOrder,
}

/// How the choice of a PIN was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Taken for now: confirm it with the next code, under this name.
    Confirm(SessionId),
    /// Not a PIN that can be taken; the stage stays open.
    Bad(PinFault),
    /// Nobody of that name is choosing a PIN.
    OutOfOrder,
}

/// How the passcode of step 3 was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Confirmation {
    /// The PIN is effective; logged in, with this session.
    Accepted(SessionId),
    /// Not good; the stage stays open for the next code.
    Rejected,
    /// Nobody of that name is confirming a PIN.
    OutOfOrder,
}

/// The server without its wires.
#[derive(Debug)]
pub(super) struct Service {
    worker: Worker,
    holders: Arc<Vec<Holder>>,
    by_user: HashMap<String, usize>,
    keeper: PinKeeper,
    sessions: Sessions,
    form_key: Hmac<Sha256>,
    defect: Option<Defect>,
    clock: Arc<dyn Clock>,
    counters: Counters,
}

impl Service {
    pub(super) fn new(
        worker: Worker,
        holders: Arc<Vec<Holder>>,
        keeper: PinKeeper,
        form_key: &Secret,
        defect: Option<Defect>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let by_user =
            holders.iter().enumerate().map(|(index, h)| (h.user.clone(), index)).collect();
        let form_key =
            Hmac::new_from_slice(form_key.expose()).expect("HMAC takes keys of any length");
        let (sessions, counters) = Default::default();
        Self { worker, holders, by_user, keeper, sessions, form_key, defect, clock, counters }
    }

    /// Step 1 or a login any day after: which of them, the account decides.
    pub(super) async fn login(&self, user: &str, passcode: Secret) -> Result<Login, Unavailable> {
        let who = self.by_user.get(user).copied();
        let answer = self.judge(who, Ask::Login(passcode)).await?;
        match (answer.then, answer.asked, who) {
            (Some(then), _, Some(holder)) => self.enter(holder, then),
            (None, Some(step), Some(holder)) => {
                count(&self.counters.next_codes);
                Ok(Login::NextCode(self.open(holder, Stage::Next(step))?))
            }
            _ => {
                count(&self.counters.rejected);
                Ok(Login::Rejected)
            }
        }
    }

    /// The code after one that was too far out.
    pub(super) async fn next_code(
        &self,
        id: SessionId,
        code: Secret,
    ) -> Result<NextCode, Unavailable> {
        let Some((holder, Stage::Next(step))) = self.sessions.find(id, self.now()) else {
            return Ok(NextCode::OutOfOrder);
        };
        let answer = self.judge(Some(holder), Ask::Next(code, step)).await?;
        let Some(then) = answer.then else {
            count(&self.counters.rejected);
            return Ok(NextCode::Rejected);
        };
        self.sessions.close(id);
        self.enter(holder, then).map(NextCode::Taken)
    }

    fn enter(&self, holder: usize, then: Then) -> Result<Login, Unavailable> {
        if then == Then::NewPin {
            count(&self.counters.first_codes);
            return Ok(Login::NewPin(self.open(holder, Stage::Choose)?));
        }
        count(&self.counters.accepted);
        Ok(Login::Accepted(self.open(holder, Stage::In)?))
    }

    /// Step 2: the PIN is kept with the session, and with the account only after step 3.
    pub(super) fn new_pin(
        &self,
        id: SessionId,
        pin: Zeroizing<String>,
        again: &Zeroizing<String>,
    ) -> Result<Choice, Unavailable> {
        let Some((holder, Stage::Choose)) = self.sessions.find(id, self.now()) else {
            return Ok(Choice::OutOfOrder);
        };
        let pin = match NewPin::choose(pin, again) {
            Ok(pin) => pin,
            Err(fault) => return Ok(Choice::Bad(fault)),
        };
        let kept = self.keeper.keep(&pin).map_err(|_| Unavailable)?;
        if !self.sessions.close(id) {
            return Ok(Choice::OutOfOrder);
        }
        count(&self.counters.pins);
        Ok(Choice::Confirm(self.open(holder, Stage::Confirm(kept))?))
    }

    /// Step 3: PIN and the next code.
    pub(super) async fn confirm(
        &self,
        id: SessionId,
        passcode: Secret,
    ) -> Result<Confirmation, Unavailable> {
        let Some((holder, Stage::Confirm(pin))) = self.sessions.find(id, self.now()) else {
            return Ok(Confirmation::OutOfOrder);
        };
        let answer = self.judge(Some(holder), Ask::Confirm(passcode, pin)).await?;
        if answer.then.is_none() {
            count(&self.counters.rejected);
            return Ok(Confirmation::Rejected);
        }
        self.sessions.close(id);
        count(&self.counters.accepted);
        Ok(Confirmation::Accepted(self.open(holder, Stage::In)?))
    }

    /// Ends a session; false when there was none.
    pub(super) fn logout(&self, id: SessionId) -> bool {
        self.sessions.close(id)
    }

    /// How far the visitor of that name is, and the user id.
    pub(super) fn stage(&self, id: SessionId) -> Option<(&str, Stage)> {
        let (holder, stage) = self.sessions.find(id, self.now())?;
        Some((&self.holders.get(holder)?.user, stage))
    }

    /// The token that a form must carry: it can be computed only here, and only for this name.
    pub(super) fn form_token(&self, id: SessionId) -> String {
        let mac = self.form_key.clone().chain_update(id.octets()).finalize().into_bytes();
        data_encoding::BASE64URL_NOPAD.encode(&mac[..18])
    }

    /// Whether `token` is the form token of that name, in constant time.
    pub(super) fn form_token_fits(&self, id: SessionId, token: &str) -> bool {
        use subtle::ConstantTimeEq;
        self.form_token(id).as_bytes().ct_eq(token.as_bytes()).into()
    }

    /// Key time.
    pub(super) fn now(&self) -> UnixMicros {
        self.clock.now()
    }

    /// Seconds of key time per real second.
    pub(super) fn rate(&self) -> f64 {
        self.clock.rate()
    }

    pub(super) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { accepted, first_codes, pins, next_codes, rejected, unavailable } =
            &self.counters;
        Stats {
            accepted: read(accepted),
            first_codes: read(first_codes),
            pins: read(pins),
            next_codes: read(next_codes),
            rejected: read(rejected),
            unavailable: read(unavailable),
        }
    }

    /// One question to the writer; with [`Defect::Toctou`] two, and a gap between them.
    async fn judge(&self, who: Who, ask: Ask) -> Result<Answer, Unavailable> {
        let answer = match (self.defect, ask) {
            (Some(Defect::Toctou), Ask::Login(passcode)) => {
                match self.worker.ask(who, Ask::Check(passcode)).await {
                    Ok(Answer { pending: Some(decision), .. }) => {
                        tokio::time::sleep(GAP).await;
                        self.worker.ask(who, Ask::Burn(decision)).await
                    }
                    refused => refused,
                }
            }
            (_, ask) => self.worker.ask(who, ask).await,
        };
        answer.inspect_err(|_| count(&self.counters.unavailable))
    }

    fn open(&self, holder: usize, stage: Stage) -> Result<SessionId, Unavailable> {
        self.sessions.open(holder, stage, self.now()).map_err(|_| Unavailable)
    }
}
