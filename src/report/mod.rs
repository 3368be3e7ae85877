//! What a run came to: counted while it goes on ([`Live`]) or from its record ([`read`]), then
//! shown as text, JSON, one HTML file, HdrHistogram percentile files and an interval log.
//!
//! Everything is built by streaming over observations once; memory grows with the number of keys,
//! not of attempts. Reports never hold a secret: the observations they are built from hold none.

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
mod build;
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
mod chart;
mod collector;
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
mod figures;
mod files;
#[allow(clippy::cast_precision_loss)]
mod hdr;
#[allow(clippy::cast_precision_loss)]
mod html;
mod live;
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
mod number;
mod read;
mod steps;
mod summary;
mod text;
mod timeline;
mod verdict;

pub use collector::{Collector, MixedRuns, Source};
pub use files::{percentile_files, write_all};
pub use hdr::{interval_log, percentile_file};
pub use live::{Counters, Live};
pub use read::{ReportError, read};
pub use steps::StepHistograms;
pub use summary::{
    Attempts, BinPoint, ContradictionEntry, Count, Distribution, IntervalPoint, People,
    ReplayCounts, ReplaySummary, RunState, RunSummary, SecondPoint, StepSummary, Summary, TableRow,
    TimelineSummary, WithinPeriod,
};
pub use verdict::{Outcome, ThresholdResult};

/// The JSON schema of [`Summary`] as [`Summary::to_json`] writes it.
pub const SCHEMA: &str = include_str!("../../docs/report.schema.json");
