//! The result of a test as data: what every form of the report is made of, and, serialised, the
//! JSON report (its schema: [`super::SCHEMA`]).

use serde::Serialize;

use super::collector::Collector;
use super::steps::{PerStep, StepHistograms};
use super::timeline::Timeline;
use super::verdict::{Outcome, ThresholdResult};
use super::{build, verdict};
use crate::recorder::{ClockEvent, Completeness, Datagrams, GeneratorInfo, Step};

/// The result of one run, or of several that are one test.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Number of the schema: 1.
    pub report_schema: u32,
    /// Version of this program that made the report.
    pub trousseau: &'static str,
    /// The worst that applies.
    #[serde(serialize_with = "build::name")]
    pub outcome: Outcome,
    /// The verdict in one sentence.
    pub headline: String,
    /// What a reader must know before the figures: interruptions, gaps in the record.
    pub warnings: Vec<String>,
    /// What was run and against what.
    pub runs: Vec<RunSummary>,
    /// How far the people came.
    pub people: People,
    /// Every attempt, by what it proves.
    pub attempts: Attempts,
    /// Codes sent again.
    pub replays: ReplaySummary,
    /// Limits and what came.
    pub thresholds: Vec<ThresholdResult>,
    /// Expectation against verdict; the cells that hold anything.
    pub table: Vec<TableRow>,
    /// Why attempts prove nothing.
    pub undetermined: Vec<Count>,
    /// Faults by class.
    pub faults: Vec<Count>,
    /// Contradictions by kind.
    pub kinds: Vec<Count>,
    /// Per step: latency, service time, lateness.
    pub steps: Vec<StepSummary>,
    /// Arrivals, answers, faults and latency over time.
    pub timeline: TimelineSummary,
    /// Arrivals and latency by the time since the keys' last tick.
    pub within_period: WithinPeriod,
    /// Every contradiction.
    pub contradictions: Vec<ContradictionEntry>,
    #[serde(skip)]
    pub(super) histograms: PerStep,
    #[serde(skip)]
    pub(super) series: Option<Timeline>,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct RunSummary {
    /// Folder of the record it was read from.
    pub folder: Option<String>,
    /// Complete, interrupted, or incomplete.
    #[serde(serialize_with = "build::name")]
    pub state: RunState,
    /// Version of the program that ran it.
    pub trousseau: String,
    /// Scenario.
    pub scenario: String,
    /// SHA-256 of its text.
    pub scenario_sha256: String,
    /// Target.
    pub target: String,
    /// SHA-256 of its text.
    pub target_sha256: String,
    /// Address of the server.
    pub url: String,
    /// People simulated.
    pub users: u32,
    /// Seed of the population.
    pub seed: u64,
    /// Wall time at the start, RFC 3339.
    pub started: String,
    /// Wall time at the end.
    pub finished: Option<String>,
    /// Signal that ended it early.
    pub interrupted: Option<u8>,
    /// Seconds of key time per real second.
    pub clock_rate: f64,
    /// Key time at the start, RFC 3339.
    pub key_time_at_start: String,
    /// Server's clock minus ours, milliseconds of key time, when measured.
    pub server_offset_ms: Option<f64>,
    /// Allowance for that difference, milliseconds of key time.
    pub uncertainty_ms: f64,
    /// Period of the keys, seconds.
    pub period: u32,
    /// What its record holds; `null` when it was never finished.
    pub record: Option<Completeness>,
    /// Whether the record's last line was cut.
    pub truncated: bool,
    /// What the load generator used.
    pub generator: Option<GeneratorInfo>,
    /// What happened to the clock of the generating machine.
    pub clock_events: Vec<ClockEvent>,
    /// RADIUS datagrams by kind; empty over HTTP.
    pub datagrams: Vec<Datagrams>,
}

crate::named::named! {
    /// How whole a run is.
    RunState {
        /// To its end.
        Complete = "complete",
        /// Ended early by a signal; what was done is here.
        Interrupted = "interrupted",
        /// Still going on, or killed: what was written by then is here.
        Incomplete = "incomplete",
    }
}

/// How far the people came.
#[derive(Debug, Clone, Serialize)]
pub struct People {
    /// In the rosters of the runs.
    pub simulated: u64,
    /// Made at least one attempt.
    pub seen: u64,
    /// Went through all three steps.
    pub initialised: u64,
    /// Logged in at least once.
    pub logged_in: u64,
    /// Logins accepted.
    pub logins: u64,
    /// Keys that were too far out and whose next code was then taken.
    pub resynchronised: u64,
}

/// `total` = the four below it, exactly; `unsent` and `unrecorded` are beside it.
#[derive(Debug, Clone, Serialize)]
pub struct Attempts {
    /// Attempts made.
    pub total: u64,
    /// Answered as they must be.
    pub confirmed: u64,
    /// Answered as a correct server must not.
    pub contradictions: u64,
    /// Proving nothing.
    pub undetermined: u64,
    /// Without a usable answer.
    pub faults: u64,
    /// Due, but not sent by the end of the run.
    pub unsent: u64,
    /// Made, but missing from the record.
    pub unrecorded: u64,
    /// Real seconds of the longest run.
    pub seconds: f64,
    /// Attempts per real second, on average.
    pub per_second: f64,
}

/// Codes sent again, answered and decided.
#[derive(Debug, Clone, Serialize)]
pub struct ReplaySummary {
    /// All.
    pub sent: u64,
    /// Of these, taken by the server.
    pub accepted: u64,
    /// 95 % upper bound of the probability that a replay is taken, 0 to 1.
    pub upper_bound_95: Option<f64>,
    /// One after the other.
    pub sequential: ReplayCounts,
    /// At the same time: all of a group but one.
    pub concurrent: ReplayCounts,
}

