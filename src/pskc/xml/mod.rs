//! XML as this reader wants it: elements by what they mean, values whole, every limit kept.
//!
//! `encoding` turns bytes into UTF-8; `source` knows their places (line, column); `names` knows the elements; `attributes` keeps
//! those of a tag, and the namespaces they declare; `plain` spares the simple tags the library;
//! `cursor` walks.

mod attributes;
mod cursor;
mod encoding;
mod names;
mod plain;
mod source;

pub(super) use cursor::Cursor;
pub(super) use names::Element;
