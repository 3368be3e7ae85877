//! `trousseau formats`.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Context, Exit, Failure, Outcome};
use crate::cli::{FormatsArgs, FormatsCommand};
use crate::format::{Format, LIBRARY};

pub(super) fn run(args: &FormatsArgs, _context: &Context) -> Result<Outcome, Failure> {
    let text = match &args.command {
        FormatsCommand::List => list()?,
        FormatsCommand::Show { name } => LIBRARY.find(name)?.text,
        FormatsCommand::Check { files } => check(files)?,
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(Outcome::Done),
    }
}

fn list() -> Result<String, Failure> {
    let mut out = String::new();
    let names = LIBRARY.names();
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for name in &names {
        let format = Format::load(name)?;
        let _ = writeln!(out, "{name:width$}  {}", format.title());
        for (setting, default, about) in format.settings() {
            let default = default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
            let _ = writeln!(out, "{:width$}    --set {setting}=…  {about}{default}", "");
        }
    }
    Ok(out)
}

fn check(files: &[String]) -> Result<String, Failure> {
    let mut out = String::new();
    for file in files {
        let format = Format::load(file)?;
        match format.check_examples() {
            Ok(1) => _ = writeln!(out, "{file}: its example holds"),
            Ok(examples) => _ = writeln!(out, "{file}: all {examples} examples hold"),
            Err(failures) => {
                return Err(Failure::bad_input(failures.join("\n"))
                    .hint("correct the definition, or what the example says"));
            }
        }
    }
    Ok(out)
}
