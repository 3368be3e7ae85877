//! Axes: from values to places, with ticks at round values.

use super::super::number::milliseconds;

/// How values lie on an axis, and how ticks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Scale {
    /// Evenly; plain numbers.
    Linear,
    /// Evenly; seconds, written as minutes when there are many.
    Seconds,
    /// By powers of ten; milliseconds.
    LogMilliseconds,
    /// By powers of ten of 1/(1−quantile); percentiles.
    Percentile,
}

/// One axis.
#[derive(Debug, Clone)]
pub(in crate::report) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    /// What it shows, with the unit.
    pub(super) title: &'static str,
}

impl Axis {
    /// An axis that holds every value from `low` to `high`, widened to round values where that
    /// reads better.
    pub(in crate::report) fn new(scale: Scale, low: f64, high: f64, title: &'static str) -> Self {
        let (low, high) = match scale {
            Scale::Linear => {
                let high = high.max(low + 1e-9);
                let step = round_step((high - low) / 4.0);
                (low, (high / step).ceil() * step)
            }
            Scale::Seconds => (low, high.max(low + 1.0)),
            Scale::LogMilliseconds => {
                // Below a microsecond nothing is told apart.
                let low = 10_f64.powf(low.max(0.001).log10().floor());
                (low, 10_f64.powf(high.max(low * 10.0).log10().ceil()))
            }
            Scale::Percentile => (1.0, high.max(10.0)),
        };
        Self { scale, low, high, title }
    }

    /// Where `value` lies: 0 at the low end, 1 at the high one.
    pub(super) fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear | Scale::Seconds => (value - self.low) / (self.high - self.low),
            Scale::LogMilliseconds | Scale::Percentile => {
                (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
            }
        };
        share.clamp(0.0, 1.0)
    }

    /// Values to mark, and how they are written.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        match self.scale {
            Scale::Linear => steps(self.low, self.high, round_step((self.high - self.low) / 4.0))
                .map(|value| (value, plain(value)))
                .collect(),
            Scale::Seconds => self.time_ticks(),
            Scale::LogMilliseconds => powers(self.low, self.high)
                .map(|value| (value, milliseconds(value).replace(".00", "").replace(".0", "")))
                .collect(),
            Scale::Percentile => powers(1.0, self.high)
                .map(|value| {
                    let nines = (100.0 - 100.0 / value).max(0.0);
                    let decimals = (value.log10() - 2.0).max(0.0) as usize;
                    (value, format!("{nines:.decimals$} %"))
                })
                .collect(),
        }
    }

    fn time_ticks(&self) -> Vec<(f64, String)> {
        const STEPS: [f64; 15] = [
            1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0,
            7200.0, 14_400.0,
        ];
        let span = self.high - self.low;
        let step = STEPS.into_iter().find(|step| span / step <= 12.0);
        let step = step.unwrap_or_else(|| (span / 12.0 / 86_400.0).ceil() * 86_400.0);
        let write = |value: f64| match step {
            _ if step < 60.0 => format!("{value:.0} s"),
            _ if step < 3600.0 => format!("{:.0} min", value / 60.0),
            _ => format!("{:.0} h", value / 3600.0),
        };
        steps(self.low, self.high, step).map(|value| (value, write(value))).collect()
    }
}

fn steps(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let first = (low / step).ceil();
    let count = ((high / step + 1e-9).floor() - first).clamp(0.0, 50.0) as u32;
    (0..=count).map(move |at| (first + f64::from(at)) * step)
}

fn powers(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let first = low.log10().round() as i32;
    let last = (high.log10() + 1e-9).floor() as i32;
    (first..=last.min(first + 20)).map(|power| 10_f64.powi(power))
}

/// 1, 2 or 5 times a power of ten, at least `at_least`.
fn round_step(at_least: f64) -> f64 {
    let power = 10_f64.powf(at_least.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= at_least * 0.999)
        .unwrap_or(power * 10.0)
}

fn plain(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded >= 10_000.0 && rounded % 1_000.0 == 0.0 {
        return format!("{} k", rounded / 1_000.0);
    }
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::new(Scale::Linear, 0.0, 870.0, "");
        assert_eq!(labels(&axis), ["0", "500", "1000"]);
        let axis = Axis::new(Scale::Seconds, 0.0, 2400.0, "");
        assert_eq!(labels(&axis)[..3], ["0 min", "5 min", "10 min"]);
        let axis = Axis::new(Scale::LogMilliseconds, 0.3, 240.0, "");
        assert_eq!(labels(&axis), ["100 µs", "1 ms", "10 ms", "100 ms", "1 s"]);
        let axis = Axis::new(Scale::Percentile, 1.0, 12_000.0, "");
        assert_eq!(labels(&axis), ["0 %", "90 %", "99 %", "99.9 %", "99.99 %"]);
        assert_eq!(axis.share(1.0), 0.0);
        assert_eq!(axis.share(1e12), 1.0);
    }

    #[test]
    fn odd_ranges_end() {
        for (low, high) in [(0.0, 0.0), (0.0, f64::MAX), (5.0, 5.0), (0.0, 1e-12)] {
            for scale in [Scale::Linear, Scale::Seconds, Scale::LogMilliseconds, Scale::Percentile]
            {
                let axis = Axis::new(scale, low, high, "");
                assert!(axis.ticks().len() <= 60, "{scale:?} {low} {high}");
                assert!(!axis.share(low).is_nan(), "{scale:?} {low} {high}");
            }
        }
    }
}
