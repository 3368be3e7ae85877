//! One person with one key at a live server, one operation at a time and every exchange to be seen:
//! what `targets probe` and `doctor` are made of. No schedule, no oracle.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::transport::{
    Endpoint, Exchanged, Performed, Preflight, Session, Transport, TransportError,
};
use crate::clock::Clock;
use crate::otp::{Generator, step_start, time_step};
use crate::recorder::Verdict;
use crate::target::{Inputs, Operation, PinPosition, Target};

/// Where the code comes from.
pub enum CodeSource {
    /// A key: its generator, and its period in seconds.
    Key(Box<Generator>, u32),
    /// A code read off a key by somebody; sent as often as asked.
    Typed(Zeroizing<String>),
}

/// Which of the key's codes to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one on the display.
    Shown,
    /// The one sent last, whatever the display says by now.
    Same,
    /// The one that the display will show after so many steps.
    Ahead(u32),
    /// The one after that sent last.
    Next,
}

/// The person, the key, and the browser.
pub struct Hands {
    transport: Transport,
    target: Arc<Target>,
    clock: Arc<dyn Clock>,
    session: Session,
    user: String,
    code: CodeSource,
    pin: Zeroizing<String>,
    new_pin: Zeroizing<String>,
    sent: Option<u64>,
}

/// What came of one operation.
#[derive(Debug)]
pub struct Done {
    /// As in a run.
    pub performed: Performed,
    /// Every exchange, secrets masked.
    pub exchanged: Vec<Exchanged>,
}

impl Hands {
    /// A person at a new browser. `pin` is empty while there is none.
    #[must_use]
    pub fn new(
        target: Arc<Target>,
        endpoint: Arc<Endpoint>,
        clock: Arc<dyn Clock>,
        user: String,
        code: CodeSource,
    ) -> Self {
        let mut transport = Transport::new(Arc::clone(&target), endpoint, 1);
        transport.watch();
        let (pin, new_pin) = (Zeroizing::default(), Zeroizing::default());
        let session = Session::default();
        Self { transport, target, clock, session, user, code, pin, new_pin, sent: None }
    }

    /// The PIN that the server knows, and the one to choose.
    #[must_use]
    pub fn with_pins(mut self, pin: Zeroizing<String>, new_pin: Zeroizing<String>) -> Self {
        (self.pin, self.new_pin) = (pin, new_pin);
        self
    }

    /// Another PIN to choose.
    pub fn choose(&mut self, new_pin: Zeroizing<String>) {
        self.new_pin = new_pin;
    }

    /// Connects and compares the clocks.
    ///
    /// # Errors
    /// [`TransportError`] naming host, port, cause and remedy.
    pub async fn preflight(&self) -> Result<Preflight, TransportError> {
        let found = self.transport.preflight(&*self.clock).await;
        drop(self.transport.exchanged());
        found
    }

    /// Real time until the key shows another code than the one sent last; none when none was sent.
    #[must_use]
    pub fn until_next_code(&self) -> std::time::Duration {
        match (&self.code, self.sent) {
            (CodeSource::Key(_, period), Some(sent)) => {
                self.clock.until(step_start(sent + 1, *period))
            }
            _ => std::time::Duration::ZERO,
        }
    }

    /// Opens the page of `operation` and submits it. The first code and a login begin at a new
    /// browser; when a new PIN is taken, it is the PIN from then on.
    pub async fn perform(&mut self, operation: Operation, which: Which) -> Done {
        if matches!(operation, Operation::FirstCode | Operation::Login) {
            self.session.forget();
        }
        let mut performed = self.transport.open(&mut self.session, operation).await;
        if performed.verdict == Verdict::Accepted && performed.fault.is_none() {
            let code = self.code(operation, which);
            let passcode = Zeroizing::new(match self.target.policy.pin_position {
                PinPosition::Before => format!("{}{}", *self.pin, *code),
                PinPosition::After => format!("{}{}", *code, *self.pin),
            });
            let inputs = Inputs {
                user: &self.user,
                code: &code,
                pin: &self.pin,
                passcode: &passcode,
                new_pin: &self.new_pin,
                new_pin_confirmation: &self.new_pin,
            };
            performed = self.transport.submit(&mut self.session, operation, &inputs).await;
        }
        let taken = matches!(performed.verdict, Verdict::Confirm | Verdict::Accepted);
        if operation == Operation::NewPin && taken {
            self.pin = self.new_pin.clone();
        }
        Done { performed, exchanged: self.transport.exchanged() }
    }

    fn code(&mut self, operation: Operation, which: Which) -> Zeroizing<String> {
        let sends = !matches!(operation, Operation::NewPin | Operation::Logout);
        match &self.code {
            CodeSource::Typed(code) => code.clone(),
            CodeSource::Key(generator, period) => {
                let shown = time_step(self.clock.now(), *period);
                let step = match (which, self.sent) {
                    (Which::Same, Some(sent)) => sent,
                    (Which::Next, Some(sent)) => sent + 1,
                    (Which::Ahead(steps), _) => shown + u64::from(steps),
                    _ => shown,
                };
                if sends {
                    self.sent = Some(step);
                }
                Zeroizing::new(generator.code(step).to_string())
            }
        }
    }
}

impl std::fmt::Debug for Hands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hands({} at {:?})", self.user, self.transport)
    }
}

impl std::fmt::Debug for CodeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key(..) => "Key",
            Self::Typed(_) => "Typed",
        })
    }
}
