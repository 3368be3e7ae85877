use crate::definition::{Definition, DefinitionError, Origin};
use crate::radius::dictionary::Selector;
use crate::radius::{Code, Packet, SharedSecret, Writer};
use crate::secret::Secret;
use crate::target::{Inputs, Operation, Phase, TARGETS, Target};

fn definition(text: &str) -> Definition {
    Definition {
        name: "mine".into(),
        file: "mine.toml".into(),
        text: text.into(),
        origin: Origin::Embedded,
    }
}

/// The embedded RADIUS target with `from` replaced by `to`; `from` must be there.
#[track_caller]
fn changed(from: &str, to: &str) -> Result<Target, DefinitionError> {
    let text = TARGETS.find("portal-radius").unwrap().text;
    assert!(text.contains(from), "{from}");
    Target::load(&definition(&text.replacen(from, to, 1)))
}

/// The message of such a change, and the text its caret points at.
#[track_caller]
fn refused(from: &str, to: &str) -> (String, String) {
    let text = TARGETS.find("portal-radius").unwrap().text.replacen(from, to, 1);
    match changed(from, to).unwrap_err() {
        DefinitionError::Syntax { file, line, column, message, .. } => {
            assert_eq!(file, "mine.toml");
            let source = text.lines().nth(line - 1).unwrap();
            (message, source.chars().skip(column - 1).collect())
        }
        other => panic!("no place: {other}"),
    }
}

#[test]
fn the_settings_are_read_and_secure_unless_told_otherwise() {
    let settings = changed("status_server = true\n", "").unwrap().radius.unwrap();
    assert!(settings.require_message_authenticator && !settings.status_server);
    let target = changed("status_server = true", "require_message_authenticator = false").unwrap();
    assert!(!target.radius.unwrap().require_message_authenticator);
    assert_eq!(target.credentials(), ["radius"]);
}

#[test]
fn what_is_not_of_radius_is_refused_with_its_place() {
    for (from, to, message, place) in [
        ("password = \"{code}\"", "method = \"GET\"", "unknown field `method`", "method"),
        ("password = \"{code}\"", "user = \"{user}\"", "an exchange sends either password", "[["),
        ("password = \"{code}\"", "password = \"{cod}\"", "unknown placeholder {cod}", "\"{cod}\""),
        ("\"Access-Accept\"", "\"Access-Request\"", "\"Access-Request\" answers no", "\"Access-R"),
        ("NAS-Port-Type = 5", "NAS-Port-Type = \"x\"", "\"x\" is not a number", "\"x\""),
        ("NAS-Port-Type = 5", "NAS-Prt = 5", "unknown RADIUS attribute \"NAS-Prt\"", "NAS-Prt"),
        ("NAS-Port-Type = 5", "User-Password = \"x\"", "this attribute is computed", "\"x\""),
        ("NAS-Port-Type = 5", "NAS-Port = \"{user}\"", "this attribute is a number", "\"{user}\""),
        ("attribute = \"State\"", "input = \"state\"", "unknown field `input`", "input"),
        (
            "verdict = \"accepted\"\ncode",
            "verdict = \"accepted\"\nstatus",
            "unknown field `status`",
            "status",
        ),
        (
            "new_pin_means",
            "clock = { path = \"/c\", time = \"/t\", unit = \"s\" }\nnew_pin_means",
            "RADIUS shows no clock",
            "/c",
        ),
        ("status_server", "status_servr", "unknown field `status_servr`", "status_servr"),
        (
            "{ code = \"Access-Accept\" }",
            "{ code = \"Accept\" }",
            "\"Accept\" answers no",
            "\"Accept\"",
        ),
    ] {
        let (found, at) = refused(from, to);
        assert!(found.contains(message), "{to}: {found}");
        assert!(at.starts_with(place), "{to}: {at}");
    }
}

#[test]
fn a_rule_that_can_never_decide_is_refused() {
    let twice = "[[verdict.rule]]\nverdict = \"rejected\"\ncode = \"Access-Accept\"\ncontains = \"no\"\n\n\
                 [[example]]";
    let (message, _) = refused("[[example]]", twice);
    assert!(message.contains("can never decide"), "{message}");
}

