//! The shared secret of RADIUS, the same options wherever it is needed.

use std::path::PathBuf;

use clap::Args;

/// Where the shared secret of RADIUS comes from.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "radius_secret", multiple = false)]
pub struct RadiusSecretArgs {
    /// File with the shared secret of RADIUS; one line break at its end is not part of it
    #[arg(long, value_name = "FILE")]
    pub radius_secret_file: Option<PathBuf>,
    /// Open file descriptor to read the shared secret of RADIUS from
    #[arg(long, value_name = "N")]
    pub radius_secret_fd: Option<u32>,
}
