//! One element kept whole, as text that means the same elsewhere.

use std::collections::BTreeMap;
use std::io::Read;

use zeroize::Zeroizing;

use super::super::super::error::{Fault, shown};
use super::super::super::limits::Limit;
use super::super::super::pen::push_xml;
use super::super::super::uri;
use super::Cursor;
use super::step::Step;
use super::values::value;
use crate::token::Fragment;

/// What is written without being declared: every file of ours has these prefixes.
const DECLARED: [(&str, &str); 2] = [("ds", uri::DS), ("xenc", uri::XENC)];

impl<R: Read> Cursor<R> {
    /// The element last entered, whole, which is left. Comments and processing instructions are
    /// left out; namespaces declared around it and used in it are declared on it.
    ///
    /// `room` is how many bytes it may have, and loses those that it has.
    pub(in super::super::super) fn fragment(&mut self, room: &mut u64) -> Result<Fragment, Fault> {
        let top = self.path.depth();
        let mut draft = Draft { top, ..Draft::default() };
        let name = draft.start(self)?;
        let declarations = 1 + name.len();
        let (prefix, local) = split(&name);
        let namespace = value(self.path.uri(prefix).map_or("", |(uri, _)| uri))?.into_owned();
        self.text.clear();
        while self.path.depth() >= top {
            let step = self.step(true)?;
            if let Step::Go = step {
                continue;
            }
            let text = std::mem::take(&mut self.text);
            draft.text(self, &text)?;
            match step {
                Step::Leave => draft.end(),
                _ => drop(draft.start(self)?),
            }
            if draft.xml.len() as u64 > *room {
                return Err(self.too_long());
            }
        }
        let mut needed = String::new();
        for (prefix, uri) in &draft.needed {
            let colon = if prefix.is_empty() { "" } else { ":" };
            let uri = escaped(&kept(uri)?)?;
            needed.push_str(&format!(" xmlns{colon}{prefix}=\"{}\"", uri.as_str()));
        }
        // Inserted into a new text: what is moved must leave no copy behind.
        let mut xml = Zeroizing::new(String::with_capacity(draft.xml.len() + needed.len()));
        xml.push_str(&draft.xml[..declarations]);
        xml.push_str(&needed);
        xml.push_str(&draft.xml[declarations..]);
        *room = room.checked_sub(xml.len() as u64).ok_or_else(|| self.too_long())?;
        Ok(Fragment::new(&namespace, local, xml))
    }

    fn too_long(&self) -> Fault {
        self.limits.exceeded(Limit::Extensions)
    }

    /// The attributes of the element last entered but those of the names `known`: namespace, local
    /// name, value.
    pub(in super::super::super) fn other_attributes(
        &self,
        known: &[&str],
    ) -> Result<Vec<(String, String, String)>, Fault> {
        let mut found = Vec::new();
        for (name, raw) in self.attributes.iter() {
            check_name(name)?;
            let (prefix, local) = split(name);
            if matches!(prefix, "xmlns" | "xml") || name == "xmlns" || known.contains(&name) {
                continue;
            }
            let uri = match prefix {
                "" => "",
                _ => self.path.uri(prefix).ok_or_else(|| undeclared(prefix))?.0,
            };
            found.push((value(uri)?.into_owned(), local.to_owned(), value(raw)?.into_owned()));
        }
        Ok(found)
    }
}

/// A fragment being put together.
#[derive(Default)]
struct Draft {
    xml: Zeroizing<String>,
    /// Depth of the fragment itself.
    top: usize,
    /// Names of the open elements.
    open: Vec<String>,
    /// The start tag written last has no `>` yet.
    in_tag: bool,
    /// Namespaces to declare, by prefix.
    needed: BTreeMap<String, String>,
}

