//! Options of `trousseau report`.

use clap::Args;

/// Options of `trousseau report`.
#[derive(Debug, Args)]
pub struct ReportArgs {}
