//! Options of `trousseau simulate` and `trousseau scenarios`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ClockArgs, KeyArgs, PolicyArgs, ReachArgs};

const EXAMPLES: &str = "\
Examples:
  The first morning of term, against a server started with `trousseau serve`:
    trousseau simulate --scenario rentree --target portal-html --url http://127.0.0.1:8080 \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv --out run1

  A hundred people, three times as many typing errors:
    trousseau simulate --scenario rentree --target portal-json --url http://127.0.0.1:8080 \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --users 100 --set people.typo=0.06

  An hour of the keys in a minute, with the two values that `serve` announces:
    trousseau simulate --scenario rentree --target portal-html --url http://127.0.0.1:8080 \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --clock-rate 60 --clock-origin 2026-09-01T08:00:00Z

  A second rehearsal against a server that has initialised the keys in the first one:
    trousseau simulate --scenario rentree --target portal-html --url http://127.0.0.1:8080 \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv \\
        --save-pins pins.csv --out monday
    trousseau simulate --scenario rentree --target portal-html --url http://127.0.0.1:8080 \\
        --keys batch.pskcxml --transport-key-file transport.key --roster pins.csv --out tuesday

  The same people over RADIUS, against `trousseau serve … --radius 127.0.0.1:1812`:
    trousseau simulate --scenario rentree --target portal-radius --url radius://127.0.0.1:1812 \\
        --radius-secret-file radius.secret \\
        --keys batch.pskcxml --transport-key-file transport.key --roster users.csv

The same --seed gives the same people, who come at the same times and make the same mistakes, on any
number of workers. The report goes to standard output and, in every form, to the folder of the run.";

/// Options of `trousseau simulate`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SimulateArgs {
    /// What people do and when: a name (see `trousseau scenarios list`) or a TOML file
    #[arg(long, value_name = "NAME")]
    pub scenario: String,
    /// How the server is talked to: a name (see `trousseau targets list`) or a TOML file
    #[arg(long, value_name = "NAME")]
    pub target: String,
    /// Base address of the server: http://, https:// or, for RADIUS, radius://HOST:1812
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Batch with the keys (PSKC); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub keys: PathBuf,
    /// Who holds which key: CSV with the columns `user` and `serial`, and `pin` for people whose
    /// key the server has initialised already: they go straight to the logins
    #[arg(long, value_name = "FILE")]
    pub roster: PathBuf,
    /// Simulate only the first N people of the roster
    #[arg(long, value_name = "N")]
    pub users: Option<usize>,
    /// Seed of the population
    #[arg(long, value_name = "S", default_value = "1")]
    pub seed: u64,
    /// Folder for the record and the reports, made anew [default: run-DATE-TIME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Write the PINs of everybody who is surely initialised at the end to a new file, readable by
    /// you alone, which is the --roster of the next run against the same server
    #[arg(long, value_name = "FILE")]
    pub save_pins: Option<PathBuf>,
    /// Nobody has used the keys before: where PINs were set beforehand, a code of the present is then
    /// expected to be taken, instead of counting as one that may have been used already
    #[arg(long)]
    pub unused_keys: bool,
    /// Threads that make requests [default: one per processor]
    #[arg(long, value_name = "W")]
    pub workers: Option<std::num::NonZeroUsize>,
    /// Replace one value of the scenario; may be given several times
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Key time
    #[command(flatten)]
    pub clock: ClockArgs,
    /// Run although the server's clock is far from ours
    #[arg(long)]
    pub ignore_clock: bool,
    /// Most connections at a time; who finds none free waits, and the wait shows
    #[arg(long, value_name = "N", default_value = "2000")]
    pub max_connections: std::num::NonZeroUsize,
    /// How the server is reached
    #[command(flatten)]
    pub reach: ReachArgs,
    /// Show how far the run is even when standard error is no terminal: a line every 5 s
    #[arg(long)]
    pub live: bool,
    /// Whether the policy of the keys is kept to
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Where the key of the batch comes from
    #[command(flatten)]
    pub key: KeyArgs,
}

const SCENARIO_EXAMPLES: &str = "\
Examples:
  trousseau scenarios list
  trousseau scenarios show rentree > mine.toml
  trousseau scenarios check mine.toml";

/// What to do with scenarios.
#[derive(Debug, Subcommand)]
#[command(after_help = SCENARIO_EXAMPLES)]
pub enum ScenariosCommand {
    /// List the scenarios there are
    List,
    /// Print a scenario, to read it or to begin one's own
    Show {
        /// Its name
        name: String,
    },
    /// Check a scenario and the example it carries
    Check {
        /// Its name, or a TOML file
        file: String,
        /// Replace one value of the scenario; may be given several times
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
    },
}
