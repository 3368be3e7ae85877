//! One thing that a person is about to do, and what is typed for it.

use zeroize::Zeroizing;

use super::{Attempt, Behaviour, Credential};
use crate::clock::UnixMicros;
use crate::target::{Inputs, Operation};

/// What is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// When, key time.
    pub due: UnixMicros,
    /// In which browser.
    pub browser: Browser,
    /// What is asked of the server.
    pub operation: Operation,
    /// What is sent; `None` when only the page is opened.
    pub send: Option<Send>,
}

/// A browser of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// Begin with a fresh one, without cookies: "from any workstation".
    Fresh,
    /// The one in use.
    Same,
    /// A fresh second one beside the one in use.
    FreshAside,
    /// The second one.
    Aside,
}

/// What a person sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Send {
    /// Code or none.
    pub credential: Credential,
    /// Whether the PIN is typed right.
    pub pin_right: bool,
    /// How the person behaves.
    pub behaviour: Behaviour,
    /// How many times at once: 2 for a double click.
    pub times: u32,
}

impl Deed {
    /// How the person behaves.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        self.send.map_or(Behaviour::Careful, |send| send.behaviour)
    }

    /// Time step of the code sent; `None` when no code is, or a mistyped one.
    #[must_use]
    pub fn counter(&self) -> Option<u64> {
        match self.send?.credential {
            Credential::Step(step) => Some(step),
            Credential::None | Credential::Wrong(_) => None,
        }
    }
}

/// What is typed for one attempt; wiped on drop.
#[derive(Default)]
pub struct Typed {
    pub(super) code: Zeroizing<String>,
    pub(super) pin: Zeroizing<String>,
    pub(super) passcode: Zeroizing<String>,
}

impl Typed {
    /// As the templates of a target want it.
    #[must_use]
    pub fn inputs<'a>(&'a self, user: &'a str) -> Inputs<'a> {
        Inputs {
            user,
            code: &self.code,
            pin: &self.pin,
            passcode: &self.passcode,
            new_pin: &self.pin,
            new_pin_confirmation: &self.pin,
        }
    }
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed([redacted])")
    }
}

pub(super) fn plain(credential: Credential) -> Send {
    Send { credential, pin_right: true, behaviour: Behaviour::Careful, times: 1 }
}

pub(super) fn attempt(deed: &Deed) -> Attempt {
    let send = deed.send.unwrap_or(plain(Credential::None));
    Attempt { operation: deed.operation, credential: send.credential, pin_right: send.pin_right }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shows_a_pin() {
        let typed = Typed { pin: "9k4x".to_owned().into(), ..Typed::default() };
        assert_eq!(format!("{typed:?}"), "Typed([redacted])");
    }
}