impl Draft {
    /// Writes the start tag of the element last entered, and gives its name.
    fn start<R: Read>(&mut self, cursor: &Cursor<R>) -> Result<String, Fault> {
        self.close_tag();
        let name = String::from_utf8_lossy(cursor.path.last_name()).into_owned();
        check_name(&name)?;
        self.need(cursor, split(&name).0)?;
        self.xml.push('<');
        self.xml.push_str(&name);
        for (name, raw) in cursor.attributes.iter() {
            check_name(name)?;
            let value = kept(raw)?;
            match split(name) {
                ("xmlns" | "xml", _) => {}
                ("", "xmlns") => {}
                ("", _) => self.mention(cursor, &value),
                (prefix, _) => {
                    self.need(cursor, prefix)?;
                    self.mention(cursor, &value);
                }
            }
            self.xml.push(' ');
            self.xml.push_str(name);
            self.xml.push_str("=\"");
            self.xml.push_str(&escaped(&value)?);
            self.xml.push('"');
        }
        self.in_tag = true;
        self.open.push(name.clone());
        Ok(name)
    }

    fn text<R: Read>(&mut self, cursor: &Cursor<R>, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        self.close_tag();
        self.mention(cursor, text);
        let escaped = escaped(text)?;
        // Written as characters, ends of lines stay readable, and mean the same.
        let escaped = Zeroizing::new(escaped.replace("&#10;", "\n").replace("&#9;", "\t"));
        self.xml.push_str(&escaped);
        Ok(())
    }

    fn end(&mut self) {
        let name = self.open.pop().unwrap_or_default();
        if std::mem::take(&mut self.in_tag) {
            self.xml.push_str("/>");
        } else {
            self.xml.push_str("</");
            self.xml.push_str(&name);
            self.xml.push('>');
        }
    }

    fn close_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.xml.push('>');
        }
    }

    /// The name of an element or attribute has `prefix`.
    fn need<R: Read>(&mut self, cursor: &Cursor<R>, prefix: &str) -> Result<(), Fault> {
        match cursor.path.uri(prefix) {
            Some((_, depth)) if depth >= self.top => {}
            Some((uri, _)) => {
                self.needed.insert(prefix.to_owned(), uri.to_owned());
            }
            None if prefix.is_empty() => {
                self.needed.insert(String::new(), String::new());
            }
            None if prefix == "xml" => {}
            None => return Err(undeclared(prefix)),
        }
        Ok(())
    }

    /// A value that looks like a name with a prefix may be one, as that of `xsi:type`.
    fn mention<R: Read>(&mut self, cursor: &Cursor<R>, text: &str) {
        let Some((prefix, local)) = text.trim_ascii().split_once(':') else { return };
        let is_name = |part: &str| check_name(part).is_ok() && !part.contains(':');
        if !is_name(prefix) || !is_name(local) {
            return;
        }
        if let Some((uri, depth)) = cursor.path.uri(prefix)
            && depth < self.top
            && !DECLARED.contains(&(prefix, uri))
        {
            self.needed.insert(prefix.to_owned(), uri.to_owned());
        }
    }
}

