//! Options for keys in PKCS #11 tokens.

use std::path::PathBuf;

use clap::Args;

/// Where the PIN of a token comes from; without any of these it is asked for.
#[derive(Debug, Clone, Default, Args)]
pub struct TokenPinArgs {
    /// File with the PIN of the token: its first line; instead of pin-source in the URI
    #[arg(long, value_name = "FILE", group = "pkcs11_pin", help_heading = "PIN of the token")]
    pub pkcs11_pin_file: Option<PathBuf>,
    /// File descriptor to read the PIN of the token from. Without file or descriptor it is asked
    /// for. It is tried once
    #[arg(long, value_name = "N", group = "pkcs11_pin", help_heading = "PIN of the token")]
    pub pkcs11_pin_fd: Option<u32>,
}
