//! `trousseau targets`: what kinds of server there are, their definitions, and their own tests.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Context, Exit, Failure, Outcome, probe};
use crate::cli::{TargetsArgs, TargetsCommand};
use crate::target::{Operation, TARGETS, Target};

pub(super) fn run(args: &TargetsArgs, context: &Context) -> Result<Outcome, Failure> {
    let text = match &args.command {
        TargetsCommand::List => list()?,
        TargetsCommand::Show { name } => TARGETS.find(name)?.text,
        TargetsCommand::Check { files } => {
            let mut out = String::new();
            for file in files {
                out.push_str(&check(file)?);
            }
            out
        }
        TargetsCommand::Probe(args) => return probe::run(args, context),
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
    let names = TARGETS.names();
    let width = names.iter().map(String::len).max().unwrap_or_default();
    for name in &names {
        let target = Target::load(&TARGETS.find(name)?)?;
        let _ = writeln!(out, "{name:width$}  {}", target.title);
    }
    Ok(out)
}

/// Runs every example, so that all faults of a file are seen at once.
fn check(file: &str) -> Result<String, Failure> {
    let target = Target::load(&TARGETS.find(file)?)?;
    let faults: Vec<String> = target
        .examples
        .iter()
        .filter_map(|example| target.check(example).err())
        .map(|error| error.to_string())
        .collect();
    if !faults.is_empty() {
        return Err(Failure::bad_input(faults.join("\n")).hint(
            "correct the rules and templates, or what the example says: it should be what the \
             server really sends",
        ));
    }
    let names = |of: &dyn Fn(Operation) -> bool| {
        let names: Vec<&str> =
            Operation::ALL.iter().filter(|o| of(**o)).map(|o| o.name()).collect();
        names.join(", ")
    };
    let mut out = match target.examples.len() {
        0 => format!("{file}: it has no example: nothing shows that it reads answers rightly\n"),
        1 => format!("{file}: its example holds\n"),
        count => format!("{file}: all {count} examples hold\n"),
    };
    let _ = writeln!(out, "  operations: {}", names(&|operation| target.has(operation)));
    let without = names(&|operation| {
        target.has(operation)
            && !target.examples.iter().any(|example| example.operation == operation)
    });
    if !without.is_empty() && !target.examples.is_empty() {
        let _ = writeln!(out, "  without an example: {without}");
    }
    Ok(out)
}
