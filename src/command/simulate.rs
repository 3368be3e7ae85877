//! `trousseau simulate`.

use super::{Context, Failure, Outcome};
use crate::cli::SimulateArgs;

pub(super) fn run(_args: &SimulateArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
