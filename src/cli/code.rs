//! Options of `trousseau code`.

use clap::Args;

/// Options of `trousseau code`.
#[derive(Debug, Args)]
pub struct CodeArgs {}
