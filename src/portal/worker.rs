//! The one writer: a thread that owns the store and decides on every attempt.
//!
//! Requests reach it through a channel. It takes all that are waiting, decides and writes them one
//! after the other in *one* transaction, commits, and only then answers: so a code is accepted once
//! however many ask at the same instant, no answer precedes its record on the disk, and the cost of
//! reaching the disk is shared by all who wait (group commit). When the commit fails, nobody in it
//! was let in.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::PortalError;
use super::defect::Defect;
use super::pin::{PinHash, PinKeeper};
use super::store::{Guard, Store, Transaction};
use super::verifier::{self, Account, Attempt, Decision, Key, Policy, Then};
use crate::clock::Clock;
use crate::secret::Secret;
use crate::token::Token;

/// Requests decided in one transaction at most.
const GROUP: usize = 512;
/// Requests that may wait; beyond it the connections themselves have to.
const QUEUE: usize = 8192;
/// Serial of the row that attempts on unknown users are written to; no real serial has a blank.
pub(super) const DECOY: &str = "(nobody) ";

/// A key and who holds it.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) serial: String,
    pub(super) user: String,
    pub(super) key: Key,
}

/// Which holder, by index into the list; `None` for a user that does not exist.
pub(super) type Who = Option<usize>;

/// What is asked of the writer.
#[derive(Debug)]
pub(super) enum Ask {
    /// Decide on a user id and passcode, and make it true.
    Login(Secret),
    /// Decide on a passcode of step 3 with the PIN of step 2, and make it true.
    Confirm(Secret, PinHash),
    /// Decide on the code after the one of this step, and make it true.
    Next(Secret, u64),
    /// Decide on a login only; the first half of [`Defect::Toctou`].
    Check(Secret),
    /// Make an earlier decision true whatever has happened since; its second half.
    Burn(Decision),
}

/// The writer's answer, given after the commit.
#[derive(Debug)]
pub(super) struct Answer {
    /// What the attempt opened; `None`, refused.
    pub(super) then: Option<Then>,
    /// Step of the code that was right but too far out: the next one is asked for.
    pub(super) asked: Option<u64>,
    /// The decision, when it was asked for and not yet made true.
    pub(super) pending: Option<Decision>,
}

/// The store could not be written: nobody was let in, nothing is known to have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unavailable;

struct Job {
    who: Who,
    ask: Ask,
    reply: oneshot::Sender<Result<Answer, Unavailable>>,
}

enum Order {
    Decide(Job),
    Close,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(super) struct Worker {
    orders: mpsc::Sender<Order>,
}

impl Worker {
    /// Starts the thread. It ends, with everything written and the store closed, when the last
    /// `Worker` is dropped or one of them says [`Worker::close`].
    pub(super) fn start(desk: Desk) -> Result<(Self, JoinHandle<()>), PortalError> {
        let (orders, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("portal-writer".into())
            .spawn(move || desk.work(queue))
            .map_err(PortalError::Thread)?;
        Ok((Self { orders }, thread))
    }

    /// Asks and waits for the answer.
    pub(super) async fn ask(&self, who: Who, ask: Ask) -> Result<Answer, Unavailable> {
        let (reply, answer) = oneshot::channel();
        let order = Order::Decide(Job { who, ask, reply });
        self.orders.send(order).await.map_err(|_| Unavailable)?;
        answer.await.map_err(|_| Unavailable)?
    }

    /// Ends the writer after what was asked so far; whoever asks later finds it unavailable.
    /// Blocks while the queue is full: not to be called on a runtime.
    pub(super) fn close(&self) {
        // A writer that has ended already is what was wanted.
        let _ = self.orders.blocking_send(Order::Close);
    }
}

/// What the writer needs to decide.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) holders: Arc<Vec<Holder>>,
    pub(super) decoy: Key,
    pub(super) keeper: PinKeeper,
    pub(super) policy: Policy,
    pub(super) defect: Option<Defect>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) good: u64,
}

