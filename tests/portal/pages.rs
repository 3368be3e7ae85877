//! The pages, as a browser walks through them.

use super::client::{Bench, Browser, user};

#[test]
fn three_pages_then_the_portal_then_out() {
    let bench = Bench::new(1);
    let mut browser = Browser::new(bench.addr());
    assert_eq!(browser.get("/").location(), (303, "/login"));
    let page = browser.get("/login");
    for words in
        ["<h1>Authentification</h1>", "Identifiant", "Mot de passe ou Passcode OTP", "Valider"]
    {
        assert!(page.body.contains(words), "{words}");
    }
    let mut names = vec![browser.cookie.clone().unwrap()];

    let code = bench.code(0, 0);
    let step1 = browser.post("/login", &[("user", &user(0)), ("passcode", &code)]);
    assert_eq!(step1.location(), (303, "/new-pin"));
    names.push(browser.cookie.clone().unwrap());
    let page = browser.get("/new-pin");
    for words in [
        "Authentification de type OTP",
        "Saisissez votre nouveau code PIN, contenant de 4 à 6 caractères",
        "Confirmez votre nouveau code PIN",
    ] {
        assert!(page.body.contains(words), "{words}");
    }
    let bad = browser.post("/new-pin", &[("pin", "ab12"), ("pin2", "ab13")]);
    assert_eq!(bad.status, 422);
    assert!(bad.body.contains("Les deux codes PIN sont différents."), "{}", bad.body);
    let step2 = browser.post("/new-pin", &[("pin", "ab12"), ("pin2", "ab12")]);
    assert_eq!(step2.location(), (303, "/confirm"));
    names.push(browser.cookie.clone().unwrap());

    let page = browser.get("/confirm");
    let words = "Attendez que le code de votre clé change, puis saisissez votre PASSCODE";
    assert!(page.body.contains(words));
    let replay = browser.post("/confirm", &[("passcode", &format!("ab12{code}"))]);
    assert_eq!(replay.status, 401);
    let passcode = format!("ab12{}", bench.next_code(0));
    let step3 = browser.post("/confirm", &[("passcode", &passcode)]);
    assert_eq!(step3.location(), (303, "/portal"));
    names.push(browser.cookie.clone().unwrap());
    let page = browser.get("/portal");
    assert!(page.body.contains("Accédez à vos applications") && page.body.contains("u00000"));

    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 4, "a new name at every stage");

    let inside = browser.cookie.clone();
    assert_eq!(browser.post("/logout", &[]).location(), (303, "/login"));
    browser.cookie = inside;
    assert_eq!(browser.get("/portal").location(), (303, "/login"), "the old name is worth nothing");
}

#[test]
fn a_key_minutes_off_gets_the_page_for_its_next_code() {
    let bench = Bench::new(1);
    bench.initialise(0, "ab12");
    let mut browser = Browser::new(bench.addr());
    browser.get("/login");
    let far = format!("ab12{}", bench.code(0, 5));
    let asked = browser.post("/login", &[("user", &user(0)), ("passcode", &far)]);
    assert_eq!(asked.location(), (303, "/next-code"));
    assert_eq!(browser.get("/portal").location(), (303, "/login"), "it opens nothing");
    let page = browser.get("/next-code");
    for words in ["L’horloge de votre clé est décalée.", "sans code PIN"] {
        assert!(page.body.contains(words), "{}", page.body);
    }
    let same = browser.post("/next-code", &[("code", &bench.code(0, 5))]);
    assert_eq!(same.status, 401);
    assert!(same.body.contains("action=\"/next-code\""), "the stage stayed open");
    bench.clock.advance(60);
    let next = browser.post("/next-code", &[("code", &bench.code(0, 5))]);
    assert_eq!(next.location(), (303, "/portal"));
    assert!(browser.get("/portal").body.contains("u00000"));
    assert_eq!(browser.get("/next-code").location(), (303, "/login"));
}

