//! `trousseau inspect`.

use super::{Context, Failure, Outcome};
use crate::cli::InspectArgs;

pub(super) fn run(_args: &InspectArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
