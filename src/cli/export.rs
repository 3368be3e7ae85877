//! Options of `trousseau export`.

use std::path::PathBuf;

use clap::Args;

use super::{CompressionName, KeyArgs, SealArgs, SignArgs, SplitArgs};

const EXAMPLES: &str = "\
Examples:
  The import file of a privacyIDEA server, each key with its user:
    trousseau export batch.pskcxml --transport-key-file transport.key \\
        --format privacyidea-csv --roster users.csv --out import.csv

  Microsoft Entra ID, only the keys that somebody holds:
    trousseau export batch.pskcxml --transport-key-file transport.key --format entra-csv \\
        --roster users.csv --assigned-only --set manufacturer=ACME --set model=T-100 --out entra.csv

  The same batch encrypted for a customer, under a key of its own:
    trousseau export batch.pskcxml --transport-key-file transport.key --format pskc \\
        --out-new-transport-key customer.key --out customer.pskcxml

  Files of 200 keys each, as many as the server takes at once, with a manifest:
    trousseau export batch.pskcxml --transport-key-file transport.key --format entra-csv \\
        --roster users.csv --assigned-only --set manufacturer=ACME --set model=T-100 \\
        --split-rows 200 --out entra/keys.csv

  The same for the holder of a certificate, under AES-GCM:
    trousseau export batch.pskcxml --transport-key-file transport.key --format pskc \\
        --recipient customer.crt --encryption aes-gcm --out customer.pskcxml

  What formats there are, and what one of them takes:
    trousseau formats list
    trousseau formats show pam-oath

Every key is checked before anything is written: one that the server could not use as it is means
no file, and a list of all such keys. Import files hold the seeds in plain text.";

/// Options of `trousseau export`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    /// Batch to export (PSKC, or what --from says); `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Format of the import file: a name (`trousseau formats list`) or the path of a definition
    #[arg(long, value_name = "NAME")]
    pub format: String,
    /// File to write, which must not exist, compressed if its name ends in .gz or .zst; `-` writes
    /// to standard output, when all of it is known to be right
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How to compress it, if not as its name says: the way to compress what goes to standard output
    #[arg(long, value_enum, value_name = "HOW")]
    pub compress: Option<CompressionName>,
    /// Who holds which key: CSV with the columns `user` and `serial`
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
    /// Leave out the keys that nobody holds
    #[arg(long)]
    pub assigned_only: bool,
    /// Give a setting of the format its value
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    pub settings: Vec<(String, String)>,
    /// Write even if the file cannot carry something that decides codes
    #[arg(long)]
    pub allow_loss: bool,
    /// Read FILE as an import file of this format instead of PSKC
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// Print a summary as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// Whether to write a set of files
    #[command(flatten)]
    pub split: SplitArgs,
    /// Where the key of the batch comes from
    #[command(flatten)]
    pub key: KeyArgs,
    /// Where the key of the new file comes from
    #[command(flatten)]
    pub out_key: OutKeyArgs,
    /// How the new file is encrypted
    #[command(flatten)]
    pub seal: SealArgs,
    /// With what the new file is signed
    #[command(flatten)]
    pub sign: SignArgs,
}

/// The key under which `--format pskc` encrypts.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Key of the new file (--format pskc)")]
pub struct OutKeyArgs {
    /// File with the transport key: hexadecimal text, or the raw 16, 24 or 32 bytes
    #[arg(long, value_name = "FILE", group = "new_key")]
    pub out_transport_key_file: Option<PathBuf>,
    /// Make a transport key and write it to this file, which must not exist
    #[arg(long, value_name = "FILE", group = "new_key")]
    pub out_new_transport_key: Option<PathBuf>,
    /// File with the passphrase: its first line, UTF-8
    #[arg(long, value_name = "FILE", group = "new_key")]
    pub out_passphrase_file: Option<PathBuf>,
    /// AES key in a PKCS #11 token, as --pkcs11-key; the PIN comes the same way
    #[arg(long, value_name = "URI", group = "new_key")]
    pub out_pkcs11_key: Option<String>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a setting is NAME=VALUE".into()),
    }
}
