//! `trousseau completions` and `trousseau man`: made from the clap declarations, by the program
//! itself, so that whoever installed it by `cargo install` has them too.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;

use super::{Exit, Failure, Outcome};
use crate::cli::Cli;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Outcome, Failure> {
    // Into memory first: the generator panics when it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "trousseau", &mut script);
    match std::io::stdout().write_all(&script) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}"))
                .hint("check where the output goes"))
        }
        _ => Ok(Outcome::Done),
    }
}

pub(super) fn man(folder: &Path) -> Result<Outcome, Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .map_err(|error| {
            Failure::new(
                Exit::Io,
                format!("cannot write man pages to {}: {error}", folder.display()),
            )
            .hint("name a folder that you may write to")
        })?;
    Ok(Outcome::Done)
}
