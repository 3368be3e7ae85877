//! Options of `trousseau inventory`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
EXAMPLES
    trousseau mint --count 1000 --serial-prefix ACME --serial-width 8 --inventory factory.inventory \\
        --new-transport-key transport.hex --out batch.pskcxml
    trousseau inventory list --inventory factory.inventory
    trousseau inventory verify batch.pskcxml --inventory factory.inventory
    trousseau inventory deliver ACME00000001-ACME00001000 --to \"Example University\" \\
        --inventory factory.inventory
    trousseau inventory find ACME00000815 --inventory factory.inventory

An inventory is one SQLite file without secrets. Keep a copy of it: it is what makes sure that no
serial is issued twice. docs/custody.md tells what its states mean.";

/// Options of `trousseau inventory`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, subcommand_required = true)]
pub struct InventoryArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: InventoryCommand,
    /// The inventory
    #[arg(long, value_name = "FILE", global = true)]
    pub inventory: Option<PathBuf>,
    /// Print JSON, one object per line
    #[arg(long, global = true)]
    pub json: bool,
}

/// What to do with an inventory.
#[derive(Debug, Subcommand)]
#[non_exhaustive]
pub enum InventoryCommand {
    /// List every batch, in the order of reservation
    #[command(
        after_help = "EXAMPLES\n    trousseau inventory list --inventory factory.inventory --json"
    )]
    List,
    /// Show all that is known of a batch
    #[command(
        after_help = "EXAMPLES\n    trousseau inventory show spring-2026 --inventory factory.inventory"
    )]
    Show {
        /// Identifier of the batch
        id: String,
    },
    /// Show the batch that a serial belongs to
    #[command(
        after_help = "EXAMPLES\n    trousseau inventory find ACME00000815 --inventory factory.inventory"
    )]
    Find {
        /// Serial number, in full
        serial: String,
    },
    /// Hold files against the digests recorded when they were made
    ///
    /// Completes the record of a batch whose minting was cut off after its file was whole.
    #[command(
        after_help = "EXAMPLES\n    trousseau inventory verify batch.pskcxml --inventory factory.inventory"
    )]
    Verify {
        /// Files as they were made
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Record that a batch was given to somebody
    #[command(
        after_help = "EXAMPLES\n    trousseau inventory deliver spring-2026 --to \"Example University\" --inventory factory.inventory"
    )]
    Deliver {
        /// Identifier of the batch
        id: String,
        /// Who was given it
        #[arg(long, value_name = "NAME")]
        to: String,
    },
}
