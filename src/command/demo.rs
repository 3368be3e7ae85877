//! `trousseau demo`.

use super::{Context, Failure, Outcome};
use crate::cli::DemoArgs;

pub(super) fn run(_args: &DemoArgs, _context: &Context) -> Result<Outcome, Failure> {
    Ok(Outcome::Done)
}
