//! One socket, the task that reads from it, and the use of one of its identifiers.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::slots::Slots;
use super::{Counters, Dropped, Options};
use crate::radius::MAX_LEN;

/// What all lanes of a client share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) server: SocketAddr,
    pub(super) options: Options,
    pub(super) counters: Cell<Counters>,
}

impl Shared {
    pub(super) fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// Whether anything at all has answered: from then on, a refusal is a server that is down
    /// for a moment, and retransmission is the remedy.
    fn has_answered(&self) -> bool {
        self.counters.get().answers > 0
    }
}

/// One connected socket and its identifiers.
#[derive(Debug)]
pub(super) struct Lane {
    shared: Rc<Shared>,
    socket: Rc<UdpSocket>,
    pub(super) slots: Rc<RefCell<Slots>>,
    refused: Rc<Cell<io::ErrorKind>>,
    reader: JoinHandle<()>,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Lane {
    /// Opens a socket with a port of its own. Must be called within a `LocalSet`.
    pub(super) fn open(shared: &Rc<Shared>) -> io::Result<Self> {
        let any: SocketAddr = match shared.server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = std::net::UdpSocket::bind(any)?;
        socket.connect(shared.server)?;
        socket.set_nonblocking(true)?;
        let socket = Rc::new(UdpSocket::from_std(socket)?);
        let slots = Rc::new(RefCell::new(Slots::new()));
        let refused = Rc::new(Cell::new(io::ErrorKind::ConnectionRefused));
        let reader = tokio::task::spawn_local(read(
            shared.clone(),
            socket.clone(),
            slots.clone(),
            refused.clone(),
        ));
        Ok(Self { shared: shared.clone(), socket, slots, refused, reader })
    }

    /// Sends `octets`. An error that the network reports for an earlier datagram is counted and
    /// not taken for this one's.
    pub(super) async fn send(&self, octets: &[u8]) -> io::Result<()> {
        match self.socket.send(octets).await {
            Err(error) if is_refusal(error.kind()) => {
                self.shared.count(|counters| counters.refused += 1);
                if !self.shared.has_answered() {
                    return Err(error);
                }
                self.socket.send(octets).await.map(drop)
            }
            sent => sent.map(drop),
        }
    }

    /// What the network said when it brought a request back.
    pub(super) fn refusal(&self) -> io::ErrorKind {
        self.refused.get()
    }
}

/// Whether the error tells of the network or the server, not of this machine.
pub(super) fn is_refusal(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(kind, ConnectionRefused | HostUnreachable | NetworkUnreachable)
}

async fn read(
    shared: Rc<Shared>,
    socket: Rc<UdpSocket>,
    slots: Rc<RefCell<Slots>>,
    refused: Rc<Cell<io::ErrorKind>>,
) {
    let mut datagram = vec![0; MAX_LEN];
    loop {
        match socket.recv(&mut datagram).await {
            Ok(octets) => {
                let mut counters = shared.counters.get();
                slots.borrow_mut().receive(
                    &datagram[..octets],
                    &shared.options.secret,
                    shared.options.require_message_authenticator,
                    &mut counters,
                );
                shared.counters.set(counters);
            }
            Err(error) => {
                shared.count(|counters| counters.refused += 1);
                refused.set(error.kind());
                if !shared.has_answered() {
                    slots.borrow_mut().abandon();
                }
                // An error that stays must not starve the other tasks of this thread.
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The use of one identifier; dropping it lets the identifier rest.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) lane: Rc<Lane>,
    pub(super) identifier: u8,
}

impl Ticket {
    /// Why an answer to this request was dropped, if one was.
    pub(super) fn dropped(&self) -> Option<Dropped> {
        self.lane.slots.borrow().dropped(self.identifier)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.lane.slots.borrow_mut().release(self.identifier);
    }
}
