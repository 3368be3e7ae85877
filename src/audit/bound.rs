//! How large a probability can be when it was seen so rarely.

/// One-sided 95 % upper bound (Clopper-Pearson) of the probability of an event that came about
/// `seen` times in `trials` independent trials; `None` without trials.
///
/// For `seen` = 0 it is `1 − 0.05^(1/trials)`, of which "3 divided by the trials" is the
/// well-known approximation. It is what "0 of n" proves, and all that it proves.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn upper_bound_95(seen: u64, trials: u64) -> Option<f64> {
    if trials == 0 {
        return None;
    }
    let (seen, trials) = (seen.min(trials) as f64, trials as f64);
    if seen == 0.0 {
        return Some(-(0.05_f64.ln() / trials).exp_m1());
    }
    if seen >= trials {
        return Some(1.0);
    }
    // P(at most `seen` events | p) = 1 − I_p(seen + 1, trials − seen), falling in p: bisect.
    let (mut low, mut high) = (seen / trials, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if incomplete_beta(seen + 1.0, trials - seen, middle) < 0.95 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22),
/// evaluated with the modified Lentz method.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges fast below the mean; above it, the mirrored one does.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    const TINY: f64 = 1e-300;
    let nonzero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    let mut m = 1.0;
    while m < 100_000.0 {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / nonzero(1.0 + term * d);
            c = nonzero(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-14 {
            break;
        }
        m += 1.0;
    }
    let front =
        ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p() - a.ln();
    front.exp() * fraction
}

/// Natural logarithm of the gamma function for `x` ≥ 1: Stirling's series (DLMF 5.11.1), reached
/// by the recurrence where `x` is small.
fn ln_gamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 15.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(at most `seen` of `trials`) at probability `p`, summed term by term.
    fn at_most(seen: u64, trials: u64, p: f64) -> f64 {
        let mut term = (1.0 - p).powi(i32::try_from(trials).unwrap());
        let mut sum = term;
        for k in 0..seen {
            term *= (trials - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
            sum += term;
        }
        sum
    }

    #[test]
    fn nothing_seen_is_the_rule_of_three() {
        assert_eq!(upper_bound_95(0, 0), None);
        assert!((upper_bound_95(0, 1).unwrap() - 0.95).abs() < 1e-12);
        // Published in every table of the rule of three: 100 trials, 2.95 %.
        assert!((upper_bound_95(0, 100).unwrap() - 0.029_513).abs() < 1e-6);
        let million = upper_bound_95(0, 1_000_000).unwrap();
        assert!((million * 1e6 - 2.995_73).abs() < 1e-4, "{million}");
    }

    #[test]
    fn the_bound_is_where_so_few_become_five_in_a_hundred() {
        for (seen, trials) in [(1, 2), (1, 10), (3, 10), (9, 10), (5, 611), (300, 611)] {
            let bound = upper_bound_95(seen, trials).unwrap();
            let left = at_most(seen, trials, bound);
            assert!((left - 0.05).abs() < 1e-9, "{seen}/{trials}: {bound} leaves {left}");
        }
        // All but one: 1 − p^n = 0.05.
        let bound = upper_bound_95(610, 611).unwrap();
        assert!((bound - 0.95_f64.powf(1.0 / 611.0)).abs() < 1e-12, "{bound}");
    }

    #[test]
    fn it_grows_with_what_was_seen_and_is_never_past_one() {
        let mut last = 0.0;
        for seen in 0..=50 {
            let bound = upper_bound_95(seen, 50).unwrap();
            assert!(bound > last && bound <= 1.0, "{seen}: {bound}");
            last = bound;
        }
        assert_eq!(upper_bound_95(50, 50), Some(1.0));
        let large = upper_bound_95(40_000, 1_000_000).unwrap();
        assert!((0.0400..0.0404).contains(&large), "{large}");
    }
}
