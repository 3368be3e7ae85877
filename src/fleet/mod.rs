//! The population: virtual keys, the people who hold them, and the oracle that knows from the seeds
//! what a correct server must answer. Pure: told the time, it says what is due next; sends nothing.
//!
//! The oracle never shares code with [`crate::portal`]: shared code would hide one bug in both.

mod deed;
mod expectation;
mod key;
#[cfg(test)]
mod model;
mod oracle;
mod person;
mod rules;
mod world;

pub use deed::{Browser, Deed, Send, Typed};
pub use expectation::{Behaviour, Expectation, Expected, Reason};
pub use key::VirtualKey;
pub use oracle::{Acted, Attempt, Credential, Heard, Oracle};
pub use person::Person;
pub use rules::Rules;
pub use world::World;
