//! `trousseau export`.

use super::{Context, Failure, Outcome};
use crate::cli::ExportArgs;

pub(super) fn run(_args: &ExportArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
