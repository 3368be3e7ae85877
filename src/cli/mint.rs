//! Options of `trousseau mint`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{CompressionName, KeyArgs, SealArgs, SignArgs, SplitArgs};

/// What `--spec` says.
const FACTS: [&str; 13] = [
    "count",
    "serial_prefix",
    "first_serial",
    "serial_width",
    "algorithm",
    "digits",
    "period",
    "counter",
    "hash",
    "secret_bytes",
    "manufacturer",
    "model",
    "issuer",
];

/// Options of `trousseau mint`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("allow_unauthenticated", |arg| arg.hide(true)))]
#[command(mut_arg("private_key_file", |arg| arg.hide(true)))]
#[command(mut_arg("private_key_fd", |arg| arg.hide(true)))]
#[command(mut_arg("require_signature", |arg| arg.hide(true)))]
#[command(mut_arg("detached_signature", |arg| arg.hide(true)))]
#[command(mut_arg("cbc_iv", |arg| arg.hide(true)))]
#[command(mut_arg("limit", |arg| arg.hide(true)))]
pub struct MintArgs {
    /// Production order, a TOML file: says all about the keys, so that no option may (manual:
    /// docs/orders.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = FACTS)]
    pub spec: Option<PathBuf>,
    /// Number of keys to make
    #[arg(long, value_name = "N", required_unless_present = "spec")]
    pub count: Option<u64>,
    /// What every serial number starts with
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub serial_prefix: String,
    /// Number of the first key
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub first_serial: u64,
    /// Digits of the number in the serial number, padded with zeros; by default as many as the
    /// highest number needs
    #[arg(long, value_name = "W")]
    pub serial_width: Option<usize>,
    /// What the keys compute
    #[arg(long, value_enum, default_value_t = MintAlgorithm::Totp)]
    pub algorithm: MintAlgorithm,
    /// Digits of a code, 6 to 10
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub digits: u8,
    /// Seconds a code is on display, 1 to 3600 (TOTP)
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub period: u32,
    /// Counter of the first code (HOTP)
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub counter: u64,
    /// Hash under HMAC
    #[arg(long, value_enum, default_value_t = MintHash::Sha1)]
    pub hash: MintHash,
    /// Bytes of a seed, 16 to 128
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub secret_bytes: usize,
    /// Maker, as RFC 6030 wants it: oath.PREFIX or iana.ORGANISATION
    #[arg(long, value_name = "TEXT")]
    pub manufacturer: Option<String>,
    /// Model
    #[arg(long, value_name = "TEXT")]
    pub model: Option<String>,
    /// Issuer, shown to the user by some servers
    #[arg(long, value_name = "TEXT")]
    pub issuer: Option<String>,
    /// File to write, which must not exist, compressed if its name ends in .gz or .zst; `-` for
    /// standard output
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How to compress it, if not as its name says: the way to compress what goes to standard output
    #[arg(long, value_enum, value_name = "HOW")]
    pub compress: Option<CompressionName>,
    /// Print a summary as JSON to standard output
    #[arg(long)]
    pub json: bool,
    /// Whether to write a set of files
    #[command(flatten)]
    pub split: SplitArgs,
    /// Inventory that remembers the batch and refuses serials issued before; made if need be
    #[arg(long, value_name = "FILE", help_heading = "Inventory")]
    pub inventory: Option<PathBuf>,
    /// Identifier of the batch in the inventory; by default that of the order, or the first and
    /// last serial number
    #[arg(long, value_name = "ID", requires = "inventory", help_heading = "Inventory")]
    pub batch_id: Option<String>,
    /// Make a random transport key (of 128 bits) and write it to FILE, which must not exist
    #[arg(long, value_name = "FILE", group = "batch_key", help_heading = "Key of the batch")]
    pub new_transport_key: Option<PathBuf>,
    /// Where the key comes from
    #[command(flatten)]
    pub key: KeyArgs,
    /// How the batch is encrypted
    #[command(flatten)]
    pub seal: SealArgs,
    /// With what it is signed
    #[command(flatten)]
    pub sign: SignArgs,
}

/// `--algorithm`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MintAlgorithm {
    /// Event-based, RFC 4226
    Hotp,
    /// Time-based, RFC 6238
    Totp,
}

/// `--hash`
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MintHash {
    /// SHA-1, what nearly every key and server has
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
}

const EXAMPLES: &str = "\
Examples:
  Two thousand keys under a new transport key:
    trousseau mint --count 2000 --serial-prefix ACME --serial-width 8 --manufacturer oath.ACME \\
        --new-transport-key transport.hex --out batch.pskcxml

  Event-based keys under a passphrase:
    trousseau mint --count 500 --serial-prefix H --algorithm hotp --digits 8 \\
        --passphrase-file passphrase.txt --out batch.pskcxml

  What a reviewed production order says, remembered in the inventory:
    trousseau mint --spec order.toml --transport-key-file transport.hex \\
        --inventory issued.sqlite --out batch.pskcxml

  Files that a server takes which stops at 10 MB, and a manifest of them:
    trousseau mint --count 50000 --serial-prefix S --new-transport-key transport.hex \\
        --split-bytes 10M --out delivery/batch.pskcxml
    trousseau inspect --manifest delivery/manifest.json

  For somebody who sent a certificate, and for nobody else:
    trousseau mint --count 500 --serial-prefix C --recipient customer.crt --out batch.pskcxml

  Signed, so that the receiver knows who made it and that nothing was changed:
    trousseau mint --count 500 --serial-prefix G --new-transport-key transport.hex \\
        --sign-key-file signer.key --sign-cert signer.crt --out batch.pskcxml

  A batch that privacyIDEA imports as it is:
    trousseau mint --count 500 --serial-prefix P --hash sha256 --for privacyidea \\
        --new-transport-key transport.hex --out batch.pskcxml

  A million keys, compressed, the key from a file descriptor:
    trousseau mint --count 1000000 --serial-prefix M --transport-key-fd 3 \\
        --out batch.pskcxml.zst 3< transport.hex";
