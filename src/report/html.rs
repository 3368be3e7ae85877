//! The report as one HTML file: nothing is fetched, no script runs, and it reads in print and in
//! dark mode.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use super::summary::{Summary, TableRow};
use super::{figures, number};
use crate::recorder::{Step, Verdict};

const PAGE: &str = include_str!("page.html");
/// Contradictions shown in the page; all are in the JSON report.
const SHOWN: usize = 500;

/// A line of expectation against verdict.
#[derive(Serialize)]
struct MatrixRow<'a> {
    expected: &'static str,
    reason: &'static str,
    cells: Vec<Option<&'a TableRow>>,
}

impl Summary {
    /// The report as one self-contained HTML file.
    #[must_use]
    pub fn to_html(&self) -> String {
        // The template is a constant and is rendered by a test: this cannot fail for a user.
        self.render().unwrap_or_else(|error| format!("<!doctype html><pre>{error}</pre>"))
    }

    fn render(&self) -> Result<String, minijinja::Error> {
        let mut pages = Environment::new();
        pages.set_auto_escape_callback(|_| AutoEscape::Html);
        pages.add_filter("number", number::number);
        pages.add_filter("ms", number::milliseconds);
        pages.add_filter("percent", number::percent);
        pages.add_filter("duration", number::duration);
        pages.add_filter("plain_number", number::plain_number);
        pages.add_filter("plain", |text: String| number::plain(&text));
        pages.add_filter("label", |name: String| label(&name).to_owned());
        pages.add_template("page", PAGE)?;
        let (verdicts, matrix) = self.matrix();
        let shown = self.contradictions.len().min(SHOWN);
        let whole = |of: fn(&Self) -> String| Value::from_safe_string(of(self));
        let used = |step: &Step| self.histograms(*step).attempts > 0;
        let steps: Vec<_> = Step::ALL.iter().filter(|step| used(step)).collect();
        let legend: Vec<_> = steps.iter().map(|step| (**step as usize, step.name())).collect();
        pages.get_template("page")?.render(context! {
            outcome => self.outcome.name(),
            headline => self.headline.as_str(),
            warnings => data(&self.warnings),
            trousseau => self.trousseau,
            runs => data(&self.runs),
            people => data(&self.people),
            attempts => data(&self.attempts),
            replays => data(&self.replays),
            thresholds => data(&self.thresholds),
            undetermined => data(&self.undetermined),
            faults => data(&self.faults),
            kinds => data(&self.kinds),
            steps => data(&self.steps),
            timeline => context! {
                bin_seconds => self.timeline.bin_seconds,
                clock_rate => self.timeline.clock_rate,
                interval_seconds => self.timeline.interval_seconds,
            },
            within => data(&self.within_period),
            minutes => data(&self.by_period()),
            contradictions => data(&self.contradictions[..shown]),
            legend => data(&legend),
            coded => data(&figures::CODED.map(|step| step as usize)),
            verdicts,
            matrix => data(&matrix),
            arrivals => whole(figures::arrivals),
            throughput => whole(figures::throughput),
            latency => whole(figures::latency),
            wave => whole(figures::wave),
            wave_latency => whole(figures::wave_latency),
            percentiles => whole(figures::percentiles),
        })
    }

    /// Expectation (lines) against verdict (columns), with the verdicts that came.
    fn matrix(&self) -> (Vec<&'static str>, Vec<MatrixRow<'_>>) {
        let came = |verdict: &&str| self.table.iter().any(|row| row.verdict == *verdict);
        let verdicts: Vec<_> =
            Verdict::ALL.iter().map(|verdict| verdict.name()).filter(came).collect();
        let mut matrix: Vec<MatrixRow<'_>> = Vec::new();
        for row in &self.table {
            let same = |line: &&mut MatrixRow<'_>| {
                (line.expected, line.reason) == (row.expected, row.reason)
            };
            let column = verdicts.iter().position(|verdict| *verdict == row.verdict);
            let line = match matrix.iter_mut().find(same) {
                Some(line) => line,
                None => {
                    let cells = vec![None; verdicts.len()];
                    matrix.push(MatrixRow { expected: row.expected, reason: row.reason, cells });
                    let last = matrix.len() - 1;
                    &mut matrix[last]
                }
            };
            if let Some(cell) = column.and_then(|column| line.cells.get_mut(column)) {
                *cell = Some(row);
            }
        }
        (verdicts, matrix)
    }

    /// The bins added up into at most 60 lines for the table beside the charts: start and end in
    /// seconds of key time, attempts due, answers, faults.
    fn by_period(&self) -> Vec<(f64, f64, u64, u64, u64)> {
        let bins = &self.timeline.bins;
        let each = bins.len().div_ceil(60).max(1);
        let width = self.timeline.bin_seconds;
        let sum = |(at, bins): (usize, &[super::BinPoint])| {
            let start = (at * each) as f64 * width;
            let end = start + bins.len() as f64 * width;
            let total = |of: fn(&super::BinPoint) -> u64| bins.iter().map(of).sum::<u64>();
            (start, end, total(|bin| bin.due), total(|bin| bin.answered), total(|bin| bin.faults))
        };
        bins.chunks(each).enumerate().map(sum).collect()
    }
}

fn data<T: Serialize + ?Sized>(value: &T) -> Value {
    Value::from(Serde(value))
}

/// Names as people say them.
fn label(name: &str) -> &str {
    match name {
        "open" => "Open page",
        "first-code" => "First code",
        "new-pin" => "New PIN",
        "confirm" => "Confirmation",
        "login" => "Login",
        "logout" => "Log-out",
        "one-of-group" => "one of the group",
        "page" => "the page",
        "unknown" => "nothing",
        name => name,
    }
}
