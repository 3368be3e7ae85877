//! Sessions: who is how far, by an unguessable name. In memory only: after a restart everybody logs
//! in again, which costs them one code.
//!
//! | stage | entered by | left by |
//! |---|---|---|
//! | `Choose` | step 1 accepted | a good PIN: to `Confirm`, under a new name |
//! | `Confirm` | step 2 accepted | step 3 accepted: to `In`, under a new name; a refusal stays |
//! | `Next` | a code too far out | the code after it: to `Choose` or `In`, under a new name |
//! | `In` | step 3 or a login accepted | logging out |
//!
//! Every stage ends by itself too: initialisation after ten minutes, a session after eight hours of
//! key time. A visitor who is nowhere yet has a name without an entry here, for the form token.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;

use super::pin::PinHash;
use crate::clock::{SECOND, UnixMicros};

const PENDING_FOR: UnixMicros = 600 * SECOND;
const SESSION_FOR: UnixMicros = 8 * 3600 * SECOND;
/// Sessions kept at once; beyond it the oldest ends.
const MOST: usize = 1 << 17;

/// The name of a session: 128 random bits. Whoever knows it is in, so `Debug` hides it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionId([u8; 16]);

impl SessionId {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits)?;
        Ok(Self(bits))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let bits = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bits.try_into().ok().map(Self)
    }

    /// The name that `octets` are.
    pub(super) fn of(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }

    pub(super) fn text(self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId([redacted])")
    }
}

/// How far a visitor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Step 1 done: to choose a PIN.
    Choose,
    /// Step 2 done: to confirm with this PIN and the next code.
    Confirm(PinHash),
    /// Asked for the code after that of this step.
    Next(u64),
    /// Logged in.
    In,
}

#[derive(Debug, Clone, Copy)]
struct Session {
    holder: usize,
    stage: Stage,
    until: UnixMicros,
}

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<SessionId, Session>,
    oldest_first: VecDeque<SessionId>,
}

impl Sessions {
    /// Opens a session of `holder` under a new name.
    pub(super) fn open(
        &self,
        holder: usize,
        stage: Stage,
        now: UnixMicros,
    ) -> Result<SessionId, getrandom::Error> {
        let id = SessionId::random()?;
        let lasts = if stage == Stage::In { SESSION_FOR } else { PENDING_FOR };
        let mut inner = self.lock();
        inner.make_room();
        inner.open.insert(id, Session { holder, stage, until: now.saturating_add(lasts) });
        inner.oldest_first.push_back(id);
        Ok(id)
    }

    /// Whose session it is and how far; `None` when there is none, or it has expired.
    pub(super) fn find(&self, id: SessionId, now: UnixMicros) -> Option<(usize, Stage)> {
        let mut inner = self.lock();
        let session = *inner.open.get(&id)?;
        if now >= session.until {
            inner.open.remove(&id);
            return None;
        }
        Some((session.holder, session.stage))
    }

    /// Ends a session; false when there was none. Of two who end it at once, one is told true.
    pub(super) fn close(&self, id: SessionId) -> bool {
        self.lock().open.remove(&id).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while holding it, and a half-made entry cannot exist.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn make_room(&mut self) {
        while self.open.len() >= MOST {
            let Some(oldest) = self.oldest_first.pop_front() else { break };
            self.open.remove(&oldest);
        }
        if self.oldest_first.len() > 2 * self.open.len() + 1024 {
            let Self { open, oldest_first } = self;
            oldest_first.retain(|id| open.contains_key(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_long_and_differ() {
        let sessions = Sessions::default();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let id = sessions.open(0, Stage::Choose, 0).unwrap();
            assert_eq!(id.text().len(), 22);
            assert!(seen.insert(id.text()));
            assert_eq!(SessionId::parse(&id.text()), Some(id));
        }
        for bad in ["", "x", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(SessionId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_ends_in_its_time() {
        let sessions = Sessions::default();
        let pending = sessions.open(3, Stage::Choose, 0).unwrap();
        let inside = sessions.open(3, Stage::In, 0).unwrap();
        assert_eq!(sessions.find(pending, PENDING_FOR - 1), Some((3, Stage::Choose)));
        assert_eq!(sessions.find(pending, PENDING_FOR), None);
        assert_eq!(sessions.find(inside, PENDING_FOR), Some((3, Stage::In)));
        assert_eq!(sessions.find(inside, SESSION_FOR), None);
        let other = sessions.open(3, Stage::In, 0).unwrap();
        assert!(sessions.close(other));
        assert!(!sessions.close(other));
    }

    #[test]
    fn their_number_is_bounded() {
        let sessions = Sessions::default();
        let first = sessions.open(0, Stage::In, 0).unwrap();
        for _ in 0..MOST {
            sessions.open(1, Stage::In, 0).unwrap();
        }
        assert_eq!(sessions.find(first, 0), None);
        let inner = sessions.lock();
        assert_eq!(inner.open.len(), MOST);
        assert!(inner.oldest_first.len() <= MOST + 1);
    }
}
