//! The namespaces in force (Namespaces in XML 1.0).

use super::tag::{Tag, may_declare, shown, split};

/// Namespace of the prefix `xml`.
pub(in super::super) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Declarations in force at one place, at most: each name is looked up among them.
const MOST: usize = 128;

/// Declarations in force, the innermost last.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Scopes(Vec<Scope>);

#[derive(Debug, Clone)]
struct Scope {
    prefix: Box<str>,
    uri: Box<str>,
    depth: usize,
}

impl Scopes {
    /// Takes the declarations of `tag`, an element at `depth`, and makes sure that every prefix it
    /// uses is declared, and no attribute there twice under two prefixes.
    pub(super) fn enter(&mut self, tag: &Tag<'_>, depth: usize) -> Result<(), String> {
        if !tag.is_bare() {
            for (prefix, uri) in tag.declarations() {
                self.declare(prefix, uri, depth)?;
            }
            self.check_attributes(tag)?;
        }
        match split(tag.name).0 {
            "" => Ok(()),
            prefix => self.get(prefix).map(drop).ok_or_else(|| undeclared(prefix)),
        }
    }

    fn declare(&mut self, prefix: &str, uri: &str, depth: usize) -> Result<(), String> {
        if !may_declare(prefix) || (prefix == "xml") != (uri == XML) {
            return Err(format!("the prefix {} cannot be declared so", shown(prefix)));
        }
        if uri.is_empty() && !prefix.is_empty() {
            return Err(format!("the prefix {} is declared as nothing", shown(prefix)));
        }
        // Parsers differ in what they make of these, and nobody writes them.
        if uri.contains(['&', '\t', '\n', '\r']) {
            return Err("a reference or line end in the name of a namespace".into());
        }
        if self.0.len() == MOST {
            return Err(format!("more than {MOST} namespaces in force"));
        }
        self.0.push(Scope { prefix: prefix.into(), uri: uri.into(), depth });
        Ok(())
    }

    fn check_attributes(&self, tag: &Tag<'_>) -> Result<(), String> {
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for (name, _) in tag.attributes() {
            let (prefix, local) = split(name);
            if prefix.is_empty() {
                continue;
            }
            let uri = self.get(prefix).ok_or_else(|| undeclared(prefix))?;
            if seen.contains(&(uri, local)) {
                return Err(format!("the attribute {} twice", shown(local)));
            }
            seen.push((uri, local));
        }
        Ok(())
    }

    /// Forgets the declarations of the element at `depth`, which is left.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.0.last().is_some_and(|scope| scope.depth >= depth) {
            self.0.pop();
        }
    }

    /// The namespace of `prefix`, empty for the default one.
    pub(in super::super) fn get(&self, prefix: &str) -> Option<&str> {
        self.above(prefix, usize::MAX)
    }

    /// The same, of the element around the one at `depth`.
    pub(super) fn above(&self, prefix: &str, depth: usize) -> Option<&str> {
        let found =
            self.0.iter().rev().find(|scope| scope.depth < depth && *scope.prefix == *prefix);
        match found {
            Some(scope) => Some(&scope.uri),
            None if prefix == "xml" => Some(XML),
            None if prefix.is_empty() => Some(""),
            None => None,
        }
    }

    /// All that are in force: prefix and namespace, each prefix once, but for `xml`.
    pub(super) fn in_force(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<(&str, &str)> = Vec::new();
        for scope in self.0.iter().rev() {
            if *scope.prefix != *"xml" && !all.iter().any(|(prefix, _)| *prefix == &*scope.prefix) {
                all.push((&scope.prefix, &scope.uri));
            }
        }
        all
    }

    /// The declarations around an element at `depth`, its own left out, as the context of a document
    /// that it is the root of.
    pub(in super::super) fn as_context_of(&self, depth: usize) -> Self {
        let mut scopes = self.0.clone();
        scopes.retain(|scope| scope.depth < depth);
        scopes.iter_mut().for_each(|scope| scope.depth = 0);
        Self(scopes)
    }
}

fn undeclared(prefix: &str) -> String {
    format!("the prefix {} is not declared", shown(prefix))
}
