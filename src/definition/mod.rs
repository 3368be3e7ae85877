//! Definitions are data: formats, scenarios and targets as TOML files.
//!
//! Embedded in the binary, overridable by an explicit path or by the user's own folder
//! (`$XDG_CONFIG_HOME/trousseau/KIND/NAME.toml`), never by the current folder: these files decide
//! what happens to seeds. They cannot read files or the environment. Unknown keys are refused with
//! line and column.

mod library;
mod parse;

pub use library::{Definition, Library, Origin};
pub use parse::{DefinitionError, parse};
