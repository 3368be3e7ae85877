//! The record of a run: plain observations, one per attempt, in files from which every report can
//! be rebuilt, merged and compared. Knows nothing of HTTP, keys or people.
//!
//! A record is a folder with two files: `run.json`, a [`RunInfo`] (what was run and against
//! what), and `attempts.csv`, one [`Observation`] per line (columns: [`COLUMNS`]). Neither ever
//! holds a secret: no code, no PIN, no seed.

mod error;
mod line;
mod observation;
mod reader;
mod run;
mod writer;

pub use crate::fleet::{Behaviour, Expectation, Expected, Reason};
pub use crate::target::Verdict;
pub use error::RecorderError;
pub use line::COLUMNS;
pub use observation::{Fault, Observation, Step};
pub use reader::RunReader;
pub use run::{
    ClockEvent, ClockEventKind, ClockInfo, Datagrams, GeneratorInfo, RunInfo, ThresholdInfo,
};
pub use writer::RunWriter;

#[cfg(test)]
pub(crate) use run::tests::run_info as run_info_for_tests;

use serde::{Deserialize, Serialize};

/// Name of the head of a record.
pub const HEAD_FILE: &str = "run.json";
/// Name of the file of attempts.
pub const ATTEMPTS_FILE: &str = "attempts.csv";

/// How much of a finished run its record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Completeness {
    /// Attempts in `attempts.csv`.
    pub attempts: u64,
    /// Attempts made but not in it, because the disk was full or failed.
    pub lost: u64,
}

/// What `run.json` holds: the run, and once it is finished, how much of it was recorded.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    #[serde(flatten)]
    run: RunInfo,
    #[serde(default)]
    record: Option<Completeness>,
}
