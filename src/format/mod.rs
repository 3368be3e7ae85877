//! Import files of servers, by definition: the language of `formats/*.toml` and what runs it.
//!
//! A definition goes `shape` → `compile` → [`Format`]; a key goes [`write()`] → `limits` and `loss`
//! (may it?) → `lines` or `template` (its text); [`read()`] takes a line file back into keys. The
//! words of the language are in `field`, `codec` and `pieces`. Definitions see seeds, so they can
//! do nothing but text: no files, no environment, no code.

mod cell;
mod codec;
mod compile;
mod draft;
mod example;
mod export;
mod field;
mod join;
mod library;
mod limits;
mod lines;
mod loss;
mod pieces;
mod reader;
mod shape;
mod template;

pub use compile::Format;
pub use export::{ExportError, ExportOptions, Sink, Summary, write};
pub use join::{Joined, join};
pub use library::LIBRARY;
pub use reader::{ReadError, read};
