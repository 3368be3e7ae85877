//! Options of `trousseau serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::{KeyArgs, PolicyArgs, RadiusSecretArgs};

const EXAMPLES: &str = "\
Examples:
  Serve the keys of a batch to the people of a roster, then open http://127.0.0.1:8080/:
    trousseau serve --keys batch.pskcxml --transport-key-file transport.key --roster users.csv

  Keep PINs, used codes and locks over a restart:
    trousseau serve --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --store portal.db

  Let an hour of the keys pass in a minute (give `simulate` the same two values):
    trousseau serve --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --clock-rate 60 --clock-origin 2026-09-01T08:00:00Z

  Behind a proxy that has TLS (it alone should be able to reach this address):
    trousseau serve --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --listen localhost:8080 --cookie-secure

  Answer over RADIUS too, on the same accounts:
    trousseau serve --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --radius 127.0.0.1:1812 --radius-secret-file radius.secret

  Show that a check finds what it looks for:
    trousseau serve --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --defect replay-none

The rules: each code once; a window of one step either way around the learned drift of at most one
step; the next code is asked for when a code is up to 10 steps out, and two in a row move the window;
a PIN of 4 to 6 characters, without blanks; a lock after 10 failures in a row. Ends with exit
code 0 on Ctrl-C or SIGTERM.";

/// Options of `trousseau serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ServeArgs {
    /// Batch with the keys (PSKC); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// Who holds which key: CSV with the columns `user` and `serial`
    #[arg(long, value_name = "FILE")]
    pub roster: PathBuf,
    /// Address and port to listen on; port 0 takes a free one. There is no TLS: beyond this
    /// machine, put it behind a proxy that has it
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080",
          value_parser = super::values::listen)]
    pub listen: SocketAddr,
    /// Mark the cookies of the pages Secure, so that browsers send them over TLS alone: for a
    /// server behind a proxy that has TLS. Over plain HTTP nobody could log in
    #[arg(long)]
    pub cookie_secure: bool,
    /// UDP address and port to listen on for RADIUS (PAP, and Access-Challenges for a new PIN);
    /// needs the shared secret of all clients. Requests without Message-Authenticator are dropped
    #[arg(long, value_name = "ADDR", requires = "radius_secret",
          value_parser = super::values::listen)]
    pub radius: Option<SocketAddr>,
    /// Where the shared secret of RADIUS comes from
    #[command(flatten)]
    pub radius_secret: RadiusSecretArgs,
    /// SQLite file for PINs, used codes, failures and locks, made if need be, with its key beside
    /// it in FILE.key; without it they are forgotten at the end
    #[arg(long, value_name = "FILE")]
    pub store: Option<PathBuf>,
    /// Take a roster that hands keys to other people than the store knows: their PINs are
    /// forgotten, and the new holders choose their own; used codes stay used
    #[arg(long, requires = "store")]
    pub reassign: bool,
    /// Seconds of key time that pass in one real second
    #[arg(long, value_name = "R", default_value = "1", value_parser = rate)]
    pub clock_rate: f64,
    /// Instant at which key time and wall time agree: RFC 3339 (2026-09-01T08:00:00Z), or seconds
    /// since 1970; a server and whoever talks to it must be given the same [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = super::values::instant)]
    pub clock_origin: Option<u64>,
    /// How long an account stays locked after 10 failures in a row, in seconds of key time
    #[arg(long, value_name = "N", default_value = "900")]
    pub lock_seconds: u64,
    /// Steps either way within which a key that is too far out is asked for its next code, and
    /// followed from there; 0 refuses it
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u64).range(..=1000))]
    pub resync_steps: u64,
    /// Plant a fault, to show that a check finds it
    #[arg(long, value_name = "NAME", value_parser = DEFECTS)]
    pub defect: Option<String>,
    /// Whether the policy of the keys is kept to
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Where the key of the batch comes from
    #[command(flatten)]
    pub key: KeyArgs,
}

/// Names of the faults that can be planted.
pub const DEFECTS: [&str; 9] = [
    "replay-none",
    "toctou",
    "burn-current-step-only",
    "false-reject",
    "init-code-reuse",
    "pin-ignored",
    "no-lockout",
    "wide-window",
    "drift-walk",
];

pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.001..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("give a number from 0.001 to 10000".into()),
    }
}
