//! A value by CSS selector, out of the tree that a browser would make of the page. Only a target
//! that asks for one pays for the tree, and of pages that are alike for few; `input` is read without.

use std::fmt;

use scraper::{ElementRef, Html, Selector};

use super::likeness::{Likeness, Reading};
use super::template::Escape;
use super::{Answer, page};

/// A selector, and what of the element is wanted.
#[derive(Debug, Clone)]
pub(super) struct Css {
    /// As written, for messages.
    text: String,
    selector: Selector,
    /// The attribute; what the element is for when none was named.
    attribute: Option<String>,
    /// What was learnt from pages, where that can be.
    likeness: Option<Likeness>,
}

impl Css {
    /// Compiles a selector.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn new(text: &str, attribute: Option<String>) -> Result<Self, String> {
        let selector = Selector::parse(text)
            .map_err(|error| format!("{text:?} is no CSS selector: {error}"))?;
        Ok(Self { text: text.to_owned(), selector, attribute, likeness: Likeness::of(text) })
    }

    /// The value of the first element that is selected and has one, as UTF-8; none when the charset of
    /// the page is not known.
    pub(super) fn find(&self, answer: &Answer<'_>) -> Option<Box<[u8]>> {
        let reading =
            Reading { charset: page::charset(answer).ok()?, place: [""; 3], escape: Escape::Raw };
        self.read(reading, answer.body, |page| {
            let value = page.select(&self.selector).find_map(|element| self.value(element))?;
            Some(value.into_bytes().into())
        })
    }

    /// What `take` takes from the tree of the page, or would: see [`Likeness`].
    pub(super) fn read(
        &self,
        reading: Reading<'_>,
        body: &[u8],
        take: impl Fn(&Html) -> Option<Box<[u8]>>,
    ) -> Option<Box<[u8]>> {
        match &self.likeness {
            Some(likeness) => likeness.value(reading, body, take),
            None => take(&reading.tree(body)),
        }
    }

    /// The first element that is selected and `fits`.
    pub(super) fn first<'p>(
        &self,
        page: &'p Html,
        fits: impl Fn(&ElementRef<'p>) -> bool,
    ) -> Option<ElementRef<'p>> {
        page.select(&self.selector).find(fits)
    }

    fn value(&self, element: ElementRef<'_>) -> Option<String> {
        if let Some(attribute) = &self.attribute {
            return element.attr(attribute).map(str::to_owned);
        }
        match element.value().name() {
            "input" | "button" | "option" => element.attr("value").map(str::to_owned),
            "meta" => element.attr("content").map(str::to_owned),
            _ => Some(element.text().collect::<String>().trim().to_owned()),
        }
    }

    /// The longest word of the selector: where to look in a page that has it no more.
    pub(super) fn landmark(&self) -> &str {
        let words = self.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        words.max_by_key(|word| word.len()).unwrap_or_default()
    }
}

impl fmt::Display for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.attribute {
            Some(attribute) => write!(f, "CSS {} (attribute {attribute})", self.text),
            None => write!(f, "CSS {}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Site;
    use hyper::HeaderMap;

    fn find(css: &Css, page: &[u8]) -> Option<Box<[u8]>> {
        css.find(&Answer::new(200, &HeaderMap::new(), page, &Site::default()))
    }

    #[track_caller]
    fn is(page: &str, selector: &str, attribute: Option<&str>, value: Option<&str>) {
        let css = Css::new(selector, attribute.map(str::to_owned)).unwrap();
        let found =
            find(&css, page.as_bytes()).map(|value| String::from_utf8(value.into()).unwrap());
        assert_eq!(found.as_deref(), value, "{selector} in {page}");
    }

    #[test]
    fn the_element_decides_what_is_its_value() {
        let page = r#"<meta name=csrf content="m&amp;1"><form id=a action="/x?t=9"><input name=t value=no></form>
            <form class="login big"><p>closed</p><li>unclosed<input name=t value="i1"><textarea name=n> text </textarea>
            <button name=go value=b1>Go</button></form>"#;
        is(page, "meta[name=csrf]", None, Some("m&1"));
        is(page, "form.login input[name=t]", None, Some("i1"));
        is(page, "form.login > p", None, Some("closed"));
        is(page, "textarea", None, Some("text"));
        is(page, "form.login button", None, Some("b1"));
        is(page, "form#a", Some("action"), Some("/x?t=9"));
        is(page, "form#a", Some("method"), None);
        is(page, "form#b", None, None);
    }

    #[test]
    fn any_bytes_are_a_page() {
        let css = Css::new("input", None).unwrap();
        assert_eq!(find(&css, b"\xff\xfe<input value='\xe9'>"), Some("é".as_bytes().into()));
        let declared = b"<meta charset=utf-8><input value='\xe9'>";
        assert_eq!(find(&css, declared), Some("\u{fffd}".as_bytes().into()));
        assert_eq!(find(&css, b""), None);
        assert_eq!(find(&css, b"<input value='cut"), None);
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        let error = Css::new("form[", None).unwrap_err();
        assert!(error.starts_with("\"form[\" is no CSS selector"), "{error}");
    }
}