fn undeclared(prefix: &str) -> Fault {
    Fault::Xml(format!("the namespace prefix {:?} is not declared", shown(prefix)))
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// Names are written as they were: only what can be one.
fn check_name(name: &str) -> Result<(), Fault> {
    let start = |c: char| c.is_alphabetic() || c == '_' || !c.is_ascii();
    let rest = |c: char| start(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    let part = |part: &str| part.starts_with(start) && part.chars().all(rest);
    match name.split_once(':') {
        Some((prefix, local)) if part(prefix) && part(local) => Ok(()),
        None if part(name) => Ok(()),
        _ => Err(Fault::Xml(format!("{:?} is no name", shown(name)))),
    }
}

/// What an attribute that is kept means.
fn kept(raw: &str) -> Result<Zeroizing<String>, Fault> {
    Ok(Zeroizing::new(value(raw)?.into_owned()))
}

fn escaped(text: &str) -> Result<Zeroizing<String>, Fault> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len() + text.len() / 8));
    push_xml(text, &mut out)
        .map_err(|character| Fault::Xml(format!("it has no place for {character:?}")))?;
    let text = std::str::from_utf8(&out).unwrap_or_default();
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pskc::Limits;

    const HEAD: &str = "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" \
        xmlns:v=\"urn:v\" xmlns:w=\"urn:w?a=1&amp;b=2\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">";

    fn read(xml: &str) -> Result<(Fragment, u64), String> {
        let document = format!("{HEAD}{xml}</KeyContainer>");
        let mut cursor =
            Cursor::new(document.as_bytes(), Limits::default()).map_err(|e| e.0.to_string())?;
        let mut room = 300;
        cursor.child().unwrap().unwrap();
        let fragment = cursor.fragment(&mut room).map_err(|fault| fault.to_string())?;
        // The walk goes on behind it.
        assert!(cursor.child().unwrap().is_none());
        Ok((fragment, room))
    }

    #[test]
    fn what_is_used_is_declared_and_nothing_else() {
        for (xml, kept, name) in [
            ("<v:a/>", "<v:a xmlns:v=\"urn:v\"/>", ("urn:v", "a")),
            (
                "<v:a w:b='1\"'/>",
                "<v:a xmlns:v=\"urn:v\" xmlns:w=\"urn:w?a=1&amp;b=2\" w:b=\"1&quot;\"/>",
                ("urn:v", "a"),
            ),
            (
                "<a xmlns='urn:x'><b/> <v:c xmlns:v='urn:other'>1 &lt; 2</v:c></a>",
                "<a xmlns=\"urn:x\"><b/> <v:c xmlns:v=\"urn:other\">1 &lt; 2</v:c></a>",
                ("urn:x", "a"),
            ),
            (
                "<v:a><b/></v:a>",
                "<v:a xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:v=\"urn:v\"><b/></v:a>",
                ("urn:v", "a"),
            ),
            (
                "<Extensions><!-- c --><v:a>x<![CDATA[<y>]]></v:a></Extensions>",
                "<Extensions xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:v=\"urn:v\">\
              <v:a>x&lt;y&gt;</v:a></Extensions>",
                ("urn:ietf:params:xml:ns:keyprov:pskc", "Extensions"),
            ),
            (
                "<v:a t=\"w:kind\">ds:Signature</v:a>",
                "<v:a xmlns:v=\"urn:v\" xmlns:w=\"urn:w?a=1&amp;b=2\" t=\"w:kind\">ds:Signature</v:a>",
                ("urn:v", "a"),
            ),
            (
                "<v:a xml:lang=\"fr\" b=\"1\n2\">l\r\nm&#13;</v:a>",
                "<v:a xmlns:v=\"urn:v\" xml:lang=\"fr\" b=\"1 2\">l\nm&#13;</v:a>",
                ("urn:v", "a"),
            ),
        ] {
            let (fragment, room) = read(xml).unwrap();
            assert_eq!(fragment.expose_xml(), kept);
            assert_eq!((fragment.namespace(), fragment.name()), name);
            assert_eq!(room, 300 - kept.len() as u64);
            // Read again, it is the same.
            assert_eq!(read(kept).unwrap().0, fragment);
        }
    }

    #[test]
    fn what_cannot_be_written_again_is_refused() {
        for (xml, why) in [
            ("<u:a/>", "the namespace prefix \"u\" is not declared"),
            ("<v:a u:b=\"\"/>", "the namespace prefix \"u\" is not declared"),
            ("<v:a>\u{1}</v:a>", "'\\u{1}', a character that XML does not have"),
            ("<v:a>&#1;</v:a>", "'\\u{1}', a character that XML does not have"),
            ("<v:a b='&#1;'/>", "'\\u{1}', a character that XML does not have"),
            ("<v:a:b/>", "\"v:a:b\" is no name"),
            ("<v:a><v:b></v:a>", "v:b"),
            ("<v:a>&x;</v:a>", "unknown entity &x;"),
        ] {
            let said = read(xml).unwrap_err();
            assert!(said.contains(why), "{xml}: {said}");
        }
        let long = format!("<v:a>{}</v:a>", "x".repeat(300));
        assert_eq!(
            read(&long).unwrap_err(),
            "the length of the extensions of one key, or of the container, in bytes, exceeds the \
             limit of 65536"
        );
    }
}
