//! When people come: a piecewise-linear intensity over a window, and how strictly it is followed.

use rand::{Rng, RngExt};
use serde::Deserialize;

use super::Span;

/// The arrivals of a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// How arrivals keep to the curve.
    pub process: Process,
    /// Points of the intensity, in order of time; only the ratios of the rates count, since the
    /// number of people is given. The first point's time is when the first person may come.
    pub curve: Vec<Point>,
    /// Stretches or squeezes the curve so that its last point lies here: the same morning in
    /// three hours or in ten minutes (`--set arrivals.window=10m`).
    #[serde(default)]
    pub window: Option<Span>,
}

/// How arrivals keep to the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// Everyone independently of the others, as real people do.
    Poisson,
    /// One in each of as many equal shares of the curve as there are people, at random within it.
    Jittered,
    /// As `jittered`, in the middle of the share.
    Even,
}

/// One point of the intensity.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Time since the start.
    pub at: Span,
    /// Relative intensity there, 0 or more.
    pub rate: f64,
}

impl Arrivals {
    /// When the person `index` of `people` comes, µs since the start. Depends on nothing but its
    /// arguments, so a population is the same on any number of threads.
    #[allow(clippy::cast_precision_loss)]
    pub fn instant<R: Rng + ?Sized>(&self, index: u32, people: u32, rng: &mut R) -> u64 {
        let free: f64 = rng.random();
        let slot = |within: f64| (f64::from(index) + within) / f64::from(people.max(1));
        self.fitted(self.quantile(match self.process {
            Process::Poisson => free,
            Process::Jittered => slot(free),
            Process::Even => slot(0.5),
        }))
    }

    /// When the last person may come, µs since the start.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.fitted(self.curve_end())
    }

    fn curve_end(&self) -> u64 {
        self.curve.last().map_or(0, |point| point.at.micros())
    }

    /// An instant of the curve, moved into the window.
    #[allow(clippy::cast_possible_truncation)] // at most the window, which fits
    fn fitted(&self, instant: u64) -> u64 {
        match self.window {
            None => instant,
            Some(window) => {
                let wide = u128::from(instant) * u128::from(window.micros());
                (wide / u128::from(self.curve_end().max(1))) as u64
            }
        }
    }

    /// What is wrong with the curve, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        if self.curve.is_empty() {
            return Some("arrivals.curve has no point");
        }
        if self.curve.iter().any(|point| !point.rate.is_finite() || point.rate < 0.0) {
            return Some("arrivals.curve: a rate is not 0 or more");
        }
        if self.curve.iter().any(|point| point.at < Span(0)) {
            return Some("arrivals.curve: a time is negative");
        }
        if self.curve.windows(2).any(|pair| pair[0].at > pair[1].at) {
            return Some("arrivals.curve: the times do not go up");
        }
        if self.window.is_some_and(|window| window <= Span(0)) {
            return Some("arrivals.window is not more than 0");
        }
        if self.curve.len() > 1 && self.total() <= 0.0 {
            return Some("arrivals.curve: nobody ever comes, as every rate is 0");
        }
        None
    }

    fn total(&self) -> f64 {
        self.curve.windows(2).map(area).sum()
    }

    /// The instant before which the share `part` (0 to 1) of the people have come.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn quantile(&self, part: f64) -> u64 {
        let mut rest = part * self.total();
        for pair in self.curve.windows(2) {
            let area = area(pair);
            if rest < area {
                let (low, high) = (pair[0].rate, pair[1].rate);
                let width = pair[1].at.seconds() - pair[0].at.seconds();
                // Solve low·x + (high − low)·x²/2w = rest, in the form that is stable near a flat
                // piece.
                let slope = (high - low) / width;
                let root = (low * low + 2.0 * slope * rest).max(0.0).sqrt();
                let x = if low + root > 0.0 { 2.0 * rest / (low + root) } else { 0.0 };
                return ((pair[0].at.seconds() + x.clamp(0.0, width)) * 1e6) as u64;
            }
            rest -= area;
        }
        self.curve_end()
    }
}

fn area(pair: &[Point]) -> f64 {
    (pair[1].at.seconds() - pair[0].at.seconds()) * (pair[0].rate + pair[1].rate) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn peak(process: Process) -> Arrivals {
        let at = |seconds: i64, rate| Point { at: Span(seconds * 1_000_000), rate };
        Arrivals { process, window: None, curve: vec![at(0, 0.0), at(600, 10.0), at(1800, 0.0)] }
    }

    #[test]
    fn every_process_follows_the_curve() {
        for process in [Process::Poisson, Process::Jittered, Process::Even] {
            let arrivals = peak(process);
            assert_eq!(arrivals.fault(), None);
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let mut early = 0;
            for index in 0..9000 {
                let instant = arrivals.instant(index, 9000, &mut rng);
                assert!(instant <= arrivals.end());
                early += u32::from(instant < 600_000_000);
            }
            // The rising side has a third of the area.
            assert!((2850..=3150).contains(&early), "{process:?}: {early}");
        }
    }

    #[test]
    fn a_flat_piece_and_a_single_point_work() {
        let at = |seconds: i64, rate| Point { at: Span(seconds * 1_000_000), rate };
        let flat = Arrivals {
            process: Process::Even,
            window: None,
            curve: vec![at(10, 5.0), at(20, 5.0)],
        };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        assert_eq!(flat.instant(0, 1, &mut rng), 15_000_000);
        let burst = Arrivals { process: Process::Even, window: None, curve: vec![at(10, 0.0)] };
        assert_eq!(burst.instant(7, 9, &mut rng), 10_000_000);
    }

    #[test]
    fn a_window_squeezes_the_curve() {
        let squeezed = Arrivals { window: Some(Span(180_000_000)), ..peak(Process::Even) };
        assert_eq!(squeezed.end(), 180_000_000);
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for index in 0..90 {
            let whole = peak(Process::Even).instant(index, 90, &mut rng);
            assert_eq!(squeezed.instant(index, 90, &mut rng), whole / 10);
        }
        let empty = Arrivals { window: Some(Span(0)), ..peak(Process::Even) };
        assert!(empty.fault().unwrap().contains("window"));
    }

    #[test]
    fn faults_of_the_curve_are_named() {
        let at = |seconds: i64, rate| Point { at: Span(seconds * 1_000_000), rate };
        for (curve, part) in [
            (vec![], "no point"),
            (vec![at(5, 1.0), at(1, 1.0)], "go up"),
            (vec![at(0, -1.0), at(1, 1.0)], "0 or more"),
            (vec![at(0, 0.0), at(1, 0.0)], "nobody"),
        ] {
            let fault = Arrivals { process: Process::Even, window: None, curve }.fault().unwrap();
            assert!(fault.contains(part), "{fault}");
        }
    }
}
