//! Options of `trousseau export`.

use clap::Args;

/// Options of `trousseau export`.
#[derive(Debug, Args)]
pub struct ExportArgs {}
