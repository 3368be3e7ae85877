//! How lengths of time and counts vary from person to person.

use rand::{Rng, RngExt};
use rand_distr::{Distribution as _, LogNormal, Normal};
use serde::Deserialize;

use super::Span;

/// A distribution over `T`: [`Span`] for times (sampled in microseconds), `u32` for counts.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Distribution<T> {
    /// Always the same.
    Constant(T),
    /// Anything between the two, all alike.
    Uniform([T; 2]),
    /// A bell, cut off at both ends.
    Normal(NormalShape<T>),
    /// As human reaction times are: a median, a long tail to the right, cut off.
    Lognormal(LognormalShape<T>),
}

/// Parameters of [`Distribution::Normal`].
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalShape<T> {
    /// Middle of the bell.
    pub mean: T,
    /// Standard deviation, before the ends are cut off.
    pub sd: T,
    /// Smallest value.
    pub min: T,
    /// Largest value.
    pub max: T,
}

/// Parameters of [`Distribution::Lognormal`].
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LognormalShape<T> {
    /// Half of the values are below it.
    pub median: T,
    /// Standard deviation of the logarithm: 0.3 is narrow, 1 is wide.
    pub sigma: f64,
    /// Largest value.
    pub max: T,
}

/// What a distribution can be over.
pub trait Quantity: Copy + PartialOrd {
    /// As a number.
    fn number(self) -> f64;
}

impl Quantity for Span {
    #[allow(clippy::cast_precision_loss)]
    fn number(self) -> f64 {
        self.0 as f64
    }
}

impl Quantity for u32 {
    fn number(self) -> f64 {
        f64::from(self)
    }
}

impl<T: Quantity> Distribution<T> {
    /// Smallest and largest value that [`Distribution::sample`] gives.
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        match self {
            Self::Constant(value) => (value.number(), value.number()),
            Self::Uniform([low, high]) => (low.number(), high.number()),
            Self::Normal(shape) => (shape.min.number(), shape.max.number()),
            Self::Lognormal(shape) => (0.0, shape.max.number()),
        }
    }

    /// What is wrong with the parameters, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        match self {
            Self::Uniform([low, high]) if low > high => {
                Some("uniform: the first value is above the second")
            }
            Self::Normal(shape) if shape.min > shape.max => Some("normal: min is above max"),
            Self::Normal(shape) if shape.sd.number() < 0.0 => Some("normal: sd is negative"),
            Self::Normal(shape) if shape.mean < shape.min || shape.mean > shape.max => {
                Some("normal: the mean is not between min and max")
            }
            Self::Lognormal(shape) if !(0.0..=5.0).contains(&shape.sigma) => {
                Some("lognormal: sigma is not between 0 and 5")
            }
            Self::Lognormal(shape) if shape.median.number() <= 0.0 => {
                Some("lognormal: the median is not above 0")
            }
            Self::Lognormal(shape) if shape.median > shape.max => {
                Some("lognormal: the median is above max")
            }
            _ => None,
        }
    }

    /// One value, in microseconds or as a count.
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        match self {
            Self::Constant(value) => value.number(),
            Self::Uniform([low, high]) => {
                low.number() + rng.random::<f64>() * (high.number() - low.number())
            }
            Self::Normal(shape) => {
                let (min, max) = self.bounds();
                let bell = Normal::new(shape.mean.number(), shape.sd.number());
                bell.map_or(shape.mean.number(), |bell| within(min, max, || bell.sample(rng)))
            }
            Self::Lognormal(shape) => {
                let (min, max) = self.bounds();
                let curve = LogNormal::new(shape.median.number().ln(), shape.sigma);
                curve.map_or(shape.median.number(), |curve| within(min, max, || curve.sample(rng)))
            }
        }
    }

    /// One whole value, rounded; negative ones are 0.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn whole<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        self.sample(rng).round().max(0.0) as u64
    }
}

// Cutting off means drawing again: clamping would pile people up at the ends. A shape nearly all
// of which lies outside is clamped after some tries rather than looped over for ever.
fn within(min: f64, max: f64, mut draw: impl FnMut() -> f64) -> f64 {
    let mut value = draw();
    for _ in 0..32 {
        if (min..=max).contains(&value) {
            break;
        }
        value = draw();
    }
    value.clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[derive(Debug, Deserialize)]
    struct Holder {
        d: Distribution<Span>,
    }

    fn read(text: &str) -> Distribution<Span> {
        toml::from_str::<Holder>(text).unwrap().d
    }

    #[test]
    fn values_keep_within_their_bounds_and_centre() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (text, low, middle, high) in [
            ("d = { constant = '2s' }", 2.0, 2.0, 2.0),
            ("d = { uniform = ['1s', '3s'] }", 1.0, 2.0, 3.0),
            (
                "d = { normal = { mean = '0s', sd = '8s', min = '-10s', max = '10s' } }",
                -10.0,
                0.0,
                10.0,
            ),
            ("d = { lognormal = { median = '2s', sigma = 0.6, max = '9s' } }", 0.0, 1.96, 9.0),
        ] {
            let shape = read(text);
            assert_eq!(shape.fault(), None);
            let mut values: Vec<f64> = (0..4001).map(|_| shape.sample(&mut rng) / 1e6).collect();
            values.sort_by(f64::total_cmp);
            assert!(values[0] >= low && values[4000] <= high, "{text}");
            assert!((values[2000] - middle).abs() < 0.5, "{text}: median {}", values[2000]);
        }
    }

    #[test]
    fn impossible_parameters_are_named() {
        for (text, part) in [
            ("d = { uniform = ['3s', '1s'] }", "above the second"),
            ("d = { normal = { mean = '9s', sd = '1s', min = '0s', max = '5s' } }", "mean"),
            ("d = { lognormal = { median = '2s', sigma = -1.0, max = '9s' } }", "sigma"),
            ("d = { lognormal = { median = '0s', sigma = 1.0, max = '9s' } }", "median"),
        ] {
            assert!(read(text).fault().unwrap().contains(part), "{text}");
        }
    }

    #[test]
    fn unknown_parameters_are_refused() {
        let error =
            toml::from_str::<Holder>("d = { lognormal = { mean = '2s', sigma = 1, max = '9s' } }");
        assert!(error.unwrap_err().to_string().contains("unknown field `mean`"));
    }
}
