//! What was found, and what to do about it.

use jiff::Timestamp;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::time::Time;

use crate::clock::Clock;
use crate::engine::hands::Done;
use crate::engine::transport::{Endpoint, Preflight};
use crate::recorder::{Fault, Verdict};
use crate::target::{Operation, PinCharacters, Target};

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Good,
    /// To be known; nothing is wrong.
    Note,
    /// To be put right before a run means anything.
    Fault,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// What was found.
    pub what: String,
    /// What to do; none when it is good.
    pub fix: Option<String>,
}

impl Finding {
    pub(super) fn good(what: impl Into<String>) -> Self {
        Self { level: Level::Good, what: what.into(), fix: None }
    }

    pub(super) fn note(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Note, what: what.into(), fix: Some(fix.into()) }
    }

    pub(super) fn fault(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { level: Level::Fault, what: what.into(), fix: Some(fix.into()) }
    }
}

pub(super) fn addresses(endpoint: &Endpoint) -> Finding {
    let addresses: Vec<String> =
        endpoint.resolved().iter().map(|address| address.ip().to_string()).collect();
    Finding::good(format!("{} is {}", endpoint.address(), addresses.join(", ")))
}

/// One finding for each certificate of the chain that the server shows, DER; `soon` in days.
pub(super) fn certificates(chain: Vec<Vec<u8>>, soon: i64) -> Vec<Finding> {
    let now = Timestamp::now().as_second();
    let one = |(index, der): (usize, Vec<u8>)| {
        let Ok(certificate) = Certificate::from_der(&der) else {
            return Finding::note(
                format!("TLS certificate {index} cannot be read"),
                "look at it with `openssl x509`",
            );
        };
        let certificate = certificate.tbs_certificate();
        let second =
            |time: &Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        let validity = certificate.validity();
        let (begin, end) = (second(&validity.not_before), second(&validity.not_after));
        let days = (end - now).div_euclid(86_400);
        let what = format!(
            "TLS certificate {index}: {}, issued by {}, valid from {} to {}",
            name(&certificate.subject().to_string()),
            name(&certificate.issuer().to_string()),
            day(begin),
            day(end),
        );
        if end < now {
            Finding::fault(what, "renew it: its time is over")
        } else if begin > now {
            Finding::fault(
                what,
                "its time has not begun: is this machine's clock wrong (`date -u`)?",
            )
        } else if days < soon {
            let left = format!("renew it within {days} days: TLS stops at that moment");
            Finding::note(what, left)
        } else {
            Finding::good(what)
        }
    };
    chain.into_iter().enumerate().map(one).collect()
}

/// Seconds since 1970 as a date; a date beyond any calendar as its number.
fn day(second: i64) -> String {
    let text = Timestamp::from_second(second).map(|at| at.to_string());
    text.map_or_else(|_| second.to_string(), |text| text.split('T').next().unwrap_or("").to_owned())
}

fn name(text: &str) -> &str {
    if text.is_empty() { "(no name)" } else { text }
}

pub(super) fn reached(endpoint: &Endpoint, found: &Preflight) -> Finding {
    let milliseconds = found.round_trip.as_secs_f64() * 1e3;
    Finding::good(format!("{} answers, in {milliseconds:.1} ms", endpoint.address()))
}

/// Whether the server's clock lets it take our codes.
#[allow(clippy::cast_precision_loss)]
pub(super) fn clock(found: &Preflight, target: &Target, clock: &dyn Clock, period: u32) -> Finding {
    if let Some(rate) = found.server_rate
        && (rate / clock.rate() - 1.0).abs() > 0.01
    {
        return Finding::fault(
            format!(
                "the server's clock goes {rate} times as fast as wall time, ours {}",
                clock.rate()
            ),
            format!("give --clock-rate {rate} and the --clock-origin that the server announced"),
        );
    }
    let Some(offset) = found.server_clock_offset else {
        if target.radius.is_some() {
            return Finding::note(
                "over RADIUS no server shows its clock",
                "compare it by hand: `date -u` there and here, at the same moment",
            );
        }
        return Finding::note(
            "the server shows no clock",
            "compare it by hand, or name a JSON document with its time as `clock` in [policy]",
        );
    };
    let (offset, about) = (offset as f64 / 1e6, found.offset_uncertainty as f64 / 1e6);
    let what = format!("the server's clock is {offset:+.1} s from ours, give or take {about:.1} s");
    let steps = target.policy.window_back + target.policy.window_forward + 1;
    let half = f64::from(steps) * f64::from(period) / 2.0;
    if offset.abs() > half {
        return Finding::fault(
            format!("{what}: more than half of its window ({half:.0} s)"),
            "set both clocks by NTP; against a server on a scaled clock, give --clock-rate and \
             --clock-origin",
        );
    }
    match offset.abs() > f64::from(period) / 2.0 {
        true => Finding::note(what, "set both clocks by NTP: half a step is already used up"),
        false => Finding::good(what),
    }
}

