//! Options of `trousseau transport-key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TokenPinArgs;

const EXAMPLES: &str = "\
EXAMPLES
    A new key, in two components for two custodians, and back:
      trousseau transport-key new --out transport.hex
      trousseau transport-key split transport.hex --components 2 --out-prefix officer
      trousseau transport-key combine officer-1.part officer-2.part --out again.hex
      trousseau transport-key show-kcv transport.hex again.hex

    Five shares, of which any three make the key:
      trousseau transport-key split transport.hex --threshold 3 --shares 5 --out-prefix share

    For a customer who sent a certificate, and how the customer opens it:
      trousseau transport-key wrap transport.hex --recipient customer.crt --out transport.envelope
      trousseau transport-key unwrap transport.envelope --private-key-file customer.key --out transport.hex

A key check value (KCV) is the first 3 bytes of the AES-CMAC of a block of zeros. It may be told on
the telephone; compare it whenever a key changes hands. docs/custody.md shows a ceremony.";

/// Options of `trousseau transport-key`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub struct TransportKeyArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TransportKeyCommand,
}

/// What to do with a transport key.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum TransportKeyCommand {
    /// Make a random key
    New(NewKeyArgs),
    /// Take a key apart for several custodians
    Split(SplitKeyArgs),
    /// Put a key together from its parts
    Combine(CombineKeyArgs),
    /// Print the key check values of keys, parts and envelopes
    ShowKcv(ShowKcvArgs),
    /// Seal a key for the holder of an X.509 certificate (RSA-OAEP)
    Wrap(WrapKeyArgs),
    /// Open a sealed key with the private key of its recipient
    Unwrap(UnwrapKeyArgs),
}

/// Options of `trousseau transport-key new`.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n    trousseau transport-key new --bits 256 --out transport.hex")]
pub struct NewKeyArgs {
    /// Length of the key
    #[arg(long, value_name = "BITS", default_value = "128", value_parser = ["128", "192", "256"])]
    pub bits: String,
    /// File for the key: hexadecimal text, readable by you alone; never overwritten
    #[arg(long, value_name = "FILE", required_unless_present = "pkcs11_key")]
    pub out: Option<PathBuf>,
    /// Make it in a PKCS #11 token instead, which it never leaves; its label is object= of the URI
    #[arg(long, value_name = "URI", conflicts_with = "out")]
    pub pkcs11_key: Option<String>,
    /// Where the PIN of the token comes from
    #[command(flatten)]
    pub token_pin: TokenPinArgs,
}

/// Options of `trousseau transport-key split`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
    trousseau transport-key split transport.hex --components 3 --out-prefix officer
    trousseau transport-key split transport.hex --threshold 2 --shares 3 --out-prefix /media/usb/share")]
#[command(group = clap::ArgGroup::new("how").required(true).args(["components", "threshold"]))]
pub struct SplitKeyArgs {
    /// File with the key: hexadecimal text, or the raw bytes; `-` for standard input
    #[arg(value_name = "KEYFILE")]
    pub key: PathBuf,
    /// Components: all of them make the key, by XOR
    #[arg(long, value_name = "2|3", value_parser = clap::value_parser!(u8).range(2..=3))]
    pub components: Option<u8>,
    /// Shares needed to make the key
    #[arg(long, value_name = "K", requires = "shares", conflicts_with = "components")]
    pub threshold: Option<u8>,
    /// Shares made
    #[arg(long, value_name = "N", requires = "threshold")]
    pub shares: Option<u8>,
    /// Parts are written to PREFIX-1.part, PREFIX-2.part and so on: all of them or none
    #[arg(long, value_name = "PREFIX")]
    pub out_prefix: PathBuf,
}

/// Options of `trousseau transport-key combine`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
    trousseau transport-key combine officer-1.part officer-2.part --out transport.hex")]
pub struct CombineKeyArgs {
    /// The parts, in any order
    #[arg(value_name = "PART", required = true)]
    pub parts: Vec<PathBuf>,
    /// File for the key: hexadecimal text, readable by you alone; never overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Options of `trousseau transport-key show-kcv`.
#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES\n    trousseau transport-key show-kcv transport.hex officer-1.part"
)]
pub struct ShowKcvArgs {
    /// Keys, parts or envelopes
    #[arg(value_name = "FILE", required_unless_present = "pkcs11_key")]
    pub files: Vec<PathBuf>,
    /// An AES key in a PKCS #11 token, as pkcs11:token=LABEL;object=LABEL?module-path=MODULE
    #[arg(long, value_name = "URI")]
    pub pkcs11_key: Option<String>,
    /// Where the PIN of the token comes from
    #[command(flatten)]
    pub token_pin: TokenPinArgs,
}

/// Options of `trousseau transport-key wrap`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
    trousseau transport-key wrap transport.hex --recipient customer.crt --out transport.envelope")]
pub struct WrapKeyArgs {
    /// File with the key: hexadecimal text, or the raw bytes; `-` for standard input
    #[arg(value_name = "KEYFILE")]
    pub key: PathBuf,
    /// The recipient's certificate (PEM or DER), RSA of 2048 bits or more. Whether it is theirs is
    /// for you to make sure: no chain is checked
    #[arg(long, value_name = "CERT")]
    pub recipient: PathBuf,
    /// File for the sealed key; never overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Options of `trousseau transport-key unwrap`.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
    trousseau transport-key unwrap transport.envelope --private-key-file me.key --out transport.hex")]
pub struct UnwrapKeyArgs {
    /// The sealed key
    #[arg(value_name = "FILE")]
    pub envelope: PathBuf,
    /// Your RSA private key, unencrypted PEM (PKCS #8 or PKCS #1)
    #[arg(long, value_name = "PEM")]
    pub private_key_file: PathBuf,
    /// File for the key: hexadecimal text, readable by you alone; never overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}
