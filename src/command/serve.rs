//! `trousseau serve`.

use super::{Context, Failure, Outcome};
use crate::cli::ServeArgs;

pub(super) fn run(_args: &ServeArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