/// What a verdict that should not be there means, and what to do.
pub(super) fn unexpected(
    what: &str,
    done: &Done,
    operation: Operation,
    wanted: &[Verdict],
    target: &Target,
) -> Finding {
    let performed = &done.performed;
    let wanted: Vec<&str> = wanted.iter().map(|verdict| verdict.name()).collect();
    let trouble = done.exchanged.last().and_then(|exchanged| exchanged.trouble.as_deref());
    let mut told = format!("{what}: {} instead of {}", performed.verdict, wanted.join(" or "));
    if performed.status != 0 {
        told.push_str(&format!(" (status {})", performed.status));
    }
    if let Some(trouble) = trouble {
        told.push_str(&format!("; {trouble}"));
    }
    Finding::fault(told, fix(performed.verdict, performed.fault, operation, target))
}

fn fix(verdict: Verdict, fault: Option<Fault>, operation: Operation, target: &Target) -> String {
    let fix = match (verdict, operation) {
        (Verdict::Error, _) => match fault {
            Some(Fault::Server) => "the server failed: look at its log",
            Some(Fault::Answer) => {
                return format!(
                    "the target does not read this answer: see it with `trousseau targets probe \
                     --operation {operation}`, and write a rule for it"
                );
            }
            _ => "no answer came: look at the server, and at what is in between",
        },
        (Verdict::Locked, _) => "unlock this user at the server, then try again",
        (Verdict::Throttled, _) => {
            "the server limits how often we may come: lift that for this machine"
        }
        (Verdict::NextCode, _) => {
            "the server thinks the key's clock is off: resynchronise the key there"
        }
        (Verdict::Rejected, Operation::FirstCode) => {
            "the key may be initialised already (give its PIN by --pin-file and no new PIN), not be \
             imported, be another user's, or have shown this code to somebody else: try again when \
             it changes"
        }
        (Verdict::Rejected, Operation::NewPin) => {
            return format!(
                "the server does not take this PIN: the target declares {} to {} characters, {}",
                target.policy.pin_min,
                target.policy.pin_max,
                match target.policy.pin_characters {
                    PinCharacters::Digits => "digits alone",
                    PinCharacters::Letters => "letters alone",
                    PinCharacters::LettersOrDigits => "letters or digits",
                    PinCharacters::LettersAndDigits => "letters and digits",
                }
            );
        }
        (Verdict::Rejected, _) => {
            "the PIN may be wrong, the key not this user's, or this code used before: try again when \
             it changes"
        }
        (Verdict::NewPin, _) => "this key has no PIN yet: give the one to choose by --new-pin-file",
        (Verdict::Accepted, Operation::NewPin) => {
            "a new PIN already logs people in here: declare new_pin_means = \"accepted\""
        }
        (Verdict::Confirm, Operation::NewPin) => {
            "a new PIN has to be confirmed here: declare new_pin_means = \"confirm\" and \
             [operation.confirm]"
        }
        (Verdict::Accepted, _) => "the server lets in who must stay out, or a rule says so wrongly",
        (Verdict::Confirm, _) => {
            "the rules read this as another step: make them tell the two apart"
        }
    };
    fix.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::target::TARGETS;
    use std::time::Duration;

    fn at(offset: Option<i64>, rate: Option<f64>) -> Finding {
        let target = Target::load(&TARGETS.find("portal-html").unwrap()).unwrap();
        let found = Preflight {
            server_clock_offset: offset,
            offset_uncertainty: 500_000,
            server_rate: rate,
            round_trip: Duration::from_millis(1),
        };
        clock(&found, &target, &ManualClock::at(0), 60)
    }

    #[test]
    fn a_clock_is_held_against_the_window() {
        assert_eq!(at(Some(1_200_000), None).level, Level::Good);
        assert_eq!(at(Some(-31_000_000), None).level, Level::Note);
        let far = at(Some(91_000_000), Some(1.0));
        assert_eq!(far.level, Level::Fault);
        assert!(far.what.contains("+91.0 s from ours"), "{}", far.what);
        assert!(far.fix.unwrap().contains("NTP"));
        let fast = at(Some(0), Some(60.0));
        assert!(fast.fix.unwrap().contains("--clock-rate 60"));
        assert_eq!(at(None, None).level, Level::Note);
    }

    #[test]
    fn certificates_are_named_and_their_end_is_told() {
        let made = rcgen::generate_simple_self_signed(["otp.example".to_owned()]).unwrap();
        let found = certificates(vec![made.cert.der().to_vec(), b"no".to_vec()], SOON);
        assert_eq!(found[0].level, Level::Good, "{found:?}");
        assert!(found[0].what.contains("TLS certificate 0: CN="), "{found:?}");
        assert!(found[0].what.ends_with("valid from 1975-01-01 to 4096-01-01"), "{found:?}");
        assert_eq!(found[1].level, Level::Note);
        let ending = certificates(vec![made.cert.der().to_vec()], i64::MAX);
        assert!(ending[0].fix.as_deref().unwrap().contains("renew it"), "{ending:?}");
    }

    const SOON: i64 = 30;
}
