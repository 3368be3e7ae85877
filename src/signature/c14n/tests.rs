use proptest::prelude::*;

use super::*;

/// Gathers the canonical form of a document.
struct Whole {
    canonical: Canonical,
    out: Vec<u8>,
}

impl Receive for Whole {
    fn take(&mut self, item: Item<'_>) -> Result<(), String> {
        let out = &mut self.out;
        self.canonical.take(&item, |bytes| out.extend_from_slice(bytes))
    }
}

fn canonical_in(form: Form, document: &[u8], piece: usize) -> Result<String, Flaw> {
    let mut whole = Whole { canonical: Canonical::new(form), out: Vec::new() };
    let mut scanner = Scanner::new();
    for bytes in document.chunks(piece) {
        scanner.push(bytes, &mut whole)?;
    }
    scanner.finish(&mut whole)?;
    whole.out.extend_from_slice(whole.canonical.rest());
    Ok(String::from_utf8(whole.out).unwrap())
}

fn inclusive(document: &str) -> String {
    canonical_in(Form::Inclusive, document.as_bytes(), 1 << 20).unwrap()
}

fn exclusive(document: &str, prefixes: &[&str]) -> String {
    let prefixes = prefixes.iter().map(|prefix| (*prefix).to_owned()).collect();
    canonical_in(Form::Exclusive(prefixes), document.as_bytes(), 1 << 20).unwrap()
}

fn flaw(document: &str) -> String {
    let flaw = canonical_in(Form::Inclusive, document.as_bytes(), 1 << 20).unwrap_err();
    format!("{}: {}", flaw.line, flaw.what)
}

#[test]
fn what_is_around_the_root_is_written_as_in_section_3_1() {
    let document = "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n\
                    <doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- 2 -->\n";
    assert_eq!(
        inclusive(document),
        "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!</doc>\n\
         <?pi-without-data?>"
    );
}

#[test]
fn tags_are_written_as_in_section_3_3() {
    let document = "<doc>\n<e1   />\n<e2   ></e2>\n<e3   name = \"elem3\"   id=\"elem3\"   />\n\
         <e5 a:attr=\"out\" b:attr=\"sorted\" attr2=\"all\" attr=\"I'm\"\n xmlns:b=\"http://www.ietf.org\"\n \
         xmlns:a=\"http://www.w3.org\"\n xmlns=\"http://example.org\"/>\n<e6 xmlns=\"\" \
         xmlns:a=\"http://www.w3.org\">\n<e7 xmlns=\"http://www.ietf.org\">\n<e8 xmlns=\"\" \
         xmlns:a=\"http://www.w3.org\">\n<e9 xmlns=\"\" xmlns:a=\"http://www.ietf.org\" \
         attr=\"default\"/>\n</e8>\n</e7>\n</e6>\n</doc>";
    assert_eq!(
        inclusive(document),
        "<doc>\n<e1></e1>\n<e2></e2>\n<e3 id=\"elem3\" name=\"elem3\"></e3>\n\
         <e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" xmlns:b=\"http://www.ietf.org\" \
         attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"></e5>\n\
         <e6 xmlns:a=\"http://www.w3.org\">\n<e7 xmlns=\"http://www.ietf.org\">\n<e8 xmlns=\"\">\n\
         <e9 xmlns:a=\"http://www.ietf.org\" attr=\"default\"></e9>\n</e8>\n</e7>\n</e6>\n</doc>"
    );
}

#[test]
fn characters_are_written_as_in_section_3_4() {
    let document = "<doc>\r\n<text>First line&#x0d;&#10;Second line</text>\r<value>&#x32;</value>\n\
         <compute><![CDATA[value>\"0\" && value<\"10\" ?\"valid\":\"error\"]]></compute>\n\
         <compute expr='value>\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"'>valid > &gt;</compute>\n\
         <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; \n\tx'/></doc>";
    assert_eq!(
        inclusive(document),
        "<doc>\n<text>First line&#xD;\nSecond line</text>\n<value>2</value>\n\
         <compute>value&gt;\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"</compute>\n\
         <compute expr=\"value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; ?&quot;valid&quot;:&quot;error&quot;\">valid &gt; &gt;</compute>\n\
         <norm attr=\" '    &#xD;&#xA;&#x9;   '   x\"></norm></doc>"
    );
}

