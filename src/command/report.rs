//! `trousseau report`.

use super::{Context, Failure, Outcome};
use crate::cli::ReportArgs;

pub(super) fn run(_args: &ReportArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
