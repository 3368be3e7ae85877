//! Every page is read as its own tree has it, and of pages that are alike few are made trees of.

use std::cell::Cell;

use proptest::prelude::*;
use scraper::Selector;

use super::*;

const AS_IT_IS: Reading<'_> =
    Reading { charset: Charset::Utf8, place: [""; 3], escape: Escape::Raw };

/// The attribute, or else the text, of the first element that is selected.
fn by_tree(tree: &Html, selector: &str, attribute: Option<&str>) -> Option<Box<[u8]>> {
    let element = tree.select(&Selector::parse(selector).unwrap()).next()?;
    let value = match attribute {
        Some(attribute) => element.attr(attribute)?.to_owned(),
        None => element.text().collect::<String>().trim().to_owned(),
    };
    Some(value.into_bytes().into())
}

/// Reads the pages one after the other, each as its own tree has it; for how many a tree was made.
#[track_caller]
fn trees(selector: &str, attribute: Option<&str>, pages: &[&str]) -> usize {
    let likeness = Likeness::of(selector).unwrap();
    let made = Cell::new(0);
    for page in pages {
        let before = made.get();
        let value = likeness.value(AS_IT_IS, page.as_bytes(), |tree| {
            made.set(before + 1);
            by_tree(tree, selector, attribute)
        });
        assert_eq!(
            value,
            by_tree(&Html::parse_document(page), selector, attribute),
            "{selector} in {page}"
        );
    }
    made.get()
}

#[test]
fn two_pages_teach_what_differs() {
    let page = |csrf: &str, nonce: &str, time: &str| {
        format!(
            "<title>Login</title><script nonce='{nonce}'>a()</script><p class=c>{time}</p>\
             <input name=csrf value=\"{csrf}\">"
        )
    };
    let pages = [
        page("t0", "n/+0=", "Il est 12:05"),
        page("t1", "n/+1=", "Il est 12:06"),
        page("another", "", "9 h"),
        page("", "x", "--"),
    ];
    let pages = pages.each_ref().map(String::as_str);
    assert_eq!(trees("input[name=csrf]", Some("value"), &pages), 2);
    assert_eq!(trees("p.c", None, &pages), 2);
    assert_eq!(trees("p.d", None, &pages), 2, "nothing is a finding, too");
    // One thing at a time.
    let steps = [
        page("t0", "n", "9 h"),
        page("t1", "n", "9 h"),
        page("t1", "m", "9 h"),
        page("2", "o", "9 h"),
    ];
    assert_eq!(trees("input", Some("value"), &steps.each_ref().map(String::as_str)), 3);
}

#[test]
fn what_a_tree_or_a_selector_goes_by_is_no_gap() {
    let all = |selector, attribute, pages: &[&str]| {
        assert_eq!(trees(selector, attribute, pages), pages.len(), "{selector}");
    };
    let input = Some("value");
    // Names, kinds and classes.
    all(
        "#a",
        input,
        &["<input id='a' value='1'>", "<input id='b' value='1'>", "<input id='c' value='1'>"],
    );
    // Between two attributes, not within one.
    all(
        "input",
        input,
        &["<input value=\"\"a\"\">", "<input value=\"\"b\"\">", "<input value=\"\"value=\"\">"],
    );
    // In a comment, in an attribute of another kind, in an element that is not in the tree.
    all(
        "input",
        input,
        &[
            "<!-- >1<! --><input value='x'>",
            "<!-- >2<! --><input value='x'>",
            "<!-- >3<! --><input value='x'>",
        ],
    );
    all("p", Some("title"), &["<p title='>1<'>", "<p title='>2<'>", "<p title='>3<'>"]);
    all("p", None, &["<td nonce='1'><p>x</p>", "<td nonce='2'><p>x</p>", "<td nonce='3'><p>x</p>"]);
    // In formatting elements, which are compared with each other.
    all("b", None, &["<b nonce='1'>x", "<b nonce='2'>x", "<b nonce='3'>x"]);
    // Characters that stand for others, or for nothing.
    all(
        "input",
        input,
        &[
            "<input value='a'>",
            "<input value='&amp;'>",
            "<input value='\0'>",
            "<input value='\u{e9}'>",
        ],
    );
    // Blanks, which a tree may leave out, and which are trimmed.
    all("p", None, &["<p>a</p>", "<p> </p>", "<p>b </p>", "<p></p>"]);
    // What is said of the encoding: behind it, the parser takes U+FEFF for a byte order mark.
    let meta =
        |kind: &str| format!("<p><meta http-equiv=content-type content='{kind}'>\u{feff}x</p>");
    let pages = ["text/html", "text/xml", "text/html; charset=utf-8"].map(meta);
    all("p", None, &pages.each_ref().map(String::as_str));
    for selector in
        ["input[value]", "[VALUE=a]", "input[v\\61 lue=a]", "meta[content^=a]", "[nonce]"]
    {
        assert!(Likeness::of(selector).is_none(), "{selector}");
    }
}

