//! The charts of the report: which figures, on which axes, with which words.

use super::chart::{Axis, Bars, Frame, Line, Scale, bars, lines};
use super::number::{milliseconds, number};
use super::summary::Summary;
use crate::recorder::Step;

/// Classes of the steps, in the order of [`Step::ALL`].
const CLASSES: [&str; 7] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6"];

const KEY_TIME: &str = "key time since the tick before the start";

/// Arrivals over time, stacked by step.
pub(super) fn arrivals(summary: &Summary) -> String {
    let timeline = &summary.timeline;
    let per_second = timeline.clock_rate / timeline.bin_seconds.max(1e-9);
    let series = |step: usize| -> Vec<f64> {
        timeline.bins.iter().map(|bin| bin.due_by_step[step] as f64 * per_second).collect()
    };
    let highest = timeline.bins.iter().map(|bin| bin.due as f64 * per_second).fold(0.0, f64::max);
    let frame = Frame {
        id: "arrivals",
        title: "Arrivals over time, by step",
        description: format!(
            "Attempts due in each {} s of key time; the highest rate is {:.0} per second.",
            timeline.bin_seconds, highest
        ),
        height: 300.0,
        x: time_axis(summary),
        y: Axis::new(Scale::Linear, 0.0, highest, "attempts due per second"),
    };
    let series = (0..CLASSES.len()).map(|step| (CLASSES[step], series(step))).collect();
    bars(&frame, &Bars { series, width: timeline.bin_seconds })
}

/// Answers and faults over time.
pub(super) fn throughput(summary: &Summary) -> String {
    let timeline = &summary.timeline;
    let per_second = timeline.clock_rate / timeline.bin_seconds.max(1e-9);
    let rates = |of: fn(&super::BinPoint) -> u64| -> Vec<f64> {
        timeline.bins.iter().map(|bin| of(bin) as f64 * per_second).collect()
    };
    let (answered, faults) = (rates(|bin| bin.answered), rates(|bin| bin.faults));
    let highest = answered.iter().zip(&faults).map(|(a, f)| a + f).fold(0.0, f64::max);
    let frame = Frame {
        id: "throughput",
        title: "Throughput over time",
        description: format!(
            "Answers that came in each {} s of key time, at most {highest:.0} per second; {} \
             attempts ended in a fault.",
            timeline.bin_seconds,
            number(summary.attempts.faults)
        ),
        height: 220.0,
        x: time_axis(summary),
        y: Axis::new(Scale::Linear, 0.0, highest, "answers per second"),
    };
    let series = vec![("ok", answered), ("bad", faults)];
    bars(&frame, &Bars { series, width: timeline.bin_seconds })
}

/// Latency over time.
pub(super) fn latency(summary: &Summary) -> String {
    let timeline = &summary.timeline;
    let points = &timeline.latency;
    let middle = timeline.interval_seconds / 2.0;
    let line = |class, of: fn(&super::IntervalPoint) -> f64| Line {
        class,
        points: points.iter().map(|point| (point.at + middle, of(point))).collect(),
        gap: timeline.interval_seconds * 1.5,
    };
    let low = points.iter().map(|point| point.p50_ms).fold(f64::MAX, f64::min).min(1e9);
    let high = points.iter().map(|point| point.max_ms).fold(0.0, f64::max);
    let worst = points.iter().map(|point| point.p99_ms).fold(0.0, f64::max);
    let frame = Frame {
        id: "latency",
        title: "Latency over time: median, 99th percentile and maximum",
        description: format!(
            "Over every {} s of key time; the 99th percentile is at most {}.",
            timeline.interval_seconds,
            milliseconds(worst)
        ),
        height: 260.0,
        x: time_axis(summary),
        y: Axis::new(Scale::LogMilliseconds, low, high, "latency, from due to answer (log)"),
    };
    lines(
        &frame,
        &[
            line("max", |point| point.max_ms),
            line("p99", |point| point.p99_ms),
            line("p50", |point| point.p50_ms),
        ],
    )
}

/// Steps at which a code is sent. Only these follow the tick: pages are opened at any moment, and
/// would hide the wave under an even layer.
pub(super) const CODED: [Step; 4] = [Step::FirstCode, Step::Confirm, Step::Login, Step::Resync];

