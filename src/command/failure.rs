//! Exit codes, and errors as the user sees them: what, where, what to do.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use crate::atomic_file::AtomicFileError;
use crate::compression::Expands;
use crate::definition::DefinitionError;
use crate::interrupt::Interrupted;
use crate::pskc::Limit;
use crate::roster::RosterError;

/// The exit codes of the program; the table is [`crate::cli::EXIT_CODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A threshold was missed.
    Threshold = 1,
    /// Bad input or usage: nothing was done.
    BadInput = 2,
    /// The server answered what a correct server must not.
    Contradiction = 3,
    /// The load generator itself was at fault.
    Generator = 4,
    /// A file could not be read or written.
    Io = 5,
    /// The server could not be reached.
    Unreachable = 6,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// The exit code of an interruption by `signal`.
    #[must_use]
    pub fn of_signal(signal: u8) -> Self {
        if signal == 15 { Self::Terminated } else { Self::Interrupted }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not do its work: printed as `error: …`, then `help: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure with its message: what is wrong and where.
    #[must_use]
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, message: message.to_string(), hint: None }
    }

    /// Bad input: exit code 2.
    #[must_use]
    pub fn bad_input(message: impl Display) -> Self {
        Self::new(Exit::BadInput, message)
    }

    /// What is called `name` cannot be read, or no further: the user asked to stop.
    pub(super) fn unreadable(name: impl Display, error: &io::Error) -> Self {
        match Interrupted::of(error) {
            Some(Interrupted { signal }) => {
                Self::new(Exit::of_signal(signal), format!("interrupted while {name} was read"))
            }
            None if Expands::is(error) => {
                Self::bad_input(format!("{name}: {error}")).hint(Limit::Expansion.hint())
            }
            None => Self::new(Exit::Io, format!("cannot read {name}: {error}"))
                .hint("check the name, and that you may read it"),
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Adds something more that the user can do, or should know.
    #[must_use]
    pub fn also(mut self, hint: impl Display) -> Self {
        self.hint = Some(match self.hint {
            Some(first) => format!("{first}; {hint}"),
            None => hint.to_string(),
        });
        self
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints it to standard error and gives the exit code.
    pub(super) fn print(&self) -> ExitCode {
        say!("error: {}", self.message);
        if let Some(hint) = &self.hint {
            say!(" help: {hint}");
        }
        self.exit.into()
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<AtomicFileError> for Failure {
    fn from(error: AtomicFileError) -> Self {
        let exit = match error {
            AtomicFileError::Exists(_) => Exit::BadInput,
            _ => Exit::Io,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}

impl From<DefinitionError> for Failure {
    fn from(error: DefinitionError) -> Self {
        match error {
            DefinitionError::Interrupted { signal, .. } => {
                Self::new(Exit::of_signal(signal), error)
            }
            _ => Self::bad_input(error),
        }
    }
}

impl From<RosterError> for Failure {
    fn from(error: RosterError) -> Self {
        let exit = match &error {
            RosterError::Read { file, source } if Interrupted::of(source).is_some() => {
                return Self::unreadable(file, source);
            }
            RosterError::Read { .. } => Exit::Io,
            _ => Exit::BadInput,
        };
        Self::new(exit, &error).hint(error.hint())
    }
}

/// Secrets must not reach a core file; when the system refuses, the command still runs.
///
/// The limit alone is not enough: Linux ignores it when cores are piped to a program, as
/// systemd-coredump has it. A process that is not dumpable makes none at all, and nobody but root
/// can look into its memory.
pub(super) fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
