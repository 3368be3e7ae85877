//! How a server is reached, whose clock it keeps, and with which PINs: the same options in every
//! command that talks to one.

use std::path::PathBuf;

use clap::Args;

use super::RadiusSecretArgs;

/// How the server is reached.
#[derive(Debug, Clone, Args)]
pub struct ReachArgs {
    /// Seconds after which an answer is given up, connecting included
    #[arg(long, value_name = "S", default_value = "30", value_parser = timeout)]
    pub timeout: f64,
    /// Certificate authorities to trust instead of the system's (PEM)
    #[arg(long, value_name = "PEM")]
    pub ca_file: Option<PathBuf>,
    /// Certificate to show to a server that asks for one, with its chain (PEM)
    #[arg(long, value_name = "PEM", requires = "client_key_file")]
    pub client_cert_file: Option<PathBuf>,
    /// Private key of that certificate (PEM)
    #[arg(long, value_name = "PEM", requires = "client_cert_file")]
    pub client_key_file: Option<PathBuf>,
    /// Value of a credential that the target names, read from the first line of a file
    #[arg(long, value_name = "NAME=FILE")]
    pub credential: Vec<String>,
    /// Where the shared secret of RADIUS comes from
    #[command(flatten)]
    pub radius_secret: RadiusSecretArgs,
}

/// Key time, where it is not wall time.
#[derive(Debug, Clone, Args)]
pub struct ClockArgs {
    /// Seconds of key time that pass in one real second
    #[arg(long, value_name = "R", default_value = "1", value_parser = super::serve::rate)]
    pub clock_rate: f64,
    /// Instant at which key time and wall time agree, the one that the server was given: RFC 3339
    /// (2026-09-01T08:00:00Z), or seconds since 1970 [default: now]
    #[arg(long, value_name = "INSTANT", requires = "clock_rate",
          value_parser = super::values::instant)]
    pub clock_origin: Option<u64>,
}

/// The PINs of one person. Never an argument: arguments are public.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "PINs")]
pub struct PinArgs {
    /// File with the PIN that the server knows, on its first line
    #[arg(long, value_name = "FILE", group = "pin")]
    pub pin_file: Option<PathBuf>,
    /// File descriptor to read that PIN from
    #[arg(long, value_name = "N", group = "pin")]
    pub pin_fd: Option<u32>,
    /// Ask for that PIN, without echo
    #[arg(long, group = "pin")]
    pub pin_prompt: bool,
    /// File with the PIN to choose at new_pin, on its first line
    #[arg(long, value_name = "FILE", group = "new_pin")]
    pub new_pin_file: Option<PathBuf>,
    /// File descriptor to read the new PIN from
    #[arg(long, value_name = "N", group = "new_pin")]
    pub new_pin_fd: Option<u32>,
    /// Ask for the new PIN, without echo
    #[arg(long, group = "new_pin")]
    pub new_pin_prompt: bool,
}

fn timeout(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.001 to 3600".into()),
    }
}
