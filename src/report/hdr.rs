//! HdrHistogram's own formats: percentile files (`.hgrm`), which its plotters read, and the
//! interval log (`.hlog`), which its log processors read.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use super::summary::Summary;
use crate::recorder::Step;

/// The percentile distribution of a histogram of µs, in ms: value, percentile, count up to it,
/// and 1/(1−percentile), a line each, then three lines of totals.
#[must_use]
pub fn percentile_file(histogram: &Histogram<u64>) -> String {
    let mut out = format!(
        "{:>12} {:>14} {:>10} {:>14}\n\n",
        "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
    );
    let ms = |value: u64| value as f64 / 1000.0;
    let mut count = 0;
    for point in histogram.iter_quantiles(5) {
        count += point.count_since_last_iteration();
        let quantile = point.quantile_iterated_to();
        let value = ms(point.value_iterated_to().min(histogram.max()));
        let _ = write!(out, "{value:>12.3} {quantile:>14.12} {count:>10}");
        if quantile < 1.0 {
            let _ = write!(out, " {:>14.2}", 1.0 / (1.0 - quantile));
        }
        out.push('\n');
    }
    let (mean, deviation) = (histogram.mean() / 1000.0, histogram.stdev() / 1000.0);
    let _ = writeln!(out, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let (max, total) = (ms(histogram.max()), histogram.len());
    let _ = writeln!(out, "#[Max     = {max:>12.3}, Total count    = {total:>12}]");
    let sub_buckets = 2048; // of 3 significant digits
    let buckets = histogram.buckets();
    let _ = writeln!(out, "#[Buckets = {buckets:>12}, SubBuckets     = {sub_buckets:>12}]");
    out
}

/// Latency over time as an interval log: one line per interval and step, the step being the tag,
/// times in real seconds, values in µs (the line's readable maximum in ms).
///
/// # Errors
/// When a histogram cannot be serialised: never with the ones made here.
pub fn interval_log(summary: &Summary) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    let Some(series) = &summary.series else {
        return Ok(out);
    };
    let rate = summary.timeline.clock_rate;
    // Intervals count from the tick before the start, so the log's zero is a little before it.
    let before = Duration::from_micros(series.start_key % series.period).div_f64(rate);
    let started = summary.runs.first().and_then(|run| run.started.parse::<jiff::Timestamp>().ok());
    let started = started.and_then(|started| SystemTime::try_from(started).ok());
    let started = started.unwrap_or(SystemTime::UNIX_EPOCH);
    let base = started.checked_sub(before).unwrap_or(SystemTime::UNIX_EPOCH);
    let mut serializer = V2DeflateSerializer::new();
    let mut log = IntervalLogWriterBuilder::new()
        .add_comment("trousseau: latency from the due instant, in microseconds; tags are steps")
        .with_start_time(base)
        .with_base_time(base)
        .with_max_value_divisor(1000.0)
        .begin_log_with(&mut out, &mut serializer)?;
    let width = Duration::from_micros(series.intervals.width).div_f64(rate);
    for (at, interval) in (0_u32..).zip(&series.intervals.all) {
        for step in Step::ALL {
            if let Some(histogram) = interval.step(*step) {
                log.write_histogram(histogram, width * at, width, Tag::new(step.name()))
                    .map_err(|error| std::io::Error::other(error.to_string()))?;
            }
        }
    }
    Ok(out)
}
