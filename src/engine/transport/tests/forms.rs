//! Forms that are sent back as they stand in the page: ASP.NET's state, addresses that change, pages
//! that are no longer what they were.

use super::*;

/// A login that opens the page and sends its form back.
const LIVE: &str = r#"
[[operation.login.open]]
method = "GET"
path = "/sso/login.aspx"
follow = true
take.page = { form = "form[method=post]" }
"#;

/// A target that sends the form back with `fields` over it.
fn sends_back(fields: &str) -> Arc<Target> {
    let text = target(LIVE).definition().text.replace(
        "method = \"POST\"\npath = \"/login\"\nform = { user = \"{user}\", passcode = \"{passcode}\" }",
        &format!("form_from = \"page\"\nform = {fields}"),
    );
    assert!(text.contains("form_from"), "{text}");
    let (name, file, origin) = ("t".into(), "t.toml".into(), Origin::Embedded);
    Arc::new(Target::load(&Definition { name, file, text, origin }).unwrap())
}

/// Opens `page` and submits; what the server got as the second request, what came of it, the trouble.
async fn sent(fields: &str, page: &(impl AsRef<[u8]> + ?Sized)) -> (String, Performed, String) {
    let got = Rc::new(std::cell::RefCell::new(String::new()));
    let (kept, page) = (got.clone(), page.as_ref().to_owned());
    let url = server(move |_, mut tcp| {
        let (kept, page) = (kept.clone(), page.clone());
        async move {
            while let Some(text) = request(&mut tcp).await {
                let answer = if text.starts_with("GET /sso/login.aspx ") {
                    let length = page.len();
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                    [head.as_bytes(), &page].concat()
                } else {
                    *kept.borrow_mut() = text;
                    WELCOME.into()
                };
                tcp.write_all(&answer).await.unwrap();
            }
        }
    })
    .await;
    let transport = transport(sends_back(fields), &url);
    let mut session = Session::default();
    let mut performed = transport.open(&mut session, Operation::Login).await;
    if performed.fault.is_none() {
        performed = transport.submit(&mut session, Operation::Login, &INPUTS).await;
    }
    let text = got.borrow().clone();
    (text, performed, transport.endpoint.troubles().join("\n"))
}

const FIELDS: &str = r#"{ "ctl00$user" = "{user}", "ctl00$pass" = "{passcode}" }"#;

