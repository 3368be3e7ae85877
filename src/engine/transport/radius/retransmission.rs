//! When to send a request again (RFC 5080 §2.2.1, after RFC 3315 §14).
//!
//! ```text
//! RT  = IRT + RAND*IRT          first
//! RT  = 2*RTprev + RAND*RTprev  then
//! RT  = MRT + RAND*MRT          once that exceeds MRT
//! ```
//! RAND is drawn anew each time, between −0.1 and +0.1, so that a thousand clients which lost
//! their server at the same moment do not come back at the same moment.

use std::time::Duration;

/// The parameters, by their names in the RFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retransmission {
    /// IRT: initial retransmission time.
    pub initial: Duration,
    /// MRT: the longest pause before a retransmission, jitter aside; none when zero.
    pub longest: Duration,
    /// MRC: how often a request is sent at most, the first time included; no bound when zero.
    pub count: u32,
    /// MRD: when to give up, counted from the first transmission.
    pub duration: Duration,
}

/// The values of RFC 5080 §2.2.1.
impl Default for Retransmission {
    fn default() -> Self {
        Self {
            initial: Duration::from_secs(2),
            longest: Duration::from_secs(16),
            count: 5,
            duration: Duration::from_secs(30),
        }
    }
}

impl Retransmission {
    /// The pauses of one request that has just been sent for the first time.
    pub(super) fn start(self) -> Pauses {
        Pauses { rules: self, previous: Duration::ZERO, elapsed: Duration::ZERO, sent: 1 }
    }
}

/// What to do after a pause without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the same octets again.
    Send,
    /// There will be no answer.
    GiveUp,
}

/// The state of one request.
#[derive(Debug, Clone)]
pub(super) struct Pauses {
    rules: Retransmission,
    previous: Duration,
    elapsed: Duration,
    sent: u32,
}

impl Pauses {
    /// How long to wait for an answer now, and what then. `jitter` is RAND.
    pub(super) fn next(&mut self, jitter: f64) -> (Duration, Next) {
        let Retransmission { initial, longest, count, duration } = self.rules;
        let mut pause = if self.previous.is_zero() {
            initial.mul_f64(1.0 + jitter)
        } else {
            self.previous.mul_f64(2.0 + jitter)
        };
        if !longest.is_zero() && pause > longest {
            pause = longest.mul_f64(1.0 + jitter);
        }
        let left = duration.saturating_sub(self.elapsed);
        // After the last transmission an answer may still come until MRD.
        if pause >= left || (count != 0 && self.sent >= count) {
            return (left, Next::GiveUp);
        }
        self.previous = pause;
        self.elapsed += pause;
        self.sent += 1;
        (pause, Next::Send)
    }

    /// How often the request has been sent, the transmission that [`Next::Send`] asks for
    /// included.
    pub(super) fn sent(&self) -> u32 {
        self.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instants of the transmissions and of giving up, in seconds.
    fn timeline(rules: Retransmission, jitter: f64) -> Vec<f64> {
        let mut pauses = rules.start();
        let mut instants = vec![0.0];
        loop {
            let (pause, next) = pauses.next(jitter);
            instants.push(instants.last().unwrap() + pause.as_secs_f64());
            if next == Next::GiveUp {
                return instants;
            }
        }
    }

    fn close(left: &[f64], right: &[f64]) -> bool {
        left.len() == right.len() && left.iter().zip(right).all(|(l, r)| (l - r).abs() < 1e-6)
    }

    #[test]
    fn the_pauses_double_up_to_16_seconds_and_end_at_30() {
        let instants = timeline(Retransmission::default(), 0.0);
        assert!(close(&instants, &[0.0, 2.0, 6.0, 14.0, 30.0]), "{instants:?}");
    }

    #[test]
    fn jitter_is_a_tenth_of_each_pause() {
        let early = timeline(Retransmission::default(), -0.1);
        // 1.8, then ×1.9 each: 3.42, 6.498, 12.3462; what is left of 30 s comes last.
        assert!(close(&early, &[0.0, 1.8, 5.22, 11.718, 24.0642, 30.0]), "{early:?}");
        let late = timeline(Retransmission::default(), 0.1);
        assert!(close(&late, &[0.0, 2.2, 6.82, 16.522, 30.0]), "{late:?}");
    }

    #[test]
    fn no_pause_exceeds_the_longest_by_more_than_its_jitter() {
        let rules =
            Retransmission { count: 0, duration: Duration::from_secs(120), ..Default::default() };
        let instants = timeline(rules, 0.1);
        let pauses: Vec<_> = instants.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(close(&pauses[4..6], &[17.6, 17.6]), "{pauses:?}");
        assert!((instants.last().unwrap() - 120.0).abs() < 1e-6);
    }

    #[test]
    fn the_count_bounds_the_transmissions() {
        let rules = Retransmission { count: 1, ..Default::default() };
        assert!(close(&timeline(rules, 0.0), &[0.0, 30.0]));
        let mut pauses = rules.start();
        pauses.next(0.0);
        assert_eq!(pauses.sent(), 1);
    }
}
