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
        }
    }

    #[test]
    fn comes_back_from_json() {
        let text = serde_json::to_string(&run_info()).unwrap();
        assert_eq!(serde_json::from_str::<RunInfo>(&text).unwrap(), run_info());
    }
}
