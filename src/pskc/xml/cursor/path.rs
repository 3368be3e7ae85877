//! The elements that are open, from the outermost to the one the walk is in.

use super::super::super::error::Fault;
use super::super::super::limits::{Limit, Limits};
use super::super::attributes::{Attributes, Scopes};
use super::super::names::Element;

/// The open elements, and the namespaces in force there.
#[derive(Default)]
pub(super) struct Path {
    open: Vec<Open>,
    /// Their names, one after the other.
    names: Vec<u8>,
    scopes: Scopes,
}

/// An element that is open.
struct Open {
    element: Element,
    /// Where its name begins in [`Path::names`].
    name: usize,
    /// Whether the library saw its start; then it must see its end, too, as it keeps count.
    known: bool,
}

impl Path {
    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The innermost.
    pub(super) fn last(&self) -> Option<Element> {
        self.open.last().map(|open| open.element)
    }

    /// Name of the innermost, with its prefix.
    pub(super) fn last_name(&self) -> &[u8] {
        self.open.last().map_or(&[], |open| &self.names[open.name..])
    }

    /// Name of the innermost, if its end tag need not be shown to the library.
    pub(super) fn unknown_to_library(&self) -> Option<&[u8]> {
        self.open.last().filter(|open| !open.known).map(|open| &self.names[open.name..])
    }

    /// The namespace of `prefix` as it was written, and the depth of the element that declares it.
    pub(super) fn uri(&self, prefix: &str) -> Option<(&str, usize)> {
        self.scopes.uri(prefix)
    }

    /// Opens the element of this name and these attributes, within the innermost.
    pub(super) fn enter(
        &mut self,
        name: &[u8],
        attributes: &Attributes,
        known: bool,
        limits: &Limits,
    ) -> Result<Element, Fault> {
        let depth = self.open.len() + 1;
        limits.check(Limit::Depth, depth as u64)?;
        limits.check(Limit::Text, (self.names.len() + name.len()) as u64)?;
        self.scopes.declare(attributes, depth, limits)?;
        if depth == 1 && matches!(name, b"KeyContainer" | b"SecretContainer") {
            // Of a file without namespaces, if none is declared.
            self.scopes.set_bare();
        }
        let element = self.scopes.resolve(name);
        self.open.push(Open { element, name: self.names.len(), known });
        self.names.extend_from_slice(name);
        Ok(element)
    }

    /// Leaves the innermost.
    pub(super) fn leave(&mut self) {
        self.scopes.leave(self.open.len());
        if let Some(open) = self.open.pop() {
            self.names.truncate(open.name);
        }
    }

    /// Bytes of memory that the names take, for the test that they are forgotten.
    #[cfg(test)]
    pub(super) fn names_len(&self) -> usize {
        self.names.len()
    }
}
