//! Definitions written by strangers: formats, targets, scenarios, production orders. What compiles
//! is used: keys are exported with it, answers judged, people drawn, serials counted.
#![no_main]

use std::convert::Infallible;

use hyper::HeaderMap;
use libfuzzer_sys::fuzz_target;
use trousseau::definition::{Definition, Origin};
use trousseau::format::{ExportOptions, Format, write};
use trousseau::mint::Order;
use trousseau::scenario::Scenario;
use trousseau::serial::Serial;
use trousseau::target::{Answer, Inputs, Operation, Phase, Site, Target};
use trousseau::token::Token;
use trousseau_fuzz::{assert_silent, secret};

const SEED: &[u8] = b"a seed that is known";

fuzz_target!(|input: &str| {
    let definition = Definition {
        name: "fuzz".into(),
        file: "fuzz.toml".into(),
        text: input.into(),
        origin: Origin::Embedded,
    };
    if let Ok(format) = Format::compile(&definition) {
        exported(&format, input);
    }
    if let Ok(target) = Target::load(&definition) {
        judged(&target);
    }
    if let Ok(scenario) = Scenario::load(&definition, &[]) {
        for index in 0..10 {
            let _ = scenario.draw(1, index, 10);
        }
    }
    if let Ok(order) = Order::parse("fuzz.toml", input.into()) {
        let count = order.count();
        assert_eq!(order.serial_ranges().count(), order.lots().len());
        assert!(order.serial(0).is_some() && order.serial(count - 1).is_some());
        assert!(order.serial(count).is_none());
        // The keys themselves are made for the first few alone.
        for token in order.part(0..count.min(3)) {
            token.expect("random bytes");
        }
    }
});

fn exported(format: &Format, input: &str) {
    let mut options = ExportOptions::default();
    for (name, default, _) in format.settings() {
        options.settings.insert(name.into(), default.unwrap_or("x").into());
    }
    let token = Token::totp60(Serial::new("A1").expect("a serial"), secret(SEED));
    let mut out = Vec::new();
    if let Err(error) = write(format, &options, [Ok::<_, Infallible>(token)], &mut out) {
        assert_silent(&error.to_string(), SEED, input.as_bytes());
    }
    if let Err(faults) = format.check_examples() {
        assert!(!faults.is_empty());
    }
}

fn judged(target: &Target) {
    let site = Site { origin: "https://example.org".into(), base: String::new() };
    let headers = HeaderMap::new();
    let inputs = Inputs { user: "anne", code: "123456", pin: "1234", ..Inputs::default() };
    let body = b"<form><input name=\"csrf\" value=\"x\"></form>";
    for operation in Operation::ALL {
        for phase in [Phase::Open, Phase::Submit] {
            let mut captured = vec![None; target.captures().len()];
            for (index, exchange) in target.exchanges(*operation, phase).iter().enumerate() {
                let answer = Answer::new(200, &headers, body, &site);
                let judged = target.judge(*operation, phase, index, &answer);
                let _ = target.take(exchange, judged, &answer, &inputs, &mut captured);
                if let Some(request) = exchange.http() {
                    let mut out = Vec::new();
                    let _ = request.render_path(target, &inputs, &captured, &mut out);
                    let _ = request.render_body(target, &inputs, &captured, &mut out);
                }
            }
        }
    }
    for example in &target.examples {
        let _ = target.check(example);
    }
}
