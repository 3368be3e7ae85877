//! The `trousseau` program: parse, run, print what went wrong, choose the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    trousseau::command::main()
}
