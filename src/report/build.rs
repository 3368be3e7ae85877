//! From what was collected to the [`Summary`].

use hdrhistogram::{Counter, Histogram};
use serde::Serializer;

use super::collector::{Collector, Source};
use super::number::number;
use super::summary::*;
use super::timeline::Timeline;
use super::verdict;
use crate::audit::{Contradiction, Kind, Why};
use crate::counted::plural;
use crate::otp::step_start;
use crate::recorder::{ClockEvent, ClockEventKind, Fault, RunInfo, Step};

const SECOND: f64 = 1_000_000.0;

pub(super) fn summary(collector: Collector) -> Summary {
    let (outcome, headline, thresholds) = Summary::verdict_of(&collector);
    let runs: Vec<RunSummary> =
        collector.runs.iter().map(|(run, from)| run_of(run, from)).collect();
    let unsent = verdict::unsent(&collector);
    let people = collector.people;
    let warnings = warnings(&runs, unsent, &collector.runs);
    let heads: Vec<RunInfo> = collector.runs.into_iter().map(|(run, _)| run).collect();
    let (totals, found) = collector.audit.finish();
    let all = totals.all();
    let seconds = seconds(collector.lasted_us);
    let replays = totals.replays;
    let table = totals.cells().map(|(expected, reason, verdict, cell)| TableRow {
        expected: expected.name(),
        reason: reason.name(),
        verdict: verdict.name(),
        attempts: cell.attempts(),
        confirmed: cell.confirmed,
        contradictions: cell.contradictions,
        undetermined: cell.undetermined,
        faults: cell.faults,
    });
    let count = |name, count| (count > 0).then_some(Count { name, count });
    let of_kind = |kind: Kind| found.iter().filter(|found| found.kind == kind).count() as u64;
    Summary {
        report_schema: 1,
        trousseau: env!("CARGO_PKG_VERSION"),
        outcome,
        headline,
        warnings,
        people: People {
            simulated: heads.iter().map(|run| run.people.len() as u64).sum(),
            seen: people.seen,
            initialised: people.initialised,
            logged_in: people.logged_in,
            logins: people.logins,
            resynchronised: people.resynchronised,
        },
        attempts: Attempts {
            total: all.attempts(),
            confirmed: all.confirmed,
            contradictions: all.contradictions,
            undetermined: all.undetermined,
            faults: all.faults,
            unsent,
            unrecorded: runs.iter().filter_map(|run| run.record).map(|record| record.lost).sum(),
            seconds,
            per_second: rounded(all.attempts() as f64 / seconds.max(1e-6)),
        },
        replays: ReplaySummary {
            sent: replays.sent(),
            accepted: replays.accepted(),
            upper_bound_95: replays.upper_bound_95(),
            sequential: ReplayCounts {
                sent: replays.sequential,
                accepted: replays.sequential_accepted,
            },
            concurrent: ReplayCounts {
                sent: replays.concurrent,
                accepted: replays.concurrent_accepted,
            },
        },
        thresholds,
        table: table.collect(),
        undetermined: Why::ALL
            .iter()
            .filter_map(|why| count(why.name(), totals.undetermined(*why)))
            .collect(),
        faults: Fault::ALL
            .iter()
            .filter_map(|fault| count(fault.name(), totals.faults(*fault)))
            .collect(),
        kinds: Kind::ALL.iter().filter_map(|kind| count(kind.name(), of_kind(*kind))).collect(),
        steps: steps(&collector.steps),
        timeline: timeline(collector.timeline.as_ref(), &runs),
        within_period: within_period(collector.timeline.as_ref()),
        contradictions: found.iter().map(|found| contradiction(found, &heads)).collect(),
        runs,
        histograms: collector.steps,
        series: collector.timeline,
    }
}

/// Serialises an enum of [`crate::named`] as its name.
pub(super) fn name<T: ToString, S: Serializer>(value: &T, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&value.to_string())
}

/// A distribution out of a histogram of µs; `None` when it is empty.
pub(super) fn distribution<T: Counter>(histogram: &Histogram<T>) -> Option<Distribution> {
    let at = |quantile| milliseconds(histogram.value_at_quantile(quantile));
    (!histogram.is_empty()).then(|| Distribution {
        count: histogram.len(),
        mean_ms: rounded(histogram.mean() / 1000.0),
        min_ms: milliseconds(histogram.min()),
        p50_ms: at(0.5),
        p90_ms: at(0.9),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        p999_ms: at(0.999),
        max_ms: milliseconds(histogram.max()),
    })
}

