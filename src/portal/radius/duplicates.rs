//! The same request twice is one request (RFC 5080 §2.2.2).
//!
//! A client that hears nothing sends the same octets again. Deciding again would refuse the code
//! as a replay although its holder did nothing wrong, so the first answer is kept a while and
//! given again. Requests are the same when source address, source port, identifier *and* Request
//! Authenticator are: an identifier that comes with another authenticator is a new request.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::radius::{Authenticator, HEADER_LEN};

/// How long an answer is kept: RFC 5080 asks for 5 to 30 seconds.
const KEEP: Duration = Duration::from_secs(10);
/// Requests remembered at most; beyond it the oldest are forgotten early.
const MOST: usize = 1 << 18;

/// Source address and port, and identifier.
pub(super) type Key = (SocketAddr, u8);

/// How to treat a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Admission {
    /// Never seen: decide.
    New,
    /// Being decided: the answer is on its way.
    Pending,
    /// Decided: this was the answer.
    Answered(Arc<[u8]>),
}

#[derive(Debug)]
struct Entry {
    authenticator: Authenticator,
    reply: Option<Arc<[u8]>>,
    since: Instant,
}

/// The requests of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    entries: HashMap<Key, Entry>,
    oldest_first: VecDeque<(Instant, Key)>,
}

impl Duplicates {
    pub(super) fn admit(
        &mut self,
        key: Key,
        authenticator: Authenticator,
        now: Instant,
    ) -> Admission {
        self.forget(now);
        match self.entries.get(&key) {
            Some(entry) if entry.authenticator == authenticator => {
                entry.reply.clone().map_or(Admission::Pending, Admission::Answered)
            }
            _ => {
                self.entries.insert(key, Entry { authenticator, reply: None, since: now });
                self.oldest_first.push_back((now, key));
                Admission::New
            }
        }
    }

    /// Keeps the answer; without one the request is forgotten, so that it can be decided when it
    /// comes again.
    pub(super) fn settle(
        &mut self,
        key: Key,
        authenticator: Authenticator,
        reply: Option<Arc<[u8]>>,
    ) {
        let Some(entry) = self.entries.get_mut(&key) else { return };
        if entry.authenticator != authenticator {
            return;
        }
        if reply.is_some() {
            entry.reply = reply;
        } else {
            self.entries.remove(&key);
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(&(since, key)) = self.oldest_first.front() {
            if now.saturating_duration_since(since) < KEEP && self.oldest_first.len() < MOST {
                break;
            }
            self.oldest_first.pop_front();
            if self.entries.get(&key).is_some_and(|entry| entry.since == since) {
                self.entries.remove(&key);
            }
        }
    }
}

/// The Request Authenticator of a packet that was found right.
pub(super) fn authenticator(octets: &[u8]) -> Authenticator {
    let mut authenticator = Authenticator::default();
    authenticator.copy_from_slice(&octets[4..HEADER_LEN]);
    authenticator
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(port: u16) -> Key {
        (SocketAddr::from(([127, 0, 0, 1], port)), 7)
    }

    #[test]
    fn the_same_request_gets_the_same_answer_until_it_is_forgotten() {
        let mut duplicates = Duplicates::default();
        let start = Instant::now();
        let reply: Arc<[u8]> = Arc::from(&b"answer"[..]);
        assert_eq!(duplicates.admit(key(1), [1; 16], start), Admission::New);
        assert_eq!(duplicates.admit(key(1), [1; 16], start), Admission::Pending);
        duplicates.settle(key(1), [1; 16], Some(reply.clone()));
        let later = start + KEEP - Duration::from_millis(1);
        assert_eq!(duplicates.admit(key(1), [1; 16], later), Admission::Answered(reply));
        assert_eq!(duplicates.admit(key(1), [1; 16], start + KEEP), Admission::New);
    }

    #[test]
    fn another_port_or_authenticator_is_another_request() {
        let mut duplicates = Duplicates::default();
        let now = Instant::now();
        assert_eq!(duplicates.admit(key(1), [1; 16], now), Admission::New);
        assert_eq!(duplicates.admit(key(2), [1; 16], now), Admission::New);
        assert_eq!(duplicates.admit(key(1), [2; 16], now), Admission::New);
        // The answer to the request that lost its identifier is not given to the new one.
        duplicates.settle(key(1), [1; 16], Some(Arc::from(&b"old"[..])));
        assert_eq!(duplicates.admit(key(1), [2; 16], now), Admission::Pending);
    }

    #[test]
    fn what_could_not_be_decided_may_come_again() {
        let mut duplicates = Duplicates::default();
        let now = Instant::now();
        duplicates.admit(key(1), [1; 16], now);
        duplicates.settle(key(1), [1; 16], None);
        assert_eq!(duplicates.admit(key(1), [1; 16], now), Admission::New);
    }

    #[test]
    fn the_memory_is_bounded() {
        let mut duplicates = Duplicates::default();
        let now = Instant::now();
        for port in 0..=u16::MAX {
            for identifier in 0..5 {
                duplicates.admit((key(port).0, identifier), [0; 16], now);
            }
        }
        assert!(duplicates.entries.len() <= MOST);
        assert!(duplicates.oldest_first.len() <= MOST);
    }
}
