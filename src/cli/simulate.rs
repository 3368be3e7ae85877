//! Options of `trousseau simulate`.

use clap::Args;

/// Options of `trousseau simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {}
