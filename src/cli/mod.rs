//! The command line, declared. Imports nothing of ours: the same declarations make help, man
//! pages, shell completions and tests.

mod code;
mod demo;
mod doctor;
mod export;
mod formats;
mod inspect;
mod inventory;
mod keys;
mod mint;
mod pkcs11;
mod policy;
mod probe;
mod radius;
mod reach;
mod report;
mod sealing;
mod serve;
mod sign;
mod simulate;
mod split;
mod targets;
mod transport_key;
mod values;

pub use code::CodeArgs;
pub use demo::DemoArgs;
pub use doctor::DoctorArgs;
pub use export::{ExportArgs, OutKeyArgs};
pub use formats::{FormatsArgs, FormatsCommand};
pub use inspect::InspectArgs;
pub use inventory::{InventoryArgs, InventoryCommand};
pub use keys::KeyArgs;
pub use mint::{MintAlgorithm, MintArgs, MintHash};
pub use pkcs11::TokenPinArgs;
pub use policy::PolicyArgs;
pub use probe::ProbeArgs;
pub use radius::RadiusSecretArgs;
pub use reach::{ClockArgs, PinArgs, ReachArgs};
pub use report::{ReportArgs, ReportFormat};
pub use sealing::{EncryptionName, MacName, ReceiverName, SealArgs};
pub use serve::{DEFECTS, ServeArgs};
pub use sign::{SignArgs, SignCommandArgs};
pub use simulate::{ScenariosCommand, SimulateArgs};
pub use split::{CompressionName, SplitArgs};
pub use targets::{TargetsArgs, TargetsCommand};
pub use transport_key::{
    CombineKeyArgs, NewKeyArgs, ShowKcvArgs, SplitKeyArgs, TransportKeyArgs, TransportKeyCommand,
    UnwrapKeyArgs, WrapKeyArgs,
};

use clap::{Parser, Subcommand};

/// The exit codes, as shown in the help, the man page and the README.
pub const EXIT_CODES: &str = "\
Exit codes:
    0  done; every threshold held, no contradiction
    1  a threshold was missed
    2  bad input or usage: nothing was done
    3  contradiction found: the server answered what a correct server must not; `doctor`:
       something is to be put right; `targets probe`: no rule reads the answer
    4  the load generator itself was at fault: the figures do not speak of the server
    5  a file could not be read or written
    6  the server could not be reached
  130  interrupted (Ctrl-C); what was done so far is complete
  143  terminated (SIGTERM); what was done so far is complete";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  For bash, for oneself:
    trousseau completions bash > ~/.local/share/bash-completion/completions/trousseau";

const MAN_EXAMPLES: &str = "\
Examples:
  For oneself; then `man trousseau-mint`:
    trousseau man ~/.local/share/man/man1";

/// One-time-password hardware keys from seed to the first day of term.
#[derive(Debug, Parser)]
#[command(name = "trousseau", version, max_term_width = 100, after_help = EXIT_CODES)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands, in the order in which a key meets them.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Make a batch of keys: seeds from the operating system's CSPRNG, encrypted as PSKC
    Mint(MintArgs),
    /// Show what a batch holds, its integrity verified
    Inspect(InspectArgs),
    /// Write the import file of an authentication server
    Export(ExportArgs),
    /// Sign a batch or any other file that is there already
    Sign(SignCommandArgs),
    /// List, show and check the definitions of import files
    Formats(FormatsArgs),
    /// Show a key's code and countdown, as its holder sees them
    Code(CodeArgs),
    /// Run the embedded reference server
    Serve(ServeArgs),
    /// Send a population of users through initialisation and logins
    Simulate(SimulateArgs),
    /// The scenarios there are: list, show, check
    #[command(subcommand)]
    Scenarios(ScenariosCommand),
    /// The kinds of server that can be talked to: list, show, check, probe
    Targets(TargetsArgs),
    /// Look over a server before a run: the way there, its clock, its answers, one key end to end
    Doctor(Box<DoctorArgs>),
    /// Show the result of one or more runs again
    Report(ReportArgs),
    /// All of the above in one process, on a scaled clock, in under a minute
    Demo(DemoArgs),
    /// Make, split, combine, recognise and seal the keys under which batches travel
    TransportKey(TransportKeyArgs),
    /// What was issued, in which batch, and who has it
    Inventory(InventoryArgs),
    /// Print the completion script of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Folder to write to; made if need be
        folder: std::path::PathBuf,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declarations_are_consistent() {
        Cli::command().debug_assert();
    }
}
