//! The report for a terminal: readable without colour, one screen when all is well.

use std::fmt::Write;

use super::number::{duration, milliseconds, number, percent, plain};
use super::summary::{ContradictionEntry, Distribution, RunSummary, StepSummary, Summary};

/// Contradictions shown; the rest is in the JSON report.
const SHOWN: usize = 20;

impl Summary {
    /// The report as plain text, with its final line feed.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("{}.\nOutcome: {}\n", self.headline, self.outcome);
        for warning in &self.warnings {
            let _ = writeln!(out, "Warning: {}", plain(warning));
        }
        out.push('\n');
        self.facts(&mut out);
        self.times(&mut out);
        self.expectations(&mut out);
        self.listed(&mut out);
        out
    }

    fn facts(&self, out: &mut String) {
        for run in &self.runs {
            line(out, "Run", &what(run));
            line(out, "", &when(run));
            if !run.datagrams.is_empty() {
                line(out, "Datagrams", &datagrams(run));
            }
        }
        let people = &self.people;
        line(
            out,
            "People",
            &format!(
                "{} of {} seen; {} initialised; {} logged in, {} times{}",
                number(people.seen),
                number(people.simulated),
                number(people.initialised),
                number(people.logged_in),
                number(people.logins),
                match people.resynchronised {
                    0 => String::new(),
                    keys => format!("; {} resynchronised by the next code", number(keys)),
                }
            ),
        );
        let attempts = &self.attempts;
        line(
            out,
            "Attempts",
            &format!(
                "{} in {}, {:.1} a second",
                number(attempts.total),
                duration(attempts.seconds),
                attempts.per_second
            ),
        );
        line(
            out,
            "",
            &format!(
                "{} confirmed, {} contradictions, {} undetermined, {} faults",
                number(attempts.confirmed),
                number(attempts.contradictions),
                number(attempts.undetermined),
                number(attempts.faults)
            ),
        );
        let replays = &self.replays;
        let bound = replays.upper_bound_95.map_or(String::new(), |bound| {
            format!("; probability at most {} at 95 %", percent(bound))
        });
        line(
            out,
            "Replays",
            &format!(
                "{} of {} accepted ({} of {} one after the other, {} of {} at once){bound}",
                number(replays.accepted),
                number(replays.sent),
                number(replays.sequential.accepted),
                number(replays.sequential.sent),
                number(replays.concurrent.accepted),
                number(replays.concurrent.sent)
            ),
        );
        for threshold in &self.thresholds {
            let mark = if threshold.held { "held" } else { "MISSED" };
            line(out, "Threshold", &format!("{mark}: {threshold}"));
        }
        for (title, counts) in [("Undetermined", &self.undetermined), ("Faults", &self.faults)] {
            let each: Vec<_> = counts
                .iter()
                .map(|count| format!("{} {}", number(count.count), count.name))
                .collect();
            if !each.is_empty() {
                line(out, title, &each.join(", "));
            }
        }
    }

    fn times(&self, out: &mut String) {
        type Of = fn(&StepSummary) -> Option<Distribution>;
        let kinds: [(&str, Of); 3] = [
            ("Latency (due to answer)", |step| step.latency),
            ("Service time (sent to answer)", |step| step.service),
            ("Generator lateness (due to sent)", |step| step.lateness),
        ];
        for (title, of) in kinds {
            let _ = writeln!(
                out,
                "\n{title:<32} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
                "attempts", "p50", "p90", "p99", "p99.9", "max"
            );
            for step in &self.steps {
                let Some(times) = of(step) else {
                    let _ = writeln!(out, "  {:<30} {:>9}", step.step, number(step.attempts));
                    continue;
                };
                let _ = write!(out, "  {:<30} {:>9}", step.step, number(times.count));
                let points =
                    [times.p50_ms, times.p90_ms, times.p99_ms, times.p999_ms, times.max_ms];
                for value in points {
                    let _ = write!(out, " {:>9}", milliseconds(value));
                }
                out.push('\n');
            }
        }
    }

    fn expectations(&self, out: &mut String) {
        let _ = writeln!(
            out,
            "\n{:<15} {:<15} {:<10} {:>9} {:>9} {:>13} {:>12} {:>7}",
            "Expected",
            "because",
            "verdict",
            "attempts",
            "confirmed",
            "contradiction",
            "undetermined",
            "fault"
        );
        let blank = |count: u64| if count == 0 { "-".to_owned() } else { number(count) };
        for row in &self.table {
            let _ = writeln!(
                out,
                "{:<15} {:<15} {:<10} {:>9} {:>9} {:>13} {:>12} {:>7}",
                row.expected,
                row.reason,
                row.verdict,
                number(row.attempts),
                blank(row.confirmed),
                blank(row.contradictions),
                blank(row.undetermined),
                blank(row.faults)
            );
        }
    }

    fn listed(&self, out: &mut String) {
        if self.contradictions.is_empty() {
            return;
        }
        let kinds: Vec<_> =
            self.kinds.iter().map(|kind| format!("{} {}", number(kind.count), kind.name)).collect();
        let _ = writeln!(out, "\nContradictions: {}", kinds.join(", "));
        for entry in self.contradictions.iter().take(SHOWN) {
            let _ = writeln!(out, "  {}", contradiction(entry));
        }
        let more = self.contradictions.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(out, "  … and {} more, all in the JSON report", number(more as u64));
        }
    }
}

fn contradiction(entry: &ContradictionEntry) -> String {
    let shown = entry.code_key.as_ref().map_or(String::new(), |at| format!(", from {at} on"));
    let counter =
        entry.counter.map_or(String::new(), |counter| format!(", code of step {counter}{shown}"));
    let server = match (&entry.server_sent, &entry.server_answered) {
        (Some(sent), Some(answered)) => format!("; server's clock {sent} to {answered}"),
        _ => String::new(),
    };
    format!(
        "{}: user {}, key {}, {} ({}){counter}; expected {} ({}), came {}; sent {} ({:.3} s){server}",
        entry.kind,
        plain(&entry.user),
        plain(&entry.serial),
        entry.step,
        entry.behaviour,
        entry.expected,
        entry.reason,
        entry.verdict,
        entry.sent_key,
        entry.sent_s
    )
}

/// What was run and against what.
pub(super) fn what(run: &RunSummary) -> String {
    format!(
        "{} against {} at {}, {} people, seed {}",
        plain(&run.scenario),
        plain(&run.target),
        plain(&run.url),
        number(run.users.into()),
        run.seed
    )
}

/// RADIUS datagrams by kind.
fn datagrams(run: &RunSummary) -> String {
    let each = run.datagrams.iter();
    let each: Vec<_> = each.map(|of| format!("{} {}", number(of.count), plain(&of.name))).collect();
    each.join(", ")
}

/// When, and on what clock.
pub(super) fn when(run: &RunSummary) -> String {
    let mut text = format!("{}, from {}", run.state, plain(&run.started));
    if let Some(finished) = &run.finished {
        let _ = write!(text, " to {}", plain(finished));
    }
    if run.clock_rate == 1.0 {
        text.push_str(", real time");
    } else {
        let _ = write!(text, ", clock {} times as fast", run.clock_rate);
    }
    match run.server_offset_ms {
        Some(offset) => {
            let _ = write!(text, ", server's clock {offset:+.0} ms from ours");
        }
        None => text.push_str(", server's clock not measured"),
    }
    text
}

fn line(out: &mut String, title: &str, text: &str) {
    let _ = writeln!(out, "{title:<13} {text}");
}
