//! Scenarios: what a population does, and when. Pure data read from TOML (`scenarios/NAME.toml`);
//! knows time, and nothing of servers, wires or keys' seeds.

mod arrivals;
mod distribution;
mod example;
mod habits;
mod overrides;
mod span;

pub use arrivals::{Arrivals, Point, Process};
pub use distribution::{Distribution, LognormalShape, NormalShape, Quantity};
pub use example::{Drawn, Example};
pub use habits::Habits;
pub use span::Span;

use serde::Deserialize;

use crate::definition::{Definition, DefinitionError, Library, parse};

/// Every scenario in the binary.
pub const SCENARIOS: Library = Library {
    kind: "scenario",
    folder: "scenarios",
    embedded: &[
        ("probe", include_str!("../../scenarios/probe.toml")),
        ("rentree", include_str!("../../scenarios/rentree.toml")),
        ("summer", include_str!("../../scenarios/summer.toml")),
    ],
};

/// One scenario. All times are key time, except the thresholds, which are real time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is.
    pub scenario: About,
    /// When people come.
    pub arrivals: Arrivals,
    /// How people behave.
    pub people: People,
    /// What the keys are like.
    pub keys: Keys,
    /// What people do after the initialisation.
    pub logins: Logins,
    /// Limits that decide the exit code.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// A population drawn from this scenario and what must be true of it: its own test.
    pub example: Example,
}

/// Name and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Short name.
    pub name: String,
    /// One line for lists.
    pub title: String,
    /// When everything ends, whether people are ready or not.
    pub duration: Span,
}

/// How people behave. Shares are between 0 and 1.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// From a page's arrival, or the number's change, to the person's first move.
    pub reaction: Distribution<Span>,
    /// From reading the key to pressing the button.
    pub typing: Distribution<Span>,
    /// From the page's arrival to a new PIN typed twice.
    pub new_pin: Distribution<Span>,
    /// Length of the PINs people choose; cut to what the server allows.
    pub pin_length: Distribution<u32>,
    /// Share of people who wait for a fresh number when one bar is left.
    pub wait_at_one_bar: f64,
    /// Share of people who send the same code again within its minute, after it was accepted.
    pub impatient: f64,
    /// From an accepted answer to the impatient person's second try.
    pub impatience: Distribution<Span>,
    /// Chance of a double click at each attempt.
    pub double_click: f64,
    /// Chance of a mistyped digit or PIN at each attempt.
    pub typo: f64,
    /// Share of people who, after their logins, try on purpose what a server must not take.
    #[serde(default)]
    pub probe: f64,
    /// How often a person tries again after a refusal before giving up.
    pub tries: u32,
}

/// What the keys are like.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// The key's clock minus true time.
    pub drift: Distribution<Span>,
}

/// What people do after the initialisation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logins {
    /// How many logins each person makes.
    pub per_person: Distribution<u32>,
    /// From the end of one visit to the start of the next.
    pub gap: Distribution<Span>,
    /// Share of visits that end with a log-out.
    pub logout: f64,
}

/// Limits that decide the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Contradictions tolerated.
    #[serde(default)]
    pub contradictions: u64,
    /// Largest share of attempts that may end in an error, 0 to 1.
    pub error_rate: Option<f64>,
    /// Largest 99th percentile of latency of any step, real time.
    pub p99: Option<Span>,
    /// Largest 99th percentile of the generator's own lateness, real time.
    pub lateness_p99: Option<Span>,
}

impl Scenario {
    /// Reads and checks a definition, with scalars replaced as `settings` (`path=value`) say.
    ///
    /// # Errors
    /// [`DefinitionError`] naming the place, the key, or the setting.
    pub fn load(definition: &Definition, settings: &[String]) -> Result<Self, DefinitionError> {
        let mut scenario: Self = parse(&definition.file, &definition.text)?;
        if !settings.is_empty() {
            let mut table: toml::Table = parse(&definition.file, &definition.text)?;
            for setting in settings {
                overrides::apply(&mut table, setting)
                    .and_then(|()| {
                        let read = Self::deserialize(toml::Value::Table(table.clone()));
                        scenario = read.map_err(|error| {
                            format!("--set {setting}: {}", error.to_string().trim())
                        })?;
                        Ok(())
                    })
                    .map_err(|message| DefinitionError::meaning(&definition.file, message))?;
            }
        }
        match scenario.faults() {
            faults if faults.is_empty() => Ok(scenario),
            faults => Err(DefinitionError::meaning(&definition.file, faults.join("; "))),
        }
    }

