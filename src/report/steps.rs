//! Per step of the person's way: three histograms side by side.

use hdrhistogram::Histogram;

use crate::recorder::{Fault, Observation, Step};

/// Longest time that the histograms tell apart, µs: an hour.
const LONGEST_US: u64 = 3_600_000_000;

/// Latency, service time and generator lateness of one step, µs at 3 significant digits.
///
/// Latency and service time are those of every attempt that was answered or waited out (timeout);
/// a connection that was refused or broke has neither, and is counted as a fault only, lest a
/// server that is down look fast. Lateness is that of every attempt that was sent.
#[derive(Debug, Clone)]
pub struct StepHistograms {
    /// Attempts, faults included.
    pub attempts: u64,
    /// From due to answer: what the person waited (open model).
    pub latency: Histogram<u64>,
    /// From sent to answer: what the server took.
    pub service: Histogram<u64>,
    /// From due to sent: how late the generator was.
    pub lateness: Histogram<u64>,
}

impl Default for StepHistograms {
    fn default() -> Self {
        let new = || growing(3);
        Self { attempts: 0, latency: new(), service: new(), lateness: new() }
    }
}

impl StepHistograms {
    /// Takes an attempt.
    pub(super) fn add(&mut self, seen: &Observation) {
        self.attempts += 1;
        if timed(seen) {
            record(&mut self.latency, seen.latency_us());
            record(&mut self.service, seen.service_us());
            record(&mut self.lateness, seen.lateness_us());
        }
    }
}

/// Whether latency, service time and lateness of `seen` mean anything.
pub(super) fn timed(seen: &Observation) -> bool {
    matches!(seen.fault, None | Some(Fault::Timeout | Fault::Answer | Fault::Server))
}

/// An empty histogram that takes little memory while its values are small.
pub(super) fn growing<T: hdrhistogram::Counter>(digits: u8) -> Histogram<T> {
    // 1 to 5 digits are allowed, and only constants come here.
    let mut histogram = Histogram::new_with_bounds(1, 20_000, digits)
        .or_else(|_| Histogram::new(2))
        .unwrap_or_else(|_| unreachable!("2 significant digits are allowed"));
    histogram.auto(true);
    histogram
}

/// Records a time in µs; beyond an hour, as an hour.
pub(super) fn record<T: hdrhistogram::Counter>(histogram: &mut Histogram<T>, value_us: u64) {
    // Cannot fail: the histogram grows, and an hour is far below what it can grow to.
    let _ = histogram.record(value_us.min(LONGEST_US));
}

/// One set of histograms for each step.
pub(super) type PerStep = [StepHistograms; Step::ALL.len()];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_told_apart_and_more_is_an_hour() {
        let mut histogram = growing::<u64>(3);
        for value in [0, 1, 1_999, 3_599_000_000, u64::MAX] {
            record(&mut histogram, value);
        }
        assert_eq!(histogram.len(), 5);
        assert_eq!(histogram.value_at_quantile(0.5), 1_999);
        let max = histogram.max();
        assert!((3_600_000_000..3_605_000_000).contains(&max), "{max}");
    }
}
