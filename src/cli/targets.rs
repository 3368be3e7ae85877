//! Options of `trousseau targets`.

use clap::{Args, Subcommand};

use super::ProbeArgs;

const EXAMPLES: &str = "\
Examples:
  What kinds of server this program can talk to:
    trousseau targets list

  Start a target of your own from the nearest one, and try its examples:
    trousseau targets show portal-html > mine.toml
    trousseau targets check mine.toml

  Try it on the live server, one operation at a time (see `trousseau targets probe --help`):
    trousseau targets probe --target mine.toml --url https://otp.example.org \\
        --operation login --user dupont --pin-file my.pin --code-file code.txt

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
    /// Do one thing at a live server with one key, and show what went over the wire and which rule
    /// read it
    Probe(Box<ProbeArgs>),
}
