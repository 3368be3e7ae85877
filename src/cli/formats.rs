//! Options of `trousseau formats`.

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  What import files this program can write:
    trousseau formats list

  Start a definition of your own from the nearest one, and try its examples:
    trousseau formats show entra-csv > mine.toml
    trousseau formats check mine.toml

Definitions are TOML; docs/formats.md is their manual. A definition in
$XDG_CONFIG_HOME/trousseau/formats/NAME.toml is found by its name, any other by its path.";

/// Options of `trousseau formats`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct FormatsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: FormatsCommand,
}

/// The subcommands of `trousseau formats`.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum FormatsCommand {
    /// Name every format, with what it is
    List,
    /// Print the definition of a format
    Show {
        /// A name, or a path
        name: String,
    },
    /// Check definitions and run their examples
    Check {
        /// Names or paths
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
}
