use std::cell::Cell;

use proptest::prelude::*;

use super::super::super::limits::Limits;
use super::*;

thread_local! {
    /// Whether cursors made by this thread leave everything to the library.
    pub(super) static UNAIDED: Cell<bool> = const { Cell::new(false) };
}

/// Gives a few bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = self.0.len().min(out.len()).min(self.1);
        out[..len].copy_from_slice(&self.0[..len]);
        self.0 = &self.0[len..];
        Ok(len)
    }
}

/// All that a walk through `document` shows: `how` says for each element whether its children
/// are walked, its text is read, or it is skipped.
fn walk(document: &[u8], chunk: usize, how: &[u8], unaided: bool) -> Vec<String> {
    UNAIDED.set(unaided);
    let mut limits = Limits::default();
    limits.set("depth=6").unwrap();
    let cursor = Cursor::new(Drops(document, chunk), limits);
    UNAIDED.set(false);
    let mut cursor = match cursor {
        Ok(cursor) => cursor,
        Err((fault, place)) => return vec![format!("{fault} at {place:?}")],
    };
    let mut seen = Vec::new();
    let mut how = how.iter().cycle();
    let mut depth = 1;
    let result = loop {
        let child = match cursor.child() {
            Ok(Some(element)) => element,
            Ok(None) if depth == 1 => break cursor.end(),
            Ok(None) => {
                depth -= 1;
                continue;
            }
            Err(fault) => break Err(fault),
        };
        let attributes = ["a", "Id", "xmlns"].map(|name| match cursor.attribute(name) {
            Ok(value) => format!("{value:?}"),
            Err(fault) => fault.to_string(),
        });
        seen.push(format!("{child:?} {attributes:?} {:?}", cursor.place()));
        let done = match how.next() {
            Some(0) => cursor.text().map(|text| seen.push(text.to_owned())),
            Some(1) => cursor.skip(),
            _ => {
                depth += 1;
                Ok(())
            }
        };
        if let Err(fault) = done {
            break Err(fault);
        }
    };
    let end = result.map_err(|fault| fault.to_string());
    seen.push(format!("{end:?} at {:?}, {} bytes", cursor.place(), cursor.offset()));
    // However many elements there were, the library remembers no more than are open.
    assert!(cursor.path.names_len() <= document.len() && cursor.path.depth() <= 6);
    seen
}

const PARTS: &[&str] = &[
    "<Key>",
    "</Key>",
    "<Key>",
    "</Key>",
    "<Key/>",
    "<Key />",
    "</Key >",
    "<x:Key>",
    "</x:Key>",
    "<Data a=\"1\">",
    "</Data>",
    "<Data a='1' Id=\"2\"/>",
    "<Data a=\"&lt;\">",
    "<Data a=\">\">",
    "<Key xmlns=\"urn:other\">",
    "<Key xmlns:x=\"urn:ietf:params:xml:ns:keyprov:pskc\" Id=\"é\">",
    "<Key a=\"1\" a=\"2\">",
    "<Key a=\"1\"a=\"2\">",
    "<Key a>",
    "<Key a=\"&x;\"/>",
    "<é>",
    "</é>",
    "text",
    "\n",
    "  ",
    "é",
    "&amp;",
    "&#65;",
    "&x;",
    "&",
    "<!-- c -->",
    "<![CDATA[d]]>",
    "<?pi?>",
    "<!DOCTYPE a>",
    "<",
    ">",
    "]]>",
    "\"",
    "</>",
    "<>",
    "<1>",
    "\r\n",
    "a\r",
    "\u{1b}",
    "&#27;",
    "<Key a=\"1\r\n2\" Id=\"&#27;\">",
    "</KeyContainer>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The shortcut changes nothing but the time: elements, attributes, texts, places,
    /// messages are those of the library, wherever buffers end.
    #[test]
    fn plain_events_are_read_as_the_library_reads_them(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..24),
        well_formed in any::<bool>(),
        chunk in prop::sample::select(vec![1usize, 2, 7, 33, 1 << 20]),
        how in prop::collection::vec(0u8..5, 1..8),
    ) {
        let mut text = String::from(
            "<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" a=\"b\">",
        );
        let mut open = Vec::new();
        for part in parts {
            // Random parts seldom match: half of the documents are led to.
            let name = part.trim_start_matches(['<', '/']).split([' ', '>', '/']).next();
            if well_formed && part.starts_with("</") {
                let Some(name) = open.pop() else { continue };
                text.push_str(&format!("</{name}>"));
                continue;
            }
            let starts = part.len() > 2 && part.starts_with('<') && !part.starts_with("<!");
            if starts && !part.starts_with("<?") && !part.ends_with("/>") {
                open.extend(name);
            }
            text.push_str(part);
        }
        if well_formed {
            while let Some(name) = open.pop() {
                text.push_str(&format!("</{name}>"));
            }
            text.push_str("</KeyContainer>\n");
        }
        let expected = walk(text.as_bytes(), 1 << 20, &how, true);
        prop_assert_eq!(walk(text.as_bytes(), chunk, &how, false), expected, "{}", text);
    }

    /// Bytes that are no text, anywhere.
    #[test]
    fn damaged_bytes_are_refused_alike(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        how in prop::collection::vec(0u8..5, 1..4),
    ) {
        let mut text = b"<KeyContainer xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><Key Id=\"1\">\
            <Data a=\"x\"/>text</Key>\n<Key>t</Key></KeyContainer>".to_vec();
        let at = at.index(text.len());
        text[at] = byte;
        prop_assert_eq!(
            walk(&text, 1 << 20, &how, false),
            walk(&text, 1 << 20, &how, true),
            "{:?}",
            String::from_utf8_lossy(&text)
        );
    }
}
