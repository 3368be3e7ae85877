//! Options of `trousseau inspect`.

use clap::Args;

/// Options of `trousseau inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {}
