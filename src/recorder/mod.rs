//! The record of a run: plain observations, one per attempt, in files from which every report can
//! be rebuilt, merged and compared. Knows nothing of HTTP, keys or people.

mod observation;
mod run;

pub use crate::target::Verdict;
pub use observation::{Behaviour, Expectation, Expected, Fault, Observation, Reason, Step};
pub use run::{ClockInfo, GeneratorInfo, RunInfo, ThresholdInfo};
