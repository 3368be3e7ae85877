//! XML as this reader wants it: elements by what they mean, values whole, every limit kept.
//!
//! `source` turns bytes into places (line, column); `names` knows the elements; `cursor` walks.

mod cursor;
mod names;
mod source;

pub(super) use cursor::Cursor;
pub(super) use names::Element;
