//! The 256 identifiers of one socket: which are pending, and to whom an answer belongs.
//!
//! | state | answer arrives | goes to |
//! |---|---|---|
//! | pending, genuine answer | handed over | answered |
//! | pending, given up | – | given up |
//! | answered, genuine answer again | duplicate | answered |
//! | given up, genuine answer | late | answered |
//! | any, answer not genuine | dropped, state unchanged | |
//!
//! An identifier is taken again only when it is no longer pending, and the one that has rested
//! longest first (RFC 5080 §2.2.2), so that a late answer meets its own request's traces as long
//! as possible: the former request of an identifier is remembered beside the present one.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::counters::Counters;
use crate::radius::{
    Authenticator, Packet, SharedSecret, Verification, authenticator, message_authenticator,
};

/// Identifiers of one socket.
pub(super) const IDENTIFIERS: usize = 256;

/// Why an answer to a pending request was dropped: the likely cause of a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Wrong Response Authenticator.
    BadAuthenticator,
    /// Wrong Message-Authenticator.
    BadMessageAuthenticator,
    /// No Message-Authenticator.
    NoMessageAuthenticator,
}

/// One request, as far as its answers go.
#[derive(Debug)]
struct Asked {
    authenticator: Authenticator,
    waiting: Option<oneshot::Sender<Vec<u8>>>,
    answered: bool,
    dropped: Option<Dropped>,
}

