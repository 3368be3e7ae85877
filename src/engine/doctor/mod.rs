//! Looks over a server before the real run: is it there, is its clock right, does it answer as the
//! target declares, and does one key get through all it will have to. Each finding says what to do.
//!
//! | asked | good | otherwise |
//! |---|---|---|
//! | a user whom nobody knows logs in | rejected | fault |
//! | first code, when a new PIN was given | new-pin | fault, and nothing further of this key |
//! | a PIN that is too short, where the target declares a least length, once | rejected, and the person can go on | fault or note |
//! | new PIN | confirm or accepted, as declared | the same |
//! | confirmation, with the next code | accepted | the same |
//! | a login, with a fresh code | accepted | the same |
//! | log-out | accepted | fault |
//! | the same code again | rejected | fault: the server takes a code twice |
//! | a code from beyond the window, where `resync_steps` are declared | next-code | fault |
//! | the code after that one | accepted | fault |

mod finding;
mod initialise;
mod resync;

pub use finding::{Finding, Level};

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::hands::{CodeSource, Done, Hands, Which};
use super::transport::{Endpoint, Preflight, TransportError};
use crate::clock::Clock;
use crate::recorder::Verdict;
use crate::target::{Operation, Target};

/// Nobody is called so.
const NOBODY: &str = "trousseau-doctor-nobody";
/// A certificate that ends sooner is worth a word.
const SOON: i64 = 30;

/// Whom the doctor talks to.
pub trait Bedside {
    /// Something was found.
    fn tell(&mut self, finding: &Finding);
    /// The key shows another code after this long.
    fn wait(&mut self, left: Duration);
    /// Whether to stop.
    fn stopped(&self) -> bool;
}

/// The server, and what it may be tried with.
#[derive(Debug)]
pub struct Patient {
    /// How it is talked to.
    pub target: Arc<Target>,
    /// Where it is.
    pub endpoint: Arc<Endpoint>,
    /// Key time.
    pub clock: Arc<dyn Clock>,
    /// Period of the keys, seconds.
    pub period: u32,
    /// User id of the person whose key is tried.
    pub user: String,
    /// That person's key.
    pub code: CodeSource,
    /// The PIN that the server knows; without it and without `new_pin`, no key is tried.
    pub pin: Option<Zeroizing<String>>,
    /// The PIN to choose; given when the key is to be initialised.
    pub new_pin: Option<Zeroizing<String>>,
}

/// Looks at everything, in order; whether everything was looked at. Faults do not stop it, but what
/// rests on something faulty is left out.
///
/// # Errors
/// [`TransportError`] when the server cannot be talked to at all.
pub async fn examine(patient: Patient, bedside: &mut dyn Bedside) -> Result<bool, TransportError> {
    let Patient { target, endpoint, clock, period, user, code, pin, new_pin } = patient;
    endpoint.check(&target)?;
    bedside.tell(&finding::addresses(&endpoint));
    // Shown also when they are refused: it is they that have to be put right.
    let shown = endpoint.certificates().await;
    let chain = shown.clone().unwrap_or_else(|_| endpoint.refused_certificates());
    for found in finding::certificates(chain, SOON) {
        bedside.tell(&found);
    }
    shown?;
    let mut nobody = Hands::new(
        Arc::clone(&target),
        Arc::clone(&endpoint),
        Arc::clone(&clock),
        NOBODY.to_owned(),
        CodeSource::Typed(Zeroizing::new("0".repeat(6))),
    )
    .with_pins(Zeroizing::new("0000".to_owned()), Zeroizing::default());
    let found: Preflight = nobody.preflight().await?;
    bedside.tell(&finding::reached(&endpoint, &found));
    bedside.tell(&finding::clock(&found, &target, &*clock, period));
    let mut examination = Examination { target: &target, bedside, user: &user, period };
    examination.expect(
        "a user whom nobody knows is refused",
        &nobody.perform(Operation::Login, Which::Shown).await,
        Operation::Login,
        &[Verdict::Rejected],
    );
    if examination.bedside.stopped() {
        return Ok(false);
    }
    let hands = Hands::new(Arc::clone(&target), endpoint, clock, user.clone(), code);
    examination.key(hands, pin, new_pin).await
}

struct Examination<'a> {
    target: &'a Target,
    bedside: &'a mut dyn Bedside,
    user: &'a str,
    period: u32,
}

impl Examination<'_> {
    /// One key, as far as it gets.
    async fn key(
        &mut self,
        hands: Hands,
        pin: Option<Zeroizing<String>>,
        new_pin: Option<Zeroizing<String>>,
    ) -> Result<bool, TransportError> {
        let policy = &self.target.policy;
        let initialise = policy.three_steps && new_pin.is_some();
        if policy.three_steps && !initialise {
            self.bedside.tell(&Finding::note(
                "the three steps were not tried",
                "they need a key that is not initialised yet, and --new-pin-file with the PIN to choose",
            ));
        }
        if !initialise && pin.is_none() {
            self.bedside.tell(&Finding::note(
                "no key was tried: its PIN was not given",
                "give it by --pin-file, or as a column pin of the roster; an empty PIN does not count",
            ));
            return Ok(true);
        }
        let new_pin = new_pin.unwrap_or_default();
        let mut hands = hands.with_pins(pin.unwrap_or_default(), new_pin.clone());
        if initialise && !self.three_steps(&mut hands, &new_pin).await {
            return Ok(!self.bedside.stopped());
        }
        if !self.next_code(&hands).await {
            return Ok(false);
        }
        let done = hands.perform(Operation::Login, Which::Shown).await;
        if !self.expect("a login", &done, Operation::Login, &[Verdict::Accepted]) {
            return Ok(true);
        }
        if self.target.has(Operation::Logout) {
            let done = hands.perform(Operation::Logout, Which::Shown).await;
            self.expect("the log-out", &done, Operation::Logout, &[Verdict::Accepted]);
        }
        let done = hands.perform(Operation::Login, Which::Same).await;
        if done.performed.verdict == Verdict::Accepted {
            self.bedside.tell(&Finding::fault(
                "the same code again was accepted: this server takes a code twice",
                "turn on its protection against replays; without one, whoever sees a code can use \
                 it too (RFC 6238 §5.2)",
            ));
        } else {
            let refused = [Verdict::Rejected, Verdict::Locked];
            self.expect("the same code again is refused", &done, Operation::Login, &refused);
        }
        self.resync(&mut hands).await;
        Ok(true)
    }

    /// Waits until the key shows a code that was not sent yet; false when stopped meanwhile.
    async fn next_code(&mut self, hands: &Hands) -> bool {
        let left = hands.until_next_code();
        self.bedside.wait(left);
        let end = std::time::Instant::now() + left;
        while std::time::Instant::now() < end && !self.bedside.stopped() {
            let left = end.saturating_duration_since(std::time::Instant::now());
            tokio::time::sleep(left.min(Duration::from_millis(50))).await;
        }
        !self.bedside.stopped()
    }

    /// Tells whether the verdict is one of `wanted`, and if not, what to do.
    fn expect(
        &mut self,
        what: &str,
        done: &Done,
        operation: Operation,
        wanted: &[Verdict],
    ) -> bool {
        let good = wanted.contains(&done.performed.verdict);
        self.bedside.tell(&match good {
            true => Finding::good(format!("{what}: {}", done.performed.verdict)),
            false => finding::unexpected(what, done, operation, wanted, self.target),
        });
        good
    }
}