/// Codes sent by the time since the tick, stacked by step: the wave.
pub(super) fn wave(summary: &Summary) -> String {
    let within = &summary.within_period;
    let coded = |part: &super::SecondPoint| -> u64 {
        CODED.iter().map(|step| part.due_by_step[*step as usize]).sum()
    };
    let highest = within.parts.iter().map(coded).max().unwrap_or(0);
    let peak = within.parts.iter().find(|part| coded(part) == highest).map_or(0.0, |part| part.at);
    let frame = Frame {
        id: "wave",
        title: "Codes sent within the period of the keys, by step",
        description: format!(
            "All periods of {} s laid over each other; most codes, {}, are due {peak:.0} s \
             after the tick.",
            within.period,
            number(highest)
        ),
        height: 260.0,
        x: Axis::new(Scale::Seconds, 0.0, within.period, "since the keys changed their number"),
        y: Axis::new(Scale::Linear, 0.0, highest as f64, "codes due, all periods together"),
    };
    let series = CODED
        .iter()
        .map(|step| {
            let step = *step as usize;
            let heights = within.parts.iter().map(|part| part.due_by_step[step] as f64).collect();
            (CLASSES[step], heights)
        })
        .collect();
    let width = within.period / within.parts.len().max(1) as f64;
    bars(&frame, &Bars { series, width })
}

/// Latency by the time since the tick.
pub(super) fn wave_latency(summary: &Summary) -> String {
    let within = &summary.within_period;
    let width = within.period / within.parts.len().max(1) as f64;
    let values = |of: fn(&super::SecondPoint) -> Option<f64>| -> Vec<(f64, f64)> {
        within.parts.iter().filter_map(|part| Some((part.at + width / 2.0, of(part)?))).collect()
    };
    let (p50, p99) = (values(|part| part.p50_ms), values(|part| part.p99_ms));
    let low = p50.iter().map(|(_, value)| *value).fold(f64::MAX, f64::min).min(1e9);
    let high = p99.iter().map(|(_, value)| *value).fold(0.0, f64::max);
    let frame = Frame {
        id: "wave-latency",
        title: "Latency within the period of the keys: median and 99th percentile",
        description: format!("The 99th percentile is at most {}.", milliseconds(high)),
        height: 220.0,
        x: Axis::new(Scale::Seconds, 0.0, within.period, "since the keys changed their number"),
        y: Axis::new(Scale::LogMilliseconds, low, high, "latency, from due to answer (log)"),
    };
    let gap = width * 1.5;
    lines(
        &frame,
        &[Line { class: "p99", points: p99, gap }, Line { class: "p50", points: p50, gap }],
    )
}

/// Percentile curves of every step.
pub(super) fn percentiles(summary: &Summary) -> String {
    let mut curves = Vec::new();
    let (mut low, mut high, mut rarest) = (f64::MAX, 0.0_f64, 10.0_f64);
    for step in Step::ALL {
        let histogram = &summary.histograms(*step).latency;
        if histogram.is_empty() {
            continue;
        }
        rarest = rarest.max(histogram.len() as f64);
        let value = |at: f64| histogram.value_at_quantile(1.0 - 1.0 / at) as f64 / 1000.0;
        // Ten points to each tenfold, up to the rarest that was seen.
        let steps = ((histogram.len() as f64).log10() * 10.0).floor() as i32;
        let points: Vec<_> = (0..=steps)
            .map(|at| 10_f64.powf(f64::from(at) / 10.0))
            .map(|at| (at, value(at)))
            .collect();
        low = low.min(points[0].1);
        high = high.max(points.last().map_or(0.0, |point| point.1));
        curves.push(Line { class: CLASSES[*step as usize], points, gap: f64::MAX });
    }
    let frame = Frame {
        id: "percentiles",
        title: "Latency by percentile, for each step",
        description: format!("The slowest answer took {}.", milliseconds(high)),
        height: 300.0,
        x: Axis::new(
            Scale::Percentile,
            1.0,
            rarest,
            "share of attempts that were as fast or faster",
        ),
        y: Axis::new(
            Scale::LogMilliseconds,
            low.min(1e9),
            high,
            "latency, from due to answer (log)",
        ),
    };
    lines(&frame, &curves)
}

fn time_axis(summary: &Summary) -> Axis {
    let timeline = &summary.timeline;
    let end = timeline.bins.len() as f64 * timeline.bin_seconds;
    Axis::new(Scale::Seconds, 0.0, end, KEY_TIME)
}
