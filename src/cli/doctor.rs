//! Options of `trousseau doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{ClockArgs, KeyArgs, PinArgs, PolicyArgs, ReachArgs};

const EXAMPLES: &str = "\
Examples:
  Before the first run against a server: one key that is not initialised yet, through all steps:
    trousseau doctor --target portal-html --url http://127.0.0.1:8080 \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --user dupont --new-pin-file new.pin

  The same with a key that has its PIN:
    trousseau doctor --target privacyidea --url https://otp.example.org --pin-prompt \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv --user dupont

  Without touching any key: the way there, TLS, the clock, and how a stranger is refused:
    trousseau doctor --target mine.toml --url https://otp.example.org \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv

It sends one login of a user whom nobody knows, then two or three codes of one key; with real keys
that takes up to two minutes, as each code is used once. On the way to a new PIN, one that is too short
is tried; where the target declares resync_steps, so are two codes of some steps ahead, after which the
server takes the key for fast: it says so. Use a key that may be spent on trials.

Exit codes: 0 when nothing is at fault, 3 when something is to be put right, 6 when the server
cannot be reached.";

/// Options of `trousseau doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// How the server is talked to: a name (see `trousseau targets list`) or a TOML file
    #[arg(long, value_name = "NAME")]
    pub target: String,
    /// Base address of the server: http://, https:// or, for RADIUS, radius://HOST:1812
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Batch with the keys (PSKC); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// Who holds which key: CSV with the columns `user` and `serial`, and `pin` where there is one
    #[arg(long, value_name = "FILE")]
    pub roster: PathBuf,
    /// Whose key to try [default: the first of the roster]
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// The PINs
    #[command(flatten)]
    pub pins: PinArgs,
    /// How the server is reached
    #[command(flatten)]
    pub reach: ReachArgs,
    /// Key time
    #[command(flatten)]
    pub clock: ClockArgs,
    /// Whether the policy of the keys is kept to
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Where the key of the batch comes from
    #[command(flatten)]
    pub key: KeyArgs,
}
