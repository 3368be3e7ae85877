//! One attempt: what came, held against what had to come.

use crate::named::named;
use crate::recorder::{Expected, Fault, Observation, Reason, Verdict};

named! {
    /// In what way a server contradicted what a correct one must answer.
    Kind {
        /// A code that had been accepted before was taken again (RFC 6238 §5.2).
        ReplayAccepted = "replay-accepted",
        /// The same code sent several times at once was taken more than once.
        ConcurrentReplayAccepted = "concurrent-replay-accepted",
        /// One key's code was taken twice in the run, though no single expectation forbade it.
        AcceptedTwice = "accepted-twice",
        /// A wrong, old or malformed credential was taken.
        WronglyAccepted = "wrongly-accepted",
        /// A good credential was refused.
        WronglyRefused = "wrongly-refused",
        /// The same good code sent several times at once was taken not even once.
        NoneOfGroupAccepted = "none-of-group-accepted",
        /// The credential was taken, but the dialogue went elsewhere.
        WrongAnswer = "wrong-answer",
    }
}

named! {
    /// Why an answer is no evidence.
    Why {
        /// The server may have acted outside the span in which the expectation holds.
        WindowEdge = "window-edge",
        /// The oracle expects nothing: an earlier answer was lost, or the target has no rule.
        NoExpectation = "no-expectation",
        /// The server said that it has too much to do.
        Throttled = "throttled",
        /// The server asked for the next code: neither taken nor refused.
        NextCode = "next-code",
        /// Another attempt of the same concurrent group may have been the one that was taken.
        GroupUnknown = "group-unknown",
        /// The clock of the generating machine was set, or the machine slept: what had to come
        /// was computed for the wrong time.
        ClockEvent = "clock-event",
        /// The server refused the good codes of everybody and took none: nothing shows that it
        /// knows these keys, as new ones, by these seeds.
        Strangers = "strangers",
    }
}

/// What one attempt proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The server answered as it must.
    Confirmed,
    /// It did not.
    Contradiction(Kind),
    /// No evidence.
    Undetermined(Why),
    /// No usable answer.
    Fault(Fault),
}

/// An attempt by which the server contradicted what a correct one must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// Index of the run, in the order of [`super::Audit::begin`].
    pub run: usize,
    /// In what way.
    pub kind: Kind,
    /// The attempt.
    pub seen: Observation,
}

/// Whether the server took the credential: logged in, or went on to the next step.
#[must_use]
pub fn took(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Accepted | Verdict::NewPin | Verdict::Confirm)
}

/// What `seen` proves by itself, with `uncertainty` µs of key time between the server's clock and
/// ours; `None` for an attempt of a concurrent group, which proves nothing without the others.
///
/// | expected | confirmed by | contradicted by |
/// |---|---|---|
/// | accepted, new-pin, confirm | the same verdict | any other, but throttled |
/// | next-code | next-code | accepted, new-pin, confirm, rejected, locked |
/// | rejected | rejected, locked, throttled | accepted, new-pin, confirm |
/// | page | any page | |
/// | unknown | | |
#[must_use]
pub fn classify(seen: &Observation, uncertainty: u64) -> Option<Finding> {
    let expectation = seen.expectation;
    if seen.verdict == Verdict::Error {
        return match expectation.expected {
            Expected::OneOfGroup => None,
            _ => Some(Finding::Fault(seen.fault.unwrap_or(Fault::Answer))),
        };
    }
    let finding = match expectation.expected {
        Expected::OneOfGroup => return None,
        Expected::Unknown => Finding::Undetermined(Why::NoExpectation),
        _ if !seen.decided(uncertainty) => Finding::Undetermined(Why::WindowEdge),
        Expected::Rejected => refusal(seen.verdict, expectation.reason),
        Expected::Accepted => taking(seen.verdict, Verdict::Accepted),
        Expected::NewPin => taking(seen.verdict, Verdict::NewPin),
        Expected::Confirm => taking(seen.verdict, Verdict::Confirm),
        Expected::NextCode => asking(seen.verdict),
        Expected::Page if seen.verdict == Verdict::Throttled => {
            Finding::Undetermined(Why::Throttled)
        }
        Expected::Page => Finding::Confirmed,
    };
    Some(finding)
}

