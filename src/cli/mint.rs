//! Options of `trousseau mint`.

use clap::Args;

/// Options of `trousseau mint`.
#[derive(Debug, Args)]
pub struct MintArgs {}