    /// Everything that is wrong, all at once.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut say = |key: &str, fault: Option<&str>| {
            if let Some(fault) = fault {
                faults.push(format!("{key}: {fault}"));
            }
        };
        let people = &self.people;
        let spans = [
            ("people.reaction", &people.reaction),
            ("people.typing", &people.typing),
            ("people.new_pin", &people.new_pin),
            ("people.impatience", &people.impatience),
            ("logins.gap", &self.logins.gap),
        ];
        for (key, distribution) in spans {
            say(key, distribution.fault());
            say(key, (distribution.bounds().0 < 0.0).then_some("a time here cannot be negative"));
        }
        say("keys.drift", self.keys.drift.fault());
        say("people.pin_length", people.pin_length.fault());
        say("logins.per_person", self.logins.per_person.fault());
        for (key, share) in [
            ("people.wait_at_one_bar", people.wait_at_one_bar),
            ("people.impatient", people.impatient),
            ("people.double_click", people.double_click),
            ("people.typo", people.typo),
            ("people.probe", people.probe),
            ("logins.logout", self.logins.logout),
            ("thresholds.error_rate", self.thresholds.error_rate.unwrap_or(0.0)),
        ] {
            say(key, (!(0.0..=1.0).contains(&share)).then_some("a share is between 0 and 1"));
        }
        if let Some(fault) = self.arrivals.fault() {
            faults.push(fault.to_owned());
        } else if self.arrivals.end() >= self.scenario.duration.micros() {
            faults.push(format!(
                "scenario.duration: {} is over before the last person may come ({})",
                self.scenario.duration,
                Span(i64::try_from(self.arrivals.end()).unwrap_or(i64::MAX)),
            ));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rentree(settings: &[&str]) -> Result<Scenario, DefinitionError> {
        let settings: Vec<String> = settings.iter().map(|s| (*s).to_owned()).collect();
        Scenario::load(&SCENARIOS.find("rentree").unwrap(), &settings)
    }

    #[test]
    fn every_embedded_scenario_loads() {
        for name in SCENARIOS.embedded.iter().map(|(name, _)| name) {
            let scenario = Scenario::load(&SCENARIOS.find(name).unwrap(), &[]).unwrap();
            assert_eq!(scenario.scenario.name, *name);
        }
    }

    #[test]
    fn rentree_has_the_shares_of_the_issue() {
        let people = rentree(&[]).unwrap().people;
        assert_eq!((people.impatient, people.double_click, people.typo), (0.05, 0.01, 0.02));
    }

    #[test]
    fn settings_are_typed_and_unknown_paths_refused() {
        let set =
            rentree(&["people.typo=0.5", "scenario.duration=5h", "thresholds.p99=3s"]).unwrap();
        assert_eq!(set.people.typo, 0.5);
        assert_eq!(set.scenario.duration.to_string(), "5h");
        assert_eq!(set.thresholds.p99, Some(Span(3_000_000)));
        for (setting, part) in [
            ("people.tipo=1", "unknown field `tipo`"),
            ("people.typo=2", "people.typo: a share is between 0 and 1"),
            ("people.typo=often", "is not a number"),
            ("scenario.duration=1m", "over before the last person"),
            ("scenario.duration=5", "no length of time"),
            ("crowd.size=1", "there is no \"crowd\""),
        ] {
            let error = rentree(&[setting]).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("rentree.toml"), "{setting}: {error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place() {
        let mut definition = SCENARIOS.find("rentree").unwrap();
        definition.text = definition.text.replace("impatient =", "impatent =");
        let error = Scenario::load(&definition, &[]).unwrap_err().to_string();
        assert!(error.contains("unknown field `impatent`"), "{error}");
        assert!(error.contains("embedded:scenarios/rentree.toml:"), "{error}");
    }
}