/// The identifiers of one socket.
#[derive(Debug)]
pub(super) struct Slots {
    present: Vec<Option<Asked>>,
    former: Vec<Option<Asked>>,
    /// Least recently used first.
    free: VecDeque<u8>,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self {
            present: std::iter::repeat_with(|| None).take(IDENTIFIERS).collect(),
            former: std::iter::repeat_with(|| None).take(IDENTIFIERS).collect(),
            free: (0..=u8::MAX).collect(),
        }
    }

    /// Takes the identifier that has rested longest; `None` when all are pending.
    pub(super) fn take(&mut self) -> Option<u8> {
        self.free.pop_front()
    }

    /// Makes `identifier` pending for the request with `authenticator`; the answer comes through
    /// the receiver.
    pub(super) fn ask(
        &mut self,
        identifier: u8,
        authenticator: Authenticator,
    ) -> oneshot::Receiver<Vec<u8>> {
        let (sender, receiver) = oneshot::channel();
        let asked = Asked { authenticator, waiting: Some(sender), answered: false, dropped: None };
        let slot = usize::from(identifier);
        self.former[slot] = self.present[slot].replace(asked);
        receiver
    }

    /// Ends the wait for an answer and lets `identifier` rest.
    pub(super) fn release(&mut self, identifier: u8) {
        self.free.push_back(identifier);
        if let Some(asked) = self.present[usize::from(identifier)].as_mut() {
            asked.waiting = None;
        }
    }

    /// Why an answer to the present request of `identifier` was dropped, if one was.
    pub(super) fn dropped(&self, identifier: u8) -> Option<Dropped> {
        self.present[usize::from(identifier)].as_ref()?.dropped
    }

    /// Drops what cannot be trusted, counts it by kind, and hands over what can.
    pub(super) fn receive(
        &mut self,
        datagram: &[u8],
        secret: &SharedSecret,
        require_message_authenticator: bool,
        counters: &mut Counters,
    ) {
        let packet = match Packet::parse(datagram) {
            Ok(packet) if packet.code().is_access_reply() => packet,
            _ => {
                counters.malformed += 1;
                return;
            }
        };
        let slot = usize::from(packet.identifier());
        if self.present[slot].is_none() {
            counters.unsolicited += 1;
            return;
        }
        let genuine =
            |asked: &&mut Asked| authenticator::verify(&packet, &asked.authenticator, secret);
        let candidates = [self.present[slot].as_mut(), self.former[slot].as_mut()];
        let Some(asked) = candidates.into_iter().flatten().find(|asked| genuine(asked)) else {
            counters.bad_authenticator += 1;
            self.note(slot, Dropped::BadAuthenticator);
            return;
        };
        match message_authenticator::verify_reply(&packet, &asked.authenticator, secret) {
            Verification::Invalid => {
                counters.bad_message_authenticator += 1;
                asked.dropped = Some(Dropped::BadMessageAuthenticator);
                return;
            }
            Verification::Absent if require_message_authenticator => {
                counters.no_message_authenticator += 1;
                asked.dropped = Some(Dropped::NoMessageAuthenticator);
                return;
            }
            Verification::Absent | Verification::Valid => {}
        }
        match asked.waiting.take() {
            Some(waiting) => {
                counters.answers += 1;
                // Nobody waits any more when the run ended at this very moment.
                let _ = waiting.send(packet.octets().to_vec());
            }
            None if asked.answered => counters.duplicates += 1,
            None => counters.late += 1,
        }
        asked.answered = true;
    }

    fn note(&mut self, slot: usize, dropped: Dropped) {
        if let Some(asked) = self.present[slot].as_mut() {
            asked.dropped = Some(dropped);
        }
    }

    /// Ends every wait without an answer.
    pub(super) fn abandon(&mut self) {
        for asked in self.present.iter_mut().flatten() {
            asked.waiting = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::radius::{Code, Writer};
    use crate::secret::Secret;

    fn secret() -> SharedSecret {
        SharedSecret::new(Secret::new(b"xyzzy5461".to_vec())).unwrap()
    }

    fn answer(code: Code, identifier: u8, authenticator: Authenticator) -> Vec<u8> {
        let (mut request, mut reply) = (Vec::new(), Vec::new());
        Writer::request(&mut request, Code::ACCESS_REQUEST, identifier, &authenticator)
            .finish(&secret());
        Writer::reply(&mut reply, code, &Packet::parse(&request).unwrap())
            .unwrap()
            .finish(&secret());
        reply
    }

    struct Bench {
        slots: Slots,
        counters: Counters,
    }

    impl Bench {
        fn new() -> Self {
            Self { slots: Slots::new(), counters: Counters::default() }
        }

        fn receive(&mut self, datagram: &[u8]) {
            self.slots.receive(datagram, &secret(), true, &mut self.counters);
        }
    }

    #[test]
    fn only_the_genuine_answer_is_handed_over() {
        let mut bench = Bench::new();
        let identifier = bench.slots.take().unwrap();
        let mut waiting = bench.slots.ask(identifier, [1; 16]);
        // Forged: made for another request; then one octet changed; then not an answer; garbage.
        bench.receive(&answer(Code::ACCESS_ACCEPT, identifier, [2; 16]));
        let genuine = answer(Code::ACCESS_REJECT, identifier, [1; 16]);
        let mut turned = genuine.clone();
        turned[0] = Code::ACCESS_ACCEPT.0;
        bench.receive(&turned);
        bench.receive(&answer(Code::ACCESS_REQUEST, identifier, [1; 16]));
        bench.receive(b"not RADIUS");
        bench.receive(&answer(Code::ACCESS_ACCEPT, 77, [1; 16]));
        assert!(waiting.try_recv().is_err());
        bench.receive(&genuine);
        assert_eq!(waiting.try_recv().unwrap(), genuine);
        bench.receive(&genuine);
        assert_eq!(
            bench.counters,
            Counters {
                answers: 1,
                bad_authenticator: 2,
                malformed: 2,
                unsolicited: 1,
                duplicates: 1,
                ..Default::default()
            }
        );
    }

    #[test]
    fn a_late_answer_is_known_even_when_its_identifier_is_in_use_again() {
        let mut bench = Bench::new();
        let first = bench.slots.take().unwrap();
        drop(bench.slots.ask(first, [1; 16]));
        bench.slots.release(first);
        for _ in 0..255 {
            let rested = bench.slots.take().unwrap();
            assert_ne!(rested, first, "the identifier that rested longest comes first");
            bench.slots.release(rested);
        }
        assert_eq!(bench.slots.take(), Some(first));
        let mut waiting = bench.slots.ask(first, [2; 16]);
        bench.receive(&answer(Code::ACCESS_ACCEPT, first, [1; 16]));
        bench.receive(&answer(Code::ACCESS_ACCEPT, first, [1; 16]));
        assert!(waiting.try_recv().is_err());
        let counters = Counters { late: 1, duplicates: 1, ..Default::default() };
        assert_eq!(bench.counters, counters);
    }

    #[test]
    fn a_pending_identifier_is_not_taken_twice() {
        let mut slots = Slots::new();
        let mut taken: Vec<u8> = std::iter::from_fn(|| slots.take()).collect();
        assert_eq!(taken.len(), IDENTIFIERS);
        taken.dedup();
        assert_eq!(taken.len(), IDENTIFIERS);
        slots.release(9);
        assert_eq!(slots.take(), Some(9));
        assert_eq!(slots.take(), None);
    }

    #[test]
    fn a_missing_or_wrong_message_authenticator_is_told_when_giving_up() {
        let mut bench = Bench::new();
        let identifier = bench.slots.take().unwrap();
        let _waiting = bench.slots.ask(identifier, [1; 16]);
        // A genuine Response Authenticator over a bare reject, as FreeRADIUS 3.2.1 sends it.
        let mut bare = vec![3, identifier, 0, 20];
        let digest = {
            use md5::Digest;
            let mut hashed = bare.clone();
            hashed.extend([1; 16]);
            hashed.extend(b"xyzzy5461");
            md5::Md5::digest(hashed)
        };
        bare.extend(digest);
        bench.receive(&bare);
        assert_eq!(bench.counters.no_message_authenticator, 1);
        assert_eq!(bench.slots.dropped(identifier), Some(Dropped::NoMessageAuthenticator));
    }
}
