//! Options of `trousseau demo`.

use clap::Args;

/// Options of `trousseau demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {}
