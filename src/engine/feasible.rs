//! Whether a plan can be met at all: the arithmetic, before the first request.

use super::{Error, Holder};
use crate::scenario::Scenario;
use crate::target::{Operation, Target};
use crate::token::Algorithm;

/// Checks that everyone has a key of one kind, and that the keys will show enough codes: each code
/// is good once, so the codes of one key come one a period.
///
/// Returns the period, seconds.
pub(super) fn check(
    scenario: &Scenario,
    target: &Target,
    holders: &[Holder],
) -> Result<u32, Error> {
    let Some(first) = holders.first() else { return Err(Error::Nobody) };
    let period = first.token.period;
    for Holder { token, .. } in holders {
        if token.algorithm != Algorithm::Totp {
            let algorithm = token.algorithm.name().to_owned();
            return Err(Error::NotTimeBased { serial: token.serial.clone(), algorithm });
        }
        if token.period != period {
            let serial = token.serial.clone();
            return Err(Error::MixedPeriods { serial, period: token.period, others: period });
        }
    }
    let steps: &[Operation] = if target.policy.three_steps {
        &[Operation::FirstCode, Operation::NewPin, Operation::Confirm, Operation::Login]
    } else {
        &[Operation::Login]
    };
    for operation in steps {
        let needless = *operation == Operation::Confirm && target.policy.new_pin_accepts;
        if !target.has(*operation) && !needless {
            let target = target.name.clone();
            return Err(Error::NoOperation { target, operation: operation.name() });
        }
    }
    let anybody_new = holders.iter().any(|holder| holder.pin.is_none());
    time(scenario, target.policy.three_steps && anybody_new, period)?;
    Ok(period)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn time(scenario: &Scenario, three_steps: bool, period: u32) -> Result<(), Error> {
    let logins = scenario.logins.per_person.bounds().1.max(0.0) as u64;
    let (codes, what) = if three_steps {
        (logins.saturating_add(2), format!("an initialisation and {logins} logins"))
    } else {
        (logins, format!("{logins} logins"))
    };
    let end = scenario.scenario.duration.micros();
    let left = end.saturating_sub(scenario.arrivals.end()) / 1_000_000;
    let needed = codes.saturating_sub(1).saturating_mul(u64::from(period));
    if needed > left {
        return Err(Error::Infeasible { what, codes, period, needed, left });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn the_arithmetic_is_shown() {
        let definition = SCENARIOS.find("rentree").unwrap();
        let load = |setting: &str| Scenario::load(&definition, &[setting.to_owned()]).unwrap();
        assert!(time(&load("logins.per_person.uniform.1=3"), true, 60).is_ok());
        let error = time(&load("logins.per_person.uniform.1=60"), true, 60).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the plan cannot be met: an initialisation and 60 logins takes 62 codes of each key, \
             at one code every 60 s that is 3660 s, but the last person comes 3600 s before the end"
        );
        assert!(error.hint().contains("--set scenario.duration"));
    }
}