#[test]
fn exclusive_forms_declare_what_is_used_where_it_is_used() {
    let document = "<n0:a xmlns:n0=\"urn:0\" xmlns:n1=\"urn:1\" xmlns=\"urn:d\"><b><n1:c n0:x=\"\"/>\
                    <n1:d/></b><e xmlns=\"\"><f/></e></n0:a>";
    assert_eq!(
        exclusive(document, &[]),
        "<n0:a xmlns:n0=\"urn:0\"><b xmlns=\"urn:d\"><n1:c xmlns:n1=\"urn:1\" n0:x=\"\"></n1:c>\
         <n1:d xmlns:n1=\"urn:1\"></n1:d></b><e><f></f></e></n0:a>"
    );
    assert_eq!(
        exclusive(document, &["n1", ""]),
        "<n0:a xmlns=\"urn:d\" xmlns:n0=\"urn:0\" xmlns:n1=\"urn:1\"><b><n1:c n0:x=\"\"></n1:c>\
         <n1:d></n1:d></b><e xmlns=\"\"><f></f></e></n0:a>"
    );
}

#[test]
fn what_parsers_could_read_in_two_ways_is_refused() {
    for (document, expected) in [
        ("<a>", "1: the document ends in the middle"),
        ("<a/><b/>", "1: an element after the root"),
        ("<a>\n</b>", "2: \"b\" ends where \"a\" is open"),
        ("<!DOCTYPE a><a/>", "1: a DTD or other declaration"),
        ("<a>&x;</a>", "1: \"&x;\"… is no reference to a character"),
        ("<a>&#0;</a>", "1: \"&#0;\"… is no reference to a character"),
        ("<a>& </a>", "1: \"& \"… is no reference to a character"),
        ("<a>]]></a>", "1: `]]>` in a text"),
        ("<a b='1' b='2'/>", "1: the attribute \"b\" twice"),
        ("<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", "1: the attribute \"b\" twice"),
        ("<a b='<'/>", "1: `<` in the value of an attribute"),
        ("<a b=c/>", "1: an attribute's value without quotes"),
        ("<a b='1'c='2'/>", "1: no blank between two attributes"),
        ("<x:a/>", "1: the prefix \"x\" is not declared"),
        ("<a xmlns:x=''/>", "1: the prefix \"x\" is declared as nothing"),
        ("<a xmlns='urn:&#x78;'/>", "1: a reference or line end in the name of a namespace"),
        ("<a xmlns:xml='urn:x'/>", "1: the prefix \"xml\" cannot be declared so"),
        ("<a><!-- -- --></a>", "1: `--` in a comment"),
        ("<a>\u{1}</a>", "1: a character that XML does not have"),
        ("<a>\u{ffff}</a>", "1: a character that XML does not have"),
        ("<1/>", "1: \"1\" is no name of an element"),
        ("<a:b:c xmlns:a='u'/>", "1: \"a:b:c\" is no name of an element"),
        ("text<a/>", "1: text outside of the root"),
        ("<a/>text", "1: text outside of the root"),
        ("", "1: the document ends in the middle"),
        ("<a><?xml version='1.0'?></a>", "1: \"xml\" is no name of a processing instruction"),
        ("<?xml version='1.0' encoding='latin-1'?><a/>", "1: the encoding \"latin-1\""),
        ("<?xml version='1.0' encoding=''?><a/>", "1: the encoding \"\""),
        ("<?xml?><a/>", "1: an XML declaration without version 1"),
        ("<?xml version='2.0'?><a/>", "1: an XML declaration without version 1"),
        ("<?xml version='1.'?><a/>", "1: an XML declaration without version 1"),
        ("<?xml VERSION='1.0'?><a/>", "1: an XML declaration without version 1"),
        ("<?xml encoding='UTF-8' version='1.0'?><a/>", "1: an XML declaration without version 1"),
        (" <?xml version='1.0'?><a/>", "1: \"xml\" is no name of a processing instruction"),
        (
            "<?xml version='1.0'?><?xml version='1.0'?><a/>",
            "1: \"xml\" is no name of a processing instruction",
        ),
    ] {
        assert_eq!(flaw(document), expected, "{document}");
    }
    for more in [
        "ENCODING='UTF-8' encoding='ISO-8859-1'",
        "encoding='UTF-8' encoding='ISO-8859-1'",
        "encoding='UTF-8'standalone='yes'",
        "standalone='yes' encoding='ISO-8859-1'",
        "standalone='perhaps'",
        "encoding=\"UTF-8' encoding='ISO-8859-1'",
        "encoding UTF-8",
        "x",
    ] {
        assert_eq!(
            flaw(&format!("<?xml version='1.0' {more}?><a/>")),
            "1: an XML declaration with more than version, encoding, standalone",
            "{more}"
        );
    }
    for plain in [
        "<?xml version='1.0'?>",
        "\u{feff}<?xml\tversion = \"1.1\"\r\nencoding\n=\n'utf-8' standalone='no' ?>",
        "<?xml version='1.0' encoding='us-ascii'?>",
    ] {
        assert_eq!(inclusive(&format!("{plain}<a/>")), "<a></a>");
    }
    let bytes = canonical_in(Form::Inclusive, b"<a>\xff</a>", 9).unwrap_err();
    assert_eq!(bytes.what, "bytes that are not UTF-8");
    let utf16 = canonical_in(Form::Inclusive, b"\xff\xfe<\0a\0/\0>\0", 9).unwrap_err();
    assert!(utf16.what.starts_with("the text is UTF-16"), "{utf16:?}");
}

