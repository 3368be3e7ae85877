//! Options of `trousseau inspect`.

use std::path::PathBuf;

use clap::Args;

use super::KeyArgs;

/// Options of `trousseau inspect`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InspectArgs {
    /// The batch; `-` for standard input
    #[arg(value_name = "FILE", required_unless_present = "manifest")]
    pub file: Option<PathBuf>,
    /// Hold the files of a set against their manifest instead: every one there, unchanged
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "reveal_secrets"])]
    pub manifest: Option<PathBuf>,
    /// Print one JSON object per key and line instead of a summary; with --manifest, one object for
    /// the set
    #[arg(long)]
    pub json: bool,
    /// Print the secrets, too, in lower-case hexadecimal: whoever sees them owns the keys
    #[arg(long, requires = "json")]
    pub reveal_secrets: bool,
    /// Where the key comes from
    #[command(flatten)]
    pub key: KeyArgs,
}

const EXAMPLES: &str = "\
Examples:
  What a batch holds, every MAC verified:
    trousseau inspect batch.pskcxml --transport-key-file transport.hex

  What can be seen without the key:
    trousseau inspect batch.pskcxml

  Whether all files of a delivery arrived as they were sent:
    trousseau inspect --manifest delivery/manifest.json

  Serial numbers and periods, for another program:
    trousseau inspect batch.pskcxml --transport-key-file transport.hex --json";
