//! How a new file is signed, and the options of `trousseau sign`.

use std::path::PathBuf;

use clap::Args;

/// With what a new file is signed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signature of the new file")]
pub struct SignArgs {
    /// Sign the file with this private key (PEM, unencrypted): RSA of 2048 bits or more, or EC
    /// P-256
    #[arg(long, value_name = "PEM", requires = "sign_cert")]
    pub sign_key_file: Option<PathBuf>,
    /// Certificate of that key (X.509; PEM or DER), which goes into the signature
    #[arg(long, value_name = "CERT", requires = "sign_key_file")]
    pub sign_cert: Option<PathBuf>,
    /// Write the signature to a file of its own, FILE.sig, over the bytes of FILE as they are; of a
    /// set of files, manifest.json.sig covers all
    #[arg(long, requires = "sign_key_file")]
    pub sign_detached: bool,
}

/// Options of `trousseau sign`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SignCommandArgs {
    /// File to sign
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// File to write, which must not exist: FILE with the signature in it
    #[arg(long, value_name = "FILE", required_unless_present = "detached")]
    pub out: Option<PathBuf>,
    /// Write FILE.sig instead, a signature over the bytes of FILE as they are: for any kind of file
    #[arg(long, conflicts_with = "out")]
    pub detached: bool,
    /// Private key (PEM, unencrypted): RSA of 2048 bits or more, or EC P-256
    #[arg(long, value_name = "PEM")]
    pub sign_key_file: PathBuf,
    /// Certificate of that key (X.509; PEM or DER), which goes into the signature
    #[arg(long, value_name = "CERT")]
    pub sign_cert: PathBuf,
    /// Print what was done as JSON to standard output
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  A batch that is there already; its keys stay encrypted as they are:
    trousseau sign batch.pskcxml --sign-key-file signer.key --sign-cert signer.crt \\
        --out signed.pskcxml

  An import file, beside which import.csv.sig appears:
    trousseau sign import.csv --sign-key-file signer.key --sign-cert signer.crt --detached

  Whoever receives them (docs/pskc.md has it for xmlsec1 and OpenSSL, too):
    trousseau inspect signed.pskcxml --require-signature signer.crt
    trousseau export import.csv --from csv --format privacyidea-csv --out ours.csv \\
        --detached-signature import.csv.sig --require-signature signer.crt";
