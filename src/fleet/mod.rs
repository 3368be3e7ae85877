//! The population: virtual keys, the people who hold them, and the oracle that knows from the seeds
//! what a correct server must answer. Pure: told the time, it says what is due next; sends nothing.
//!
//! The oracle never shares code with [`crate::portal`]: shared code would hide one bug in both.

mod expectation;

pub use expectation::{Behaviour, Expectation, Expected, Reason};
