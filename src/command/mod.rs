//! One file per subcommand: resolve arguments, call the library, print. The only floor that writes
//! to standard output and standard error, and the only one that knows exit codes.

#[macro_use]
mod words;

mod assets;
mod batch;
mod code;
mod dates;
mod demo;
mod details;
mod doctor;
mod export;
mod failure;
mod folder;
mod formats;
mod holders;
mod inspect;
mod inventory;
mod keys;
mod ledger;
mod mint;
mod output;
mod parts;
mod permission;
mod probe;
mod progress;
mod radius;
mod reach;
mod receiving;
mod reencrypt;
mod report;
mod scenarios;
mod sealing;
mod serve;
mod sign;
mod signed;
mod simulate;
mod summary;
mod targets;
mod token_key;
mod transport_key;
mod witness;

use std::process::ExitCode;

use clap::Parser;

pub use failure::{Exit, Failure};

use crate::cli::{Cli, Command};
use crate::interrupt::Interrupt;

/// How a command ended when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Done, with something to tell the shell: a threshold, a contradiction, an interruption.
    Exit(Exit),
}

/// What every command is given beside its own arguments.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Set by Ctrl-C and SIGTERM.
    pub interrupt: Interrupt,
}

/// The whole program: parse, run, print what went wrong, choose the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    failure::no_core_dumps();
    let interrupt = match Interrupt::install() {
        Ok(interrupt) => interrupt,
        Err(error) => {
            return Failure::new(Exit::Io, format!("cannot listen for signals: {error}")).print();
        }
    };
    match run(&cli.command, &Context { interrupt }) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Exit(exit)) => exit.into(),
        Err(failure) => failure.print(),
    }
}

/// Runs one command.
///
/// # Errors
/// [`Failure`], which names what went wrong, where, and what to do.
pub fn run(command: &Command, context: &Context) -> Result<Outcome, Failure> {
    match command {
        Command::Mint(args) => mint::run(args, context),
        Command::Inspect(args) => inspect::run(args, context),
        Command::Export(args) => export::run(args, context),
        Command::Sign(args) => sign::run(args, context),
        Command::Formats(args) => formats::run(args, context),
        Command::Code(args) => code::run(args, context),
        Command::Serve(args) => serve::run(args, context),
        Command::Simulate(args) => simulate::run(args, context),
        Command::Scenarios(command) => scenarios::run(command, context),
        Command::Targets(args) => targets::run(args, context),
        Command::Doctor(args) => doctor::run(args, context),
        Command::Report(args) => report::run(args, context),
        Command::Demo(args) => demo::run(args, context),
        Command::TransportKey(args) => transport_key::run(args, context),
        Command::Inventory(args) => inventory::run(args, context),
        Command::Completions { shell } => assets::completions(*shell),
        Command::Man { folder } => assets::man(folder),
    }
}
