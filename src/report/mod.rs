//! What a run came to: counted while it goes on ([`Live`]) or from its record ([`read()`]), then
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

#[cfg(test)]
mod tests {
    use super::SCHEMA;
    use crate::audit::{Kind, Why};
    use crate::recorder::{Behaviour, Expected, Fault, Reason, Step, Verdict};
    use serde_json::Value;

    #[test]
    fn the_schema_knows_every_name() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let of = |place: &str| -> Vec<String> {
            let names = schema.pointer(&format!("{place}/enum")).and_then(Value::as_array);
            let names = names.unwrap_or_else(|| panic!("{place} has no names"));
            names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        fn all<T: ToString>(values: &[T]) -> Vec<String> {
            values.iter().map(ToString::to_string).collect()
        }
        for entry in ["/$defs/contradiction", "/$defs/cell"] {
            assert_eq!(of(&format!("{entry}/properties/expected")), all(Expected::ALL));
            assert_eq!(of(&format!("{entry}/properties/reason")), all(Reason::ALL));
            assert_eq!(of(&format!("{entry}/properties/verdict")), all(Verdict::ALL));
        }
        let found = "/$defs/contradiction/properties";
        assert_eq!(of(&format!("{found}/kind")), all(Kind::ALL));
        assert_eq!(of(&format!("{found}/step")), all(Step::ALL));
        assert_eq!(of(&format!("{found}/behaviour")), all(Behaviour::ALL));
        assert_eq!(of("/$defs/step/properties/step"), all(Step::ALL));
        assert_eq!(of("/properties/outcome"), all(super::Outcome::ALL));
        let counted = |list: &str| of(&format!("/properties/{list}/items/properties/name"));
        assert_eq!(counted("faults"), all(Fault::ALL));
        assert_eq!(counted("undetermined"), all(Why::ALL));
        assert_eq!(counted("kinds"), all(Kind::ALL));
    }
}
