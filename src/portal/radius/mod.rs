//! The same server over RADIUS (RFC 2865): PAP, and New PIN Mode as a chain of Access-Challenges.
//!
//! ```text
//! Access-Request  User-Password = code           → Access-Challenge "Enter a new PIN …" + State
//!   State, User-Password = PIN                   → Access-Challenge "Please re-enter …" + State
//!   State, User-Password = PIN                   → Access-Challenge "PIN accepted. Wait …" + State
//!   State, User-Password = PIN + next code       → Access-Accept
//! Access-Request  User-Password = PIN + code     → Access-Accept, or Access-Reject
//! ```
//!
//! * A request without a good Message-Authenticator is dropped in silence (RFC 3579 §3.2;
//!   CVE-2024-3596): so is one that does not know the shared secret.
//! * A request sent again is answered with the same octets and not decided again (RFC 5080
//!   §2.2.2): see [`duplicates`].
//! * When the store cannot be written there is no answer: the client will ask again, or elsewhere.

mod conversation;
mod duplicates;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::net::UdpSocket;

use self::conversation::{Conversations, Reply};
use self::duplicates::{Admission, Duplicates};
use super::service::Service;
use crate::radius::{
    Code, MAX_LEN, Packet, SharedSecret, Verification, Writer, dictionary, message_authenticator,
    password,
};
use crate::secret::Secret;

/// Octets that may wait to be read: at the tick of the minute, many come at once.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Where to listen for RADIUS, and the secret of all clients.
#[derive(Debug, Clone)]
pub struct RadiusConfig {
    /// UDP address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The secret that every client shares with this server.
    pub secret: SharedSecret,
}

/// The listener.
#[derive(Debug)]
pub(super) struct Listener {
    socket: UdpSocket,
    secret: SharedSecret,
    service: Arc<Service>,
    conversations: Conversations,
    duplicates: Mutex<Duplicates>,
}

/// Binds the socket; within a runtime.
pub(super) fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    use rustix::net::sockopt;
    let socket = std::net::UdpSocket::bind(addr)?;
    socket.set_nonblocking(true)?;
    // Beyond the system's limit where we may, up to it where we may not: less is slower, not wrong.
    if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
    }
    UdpSocket::from_std(socket)
}

impl Listener {
    pub(super) fn new(socket: UdpSocket, secret: SharedSecret, service: Arc<Service>) -> Self {
        let (conversations, duplicates) = Default::default();
        Self { socket, secret, service, conversations, duplicates }
    }

    /// Answers until its runtime ends.
    pub(super) async fn serve(self: Arc<Self>) {
        let mut datagram = vec![0; MAX_LEN];
        loop {
            match self.socket.recv_from(&mut datagram).await {
                Ok((octets, from)) => self.receive(&datagram[..octets], from),
                // A client that has gone (ICMP) is told here; nobody waits for it.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// Drops what is not sealed, answers what was answered before, and begins the rest.
    fn receive(self: &Arc<Self>, datagram: &[u8], from: SocketAddr) {
        let Ok(request) = Packet::parse(datagram) else { return };
        if !matches!(request.code(), Code::ACCESS_REQUEST | Code::STATUS_SERVER)
            || message_authenticator::verify_request(&request, &self.secret) != Verification::Valid
        {
            return;
        }
        let key = (from, request.identifier());
        let admission = self.duplicates().admit(key, *request.authenticator(), Instant::now());
        match admission {
            Admission::Pending => {}
            // A full send buffer loses a datagram, as the network may: the client asks again.
            Admission::Answered(reply) => drop(self.socket.try_send_to(&reply, from)),
            Admission::New => {
                let (listener, octets) = (self.clone(), request.octets().to_vec());
                tokio::spawn(async move {
                    let reply = listener.answer(&octets).await.map(Arc::<[u8]>::from);
                    let authenticator = duplicates::authenticator(&octets);
                    listener.duplicates().settle(key, authenticator, reply.clone());
                    if let Some(reply) = reply {
                        drop(listener.socket.send_to(&reply, from).await);
                    }
                });
            }
        }
    }

    /// The reply to a request that [`Listener::receive`] has let through; `None` for silence.
    async fn answer(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let request = Packet::parse(octets).ok()?;
        let reply = match request.code() {
            // RFC 5997 §3: it asks whether the server lives, nothing else.
            Code::STATUS_SERVER => Reply::Accept,
            _ => self.decide(&request).await?,
        };
        let (code, text, state) = match &reply {
            Reply::Accept => (Code::ACCESS_ACCEPT, None, None),
            Reply::Reject => (Code::ACCESS_REJECT, None, None),
            Reply::Challenge { text, state } => {
                (Code::ACCESS_CHALLENGE, Some(*text), Some(state.octets()))
            }
        };
        let mut buffer = Vec::with_capacity(160);
        let mut writer = Writer::reply(&mut buffer, code, &request).ok()?;
        writer.push_text(dictionary::REPLY_MESSAGE, text.unwrap_or_default()).ok()?;
        writer.push(dictionary::STATE, state.unwrap_or_default()).ok()?;
        writer.finish(&self.secret);
        Some(buffer)
    }

    async fn decide(&self, request: &Packet<'_>) -> Option<Reply> {
        let user = request.first(dictionary::USER_NAME).unwrap_or_default();
        let user = String::from_utf8_lossy(user);
        // PAP only: with CHAP the server would have to keep PINs in clear.
        let Some(hidden) = request.first(dictionary::USER_PASSWORD) else {
            return Some(Reply::Reject);
        };
        let password = password::reveal(hidden, request.authenticator(), &self.secret).ok()?;
        let state = request.first(dictionary::STATE);
        let password = Secret::from(password.as_slice());
        self.conversations.turn(&self.service, &user, password, state).await.ok()
    }

    fn duplicates(&self) -> std::sync::MutexGuard<'_, Duplicates> {
        // Nothing panics while holding it.
        self.duplicates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