#[test]
fn examples_are_held_against_what_is_sent_and_read() {
    for (from, to, message) in [
        (
            "password = \"159753\", attributes",
            "password = \"159754\", attributes",
            "User-Password wanted: \"159754\"; found: \"159753\"",
        ),
        (
            "attributes = { State = \"s1\" } }\nanswer",
            "attributes = { State = \"s2\" } }\nanswer",
            "State wanted: \"s2\"; found: \"s1\"",
        ),
        ("taken = { state = \"s1\" }", "taken = { state = \"s9\" }", "wanted for {state}: \"s9\""),
        (
            "verdict = \"error\"",
            "verdict = \"accepted\"",
            "verdict wanted: accepted; found: error (no rule matches: otherwise)",
        ),
    ] {
        // The last "error" is the verdict of the last example, the first that of `otherwise`.
        let text = TARGETS.find("portal-radius").unwrap().text;
        let at = text.rfind(from).unwrap();
        let text = format!("{}{to}{}", &text[..at], &text[at + from.len()..]);
        let target = Target::load(&definition(&text)).unwrap();
        let faults: Vec<String> = target
            .examples
            .iter()
            .filter_map(|example| target.check(example).err())
            .map(|error| error.to_string())
            .collect();
        assert_eq!(faults.len(), 1, "{to}: {faults:?}");
        assert!(faults[0].contains(message), "{to}: {}", faults[0]);
    }
}

#[test]
fn an_attribute_may_be_sent_several_times() {
    let lists = "NAS-Port-Type = 5, Proxy-State = [\"p1\", \"0x00ff\"], \"26.9.1\" = [\"a=1\", \"b={user}\"]";
    let target = changed("NAS-Port-Type = 5", lists).unwrap();
    let exchange = &target.exchanges(Operation::Login, Phase::Submit)[0];
    let inputs = Inputs { user: "u1", code: "159753", passcode: "159753", ..Inputs::default() };
    let draft = exchange.radius().unwrap().draft(&target, &inputs, &[]).unwrap();
    let secret = SharedSecret::new(Secret::new(b"testing123".to_vec())).unwrap();
    let mut octets = Vec::new();
    let mut writer = Writer::request(&mut octets, Code::ACCESS_REQUEST, 0, &[0; 16]);
    draft.write(&mut writer, &secret).unwrap();
    writer.finish(&secret);
    let packet = Packet::parse(&octets).unwrap();
    let values = |name: &str| {
        let selector: Selector = name.parse().unwrap();
        selector.values(&packet).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    assert_eq!(values("Proxy-State"), [b"p1".to_vec(), vec![0, 255]]);
    assert_eq!(values("26.9.1"), [b"a=1".to_vec(), b"b=u1".to_vec()]);
    let told = draft.describe(|text| String::from_utf8_lossy(text).into_owned());
    assert!(told.contains("Proxy-State: p1\nProxy-State: 0x00ff\n"), "{told}");

    let (message, at) = refused("NAS-Port-Type = 5", "Proxy-State = []");
    assert!(message.contains("an empty list sends nothing") && at.starts_with("[]"), "{message}");
    let (message, _) = refused("NAS-Port-Type = 5", "Proxy-State = [[1]]");
    assert!(message.contains("a text, a number, or a list of these"), "{message}");
}

#[test]
fn examples_compare_every_value_of_an_attribute() {
    for (wanted, fault) in [
        ("[\"a\", \"b\"]", None),
        ("\"a\"", Some("Proxy-State wanted: \"\"; found: \"b\"")),
        ("[\"a\", \"b\", \"c\"]", Some("Proxy-State wanted: \"c\"; found: \"\"")),
    ] {
        let text = TARGETS.find("portal-radius").unwrap().text;
        let text = text.replacen(
            "NAS-Port-Type = 5",
            "NAS-Port-Type = 5, Proxy-State = [\"a\", \"b\"]",
            1,
        );
        let old = "attributes = { State = \"s1\" } }\nanswer";
        let new = format!("attributes = {{ State = \"s1\", Proxy-State = {wanted} }} }}\nanswer");
        assert!(text.contains(old));
        let target = Target::load(&definition(&text.replacen(old, &new, 1))).unwrap();
        let faults: Vec<String> = target
            .examples
            .iter()
            .filter_map(|example| target.check(example).err().map(|error| error.to_string()))
            .collect();
        match fault {
            None => assert!(faults.is_empty(), "{faults:?}"),
            Some(fault) => assert!(faults[0].contains(fault), "{faults:?}"),
        }
    }
}