const PARTS: &[&str] = &[
    "<a>",
    "<a x='1' b=\"2\">",
    "<p:a xmlns:p=\"urn:p\">",
    "<q:a xmlns:q=\"urn:p\" q:z='' a=''>",
    "<a xmlns='urn:d'>",
    "<a xmlns=''>",
    "<e/>",
    "<e xmlns='urn:d' y=\"'&quot;&lt;&#10;\n\" />",
    "</>",
    "</>",
    "</>",
    "text",
    "é\r\n",
    "&amp;&gt;>&#13;",
    "<!-- c -->",
    "<![CDATA[<d>&]]>",
    "<?pi  data ?>",
];

fn document() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PARTS), 0..30).prop_map(|parts| {
        let mut text = String::from("<root xmlns:r=\"urn:r\" r:k='v'>");
        let mut open = Vec::new();
        for part in parts {
            match part {
                "</>" => text += &open.pop().map_or(String::new(), |name| format!("</{name}>")),
                _ => {
                    let tag = part.starts_with('<') && !part.starts_with("<!");
                    if tag && !part.starts_with("<?") && !part.ends_with("/>") {
                        open.extend(part[1..].split([' ', '>']).next());
                    }
                    text += part;
                }
            }
        }
        while let Some(name) = open.pop() {
            text += &format!("</{name}>");
        }
        text + "</root>"
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A canonical form is its own canonical form, and where the pieces end changes nothing.
    #[test]
    fn canonical_forms_are_fixed_points(
        document in document(),
        piece in prop::sample::select(vec![1usize, 2, 7, 33]),
    ) {
        for form in [Form::Inclusive, Form::Exclusive(vec![]), Form::Exclusive(vec!["r".into()])] {
            let once = canonical_in(form.clone(), document.as_bytes(), 1 << 20).unwrap();
            let pieces = canonical_in(form.clone(), document.as_bytes(), piece).unwrap();
            prop_assert_eq!(&pieces, &once);
            let twice = canonical_in(form, once.as_bytes(), 1 << 20).unwrap();
            prop_assert_eq!(twice, once);
        }
    }

    /// No bytes make it panic.
    #[test]
    fn damaged_documents_are_refused_or_read(
        document in document(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = document.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let whole = canonical_in(Form::Inclusive, &bytes, 1 << 20);
        prop_assert_eq!(canonical_in(Form::Inclusive, &bytes, 3), whole);
    }
}
