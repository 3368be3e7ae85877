//! Options of `trousseau targets`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  What kinds of server this program can talk to:
    trousseau targets list

  Start a target of your own from the nearest one, and try its examples:
    trousseau targets show portal-html > mine.toml
    trousseau targets check mine.toml

A target in $XDG_CONFIG_HOME/trousseau/targets/NAME.toml is found by its name, any other by its
path.";

/// Options of `trousseau targets`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TargetsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: TargetsCommand,
}

/// The subcommands of `trousseau targets`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum TargetsCommand {
    /// Name every target, with what it is
    List,
    /// Print the definition of a target
    Show {
        /// A name, or a path
        name: String,
    },
    /// Check definitions and run their recorded examples
    Check {
        /// Names or paths
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
}