/// Replays of one way.
#[derive(Debug, Clone, Serialize)]
pub struct ReplayCounts {
    /// Answered and decided.
    pub sent: u64,
    /// Of these, taken.
    pub accepted: u64,
}

/// A cell of expectation against verdict.
#[derive(Debug, Clone, Serialize)]
pub struct TableRow {
    /// What had to come.
    pub expected: &'static str,
    /// Why.
    pub reason: &'static str,
    /// What came.
    pub verdict: &'static str,
    /// Attempts.
    pub attempts: u64,
    /// Of these, confirmed.
    pub confirmed: u64,
    /// Of these, contradictions.
    pub contradictions: u64,
    /// Of these, undetermined.
    pub undetermined: u64,
    /// Of these, faults.
    pub faults: u64,
}

/// A class and how many.
#[derive(Debug, Clone, Serialize)]
pub struct Count {
    /// The class.
    pub name: &'static str,
    /// How many.
    pub count: u64,
}

/// One step of the person's way.
#[derive(Debug, Clone, Serialize)]
pub struct StepSummary {
    /// The step.
    pub step: &'static str,
    /// Attempts, faults included.
    pub attempts: u64,
    /// From due to answer.
    pub latency: Option<Distribution>,
    /// From sent to answer.
    pub service: Option<Distribution>,
    /// From due to sent.
    pub lateness: Option<Distribution>,
}

/// A distribution of times, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Distribution {
    pub count: u64,
    pub mean_ms: f64,
    pub min_ms: f64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub max_ms: f64,
}

/// Over time, from the tick of the keys before the start of the run.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineSummary {
    /// Width of a bin, seconds of key time.
    pub bin_seconds: f64,
    /// Seconds of key time per real second.
    pub clock_rate: f64,
    /// The bins, none left out.
    pub bins: Vec<BinPoint>,
    /// Width of an interval, seconds of key time.
    pub interval_seconds: f64,
    /// Latency, in intervals that hold any.
    pub latency: Vec<IntervalPoint>,
}

/// One bin.
#[derive(Debug, Clone, Serialize)]
pub struct BinPoint {
    /// Start, seconds of key time.
    pub at: f64,
    /// Attempts due.
    pub due: u64,
    /// Of these by step, in the order of `steps`' names: open, first-code, new-pin, confirm,
    /// login, logout.
    pub due_by_step: Vec<u64>,
    /// Answers.
    pub answered: u64,
    /// Attempts given up.
    pub faults: u64,
}

/// Latency in one interval, all steps together.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct IntervalPoint {
    /// Start, seconds of key time.
    pub at: f64,
    pub count: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// The run folded onto the period of the keys.
#[derive(Debug, Clone, Serialize)]
pub struct WithinPeriod {
    /// The period, seconds.
    pub period: f64,
    /// Its parts, of equal width.
    pub parts: Vec<SecondPoint>,
}

/// One part of the period.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct SecondPoint {
    /// Start, seconds after the tick.
    pub at: f64,
    /// Attempts due.
    pub due: u64,
    /// Of these by step, as in [`BinPoint`].
    pub due_by_step: Vec<u64>,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// A contradiction. Times: `…_s` are real seconds since the start of the run, `…_key` are key
/// time, RFC 3339.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct ContradictionEntry {
    /// Number of the run in `runs`, from 0.
    pub run: usize,
    /// In what way.
    pub kind: &'static str,
    pub user: String,
    pub serial: String,
    pub step: &'static str,
    pub behaviour: &'static str,
    /// Running number of the person's attempts, from 0.
    pub attempt: u32,
    /// Number of the concurrent group, 0 for none.
    pub group: u32,
    /// Time step or counter of the code sent (not the code).
    pub counter: Option<u64>,
    pub expected: &'static str,
    pub reason: &'static str,
    pub verdict: &'static str,
    /// HTTP status or RADIUS packet code.
    pub status: u16,
    pub due_s: f64,
    pub sent_s: f64,
    pub answered_s: f64,
    pub due_key: String,
    pub sent_key: String,
    pub answered_key: String,
    /// When a key without drift begins to show that code.
    pub code_key: Option<String>,
    /// The server's clock at `sent_key` and at `answered_key`, when its offset was measured.
    pub server_sent: Option<String>,
    pub server_answered: Option<String>,
}

impl Summary {
    /// The result of everything collected.
    pub(super) fn of(collector: Collector) -> Self {
        build::summary(collector)
    }

    /// The histograms of a step.
    #[must_use]
    pub fn histograms(&self, step: Step) -> &StepHistograms {
        &self.histograms[step as usize]
    }

    /// The JSON report, one object, with its final line feed.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Numbers, texts and lists only: nothing in it can fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The thresholds that did not hold.
    pub fn missed(&self) -> impl Iterator<Item = &ThresholdResult> {
        self.thresholds.iter().filter(|threshold| !threshold.held)
    }

    pub(super) fn verdict_of(collector: &Collector) -> (Outcome, String, Vec<ThresholdResult>) {
        let thresholds = match collector.runs.first() {
            Some((run, _)) => verdict::thresholds(collector, run),
            None => Vec::new(),
        };
        let headline = verdict::headline(collector, &thresholds);
        (verdict::outcome(&thresholds), headline, thresholds)
    }
}