fn refusal(verdict: Verdict, reason: Reason) -> Finding {
    match verdict {
        Verdict::Rejected | Verdict::Locked => Finding::Confirmed,
        // It did not look at the code: what it would have said is not known.
        Verdict::Throttled => Finding::Undetermined(Why::Throttled),
        Verdict::NextCode => Finding::Undetermined(Why::NextCode),
        _ if reason == Reason::ReplayedCode => Finding::Contradiction(Kind::ReplayAccepted),
        _ => Finding::Contradiction(Kind::WronglyAccepted),
    }
}

/// A code too far out: letting in by it alone is worse than another answer.
fn asking(verdict: Verdict) -> Finding {
    match verdict {
        _ if took(verdict) => Finding::Contradiction(Kind::WronglyAccepted),
        _ => taking(verdict, Verdict::NextCode),
    }
}

fn taking(verdict: Verdict, wanted: Verdict) -> Finding {
    match verdict {
        _ if verdict == wanted => Finding::Confirmed,
        Verdict::Throttled => Finding::Undetermined(Why::Throttled),
        _ if took(verdict) => Finding::Contradiction(Kind::WrongAnswer),
        _ => Finding::Contradiction(Kind::WronglyRefused),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::recorder::{Behaviour, Expectation, Step};

    /// A login at key time 1,000 to 1,010 s by person 0 with code 16, so expected and answered.
    pub(in crate::audit) fn login(
        expected: Expected,
        reason: Reason,
        verdict: Verdict,
    ) -> Observation {
        Observation {
            person: 0,
            attempt: 0,
            step: Step::Login,
            behaviour: Behaviour::Careful,
            group: 0,
            due_us: 10,
            sent_us: 20,
            answered_us: 30,
            sent_key: 1_000_000_000,
            answered_key: 1_010_000_000,
            counter: Some(16),
            expectation: Expectation::always(expected, reason),
            verdict,
            status: 200,
            fault: (verdict == Verdict::Error).then_some(Fault::Timeout),
        }
    }

    #[test]
    fn every_pair_of_expectation_and_verdict_is_decided_as_the_table_says() {
        use Verdict as V;
        let judge = |expected, reason, verdict| classify(&login(expected, reason, verdict), 0);
        for verdict in V::ALL.iter().copied().filter(|verdict| *verdict != V::Error) {
            let refused = matches!(verdict, V::Rejected | V::Locked);
            let expected = match verdict {
                _ if refused => Finding::Confirmed,
                V::Throttled => Finding::Undetermined(Why::Throttled),
                V::NextCode => Finding::Undetermined(Why::NextCode),
                _ => Finding::Contradiction(Kind::ReplayAccepted),
            };
            assert_eq!(
                judge(Expected::Rejected, Reason::ReplayedCode, verdict),
                Some(expected),
                "{verdict}"
            );
            let expected = match verdict {
                V::Accepted => Finding::Confirmed,
                V::Throttled => Finding::Undetermined(Why::Throttled),
                V::NewPin | V::Confirm => Finding::Contradiction(Kind::WrongAnswer),
                _ => Finding::Contradiction(Kind::WronglyRefused),
            };
            assert_eq!(
                judge(Expected::Accepted, Reason::FreshCode, verdict),
                Some(expected),
                "{verdict}"
            );
            let unknown = judge(Expected::Unknown, Reason::LostAnswer, verdict);
            assert_eq!(unknown, Some(Finding::Undetermined(Why::NoExpectation)));
            assert_eq!(judge(Expected::OneOfGroup, Reason::Concurrent, verdict), None);
        }
        let wrong_pin = judge(Expected::Rejected, Reason::WrongPin, V::Accepted);
        assert_eq!(wrong_pin, Some(Finding::Contradiction(Kind::WronglyAccepted)));
        let new_pin = judge(Expected::NewPin, Reason::FreshCode, V::NewPin);
        assert_eq!(new_pin, Some(Finding::Confirmed));
    }

    #[test]
    fn no_answer_is_nobodys_verdict() {
        for expected in [Expected::Accepted, Expected::Rejected, Expected::Unknown, Expected::Page]
        {
            let lost = login(expected, Reason::FreshCode, Verdict::Error);
            assert_eq!(classify(&lost, 0), Some(Finding::Fault(Fault::Timeout)));
        }
    }

    #[test]
    fn near_the_edge_of_the_window_nothing_is_proven() {
        let mut late = login(Expected::Accepted, Reason::FreshCode, Verdict::Rejected);
        late.expectation.until = 1_010_500_000;
        let refused = Some(Finding::Contradiction(Kind::WronglyRefused));
        assert_eq!(classify(&late, 500_000), refused);
        assert_eq!(classify(&late, 500_001), Some(Finding::Undetermined(Why::WindowEdge)));
    }
}
