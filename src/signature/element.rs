//! The `Signature` element (XML Signature 1.1 §4): what it claims, and nothing that it could hide
//! behind.

use data_encoding::BASE64;

use super::SignatureError;
use super::algorithm::{DS, EXCLUSIVE, Hash, Method, form, transform_name};
use super::c14n::{Canonical, Event, Flaw, Form, Item, Receive, Scanner, decoded, split};
use super::error::shortened;
use super::watch::Found;

/// Certificates in one signature, at most.
const CERTIFICATES: usize = 8;
/// Prefixes that one exclusive form deals with apart, at most: each is looked up at many a tag.
const PREFIXES: usize = 32;
/// Elements within each other, at most.
const DEEPEST: usize = 16;

/// A signature as it was read.
#[derive(Debug)]
pub(super) struct Signature<'a> {
    found: &'a Found,
    /// The canonical form of `SignedInfo`.
    form: Form,
    pub(super) line: u64,
    pub(super) method: Method,
    pub(super) references: Vec<Reference>,
    pub(super) value: Vec<u8>,
    /// Certificates in DER, in the order of the element.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// One thing signed.
#[derive(Debug)]
pub(super) struct Reference {
    /// What it names; `None` if the attribute is not there.
    pub(super) uri: Option<String>,
    pub(super) enveloped: bool,
    /// The canonical form among its transforms.
    pub(super) form: Option<Form>,
    pub(super) hash: Hash,
    pub(super) digest: Vec<u8>,
}

/// A node of the small tree that a signature is.
#[derive(Default)]
struct Node {
    /// Local name, if it is of XML Signature; otherwise `{namespace}name`.
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    text: String,
}

impl<'a> Signature<'a> {
    /// Reads the signature that was found in a document: `most` elements at most, so that whoever
    /// sends it cannot have much work done before anything is known of them.
    pub(super) fn read(found: &'a Found, most: usize) -> Result<Self, SignatureError> {
        let shape = |what: String| SignatureError::Shape { line: found.line, what };
        let mut tree = Tree { left: most, most, ..Tree::default() };
        scan(found, &mut tree)?;
        let root = tree.root.unwrap_or_default();
        let read = Draft { shape: &shape };
        let [info, value, rest @ ..] = root.children.as_slice() else {
            return Err(shape("it lacks SignedInfo or SignatureValue".into()));
        };
        read.expect(info, "SignedInfo")?;
        read.expect(value, "SignatureValue")?;
        let certificates = match rest {
            [] => Vec::new(),
            [info] => {
                read.expect(info, "KeyInfo")?;
                read.certificates(info)?
            }
            [_, other, ..] => {
                return Err(shape(format!(
                    "it holds <{}>, which its digest does not cover",
                    shortened(&other.name)
                )));
            }
        };
        let [canonicalization, method, references @ ..] = info.children.as_slice() else {
            return Err(shape("SignedInfo lacks its methods".into()));
        };
        read.expect(canonicalization, "CanonicalizationMethod")?;
        read.expect(method, "SignatureMethod")?;
        let uri = read.algorithm(canonicalization)?;
        let form = form(uri, read.prefixes(canonicalization)?)
            .ok_or_else(|| SignatureError::unsupported("the canonical form", uri))?;
        if form == Form::Inclusive && (found.inherits || root.has_xml_attributes()) {
            return Err(shape(
                "SignedInfo inherits attributes of the namespace xml, in an inclusive form".into(),
            ));
        }
        let method = Method::of(read.algorithm(method)?)?;
        let references: Result<Vec<_>, _> =
            references.iter().map(|reference| read.reference(reference)).collect();
        Ok(Self {
            found,
            form,
            line: found.line,
            method,
            references: references?,
            value: read.base64(value)?,
            certificates,
        })
    }

    /// The canonical form of `SignedInfo`: what the signature value is made over. To be asked for
    /// once what it refers to is known to be in order.
    pub(super) fn signed_info(&self) -> Result<Vec<u8>, SignatureError> {
        let canonical = Canonical::new(self.form.clone());
        let mut part = Part { canonical, out: Vec::new(), inside: false };
        scan(self.found, &mut part)?;
        part.out.extend_from_slice(part.canonical.rest());
        Ok(part.out)
    }
}

fn scan(found: &Found, to: &mut impl Receive) -> Result<(), SignatureError> {
    let mut scanner = Scanner::within(found.scopes.clone());
    let done = scanner.push(&found.bytes, to).and_then(|()| scanner.finish(to));
    done.map_err(|Flaw { what, .. }| SignatureError::Shape { line: found.line, what })
}

struct Draft<'a, F> {
    shape: &'a F,
}

