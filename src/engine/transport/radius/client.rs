//! One request and its answer, over as many sockets as needed.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Instant;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use tokio::sync::Semaphore;

use super::lane::{self, Lane, Shared, Ticket};
use super::retransmission::Next;
use super::{Answer, Counters, ExchangeError, Options};
use crate::radius::{self, Authenticator, Code, SharedSecret, Writer};

/// The sockets of one worker thread. Its futures are not `Send` and need a
/// [`tokio::task::LocalSet`]; dropping one gives up its request.
#[derive(Debug)]
pub struct Client {
    shared: Rc<Shared>,
    lanes: RefCell<Vec<Rc<Lane>>>,
    /// The lane that had an identifier to spare when last asked.
    current: Cell<usize>,
    permits: Semaphore,
    /// Seeded when first needed.
    random: RefCell<Option<ChaCha12Rng>>,
    buffers: RefCell<Vec<Vec<u8>>>,
}

impl Client {
    /// A client of the server at `server`; opens no socket yet.
    #[must_use]
    pub fn new(server: SocketAddr, options: Options) -> Self {
        let permits = Semaphore::new(options.in_flight.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            shared: Rc::new(Shared { server, options, counters: Cell::default() }),
            lanes: RefCell::default(),
            current: Cell::default(),
            permits,
            random: RefCell::default(),
            buffers: RefCell::default(),
        }
    }

    /// The secret shared with the server.
    #[must_use]
    pub fn secret(&self) -> &SharedSecret {
        &self.shared.options.secret
    }

    /// What was sent and received so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.counters.get()
    }

    /// Sockets opened so far.
    #[must_use]
    pub fn sockets(&self) -> u64 {
        self.lanes.borrow().len() as u64
    }

    /// Sends one request with the attributes that `write` appends, again if need be, until a
    /// genuine answer has come.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn exchange(
        &self,
        code: Code,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), radius::Error>,
    ) -> Result<Answer, ExchangeError> {
        // The semaphore is never closed, and lives as long as this client.
        let _permit = self.permits.acquire().await;
        let mut buffer = self.buffers.borrow_mut().pop().unwrap_or_default();
        let outcome = self.converse(code, &mut buffer, write).await;
        self.buffers.borrow_mut().push(buffer);
        outcome
    }

    async fn converse(
        &self,
        code: Code,
        buffer: &mut Vec<u8>,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), radius::Error>,
    ) -> Result<Answer, ExchangeError> {
        let Shared { server, options, .. } = &*self.shared;
        let ticket = self.ticket()?;
        let mut authenticator = Authenticator::default();
        self.with_random(|random| random.fill_bytes(&mut authenticator))?;
        let mut writer = Writer::request(buffer, code, ticket.identifier, &authenticator);
        write(&mut writer)?;
        writer.finish(&options.secret);

        let mut answer = ticket.lane.slots.borrow_mut().ask(ticket.identifier, authenticator);
        self.shared.count(|counters| counters.requests += 1);
        let sent = Instant::now();
        self.send(&ticket, buffer, 0).await?;
        let mut pauses = options.retransmission.start();
        loop {
            let transmissions = pauses.sent();
            let (pause, next) =
                pauses.next(self.with_random(|random| random.random_range(-0.1..=0.1))?);
            match tokio::time::timeout(pause, &mut answer).await {
                Ok(Ok(octets)) => {
                    return Ok(Answer { octets, sent, answered: Instant::now(), transmissions });
                }
                // The reader abandoned the wait.
                Ok(Err(_)) => {
                    let error = ticket.lane.refusal();
                    let earlier = transmissions - 1;
                    return Err(ExchangeError::Refused { server: *server, error, earlier });
                }
                Err(_) if next == Next::Send => {
                    self.shared.count(|counters| counters.retransmissions += 1);
                    self.send(&ticket, buffer, transmissions).await?;
                }
                Err(_) => {
                    self.shared.count(|counters| counters.given_up += 1);
                    let dropped = ticket.dropped();
                    return Err(ExchangeError::Timeout {
                        server: *server,
                        transmissions,
                        sent,
                        dropped,
                    });
                }
            }
        }
    }

    fn with_random<T>(&self, draw: impl FnOnce(&mut ChaCha12Rng) -> T) -> Result<T, ExchangeError> {
        let mut random = self.random.borrow_mut();
        let random = match &mut *random {
            Some(random) => random,
            none => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(|error| ExchangeError::Local {
                    server: self.shared.server,
                    error: io::Error::other(error.to_string()),
                    earlier: 0,
                })?;
                none.insert(ChaCha12Rng::from_seed(seed))
            }
        };
        Ok(draw(random))
    }

    async fn send(
        &self,
        ticket: &Ticket,
        octets: &[u8],
        earlier: u32,
    ) -> Result<(), ExchangeError> {
        let server = self.shared.server;
        ticket.lane.send(octets).await.map_err(|error| match error.kind() {
            kind if lane::is_refusal(kind) => {
                ExchangeError::Refused { server, error: kind, earlier }
            }
            _ => ExchangeError::Local { server, error, earlier },
        })
    }

    /// An identifier to use, on a new socket when all others are in use.
    fn ticket(&self) -> Result<Ticket, ExchangeError> {
        let mut lanes = self.lanes.borrow_mut();
        let start = self.current.get();
        for step in 0..lanes.len() {
            let at = (start + step) % lanes.len();
            let taken = lanes[at].slots.borrow_mut().take();
            if let Some(identifier) = taken {
                self.current.set(at);
                return Ok(Ticket { lane: lanes[at].clone(), identifier });
            }
        }
        let server = self.shared.server;
        let lane = Lane::open(&self.shared).map_err(|error| ExchangeError::Local {
            server,
            error,
            earlier: 0,
        })?;
        let lane = Rc::new(lane);
        lanes.push(lane.clone());
        self.current.set(lanes.len() - 1);
        let identifier = lane.slots.borrow_mut().take().unwrap_or_default();
        Ok(Ticket { lane, identifier })
    }
}