impl Desk {
    fn work(mut self, mut queue: mpsc::Receiver<Order>) {
        let mut group = Vec::with_capacity(GROUP);
        let mut open = true;
        while open {
            let Some(Order::Decide(job)) = queue.blocking_recv() else { break };
            group.push(job);
            while group.len() < GROUP {
                match queue.try_recv() {
                    Ok(Order::Decide(job)) => group.push(job),
                    Ok(Order::Close) => {
                        open = false;
                        break;
                    }
                    Err(_) => break,
                }
            }
            let answers = self.decide(&group);
            match answers {
                Ok(answers) => {
                    for (job, answer) in group.drain(..).zip(answers) {
                        // Whoever asked may have gone; what was decided stays decided.
                        let _ = job.reply.send(Ok(answer));
                    }
                }
                Err(_) => {
                    for job in group.drain(..) {
                        let _ = job.reply.send(Err(Unavailable));
                    }
                }
            }
        }
    }

    /// One transaction for the whole group.
    fn decide(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Answer>> {
        let Self { store, holders, decoy, keeper, policy, defect, clock, good } = self;
        let judge = Judge { holders, decoy, keeper, policy, defect: *defect, clock: &**clock };
        let transaction = store.begin()?;
        let answers = group
            .iter()
            .map(|job| judge.answer(&transaction, job, good))
            .collect::<rusqlite::Result<_>>()?;
        transaction.commit()?;
        Ok(answers)
    }
}

struct Judge<'a> {
    holders: &'a [Holder],
    decoy: &'a Key,
    keeper: &'a PinKeeper,
    policy: &'a Policy,
    defect: Option<Defect>,
    clock: &'a dyn Clock,
}

impl Judge<'_> {
    fn answer(
        &self,
        transaction: &Transaction<'_>,
        job: &Job,
        good: &mut u64,
    ) -> rusqlite::Result<Answer> {
        let holder = job.who.and_then(|index| self.holders.get(index));
        // An unknown user costs what a known one costs: the same reading, digests and writing.
        let (serial, key) = holder.map_or((DECOY, self.decoy), |h| (&h.serial, &h.key));
        let account = transaction.read(serial)?;
        let mut decision = match &job.ask {
            Ask::Login(passcode) | Ask::Check(passcode) => {
                self.judge(key, &account, Attempt::Login(passcode.expose()))
            }
            Ask::Confirm(passcode, pin) => {
                self.judge(key, &account, Attempt::Confirm(passcode.expose(), pin))
            }
            Ask::Next(code, step) => self.judge(key, &account, Attempt::Next(code.expose(), *step)),
            Ask::Burn(decision) => decision.clone(),
        };
        if let (None, Decision::Ask { failures, locked_until, .. }) = (holder, &decision) {
            decision = Decision::Refuse { failures: *failures, locked_until: *locked_until };
        }
        if let Decision::Burn { .. } = decision {
            *good += 1;
            let planted = self.defect == Some(Defect::FalseReject) && good.is_multiple_of(1000);
            if holder.is_none() || planted {
                let Account { failures, locked_until, .. } = account;
                decision = Decision::Refuse { failures, locked_until };
            }
        }
        if let (Ask::Check(_), Decision::Burn { .. }) = (&job.ask, &decision) {
            return Ok(Answer { then: None, asked: None, pending: Some(decision) });
        }
        let written = transaction.write(serial, &decision, self.guard())?;
        let (then, asked) = match decision {
            Decision::Burn { then, .. } if written => (Some(then), None),
            Decision::Ask { step, .. } => (None, Some(step)),
            _ => (None, None),
        };
        Ok(Answer { then, asked, pending: None })
    }

    fn judge(&self, key: &Key, account: &Account, attempt: Attempt<'_>) -> Decision {
        let now = self.clock.now();
        verifier::judge(self.policy, self.keeper, self.defect, key, account, attempt, now)
    }

    fn guard(&self) -> Guard {
        match self.defect {
            Some(
                Defect::ReplayNone
                | Defect::Toctou
                | Defect::BurnCurrentStepOnly
                | Defect::InitCodeReuse,
            ) => Guard::Skip,
            _ => Guard::Unused,
        }
    }
}

/// A key like `model` with a seed that nobody holds.
pub(super) fn decoy(model: &Token) -> Result<Key, PortalError> {
    let secret = Secret::random(model.secret.len().max(1)).map_err(PortalError::Entropy)?;
    Key::of(&Token { secret, ..model.clone() })
        .ok_or_else(|| PortalError::Algorithm(model.serial.clone()))
}