#[test]
fn no_page_before_its_turn() {
    let bench = Bench::new(1);
    let mut browser = Browser::new(bench.addr());
    browser.get("/login");
    for path in ["/new-pin", "/confirm", "/portal"] {
        assert_eq!(browser.get(path).location(), (303, "/login"), "{path}");
    }
    assert_eq!(browser.post("/new-pin", &[("pin", "ab12"), ("pin2", "ab12")]).status, 409);
    assert_eq!(browser.post("/confirm", &[("passcode", "ab12123456")]).status, 409);
    assert_eq!(browser.post("/logout", &[]).status, 409);
    browser.post("/login", &[("user", &user(0)), ("passcode", &bench.code(0, 0))]);
    browser.get("/new-pin");
    for path in ["/confirm", "/portal"] {
        assert_eq!(browser.get(path).location(), (303, "/login"), "{path}");
    }
}

#[test]
fn a_form_of_another_session_is_refused_and_decides_nothing() {
    let bench = Bench::new(1);
    let (mut one, mut two) = (Browser::new(bench.addr()), Browser::new(bench.addr()));
    one.get("/login");
    two.get("/login");
    let code = bench.code(0, 0);
    let fields = [("user", &*user(0)), ("passcode", &*code)];
    let own = std::mem::replace(&mut one.csrf, two.csrf.clone());
    assert_eq!(one.post("/login", &fields).status, 403);
    one.csrf = String::new();
    assert_eq!(one.post("/login", &fields).status, 403);
    one.csrf = own;
    let cookie = one.cookie.take();
    assert_eq!(one.post("/login", &fields).status, 403, "without a cookie");
    one.cookie = cookie;
    assert_eq!(one.post("/login", &fields).location(), (303, "/new-pin"), "the code is unburnt");
}

#[test]
fn a_second_click_does_not_take_away_what_the_first_opened() {
    let bench = Bench::new(1);
    let mut browser = Browser::new(bench.addr());
    browser.get("/login");
    let code = bench.code(0, 0);
    let second_click = browser.form("/login", &[("user", &user(0)), ("passcode", &code)]);
    assert_eq!(browser.post("/login", &[("user", &user(0)), ("passcode", &code)]).status, 303);
    let refused = super::client::raw(bench.addr(), &second_click);
    assert_eq!((refused.status, refused.header("set-cookie")), (401, None));
    assert_eq!(browser.get("/new-pin").status, 200);
}

#[test]
fn cookies_and_headers_are_tight() {
    let bench = Bench::new(1);
    let page = Browser::new(bench.addr()).get("/login");
    let cookie = page.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
}

#[test]
fn english_for_who_asks_for_it() {
    let bench = Bench::new(1);
    let headers = "Accept-Language: en-GB,en;q=0.9\r\n";
    let answer =
        super::client::raw(bench.addr(), &super::client::request("GET", "/login", headers, ""));
    assert!(answer.body.contains("<html lang=\"en\">") && answer.body.contains("Submit"));
}

#[test]
fn forms_that_are_none_get_a_page_that_says_so() {
    let bench = Bench::new(1);
    let mut browser = Browser::new(bench.addr());
    browser.get("/login");
    assert_eq!(browser.post("/login", &[("user", "u")]).status, 400);
    let twice = [("user", "u"), ("passcode", "1"), ("passcode", "2")];
    assert_eq!(browser.post("/login", &twice).status, 400);
    let long = "1".repeat(20_000);
    let answer = browser.post("/login", &[("user", "u"), ("passcode", &long)]);
    assert_eq!(answer.status, 413);
    assert!(answer.body.contains("Demande trop longue"));
}

#[test]
fn behind_tls_every_cookie_is_secure_when_asked_for() {
    for secure in [false, true] {
        let bench = Bench::with(1, |config| config.secure_cookies = secure);
        let mut browser = Browser::new(bench.addr());
        let page = browser.get("/login");
        let code = bench.code(0, 0);
        let step1 = browser.post("/login", &[("user", &user(0)), ("passcode", &code)]);
        assert_eq!(step1.location(), (303, "/new-pin"));
        for answer in [page, step1] {
            let cookie = answer.header("set-cookie").unwrap();
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            assert_eq!(cookie.ends_with("; Secure"), secure, "{cookie}");
        }
    }
}
