//! How one kind of server is talked to, and how its answers are to be read, as data
//! (`scenarios/targets/NAME.toml`). Pure: renders requests and judges answers, performs neither;
//! knows nothing of time, keys or people. May use [`crate::definition`]; no I/O may come in.

mod operation;
mod policy;
mod verdict;

pub use operation::Operation;
pub use policy::{ClockSource, PinPosition, Policy};
pub use verdict::Verdict;

use crate::definition::{Definition, DefinitionError, Library};

/// The targets in the binary and in the user's folder.
pub const LIBRARY: Library = Library { kind: "target", folder: "targets", embedded: &[] };

/// A compiled target.
#[derive(Debug)]
pub struct Target {
    /// Name, as in `--target`.
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// What the server declares about itself.
    pub policy: Policy,
}

/// What a person types; templates name the fields.
#[derive(Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// `{user}`
    pub user: &'a str,
    /// `{code}`: the digits of the key alone
    pub code: &'a str,
    /// `{pin}`
    pub pin: &'a str,
    /// `{passcode}`: PIN and code in the order of the policy
    pub passcode: &'a str,
    /// `{new_pin}`
    pub new_pin: &'a str,
    /// `{new_pin_confirmation}`
    pub new_pin_confirmation: &'a str,
}

impl Target {
    /// Compiles a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] with file, line and column.
    pub fn load(_definition: &Definition) -> Result<Self, DefinitionError> {
        todo!("lands in a moment")
    }

    /// Whether the server has this operation.
    #[must_use]
    pub fn has(&self, _operation: Operation) -> bool {
        todo!("lands in a moment")
    }

    /// Whether the operation begins with a page to open.
    #[must_use]
    pub fn has_open(&self, _operation: Operation) -> bool {
        todo!("lands in a moment")
    }
}
