//! Options of `trousseau serve`.

use clap::Args;

/// Options of `trousseau serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {}
