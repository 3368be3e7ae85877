//! What one person's browser remembers from one exchange to the next.

use std::fmt;

use super::cookies::Jar;

/// Cookies and values taken from answers. A clone is a second window of the same browser.
#[derive(Clone, Default)]
pub struct Session {
    pub(super) jar: Jar,
    /// By index into the target's names; shorter when nothing was taken yet.
    pub(super) captured: Vec<Option<Box<[u8]>>>,
}

impl Session {
    /// Forgets everything, as a new browser.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = self.captured.iter().flatten().count();
        write!(f, "Session({} cookies, {taken} values)", self.jar.len())
    }
}
