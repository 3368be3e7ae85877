//! What was run and against what: the head of a record. Never holds a secret.

use serde::{Deserialize, Serialize};

/// The head of a record (`run.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of this program.
    pub trousseau: String,
    /// Scenario name.
    pub scenario: String,
    /// SHA-256 of the scenario's text, lower-case hex.
    pub scenario_sha256: String,
    /// Target name.
    pub target: String,
    /// SHA-256 of the target's text, lower-case hex.
    pub target_sha256: String,
    /// Base address of the server.
    pub url: String,
    /// People simulated.
    pub users: u32,
    /// Seed of the population.
    pub seed: u64,
    /// Serial and user id of each person, by index.
    pub people: Vec<(String, String)>,
    /// The clocks.
    pub clock: ClockInfo,
    /// Wall time at the start, RFC 3339.
    pub started: String,
    /// Wall time at the end; `None` while running, or after a kill.
    pub finished: Option<String>,
    /// Signal that ended it early (2 or 15).
    pub interrupted: Option<u8>,
    /// Limits on the outcome.
    pub thresholds: ThresholdInfo,
    /// What the load generator itself used; filled at the end.
    pub generator: Option<GeneratorInfo>,
    /// What happened to this machine's clock while it ran, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_events: Vec<ClockEvent>,
    /// RADIUS datagrams by kind, those that there were; empty over HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datagrams: Vec<Datagrams>,
}

/// The clock of the generating machine was set, or the machine slept, in the middle of a run. Key
/// time goes by the monotonic clock and did not follow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClockEvent {
    /// Which of the two.
    pub kind: ClockEventKind,
    /// By how many real seconds; negative when the clock was set back.
    pub seconds: f64,
    /// The last look at the clocks before it, real µs since the start of the run.
    pub after_us: u64,
    /// The look that found it.
    pub seen_us: u64,
}

/// What happened to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockEventKind {
    /// Wall time was set.
    Step,
    /// The machine was suspended.
    Suspend,
}

/// RADIUS datagrams of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Datagrams {
    /// The kind, in words.
    pub name: String,
    /// How many.
    pub count: u64,
}

impl ClockEvent {
    /// Whether it stays with the run to its end: it moved key time by more than a second, which no
    /// allowance covers, and whether the server moved along is not known. Otherwise it matters for
    /// one period of the keys.
    #[must_use]
    pub fn lasts(&self, clock: &ClockInfo) -> bool {
        self.seconds.abs() * clock.rate > 1.0
    }

    /// Whether an attempt that was sent and answered then (real µs since the start of the run) may
    /// have been judged by the wrong time.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn touches(&self, clock: &ClockInfo, sent_us: u64, answered_us: u64) -> bool {
        let period_us = (f64::from(clock.period) / clock.rate * 1e6) as u64;
        let over = sent_us > self.seen_us.saturating_add(period_us);
        answered_us >= self.after_us && (self.lasts(clock) || !over)
    }
}

/// Clock facts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClockInfo {
    /// Seconds of key time per real second.
    pub rate: f64,
    /// Key time at the start of the run, µs since the Unix epoch.
    pub start_key: u64,
    /// Server's clock minus ours, µs of key time, when it could be measured.
    pub server_offset: Option<i64>,
    /// Allowance for the difference between the server's clock and ours, µs of key time.
    pub uncertainty: u64,
    /// Period of the keys, seconds.
    pub period: u32,
}

/// Limits that decide the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct ThresholdInfo {
    /// Contradictions tolerated; 0 unless the scenario says otherwise.
    pub contradictions: u64,
    /// Largest tolerated share of attempts that end in an error, 0 to 1.
    pub error_rate: Option<f64>,
    /// Largest tolerated 99th percentile of latency, any step, milliseconds.
    pub p99_ms: Option<f64>,
    /// Largest tolerated 99th percentile of the generator's own lateness, milliseconds; beyond it
    /// the latencies speak of this machine, not of the server.
    pub lateness_p99_ms: Option<f64>,
}

/// What the load generator itself used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GeneratorInfo {
    /// Processor seconds, user and system, of the generating process during the run.
    pub cpu_seconds: f64,
    /// Whether that process was also the server (as in `demo`).
    pub shared_with_server: bool,
    /// Peak resident memory, KiB.
    pub peak_rss_kib: u64,
    /// Attempts due but never sent, by the end of the run.
    pub unsent: u64,
    /// Connections opened.
    pub connections: u64,
    /// Requests sent a second time, on a fresh connection, after the server had given up the first
    /// one unread by its own word (HTTP 408).
    #[serde(default)]
    pub resent: u64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A run of two people against an imaginary server.
    pub(crate) fn run_info() -> RunInfo {
        RunInfo {
            trousseau: "0.1.0".into(),
            scenario: "rentree".into(),
            scenario_sha256: "a".repeat(64),
            target: "portal-json".into(),
            target_sha256: "b".repeat(64),
            url: "http://127.0.0.1:8080".into(),
            users: 2,
            seed: 1,
            people: vec![("ACME0001".into(), "anne".into()), ("ACME0002".into(), "bob".into())],
            clock: ClockInfo {
                rate: 60.0,
                start_key: 1_788_249_600_000_000,
                server_offset: Some(-1_200),
                uncertainty: 50_000,
                period: 60,
            },
            started: "2026-09-01T06:40:00Z".into(),
            finished: None,
            interrupted: None,
            thresholds: ThresholdInfo::default(),
            generator: None,
            clock_events: Vec::new(),
            datagrams: Vec::new(),
        }
    }

    #[test]
    fn comes_back_from_json() {
        let text = serde_json::to_string(&run_info()).unwrap();
        assert_eq!(serde_json::from_str::<RunInfo>(&text).unwrap(), run_info());
    }

    #[test]
    fn a_small_step_matters_for_a_period_and_a_large_one_to_the_end() {
        let clock = ClockInfo { rate: 1.0, ..run_info().clock };
        let second = 1_000_000;
        let step = |seconds| ClockEvent {
            kind: ClockEventKind::Step,
            seconds,
            after_us: 10 * second,
            seen_us: 11 * second,
        };
        for seconds in [-0.06, 0.06, -30.0, 30.0] {
            let touches =
                |sent, answered| step(seconds).touches(&clock, sent * second, answered * second);
            assert!(!touches(8, 9), "answered before it");
            assert!(touches(8, 10) && touches(71, 72), "{seconds}");
            assert_eq!(touches(72, 73), seconds.abs() > 1.0, "{seconds}");
        }
        // An hour in a minute: 60 ms are 3.6 s to the keys.
        let fast = ClockInfo { rate: 60.0, ..clock };
        assert!(step(0.06).touches(&fast, 72 * second, 73 * second));
    }
}
