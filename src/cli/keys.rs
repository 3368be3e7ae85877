//! The key options, the same in every command that reads or writes a batch.

use std::path::PathBuf;

use clap::Args;

use super::TokenPinArgs;

/// Where the key of a batch comes from. Never from an argument: arguments are public.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Key of the batch")]
pub struct KeyArgs {
    /// File with the transport key: hexadecimal text, or the raw 16, 24 or 32 bytes
    #[arg(long, value_name = "FILE", group = "batch_key")]
    pub transport_key_file: Option<PathBuf>,
    /// File descriptor to read the transport key from
    #[arg(long, value_name = "N", group = "batch_key")]
    pub transport_key_fd: Option<u32>,
    /// Ask for the transport key (hexadecimal), without echo
    #[arg(long, group = "batch_key")]
    pub transport_key_prompt: bool,
    /// File with the passphrase: its first line, UTF-8
    #[arg(long, value_name = "FILE", group = "batch_key")]
    pub passphrase_file: Option<PathBuf>,
    /// File descriptor to read the passphrase from
    #[arg(long, value_name = "N", group = "batch_key")]
    pub passphrase_fd: Option<u32>,
    /// Ask for the passphrase, without echo
    #[arg(long, group = "batch_key")]
    pub passphrase_prompt: bool,
    /// File with the RSA private key (PEM, unencrypted) of the certificate a batch was made for
    #[arg(long, value_name = "PEM", group = "batch_key")]
    pub private_key_file: Option<PathBuf>,
    /// File descriptor to read the private key from
    #[arg(long, value_name = "N", group = "batch_key")]
    pub private_key_fd: Option<u32>,
    /// Key in a PKCS #11 token: an AES key, or the RSA private key of the certificate a batch was
    /// made for, as pkcs11:token=LABEL;object=LABEL?module-path=/path/to/module.so (RFC 7512)
    #[arg(long, value_name = "URI", group = "batch_key")]
    pub pkcs11_key: Option<String>,
    /// Where the PIN of the token comes from
    #[command(flatten)]
    pub token_pin: TokenPinArgs,
    /// IV of all CBC values (hexadecimal), for files that leave it out of them
    #[arg(long, value_name = "HEX")]
    pub cbc_iv: Option<String>,
    /// Read encrypted values that nothing vouches for (no ValueMAC), and secrets in clear although
    /// a key was given; warns once per file
    #[arg(long)]
    pub allow_unauthenticated: bool,
    /// Refuse the batch, before any key of it is used, unless it is signed by this certificate
    /// (X.509; PEM or DER) or by one that it issued
    #[arg(long, value_name = "CERT")]
    pub require_signature: Option<PathBuf>,
    /// The signature beside the batch, over its bytes as they are; by default it is looked for
    /// within the batch
    #[arg(long, value_name = "FILE")]
    pub detached_signature: Option<PathBuf>,
    /// Let a file ask for more than usual, one limit at a time: depth (of elements, 32), attributes
    /// (of one, 64), namespaces (64), text (bytes of a text, tag or comment, 65536), secret (bytes,
    /// 1024), iterations (of PBKDF2, 1500000), salt (bytes, 1024), recipients (64), extensions (bytes
    /// of those of a key, 65536), expansion (of a compressed file, 200)
    #[arg(long, value_name = "NAME=VALUE")]
    pub limit: Vec<String>,
}
