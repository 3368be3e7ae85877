use super::*;
use crate::definition::Origin;
use crate::target::TARGETS;

fn definition(text: &str) -> Definition {
    Definition {
        name: "mine".into(),
        file: "mine.toml".into(),
        text: text.into(),
        origin: Origin::Embedded,
    }
}

/// The HTML target with `from` replaced by `to`; `from` must be there once or more.
#[track_caller]
fn changed(from: &str, to: &str) -> String {
    let text = TARGETS.find("portal-html").unwrap().text;
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

/// The error of such a change, and the text its caret points at.
#[track_caller]
fn refused(from: &str, to: &str) -> (String, String) {
    let text = changed(from, to);
    match Target::load(&definition(&text)).unwrap_err() {
        DefinitionError::Syntax { file, line, column, message, .. } => {
            assert_eq!(file, "mine.toml");
            let source = text.lines().nth(line - 1).unwrap();
            (message, source.chars().skip(column - 1).collect())
        }
        other => panic!("no place: {other}"),
    }
}

#[test]
fn every_embedded_target_loads_and_its_examples_hold() {
    for (name, _) in TARGETS.embedded {
        let target = Target::load(&TARGETS.find(name).unwrap()).unwrap();
        assert_eq!(target.name, *name);
        for example in &target.examples {
            target.check(example).unwrap();
        }
        for operation in Operation::ALL.iter().filter(|operation| target.has(**operation)) {
            assert!(
                target.examples.iter().any(|example| example.operation == *operation),
                "{name}: no example of {operation}"
            );
        }
    }
}

#[test]
fn the_policy_is_read() {
    let target = Target::load(&TARGETS.find("portal-html").unwrap()).unwrap();
    let Policy { window_back, lock_after, pin_min, pin_max, three_steps, .. } = target.policy;
    assert_eq!((window_back, lock_after, pin_min, pin_max), (1, Some(10), 4, 6));
    assert!(three_steps && !target.policy.new_pin_accepts);
    assert_eq!(target.policy.clock.unwrap().unit, 1);
}

#[test]
fn unknown_names_are_refused_with_their_place() {
    let (message, at) = refused("title =", "colour =");
    assert!(message.starts_with("unknown field `colour`"), "{message}");
    assert!(at.starts_with("colour"), "{at}");

    let (message, at) = refused("user = \"{user}\"", "user = \"{usr}\"");
    assert!(message.starts_with("unknown placeholder {usr}"), "{message}");
    assert!(at.starts_with("\"{usr}\""), "{at}");

    let (message, at) = refused("[[operation.logout.rule]]", "[[operation.log_out.rule]]");
    assert!(message.starts_with("unknown operation \"log_out\""), "{message}");
    assert!(at.starts_with("log_out.rule"), "{at}");

    let (message, at) = refused("verdict = \"new-pin\"", "verdict = \"newpin\"");
    assert!(message.starts_with("unknown verdict \"newpin\"; known: accepted, rejected, new-pin"));
    assert!(at.starts_with("\"newpin\""), "{at}");

    let (message, _) = refused("kind = \"http\"", "kind = \"gopher\"");
    assert!(message.starts_with("unknown kind"), "{message}");
}

#[test]
fn the_default_is_mandatory() {
    let (message, _) = refused("otherwise = \"error\"", "");
    assert!(message.contains("missing field `otherwise`"), "{message}");
}

#[test]
fn rules_that_cannot_decide_are_refused() {
    let (message, at) = refused(
        "otherwise = \"error\"",
        "otherwise = \"error\"\n[[verdict.rule]]\nverdict = \"accepted\"\nstatus = \"3xx\"",
    );
    assert!(message.starts_with("this rule can never decide"), "{message}");
    assert!(at.starts_with("[[verdict.rule]]"), "{at}");

    let (message, _) = refused("verdict = \"rejected\"\nstatus = 401", "verdict = \"rejected\"");
    assert!(message.starts_with("a rule without a condition"), "{message}");

    let (message, at) =
        refused("verdict = \"rejected\"\nstatus = 401", "verdict = \"rejected\"\nstatus = \"5xx\"");
    assert!(message.ends_with("it cannot mean rejected"), "{message}");
    assert!(at.starts_with("\"5xx\""), "{at}");

    let (message, _) = refused("status = 422", "status = 42");
    assert!(message.contains("42 is no HTTP status"), "{message}");
    let (message, _) = refused("status = 422", "status = \"4x\"");
    assert!(message.contains("a class (\"2xx\")"), "{message}");
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let (message, _) = refused("method = \"GET\"", "method = \"get it\"");
    assert!(message.starts_with("no HTTP method"), "{message}");
    let (message, at) = refused("path = \"/login\"", "path = \"http://h/login\"");
    assert!(message.starts_with("a path begins with one /"), "{message}");
    assert!(at.starts_with("\"http:"), "{at}");
    let (message, _) = refused("path = \"/login\"", "path = \"/login\"\nform = { a = \"b\" }");
    assert_eq!(message, "GET carries no body");
    let (message, _) =
        refused("path = \"/login\"", "path = \"/login\"\nheaders = { Host = \"evil\" }");
    assert!(message.starts_with("host is set by the transport"), "{message}");
    let (message, _) =
        refused("form = { csrf = \"{csrf}\" }", "form = { csrf = \"{csrf}\" }\njson = { a = 1 }");
    assert!(message.starts_with("an exchange has one body"), "{message}");
    let (message, _) = refused("form = { csrf = \"{csrf}\" }", "body = \"x\"");
    assert!(message.starts_with("a raw body needs headers"), "{message}");
    let (message, _) =
        refused("form = { csrf = \"{csrf}\" }", "auth = { basic = \"a\", bearer = \"b\" }");
    assert!(message.starts_with("auth is"), "{message}");
}

#[test]
fn what_cannot_be_taken_is_refused() {
    let take = "take.csrf = { input = \"csrf\" }";
    let (message, _) = refused(take, "take.csrf = { input = \"csrf\", header = \"x\" }");
    assert!(message.starts_with("a value is taken by one of"), "{message}");
    let (message, at) = refused(take, "take.csrf = { regex = \"(\" }");
    assert!(message.contains("unclosed group"), "{message}");
    assert!(at.starts_with("\"(\""), "{at}");
    let (message, _) = refused(take, "take.csrf = { json = \"csrf\" }");
    assert_eq!(message, "a JSON pointer begins with /: \"/csrf\"?");
    let (message, _) = refused(take, "take.code = { input = \"csrf\" }");
    assert_eq!(message, "{code} is what the person types; call it otherwise");
    let (message, _) = refused(
        "take.csrf = { input = \"csrf\" }\n\n[[operation.first_code.submit]]\nmethod = \"POST\"",
        "\n[[operation.first_code.submit]]\nmethod = \"POST\"\ntake.other = { input = \"x\" }\n\
         headers = { x = \"{other}\" }",
    );
    assert_eq!(message, "first_code sends {other} before any answer has given it");
}

#[test]
fn a_policy_that_contradicts_itself_is_refused() {
    for (from, to, expected) in [
        ("pin_max = 6", "pin_max = 3", "pin_max is below pin_min (4)"),
        (
            "pin_max = 6",
            "pin_max = 6\npin_characters = \"numbers\"",
            "known: \"digits\", \"letters\", \"letters-or-digits\", \"letters-and-digits\"",
        ),
        (
            "pin_min = 4",
            "pin_min = 1\npin_characters = \"letters-and-digits\"",
            "a letter and a digit are two characters",
        ),
        ("lock_after = 10", "lock_after = 0", "an account is never locked after 0 failures"),
        ("pin = \"before\"", "pin = \"middle\"", "known: \"before\""),
        ("new_pin_means = \"confirm\"\n", "", "[policy] lacks new_pin_means"),
        ("\"confirm\"\nclock", "\"accepted\"\nclock", "with \"accepted\", the third step"),
        ("unit = \"us\"", "unit = \"min\"", "known: \"s\""),
    ] {
        let (message, _) = refused(from, to);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn an_example_that_does_not_hold_says_what_was_wanted_and_found() {
    let check = |from: &str, to: &str| {
        let target = Target::load(&definition(&changed(from, to))).unwrap();
        let failed: Vec<String> = target
            .examples
            .iter()
            .filter_map(|example| target.check(example).err())
            .map(|error| error.to_string())
            .collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        failed.into_iter().next().unwrap()
    };
    assert_eq!(
        check("answer = { status = 422", "answer = { status = 404"),
        "mine.toml: example \"a PIN that is too short\": verdict wanted: rejected; found: error \
         (no rule matches: otherwise)"
    );
    let line = 1 + TARGETS
        .find("portal-html")
        .unwrap()
        .text
        .lines()
        .position(|line| {
            line == "# Wrong code, wrong PIN, unknown user, locked account: one answer for all."
        })
        .unwrap();
    assert_eq!(
        check(
            "answer = { status = 303, headers = { location = \"/new-pin\" } }",
            "answer = { status = 401 }"
        ),
        format!(
            "mine.toml: example \"a first code is sent bare and asks for a PIN\": verdict wanted: \
             new-pin; found: rejected (by the rule at line {})",
            line + 1
        )
    );
    assert_eq!(
        check("body = \"csrf=c&passcode=ab12159753\"", "body = \"csrf=c\""),
        "mine.toml: example \"confirmation opens the portal\": body wanted: \"csrf=c\"; found: \
         \"csrf=c&passcode=ab12159753\""
    );
    assert_eq!(
        check("taken = { csrf = \"3f+b\" }", "taken = { csrf = \"3f\" }"),
        "mine.toml: example \"the page gives its token\": value wanted for {csrf}: \"3f\"; found: \
         \"3f+b\""
    );
    let lacking = check("name=\"csrf\" value", "name=\"csrf_new\" value");
    assert!(
        lacking.contains(
            "no <input name=\"csrf\"> in the answer (HTTP 200), from which {csrf} was to be taken: \
             <form method=\"post\"><input type=\"hidden\" name=\"csrf_new\""
        ),
        "{lacking}"
    );
}
