//! Options of `trousseau targets probe`.

use std::path::PathBuf;

use clap::Args;

use super::{ClockArgs, KeyArgs, PinArgs, PolicyArgs, ReachArgs};

const EXAMPLES: &str = "\
Examples:
  A first code against the server, with every exchange and the rule that reads it:
    trousseau targets probe --target mine.toml --url https://otp.example.org \\
        --operation first_code --user dupont \\
        --keys batch.pskcxml --transport-key-file transport.key --serial OATH000123

  All three steps in one go, the PIN from a file; the tool waits for the key to change:
    trousseau targets probe --target portal-html --url http://127.0.0.1:8080 \\
        --operation first_code,new_pin,confirm --user dupont --new-pin-file new.pin \\
        --keys batch.pskcxml --transport-key-file transport.key --serial OATH000123

  A login, and the same code again, which must be refused:
    trousseau targets probe --target portal-json --url http://127.0.0.1:8080 \\
        --operation login,login --user dupont --pin-prompt \\
        --keys batch.pskcxml --transport-key-file transport.key --serial OATH000123

  Without seeds, with a code read off the key:
    trousseau targets probe --target mine.toml --url https://otp.example.org \\
        --operation login --user dupont --pin-file my.pin --code-file code.txt

Codes, PINs, cookies, captured values and whatever looks like a token are shown as ***.

Exit codes: 0 when a rule reads every answer (a refusal is an answer too), 3 when one is read as an
error (no rule matches, a value is missing, the server failed), 6 when there is no answer at all.";

/// Options of `trousseau targets probe`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ProbeArgs {
    /// How the server is talked to: a name (see `trousseau targets list`) or a TOML file
    #[arg(long, value_name = "NAME")]
    pub target: String,
    /// Base address of the server: http://, https:// or, for RADIUS, radius://HOST:1812
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// What to do: first_code, new_pin, confirm, login, resync, logout; several, in this order, in one
    /// browser, with commas
    #[arg(long, value_name = "OP", value_delimiter = ',', required = true)]
    pub operation: Vec<String>,
    /// User id
    #[arg(long, value_name = "USER")]
    pub user: String,
    /// Batch with the key (PSKC); `-` reads standard input
    #[arg(long, value_name = "FILE", requires = "serial", required_unless_present = "code_file")]
    pub keys: Option<PathBuf>,
    /// Serial number of the key
    #[arg(long, value_name = "S", requires = "keys")]
    pub serial: Option<String>,
    /// File with a code read off the key, instead of a batch
    #[arg(long, value_name = "FILE", conflicts_with = "keys")]
    pub code_file: Option<PathBuf>,
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
