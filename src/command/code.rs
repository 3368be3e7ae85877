//! `trousseau code`.

use super::{Context, Failure, Outcome};
use crate::cli::CodeArgs;

pub(super) fn run(_args: &CodeArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
