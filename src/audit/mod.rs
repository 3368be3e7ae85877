//! Holding what servers answered against what a correct one must: one attempt at a time
//! ([`classify`]), and over a whole run ([`Audit`]).
//!
//! Pure: takes [observations](crate::recorder::Observation), knows no files and no clock. Every
//! attempt ends in exactly one [`Finding`], so that
//! `attempts = confirmed + contradictions + undetermined + faults`. What cannot be known is never
//! called right or wrong: an answer that was lost, or that may have been given outside the span
//! for which the expectation holds, is no evidence.

mod bound;
mod finding;
mod group;
mod ledger;
mod spans;
mod spent;
mod totals;

pub use bound::upper_bound_95;
pub use finding::{Contradiction, Finding, Kind, Why, classify, took};
pub use ledger::Audit;
pub use totals::{Cell, Replays, Totals};
