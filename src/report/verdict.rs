//! What a run's figures mean: the outcome, and in one sentence why.

use serde::Serialize;

use super::collector::Collector;
use super::number::{number, percent, plain_number};
use crate::named::named;
use crate::recorder::{Fault, RunInfo};

named! {
    /// How a run ended, worst first: of several that apply, the first is the outcome.
    Outcome {
        /// The server answered what a correct server must not.
        Contradiction = "contradiction",
        /// The generator was late or failed: the figures do not speak of the server.
        GeneratorFault = "generator-fault",
        /// A limit of the scenario was passed.
        ThresholdMissed = "threshold-missed",
        /// Every threshold held, no contradiction.
        Ok = "ok",
    }
}

/// A limit, and what came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThresholdResult {
    /// What is limited.
    pub name: &'static str,
    /// Largest tolerated value.
    pub limit: f64,
    /// What came.
    pub actual: f64,
    /// Unit of both: empty, `%` or `ms`.
    pub unit: &'static str,
    /// Whether the limit held.
    pub held: bool,
    /// What it means when it did not.
    #[serde(skip)]
    pub outcome: Outcome,
}

/// Holds what came against every limit of the scenario, and four that always apply: the
/// generator must not fail by itself, the server must know the keys, something must have been
/// confirmed, and no run cut short.
#[allow(clippy::cast_precision_loss)]
pub(super) fn thresholds(collector: &Collector, run: &RunInfo) -> Vec<ThresholdResult> {
    let limits = run.thresholds;
    let totals = collector.audit.totals();
    let all = totals.all();
    let mut results = Vec::new();
    let mut judge = |name, limit: f64, actual: f64, unit, outcome| {
        let held = actual <= limit;
        results.push(ThresholdResult { name, limit, actual, unit, held, outcome });
    };
    let (contradictions, tolerated) = (all.contradictions as f64, limits.contradictions as f64);
    judge("contradictions", tolerated, contradictions, "", Outcome::Contradiction);
    let own = totals.faults(Fault::Generator) as f64;
    judge("faults of the generator", 0.0, own, "", Outcome::GeneratorFault);
    if let Some(limit) = limits.lateness_p99_ms {
        let lateness = worst_p99_ms(collector, |step| &step.lateness);
        judge("p99 lateness of the generator", limit, lateness, "ms", Outcome::GeneratorFault);
    }
    if let Some(limit) = limits.p99_ms {
        let latency = worst_p99_ms(collector, |step| &step.latency);
        judge("p99 latency of the slowest step", limit, latency, "ms", Outcome::ThresholdMissed);
    }
    let throttled = totals.undetermined(crate::audit::Why::Throttled);
    let unsent = unsent(collector);
    let tried = all.attempts() + unsent;
    if let Some(limit) = limits.error_rate {
        let share = (all.faults + throttled + unsent) as f64 / (tried as f64).max(1.0);
        judge("errors", limit * 100.0, share * 100.0, "%", Outcome::ThresholdMissed);
    }
    // A server that knows none of the keys contradicts nothing: that is no success either.
    let strangers = totals.undetermined(crate::audit::Why::Strangers) as f64;
    if strangers > 0.0 {
        let name = "good codes refused, and nobody's taken";
        judge(name, 0.0, strangers, "", Outcome::ThresholdMissed);
    }
    // A server that never answers contradicts nothing: that is no success.
    let mute = if all.confirmed == 0 { 100.0 } else { 0.0 };
    if mute > 0.0 {
        judge("attempts that prove nothing", 0.0, mute, "%", Outcome::ThresholdMissed);
    }
    // Nor is one that let nobody in for other reasons, as wrong PINs.
    let people = collector.people;
    if strangers == 0.0 && mute == 0.0 && people.credentials > 0 && people.taken == 0 {
        let name = "codes and PINs sent, and nobody's taken";
        judge(name, 0.0, people.credentials as f64, "", Outcome::ThresholdMissed);
    }
    // What was cut short may have met nothing yet: it must not pass for a success.
    let cut = |run: &RunInfo| run.finished.is_none() || run.interrupted.is_some();
    let cut = collector.runs.iter().filter(|(run, _)| cut(run)).count();
    if cut > 0 {
        judge("runs cut short", 0.0, cut as f64, "", Outcome::ThresholdMissed);
    }
    results
}

/// The worst of what was missed.
pub(super) fn outcome(thresholds: &[ThresholdResult]) -> Outcome {
    thresholds
        .iter()
        .filter(|threshold| !threshold.held)
        .map(|threshold| threshold.outcome)
        .min()
        .unwrap_or(Outcome::Ok)
}

/// The verdict in one sentence.
pub(super) fn headline(collector: &Collector, thresholds: &[ThresholdResult]) -> String {
    let all = collector.audit.totals().all();
    let replays = collector.audit.totals().replays;
    let mut text = match all.contradictions {
        0 => format!("No contradiction in {} attempts", number(all.attempts())),
        1 => format!("1 contradiction in {} attempts", number(all.attempts())),
        n => format!("{} contradictions in {} attempts", number(n), number(all.attempts())),
    };
    text.push_str(&match replays.upper_bound_95() {
        None => "; no replay was sent".to_owned(),
        Some(bound) => format!(
            "; {} of {} replays accepted, at most {} at 95 %",
            number(replays.accepted()),
            number(replays.sent()),
            percent(bound)
        ),
    });
    match outcome(thresholds) {
        Outcome::Contradiction | Outcome::Ok => text,
        worst => {
            let missed = thresholds.iter().find(|t| !t.held && t.outcome == worst);
            let missed = missed.map(ToString::to_string).unwrap_or_default();
            let what = match worst {
                Outcome::GeneratorFault => "The load generator was at fault",
                _ => "A threshold was missed",
            };
            format!("{what}: {missed}. {text}")
        }
    }
}

impl std::fmt::Display for ThresholdResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, limit, actual, unit, .. } = self;
        let space = if unit.is_empty() { "" } else { " " };
        let relation = if self.held { "within" } else { "over" };
        let (actual, limit) = (plain_number(*actual), plain_number(*limit));
        write!(f, "{name} {actual}{space}{unit}, {relation} {limit}{space}{unit}")
    }
}

/// Attempts that were due and never sent.
pub(super) fn unsent(collector: &Collector) -> u64 {
    collector.runs.iter().filter_map(|(run, _)| run.generator).map(|used| used.unsent).sum()
}

#[allow(clippy::cast_precision_loss)]
fn worst_p99_ms(
    collector: &Collector,
    of: impl Fn(&super::StepHistograms) -> &hdrhistogram::Histogram<u64>,
) -> f64 {
    let worst = collector.steps.iter().map(|step| of(step).value_at_quantile(0.99)).max();
    worst.unwrap_or_default() as f64 / 1000.0
}
