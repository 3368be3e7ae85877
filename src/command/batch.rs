//! Opening a batch for the commands that read one: the file, its key, its tokens one by one.

use std::path::Path;

use super::Failure;
use crate::cli::KeyArgs;
use crate::token::Token;

/// A stream of tokens, each one verified before it is given out.
pub(super) type Tokens = Box<dyn Iterator<Item = Result<Token, Failure>>>;

/// Opens `file` (`-` for standard input) under the key that `keys` names.
///
/// # Errors
/// When the file or its key cannot be read, or its head is no PSKC.
pub(super) fn open(file: &Path, _keys: &KeyArgs) -> Result<Tokens, Failure> {
    Err(Failure::bad_input(format!(
        "{}: reading batches comes with the PSKC reader",
        file.display()
    )))
}
