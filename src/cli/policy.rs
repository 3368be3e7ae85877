//! Whether what a batch says of the use of its keys is kept to.

use clap::Args;

/// Whether what a batch says of the use of its keys is kept to.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct PolicyArgs {
    /// Use keys that their policy forbids (RFC 6030 §5: other usages than OTP, no transactions
    /// left, dates, or something not understood); warns and names them
    #[arg(long)]
    pub ignore_policy: bool,
}