fn run_of(run: &RunInfo, from: &Source) -> RunSummary {
    let state = match (&run.finished, run.interrupted) {
        (None, _) => RunState::Incomplete,
        (_, Some(_)) => RunState::Interrupted,
        _ => RunState::Complete,
    };
    RunSummary {
        folder: from.folder.as_ref().map(|folder| folder.display().to_string()),
        state,
        trousseau: run.trousseau.clone(),
        scenario: run.scenario.clone(),
        scenario_sha256: run.scenario_sha256.clone(),
        target: run.target.clone(),
        target_sha256: run.target_sha256.clone(),
        url: run.url.clone(),
        users: run.users,
        seed: run.seed,
        started: run.started.clone(),
        finished: run.finished.clone(),
        interrupted: run.interrupted,
        clock_rate: run.clock.rate,
        key_time_at_start: key_time(run.clock.start_key),
        server_offset_ms: run.clock.server_offset.map(|offset| offset as f64 / 1000.0),
        uncertainty_ms: milliseconds(run.clock.uncertainty),
        period: run.clock.period,
        record: from.completeness,
        truncated: from.truncated,
        generator: run.generator,
        clock_events: run.clock_events.clone(),
        datagrams: run.datagrams.clone(),
    }
}

fn warnings(runs: &[RunSummary], unsent: u64, heads: &[(RunInfo, Source)]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (at, (run, (head, _))) in runs.iter().zip(heads).enumerate() {
        let which = match (&run.folder, runs.len()) {
            (_, 1) => "The run".to_owned(),
            (Some(folder), _) => format!("The run in {folder}"),
            (None, _) => format!("Run {}", at + 1),
        };
        match run.state {
            RunState::Complete => {}
            RunState::Interrupted => warnings.push(format!(
                "{which} was interrupted by {}: this is what was done until then.",
                if run.interrupted == Some(15) { "SIGTERM" } else { "Ctrl-C" }
            )),
            RunState::Incomplete => warnings.push(format!(
                "{which} did not finish (it still goes on, or was killed): this is what its \
                 record holds, up to about a second before its end."
            )),
        }
        if run.truncated {
            warnings.push(format!("{which} left a cut last line in its record, left out here."));
        }
        warnings.extend(run.clock_events.iter().map(|event| clock_event(event, &which, head)));
        if let Some(resent) = run.generator.map(|used| used.resent).filter(|resent| *resent > 0) {
            warnings.push(format!(
                "{which} sent {} {} again: the server had given up the connection, and said that it \
                 had not read them (408). What it refused then is undetermined.",
                number(resent),
                plural(resent, "request", "requests")
            ));
        }
        if let Some(record) = run.record.filter(|record| record.lost > 0) {
            let counted = match run.folder {
                None => "they are counted here, and missing from its files",
                Some(_) => "they are missing here too",
            };
            warnings.push(format!(
                "{which} could not write {} attempts to disk: {counted}.",
                number(record.lost)
            ));
        }
    }
    if unsent > 0 {
        warnings.push(format!("{} attempts were due but not sent by the end.", number(unsent)));
    }
    warnings
}

fn clock_event(event: &ClockEvent, which: &str, run: &RunInfo) -> String {
    let what = match event.kind {
        ClockEventKind::Step => {
            format!("the clock of this machine was set by {:+.3} s", event.seconds)
        }
        ClockEventKind::Suspend => format!("this machine was suspended for {:.1} s", event.seconds),
    };
    let how_long = if event.lasts(&run.clock) { "to the end" } else { "for a period of the keys" };
    format!(
        "{which} was disturbed: {what}, {:.1} s after the start. What the server had to answer is \
         not known from there {how_long}: those attempts prove nothing, unless a code was taken \
         twice. Run again with a clock that is steady (kept by NTP) and a machine that stays awake.",
        seconds(event.seen_us)
    )
}