#[test]
fn a_mark_of_no_gap_is_refused() {
    let mark = Mark::new();
    let value = |number: &str| format!("a{}{number}b{}", mark.0, mark.of(0)).into_bytes();
    let pieces = mark.pieces(&value("01"), 2).unwrap();
    assert!(
        matches!(&pieces[..], [Piece::Literal(a), Piece::Gap(1), Piece::Literal(b), Piece::Gap(0), _]
        if **a == b"a"[..] && **b == b"b"[..])
    );
    for number in ["02", "+1", "1", "", "é"] {
        assert!(mark.pieces(&value(number), 2).is_none(), "{number}");
    }
    assert_ne!(mark.0, Mark::new().0);
}

#[test]
fn a_page_elsewhere_or_in_another_charset_is_another() {
    let likeness = Likeness::of("form").unwrap();
    let made = Cell::new(0);
    let read = |reading| {
        likeness.value(reading, b"<form>", |_| {
            made.set(made.get() + 1);
            Some(b"x"[..].into())
        });
        made.get()
    };
    assert_eq!(read(AS_IT_IS), 1);
    assert_eq!(read(AS_IT_IS), 1);
    assert_eq!(read(Reading { place: ["", "", "/b"], ..AS_IT_IS }), 2);
    assert_eq!(read(Reading { charset: Charset::Latin9, ..AS_IT_IS }), 3);
    assert_eq!(read(AS_IT_IS), 3);
}

#[test]
fn trying_ends_where_pages_are_never_alike() {
    let likeness = Likeness::of("p").unwrap();
    for index in 0..2 * LESSONS {
        let page = "<p>".repeat(index as usize);
        likeness.value(AS_IT_IS, page.as_bytes(), |_| None);
    }
    assert_eq!(likeness.lessons.load(Ordering::Relaxed), 0);
    assert_eq!(likeness.pages.read().unwrap().len(), PAGES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever pages there were before, a page gives what its own tree gives.
    #[test]
    fn a_page_is_read_as_its_own_tree_has_it(
        shape in prop::collection::vec((0..PARTS.len(), 0..FILLINGS.len()), 1..6),
        changes in prop::collection::vec(
            prop::collection::vec((0..6_usize, 0..FILLINGS.len()), 1..3), 2..8),
    ) {
        let pages: Vec<String> = changes.iter().map(|changes| {
            let mut shape = shape.clone();
            for (at, filling) in changes {
                let at = at % shape.len();
                shape[at].1 = *filling;
            }
            shape.iter().map(|(part, filling)| PARTS[*part].replace('@', FILLINGS[*filling])).collect()
        }).collect();
        let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
        for (selector, attribute) in [
            ("input", Some("value")), ("input", Some("name")), ("p", None), ("b", None),
            ("form", None), ("form input[name=a]", Some("value")), ("meta", Some("content")),
            ("table p", None), ("textarea", None), ("option", Some("value")), ("script", None),
        ] {
            trees(selector, attribute, &pages);
        }
    }
}

/// Parts of pages, `@` standing for what differs; some open what they do not close.
const PARTS: [&str; 38] = [
    "<input name=a value='@'>",
    "<input name=a value=\"@\">",
    "<input name=a value=@>",
    "<input name='@' value='1'>",
    "<input type='@' value='1'>",
    "<p>@</p>",
    "<p> @ </p>",
    "<p>",
    "<b nonce='@'>",
    "<b>@<p>",
    "<!--@-->",
    "<!-- >@< -->",
    "<script>\">@<\"</script>",
    "<script nonce='@'>",
    "<style>\"@\"</style>",
    "<textarea>@</textarea>",
    "<title>@</title>",
    "<table>",
    "<td>@<",
    "<tr value='@'>",
    "<form action='@'>",
    "</form>",
    "<select><option value='@'>",
    "<option>@</option>",
    "<meta name=m content='@'>",
    "<meta charset='@'>",
    "<a href='@' title='>@<'>",
    "<svg><title>@</title>",
    "<math><annotation-xml encoding='@'>",
    "<template><p>@</p>",
    "<frameset>@<",
    "<input \"@\">",
    "\"@\"",
    ">@<",
    "</@>",
    "<plaintext>",
    "<meta http-equiv=content-type content='@'>\u{feff}<p>x",
    "\u{feff}",
];

/// What may stand there.
const FILLINGS: [&str; 22] = [
    "",
    "a",
    "b",
    "abc",
    "t0/+=",
    "x y",
    " ",
    "hidden",
    "text/html",
    "&amp;",
    "&",
    "\"",
    "'",
    "<",
    ">",
    "-->",
    "--",
    "é",
    "\r",
    "\0",
    "value=",
    "text/html; charset=utf-8",
];