#[test]
fn every_hidden_field_goes_back_to_where_the_form_says() {
    local(async {
        let page = r#"<form action="/search"><input name="q"></form>
            <form method="post" action="step2.aspx?t=1&amp;u=2">
            <input type="hidden" name="__VIEWSTATE" value="/wEPDw+=="/>
            <input type="hidden" name="__EVENTVALIDATION" value="a b&amp;c"/>
            <input name="ctl00$user"><input type="password" name="ctl00$pass">
            <input type="submit" name="ctl00$go" value="Valider"></form>"#;
        let (text, performed, trouble) = sent(FIELDS, page).await;
        assert_eq!((performed.verdict, trouble.as_str()), (Verdict::Accepted, ""));
        assert!(text.starts_with("POST /sso/step2.aspx?t=1&u=2 HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("content-type: application/x-www-form-urlencoded\r\n"), "{text}");
        let body = "__VIEWSTATE=%2FwEPDw%2B%3D%3D&__EVENTVALIDATION=a+b%26c&ctl00%24user=dupont&\
                    ctl00%24pass=ab12159753&ctl00%24go=Valider";
        assert!(text.ends_with(body), "{text}");
    });
}

#[test]
fn a_form_goes_back_in_the_charset_of_its_page() {
    local(async {
        let page = b"<meta charset=ISO-8859-1><form method=post action=/go>\
            <input type=hidden name=mode value='r\xe9serv\xe9'><input name=u></form>";
        let (text, performed, trouble) = sent(r#"{ u = "{user} \u00e9\u03bb" }"#, page).await;
        assert_eq!((performed.verdict, trouble.as_str()), (Verdict::Accepted, ""));
        assert!(text.ends_with("mode=r%E9serv%E9&u=dupont+%E9%26%23955%3B"), "{text}");

        let page = String::from_utf8_lossy(page).replace("ISO-8859-1", "Shift_JIS");
        let (text, _, trouble) = sent(r#"{ u = "{user}" }"#, &page).await;
        assert_eq!(text, "");
        assert!(
            trouble.contains(
                "in the answer (HTTP 200; the page is in the charset Shift_JIS, known are UTF-8, \
                 ISO-8859-1, ISO-8859-15, windows-1252), from which {page} was to be taken"
            ),
            "{trouble}"
        );
    });
}

#[test]
fn a_form_that_is_sent_by_get_goes_into_the_query() {
    local(async {
        let page = r#"<form method="post" action="?old=1"><input name="u"></form>"#;
        let get = page.replace("method=\"post\"", "method=\"get\" class=\"post\"");
        let fields = r#"{ u = "{user}" }"#;
        let (text, ..) = sent(fields, page).await;
        assert!(text.starts_with("POST /sso/login.aspx?old=1 HTTP"), "{text}");
        // The selector wants method=post: another method is another page.
        let (text, performed, trouble) = sent(fields, &get).await;
        assert_eq!((text.as_str(), performed.fault), ("", Some(Fault::Answer)));
        assert!(trouble.contains("no form by CSS form[method=post] in the answer"), "{trouble}");
    });
}

#[test]
fn a_changed_form_is_told_by_its_fields_and_nothing_is_sent() {
    local(async {
        let page = r#"<form method="post"><input type="hidden" name="state" value="s3cr3t-0123456789">
            <input name="login"><input name="ctl00$pass"></form>"#;
        let (text, performed, trouble) = sent(FIELDS, page).await;
        assert_eq!((text.as_str(), performed.fault), ("", Some(Fault::Answer)));
        assert_eq!(
            trouble,
            "dupont, login: the form {page} has no field \"ctl00$user\"; it has: state, login, ctl00$pass"
        );
        for to in ["https://evil.example/x", "//evil.example/x", "/.//evil.example/x", r"/\evil"] {
            let page = format!(
                r#"<form method="post" action="{to}?state=9"><input name="ctl00$user">
                <input name="ctl00$pass"></form>"#
            );
            let (text, _, trouble) = sent(FIELDS, &page).await;
            assert_eq!(text, "", "{to}");
            let to = to.replace("/.//", "//");
            assert_eq!(
                trouble,
                format!(
                    "dupont, login: the form {{page}} leads to {to}: another host is never followed"
                )
            );
        }
        let page = "<h1>Portail en maintenance</h1> jeton 0123456789abcdef0123";
        let (_, performed, trouble) = sent(FIELDS, page).await;
        assert_eq!(performed.fault, Some(Fault::Answer));
        assert!(
            trouble.ends_with(
                "from which {page} was to be taken: <h1>Portail en maintenance</h1> jeton ***"
            ),
            "{trouble}"
        );
    });
}

#[test]
fn what_a_live_form_cannot_be_is_refused_with_its_place() {
    let refused = |from: &str, to: &str| {
        let text = target(LIVE).definition().text.replacen(from, to, 1);
        let (name, file, origin) = ("t".into(), "t.toml".into(), Origin::Embedded);
        Target::load(&Definition { name, file, text, origin }).unwrap_err().to_string()
    };
    let post = "method = \"POST\"\npath = \"/login\"";
    let error = refused(post, "form_from = \"pages\"");
    assert!(error.contains("no exchange takes pages: write take.pages = { form"), "{error}");
    let error = refused(post, "method = \"POST\"");
    assert!(error.contains("an exchange has a path, unless it sends a form back"), "{error}");
    let error = refused("{ form = \"form[method=post]\" }", "{ form = \"form[\" }");
    assert!(error.contains("is no CSS selector"), "{error}");
    let error = refused("{ form = \"form[method=post]\" }", "{ form = \"form\", input = \"a\" }");
    assert!(error.contains("a value is taken in one way"), "{error}");
}
