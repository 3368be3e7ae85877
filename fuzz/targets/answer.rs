//! Answers of servers, as every embedded target and one with each selector reads them: first the
//! status in two bytes, then headers line by line, an empty line, the body. What is shown of an
//! answer never holds what the person typed. What is taken of one page does not hang on the pages
//! before it.
#![no_main]

use std::sync::LazyLock;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use trousseau::definition::{Definition, Origin};
use trousseau::radius::Packet;
use trousseau::target::{Answer, Inputs, Operation, Phase, Site, TARGETS, Target};

const EVERY: &str = include_str!("../every.toml");

/// Values out of the tree of a page.
const ALIKE: &str = r#"
[target]
name = "alike"
title = "pages that are alike"
kind = "http"
[policy]
window_back = 1
window_forward = 1
max_drift_steps = 1
monotonic = true
pin_min = 4
pin_max = 6
pin = "before"
[[operation.login.open]]
method = "GET"
path = "/login"
take.value = { css = "input", optional = true }
take.text = { css = "p, b, title", optional = true }
take.page = { form = "form", optional = true }
[[operation.login.submit]]
form_from = "page"
form = { user = "{user}", passcode = "{passcode}" }
[verdict]
otherwise = "accepted"
"#;

static ALL: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let embedded = TARGETS.embedded.iter().map(|(name, _)| TARGETS.find(name).expect("embedded"));
    embedded.map(|definition| load(&definition)).chain([own("every", EVERY)]).collect()
});

fn own(name: &str, text: &str) -> Target {
    let (name, file, text) = (name.into(), format!("{name}.toml"), text.into());
    load(&Definition { name, file, text, origin: Origin::Embedded })
}

fn load(definition: &Definition) -> Target {
    Target::load(definition).unwrap_or_else(|error| panic!("{error}"))
}

fuzz_target!(|input: &[u8]| {
    let site = Site { origin: "https://example.org".into(), base: "/app".into() };
    let inputs = Inputs {
        user: "anne",
        code: "918273",
        pin: "q7k2",
        passcode: "q7k2918273",
        new_pin: "z8w3",
        new_pin_confirmation: "z8w3",
    };
    let Some((status, rest)) = input.split_first_chunk::<2>() else { return };
    let (headers, body) = parts(rest);
    let message = Packet::parse(input).map(|packet| packet.text(18)).unwrap_or_default();
    for target in ALL.iter() {
        let answer = match (&target.radius, Packet::parse(input)) {
            (None, _) => {
                let status = 100 + u16::from_be_bytes(*status) % 500;
                Answer::new(status, &headers, body, &site)
            }
            (Some(_), Ok(packet)) => Answer::radius(packet, &message),
            (Some(_), Err(_)) => continue,
        };
        for operation in Operation::ALL {
            for phase in [Phase::Open, Phase::Submit] {
                let mut captured = vec![None; target.captures().len()];
                for (index, exchange) in target.exchanges(*operation, phase).iter().enumerate() {
                    let judged = target.judge(*operation, phase, index, &answer);
                    let taken = target.take(exchange, judged, &answer, &inputs, &mut captured);
                    assert_masked(&taken.err().unwrap_or_default(), &inputs);
                }
            }
        }
        let _ = answer.attributes();
    }
    if body.contains(&b'<') {
        alike(&headers, body, &site, &inputs);
    }
    // Masking is the same for all targets.
    let line = ALL[0].masked_line(body, &inputs, &[]);
    assert_masked(&line, &inputs);
    assert_masked(&ALL[0].masked_text(body, &inputs, &[], 300), &inputs);
});

/// Pages with other digits, and more of some marks: read one after the other, each gives what it gives
/// to a target that has read no other.
fn alike(headers: &HeaderMap, body: &[u8], site: &Site, inputs: &Inputs<'_>) {
    let load = || own("alike", ALIKE);
    let taken = |target: &Target, page: &[u8]| {
        let answer = Answer::new(200, headers, page, site);
        let (operation, phase) = (Operation::Login, Phase::Open);
        let exchange = &target.exchanges(operation, phase)[0];
        let mut captured = vec![None; target.captures().len()];
        let judged = target.judge(operation, phase, 0, &answer);
        let done = target.take(exchange, judged, &answer, inputs, &mut captured);
        (done, captured)
    };
    let used = load();
    for turn in [0, 1, 2, 7] {
        let mut page = Vec::with_capacity(body.len());
        for byte in body {
            match byte {
                b'0'..=b'9' => page.push((byte - b'0' + turn) % 10 + b'0'),
                b'~' => page.extend(std::iter::repeat_n(b'~', usize::from(turn))),
                _ => page.push(*byte),
            }
        }
        assert_eq!(
            taken(&used, &page),
            taken(&load(), &page),
            "{}",
            String::from_utf8_lossy(&page)
        );
    }
}

fn assert_masked(shown: &str, inputs: &Inputs<'_>) {
    for typed in [inputs.passcode, inputs.code, inputs.pin, inputs.new_pin] {
        assert!(!shown.contains(typed), "{typed} in {shown}");
    }
}

fn parts(rest: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = rest;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = (&rest[..at], &rest[at + 1..]);
        rest = after;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}
