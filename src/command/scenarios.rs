//! `trousseau scenarios`: what scenarios there are, their text, and their own tests.

use std::io::{self, Write};

use super::{Context, Exit, Failure, Outcome};
use crate::cli::ScenariosCommand;
use crate::definition::DefinitionError;
use crate::scenario::{SCENARIOS, Scenario};

pub(super) fn run(command: &ScenariosCommand, _context: &Context) -> Result<Outcome, Failure> {
    let text = match command {
        ScenariosCommand::List => list()?,
        ScenariosCommand::Show { name } => SCENARIOS.find(name)?.text,
        ScenariosCommand::Check { file, set } => check(file, set)?,
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
    for name in SCENARIOS.names() {
        let scenario = Scenario::load(&SCENARIOS.find(&name)?, &[])?;
        out.push_str(&format!("{name:<16} {}\n", scenario.scenario.title));
    }
    Ok(out)
}

fn check(file: &str, settings: &[String]) -> Result<String, Failure> {
    let definition = SCENARIOS.find(file)?;
    let scenario = Scenario::load(&definition, settings)?;
    let drawn = scenario.check_example().map_err(|faults| {
        Failure::from(DefinitionError::meaning(&definition.file, faults.join("; ")))
            .hint("mend the scenario, or the limits in its [example]")
    })?;
    Ok(format!(
        "{}: good; of {} people {} are impatient, half are there by {}, and all make {} logins\n",
        definition.file, scenario.example.people, drawn.impatient, drawn.half_here_by, drawn.logins
    ))
}
