//! Each scenario carries its own test: a population drawn from it, and what must be true of it.

use serde::Deserialize;

use super::{Scenario, Span};

/// A population and the limits within which its figures must lie.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// How many people to draw.
    pub people: u32,
    /// From which seed.
    pub seed: u64,
    /// Least and most impatient people.
    pub impatient: [u32; 2],
    /// Least and most logins of all people together.
    pub logins: [u64; 2],
    /// Between which times the middle one of them comes.
    pub half_here_by: [Span; 2],
}

/// The figures of the example, drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// Impatient people.
    pub impatient: u32,
    /// Logins of all people together.
    pub logins: u64,
    /// When the middle one comes.
    pub half_here_by: Span,
}

impl Scenario {
    /// Draws the example and holds it against its limits.
    ///
    /// # Errors
    /// One sentence for each figure outside its limits.
    pub fn check_example(&self) -> Result<Drawn, Vec<String>> {
        let Example { people, seed, impatient, logins, half_here_by } = self.example.clone();
        let drawn: Vec<_> = (0..people).map(|index| self.draw(seed, index, people).0).collect();
        let mut arrivals: Vec<u64> = drawn.iter().map(|habits| habits.arrival).collect();
        arrivals.sort_unstable();
        let middle = arrivals.get(arrivals.len() / 2).copied().unwrap_or(0);
        let found = Drawn {
            impatient: drawn.iter().map(|habits| u32::from(habits.impatient)).sum(),
            logins: drawn.iter().map(|habits| u64::from(habits.logins)).sum(),
            half_here_by: Span(i64::try_from(middle).unwrap_or(i64::MAX)),
        };
        let mut faults = Vec::new();
        if !(impatient[0]..=impatient[1]).contains(&found.impatient) {
            let Drawn { impatient: n, .. } = found;
            faults.push(format!("example.impatient: {n} people are, not {impatient:?}"));
        }
        if !(logins[0]..=logins[1]).contains(&found.logins) {
            faults.push(format!("example.logins: there are {}, not {logins:?}", found.logins));
        }
        if !(half_here_by[0]..=half_here_by[1]).contains(&found.half_here_by) {
            faults.push(format!(
                "example.half_here_by: half are here by {}, not between {} and {}",
                found.half_here_by, half_here_by[0], half_here_by[1]
            ));
        }
        if faults.is_empty() { Ok(found) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{SCENARIOS, Scenario};

    #[test]
    fn every_embedded_example_holds() {
        for (name, _) in SCENARIOS.embedded {
            let scenario = Scenario::load(&SCENARIOS.find(name).unwrap(), &[]).unwrap();
            assert!(scenario.check_example().is_ok(), "{name}: {:?}", scenario.check_example());
        }
    }

    #[test]
    fn figures_outside_their_limits_are_named() {
        let settings =
            ["people.impatient=0.5".to_owned(), "logins.gap.lognormal.sigma=0.1".to_owned()];
        let scenario = Scenario::load(&SCENARIOS.find("rentree").unwrap(), &settings).unwrap();
        let faults = scenario.check_example().unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].starts_with("example.impatient: "), "{faults:?}");
    }
}