fn steps(histograms: &super::steps::PerStep) -> Vec<StepSummary> {
    let used = Step::ALL.iter().zip(histograms).filter(|(_, histograms)| histograms.attempts > 0);
    used.map(|(step, histograms)| StepSummary {
        step: step.name(),
        attempts: histograms.attempts,
        latency: distribution(&histograms.latency),
        service: distribution(&histograms.service),
        lateness: distribution(&histograms.lateness),
    })
    .collect()
}

fn timeline(timeline: Option<&Timeline>, runs: &[RunSummary]) -> TimelineSummary {
    let clock_rate = runs.first().map_or(1.0, |run| run.clock_rate);
    let Some(timeline) = timeline else {
        return TimelineSummary {
            bin_seconds: 0.0,
            clock_rate,
            bins: Vec::new(),
            interval_seconds: 0.0,
            latency: Vec::new(),
        };
    };
    let width = seconds(timeline.bins.width);
    let bins = timeline.bins.all.iter().enumerate().map(|(at, bin)| BinPoint {
        at: at as f64 * width,
        due: bin.due.iter().sum(),
        due_by_step: bin.due.to_vec(),
        answered: bin.answered,
        faults: bin.faults,
    });
    let interval = seconds(timeline.intervals.width);
    let latency = timeline.intervals.all.iter().enumerate().filter_map(|(at, latencies)| {
        let of = distribution(&latencies.all())?;
        Some(IntervalPoint {
            at: at as f64 * interval,
            count: of.count,
            p50_ms: of.p50_ms,
            p99_ms: of.p99_ms,
            max_ms: of.max_ms,
        })
    });
    TimelineSummary {
        bin_seconds: width,
        clock_rate,
        bins: bins.collect(),
        interval_seconds: interval,
        latency: latency.collect(),
    }
}

fn within_period(timeline: Option<&Timeline>) -> WithinPeriod {
    let Some(timeline) = timeline else {
        return WithinPeriod { period: 0.0, parts: Vec::new() };
    };
    let period = seconds(timeline.period);
    let width = period / timeline.parts.len() as f64;
    let parts = timeline.parts.iter().enumerate().map(|(at, part)| {
        let latency = distribution(&part.latency);
        SecondPoint {
            at: at as f64 * width,
            due: part.due.iter().sum(),
            due_by_step: part.due.to_vec(),
            p50_ms: latency.map(|latency| latency.p50_ms),
            p99_ms: latency.map(|latency| latency.p99_ms),
        }
    });
    WithinPeriod { period, parts: parts.collect() }
}

fn contradiction(found: &Contradiction, runs: &[RunInfo]) -> ContradictionEntry {
    let seen = &found.seen;
    let run = runs.get(found.run);
    let person = run.and_then(|run| run.people.get(seen.person as usize)).cloned();
    let (serial, user) = person.unwrap_or_default();
    let ahead = seen.lateness_us() as f64 * run.map_or(1.0, |run| run.clock.rate);
    let offset = run.and_then(|run| run.clock.server_offset);
    let server = |at: u64| offset.map(|offset| key_time(at.saturating_add_signed(offset)));
    let shown = |(counter, run): (u64, &RunInfo)| step_start(counter, run.clock.period);
    ContradictionEntry {
        run: found.run,
        kind: found.kind.name(),
        user,
        serial,
        step: seen.step.name(),
        behaviour: seen.behaviour.name(),
        attempt: seen.attempt,
        group: seen.group,
        counter: seen.counter,
        expected: seen.expectation.expected.name(),
        reason: seen.expectation.reason.name(),
        verdict: seen.verdict.name(),
        status: seen.status,
        due_s: seconds(seen.due_us),
        sent_s: seconds(seen.sent_us),
        answered_s: seconds(seen.answered_us),
        due_key: key_time(seen.sent_key.saturating_sub(ahead as u64)),
        sent_key: key_time(seen.sent_key),
        answered_key: key_time(seen.answered_key),
        code_key: seen.counter.zip(run).map(shown).map(key_time),
        server_sent: server(seen.sent_key),
        server_answered: server(seen.answered_key),
    }
}

/// Key time (µs) as RFC 3339, to the millisecond.
fn key_time(micros: u64) -> String {
    let instant =
        i64::try_from(micros).ok().and_then(|at| jiff::Timestamp::from_microsecond(at).ok());
    match instant {
        Some(instant) => format!("{instant:.3}"),
        None => format!("{micros} µs"),
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / SECOND
}

fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
