//! Options of `trousseau code`.

use std::path::PathBuf;

use clap::Args;

use super::{KeyArgs, PolicyArgs};

const EXAMPLES: &str = "\
Examples:
  The code that the key shows now, and how long it stays:
    trousseau code batch.pskcxml --transport-key-file transport.key --serial ACME00000001

  Live, as on the key itself (Ctrl-C ends it):
    trousseau code batch.pskcxml --transport-key-file transport.key --serial ACME00000001 --watch

  At another moment:
    trousseau code batch.pskcxml --transport-key-file transport.key --serial ACME00000001 \\
        --at 2026-09-01T08:00:00Z

The five bars are those of the key: 5 bars, the code has just appeared; 1 bar, it is about to
change. Written to a pipe, --watch prints one line per new code.";

/// Options of `trousseau code`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CodeArgs {
    /// Batch with the key (PSKC); `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Serial number of the key, as on its back
    #[arg(long, value_name = "SERIAL")]
    pub serial: String,
    /// Keep showing the code as it changes
    #[arg(long)]
    pub watch: bool,
    /// Moment to show: seconds since 1970, or RFC 3339 (2026-09-01T08:00:00Z) [default: now]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["watch", "clock_rate", "clock_origin"])]
    pub at: Option<String>,
    /// Event counter of an HOTP key [default: the one in the batch]
    #[arg(long, value_name = "N", conflicts_with_all = ["at", "watch"])]
    pub counter: Option<u64>,
    /// Seconds of key time that pass in one real second, as given to `serve`
    #[arg(long, value_name = "R", default_value = "1", value_parser = rate)]
    pub clock_rate: f64,
    /// Instant at which key time and wall time agree: RFC 3339 (2026-09-01T08:00:00Z), or seconds
    /// since 1970 [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = super::values::instant)]
    pub clock_origin: Option<u64>,
    /// Whether the policy of the keys is kept to
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Where the key of the batch comes from
    #[command(flatten)]
    pub key: KeyArgs,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000_000.0 => Ok(rate),
        _ => Err("a rate is a number above 0, at most 1000000".into()),
    }
}
