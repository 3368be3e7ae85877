//! Options of `trousseau demo`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  The whole line, 2,000 people, under a minute:
    trousseau demo
  Fewer people, another folder:
    trousseau demo --users 200 --out first-look
  What a server that forgets used codes looks like (ends with exit code 3):
    trousseau demo --defect replay-none --out forgetful";

/// Options of `trousseau demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DemoArgs {
    /// How many people, each with a key of their own
    #[arg(long, value_name = "N", default_value_t = 2000,
          value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub users: u32,
    /// Folder to leave the files in; made new
    #[arg(long, value_name = "DIR", default_value = "rentree")]
    pub out: PathBuf,
    /// Plant a defect in the embedded server, to see the report that it earns. What people do on a
    /// morning shows no-lockout, wide-window and drift-walk to nobody (`simulate --scenario probe` does);
    /// false-reject and burn-current-step-only show by chance, the more people the surer
    #[arg(long, value_name = "NAME", value_parser = super::DEFECTS)]
    pub defect: Option<String>,
    /// Seed of the population: the same people with the same habits (the keys differ each time)
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Seconds of key time in a real second
    #[arg(long, value_name = "R", default_value_t = 40.0, value_parser = super::serve::rate)]
    pub clock_rate: f64,
}