impl<F: Fn(String) -> SignatureError> Draft<'_, F> {
    fn expect(&self, node: &Node, name: &str) -> Result<(), SignatureError> {
        match node.name == name {
            true => Ok(()),
            false => Err((self.shape)(format!("<{}> where {name} belongs", shortened(&node.name)))),
        }
    }

    /// The prefixes that an exclusive form deals with apart, if `method` is one.
    fn prefixes(&self, method: &Node) -> Result<Vec<String>, SignatureError> {
        let wanted = format!("{{{EXCLUSIVE}}}InclusiveNamespaces");
        let list = method.children.iter().find(|child| child.name == wanted);
        let list = list.and_then(|list| list.attribute("PrefixList")).unwrap_or_default();
        let mut prefixes: Vec<String> = Vec::new();
        for name in list.split_whitespace() {
            let name = if name == "#default" { "" } else { name };
            if prefixes.iter().any(|known| known == name) {
                return Err((self.shape)("a PrefixList that names a prefix twice".into()));
            }
            if prefixes.len() == PREFIXES {
                return Err((self.shape)(format!("a PrefixList of more than {PREFIXES} prefixes")));
            }
            prefixes.push(name.to_owned());
        }
        Ok(prefixes)
    }

    fn algorithm<'n>(&self, node: &'n Node) -> Result<&'n str, SignatureError> {
        node.attribute("Algorithm")
            .ok_or_else(|| (self.shape)(format!("<{}> names no algorithm", node.name)))
    }

    fn base64(&self, node: &Node) -> Result<Vec<u8>, SignatureError> {
        let text: String = node.text.split_ascii_whitespace().collect();
        BASE64
            .decode(text.as_bytes())
            .ok()
            .filter(|_| node.children.is_empty())
            .ok_or_else(|| (self.shape)(format!("<{}> is not base64", shortened(&node.name))))
    }

    fn reference(&self, node: &Node) -> Result<Reference, SignatureError> {
        self.expect(node, "Reference")?;
        let (mut enveloped, mut found) = (false, None);
        let (transforms, [method, value]) = match node.children.as_slice() {
            [transforms, method, value] => (transforms.children.as_slice(), [method, value]),
            [method, value] => (&[][..], [method, value]),
            _ => return Err((self.shape)("a Reference without method or digest".into())),
        };
        if let [first, _, _] = node.children.as_slice() {
            self.expect(first, "Transforms")?;
        }
        self.expect(method, "DigestMethod")?;
        self.expect(value, "DigestValue")?;
        for transform in transforms {
            self.expect(transform, "Transform")?;
            let uri = self.algorithm(transform)?;
            if uri == format!("{DS}enveloped-signature") && !enveloped && found.is_none() {
                enveloped = true;
            } else if let Some(form) =
                form(uri, self.prefixes(transform)?).filter(|_| found.is_none())
            {
                found = Some(form);
            } else {
                return Err(SignatureError::Transform {
                    name: transform_name(uri),
                    uri: shortened(uri),
                });
            }
        }
        Ok(Reference {
            uri: node.attribute("URI").map(str::to_owned),
            enveloped,
            form: found,
            hash: Hash::of(self.algorithm(method)?)?,
            digest: self.base64(value)?,
        })
    }

    fn certificates(&self, info: &Node) -> Result<Vec<Vec<u8>>, SignatureError> {
        let data = info.children.iter().filter(|child| child.name == "X509Data");
        let certificates = data
            .flat_map(|data| &data.children)
            .filter(|child| child.name == "X509Certificate")
            .map(|child| self.base64(child))
            .collect::<Result<Vec<_>, _>>()?;
        match certificates.len() > CERTIFICATES {
            true => Err((self.shape)(format!("more than {CERTIFICATES} certificates"))),
            false => Ok(certificates),
        }
    }
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn has_xml_attributes(&self) -> bool {
        self.attributes.iter().any(|(name, _)| name.starts_with("xml:"))
    }
}

/// Makes the tree.
#[derive(Default)]
struct Tree {
    open: Vec<Node>,
    root: Option<Node>,
    /// Elements that there may be, and those that may still come.
    most: usize,
    left: usize,
}

impl Receive for Tree {
    fn take(&mut self, item: Item<'_>) -> Result<(), String> {
        match item.event {
            Event::Start(tag) => {
                let most = self.most;
                self.left = (self.left.checked_sub(1))
                    .ok_or_else(|| format!("more than {most} elements in it"))?;
                if item.depth > DEEPEST {
                    return Err(format!("more than {DEEPEST} elements within each other"));
                }
                let (prefix, local) = split(tag.name);
                let name = match item.scopes.get(prefix) {
                    Some(DS) => local.to_owned(),
                    other => format!("{{{}}}{local}", other.unwrap_or_default()),
                };
                let attribute = |(name, value): (&str, &str)| {
                    decoded(value).map(|value| (name.to_owned(), value.into_owned()))
                };
                let attributes = tag.attributes().map(attribute).collect::<Result<_, _>>()?;
                self.open.push(Node { name, attributes, ..Node::default() });
            }
            Event::End(_) => {
                let Some(node) = self.open.pop() else { return Ok(()) };
                match self.open.last_mut() {
                    Some(parent) => parent.children.push(node),
                    None => self.root = Some(node),
                }
            }
            Event::Text(text) => {
                if let Some(node) = self.open.last_mut() {
                    node.text.push_str(&decoded(text)?);
                }
            }
            // They divide values in some readers and not in others.
            Event::CData(_) | Event::Comment | Event::Instruction(_) => {
                return Err("a comment, CDATA section or processing instruction in it".into());
            }
        }
        Ok(())
    }
}

/// Takes the canonical form of the child `SignedInfo`.
struct Part {
    canonical: Canonical,
    out: Vec<u8>,
    inside: bool,
}

impl Receive for Part {
    fn take(&mut self, item: Item<'_>) -> Result<(), String> {
        if let Event::Start(tag) = item.event
            && item.depth == 2
        {
            self.inside = split(tag.name).1 == "SignedInfo";
        }
        if self.inside && item.depth >= 2 {
            let out = &mut self.out;
            self.canonical.take(&item, |bytes| out.extend_from_slice(bytes))?;
        }
        if matches!(item.event, Event::End(_)) && item.depth == 2 {
            self.inside = false;
        }
        Ok(())
    }
}
