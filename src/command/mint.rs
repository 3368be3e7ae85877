//! `trousseau mint`.

use super::{Context, Failure, Outcome};
use crate::cli::MintArgs;

pub(super) fn run(_args: &MintArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
