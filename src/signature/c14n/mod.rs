//! Canonical XML 1.0 and 1.1, and Exclusive Canonical XML 1.0, of whole documents of any size and
//! of one element within them: all that signatures over a container need.
//!
//! Bytes are pushed in, as they are written or read; nothing is kept but what is open.
//!
//! | file | what it does |
//! |---|---|
//! | `scanner` | bytes to events; refuses all that is not well-formed to the letter, so that no two parsers can see two documents in it |
//! | `names`, `text` | what may be a name, a character, a reference |
//! | `tag`, `scope` | attributes of a tag; the namespaces in force |
//! | `canonical` | events to the canonical form |

mod canonical;
mod names;
mod scanner;
mod scope;
mod tag;
mod text;

pub(super) use canonical::{Canonical, Form};
pub(super) use scanner::{Event, Item, Receive, Scanner};
pub(super) use scope::{Scopes, XML};
pub(super) use tag::split;
pub(super) use text::{decoded, escape_attribute};

/// What is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) line: u64,
    pub(super) what: String,
}

#[cfg(test)]
mod tests;
