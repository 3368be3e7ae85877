//! What all people of a run share.

use super::Rules;
use crate::clock::UnixMicros;
use crate::scenario::Scenario;
use crate::target::{Operation, Policy, Target};

/// What all people of a run share.
#[derive(Debug)]
pub struct World {
    /// What they do and when.
    pub scenario: Scenario,
    /// What the server declares.
    pub policy: Policy,
    /// What a correct server takes when.
    pub rules: Rules,
    /// Operations that begin with a page to open.
    pub opens: Vec<Operation>,
    /// Whether people can leave.
    pub logout: bool,
    /// Whether people can be asked for the next code.
    pub resync: bool,
    /// Whether no key was used before the run.
    pub unused: bool,
    /// Key time at the start of the run.
    pub start: UnixMicros,
    /// Seed of the population.
    pub seed: u64,
    /// How many people there are.
    pub people: u32,
}

impl World {
    /// From a scenario and the target it meets.
    #[must_use]
    pub fn new(
        scenario: Scenario,
        target: &Target,
        rules: Rules,
        start: UnixMicros,
        seed: u64,
        people: u32,
    ) -> Self {
        let opens = Operation::ALL.iter().copied().filter(|op| target.has_open(*op)).collect();
        Self {
            scenario,
            policy: target.policy.clone(),
            rules,
            opens,
            logout: target.has(Operation::Logout),
            resync: target.has(Operation::Resync),
            unused: false,
            start,
            seed,
            people,
        }
    }

    /// Key time at which the run ends.
    #[must_use]
    pub fn end(&self) -> UnixMicros {
        self.start.saturating_add(self.scenario.scenario.duration.micros())
    }
}
