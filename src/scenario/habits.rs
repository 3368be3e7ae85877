//! One person of a scenario, drawn: the same seed and index give the same person on any machine
//! and any number of threads.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Scenario;

/// What is fixed about a person before the first move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// When the person comes, µs of key time since the start.
    pub arrival: u64,
    /// The key's clock minus true time, µs.
    pub drift: i64,
    /// Sends the same code again after it was accepted.
    pub impatient: bool,
    /// Waits for a fresh number when one bar is left.
    pub waits_at_one_bar: bool,
    /// Logins to make after the initialisation.
    pub logins: u32,
    /// Length of PIN the person would choose.
    pub pin_length: u8,
    /// Tries on purpose what a server must not take.
    pub probes: bool,
}

impl Scenario {
    /// Person `index` of `people`, and the source of that person's further accidents.
    #[allow(clippy::cast_possible_truncation)]
    #[must_use]
    pub fn draw(&self, seed: u64, index: u32, people: u32) -> (Habits, ChaCha8Rng) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(index));
        let mut habits = Habits {
            arrival: self.arrivals.instant(index, people, &mut rng),
            drift: self.keys.drift.sample(&mut rng).round() as i64,
            impatient: rng.random_bool(self.people.impatient),
            waits_at_one_bar: rng.random_bool(self.people.wait_at_one_bar),
            logins: u32::try_from(self.logins.per_person.whole(&mut rng)).unwrap_or(u32::MAX),
            pin_length: self.people.pin_length.whole(&mut rng).clamp(1, 64) as u8,
            probes: false,
        };
        // Drawn only where it is asked for: the people of other scenarios stay who they were.
        if self.people.probe > 0.0 {
            habits.probes = rng.random_bool(self.people.probe);
        }
        (habits, rng)
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{SCENARIOS, Scenario};

    #[test]
    fn a_person_depends_on_seed_and_index_alone() {
        let scenario = Scenario::load(&SCENARIOS.find("rentree").unwrap(), &[]).unwrap();
        assert_eq!(scenario.draw(1, 7, 100), scenario.draw(1, 7, 100));
        assert_ne!(scenario.draw(1, 7, 100).0, scenario.draw(1, 8, 100).0);
        assert_ne!(scenario.draw(1, 7, 100).0, scenario.draw(2, 7, 100).0);
    }
}
