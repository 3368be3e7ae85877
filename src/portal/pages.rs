//! The pages as HTML: plain, without scripts, one style sheet inline, light and dark.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use sha2::{Digest, Sha256};

use super::lang::{Lang, Notice};

const STYLE: &str = include_str!("pages/style.css");
const TEMPLATES: [(&str, &str); 7] = [
    ("layout.html", include_str!("pages/layout.html")),
    ("login.html", include_str!("pages/login.html")),
    ("new_pin.html", include_str!("pages/new_pin.html")),
    ("confirm.html", include_str!("pages/confirm.html")),
    ("next_code.html", include_str!("pages/next_code.html")),
    ("portal.html", include_str!("pages/portal.html")),
    ("notice.html", include_str!("pages/notice.html")),
];

/// The pages, compiled once.
#[derive(Debug)]
pub(super) struct Pages {
    templates: Environment<'static>,
    french: Value,
    english: Value,
}

impl Pages {
    pub(super) fn new() -> Self {
        let mut templates = Environment::new();
        for (name, source) in TEMPLATES {
            templates.add_template(name, source).expect("the embedded pages are templates");
        }
        let words = |lang: Lang| Value::from(Serde(lang.words()));
        Self { templates, french: words(Lang::French), english: words(Lang::English) }
    }

    /// Page 1.
    pub(super) fn login(&self, lang: Lang, csrf: &str, refused: bool) -> String {
        let error = refused.then_some(lang.words().rejected);
        self.page(lang, "login.html", context! { csrf, error })
    }

    /// Page 2.
    pub(super) fn new_pin(&self, lang: Lang, csrf: &str, error: Option<&str>) -> String {
        self.page(lang, "new_pin.html", context! { csrf, error })
    }

    /// Page 3.
    pub(super) fn confirm(&self, lang: Lang, csrf: &str, refused: bool) -> String {
        let error = refused.then_some(lang.words().rejected);
        self.page(lang, "confirm.html", context! { csrf, error })
    }

    /// The page for a key that is too far out.
    pub(super) fn next_code(&self, lang: Lang, csrf: &str, refused: bool) -> String {
        let error = refused.then_some(lang.words().rejected);
        self.page(lang, "next_code.html", context! { csrf, error })
    }

    /// What it was all for.
    pub(super) fn portal(&self, lang: Lang, csrf: &str, user: &str) -> String {
        self.page(lang, "portal.html", context! { csrf, user })
    }

    /// A page that only says something.
    pub(super) fn notice(&self, lang: Lang, notice: &Notice) -> String {
        self.page(lang, "notice.html", context! { notice => Value::from(Serde(notice)) })
    }

    fn page(&self, lang: Lang, name: &str, context: Value) -> String {
        const SOUND: &str = "the embedded pages render";
        let t = match lang {
            Lang::French => &self.french,
            Lang::English => &self.english,
        };
        let title = match name {
            "login.html" => "title_login",
            "portal.html" => "title_portal",
            "notice.html" => "site",
            _ => "title_otp",
        };
        let title = t.get_attr(title).expect(SOUND);
        let render = |name, context: Value| {
            self.templates.get_template(name).and_then(|page| page.render(context)).expect(SOUND)
        };
        let body = Value::from_safe_string(render(name, context! { t, ..context }));
        let style = Value::from_safe_string(STYLE.into());
        render("layout.html", context! { t, title, body, style })
    }

    /// The Content-Security-Policy under which the pages work and nothing else does.
    pub(super) fn security_policy() -> String {
        let style = data_encoding::BASE64.encode(&Sha256::digest(STYLE));
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_renders_in_both_languages_and_escapes() {
        let pages = Pages::new();
        for (lang, word) in [(Lang::French, "Valider"), (Lang::English, "Submit")] {
            for page in [
                pages.login(lang, "tok", true),
                pages.new_pin(lang, "tok", Some("!")),
                pages.confirm(lang, "tok", false),
                pages.next_code(lang, "tok", false),
            ] {
                assert!(page.contains(word) && page.contains("value=\"tok\""), "{page}");
                assert!(page.starts_with("<!doctype html>\n"), "{page}");
                assert!(page.contains(&format!("<style>{STYLE}</style>")), "the hash covers it");
            }
            let portal = pages.portal(lang, "tok", "<script>&\"");
            assert!(portal.contains("&lt;script&gt;&amp;&quot;"), "{portal}");
            assert!(!portal.contains("<script"), "{portal}");
            pages.notice(lang, &lang.words().forged);
        }
    }
}
