//! Recorded exchanges inside a target file: what is sent for given inputs, and what a given answer
//! means. They are the target's own tests, run by `targets check` and by `cargo test`.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use toml::Spanned;

use super::compile::{Fault, fault, named};
use super::exchange::{self, HttpRequest};
use super::radius::example::RecordedRadius;
use super::{Answer, Inputs, Judged, Operation, Phase, Site, Target, Verdict, raw};
use crate::radius::dictionary;

/// One recorded exchange.
#[derive(Debug)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The operation it belongs to.
    pub operation: Operation,
    /// Which half of it.
    pub phase: Phase,
    /// Which exchange of that half, from 0.
    pub exchange: usize,
    inputs: OwnedInputs,
    given: Vec<Option<Box<[u8]>>>,
    recorded: Recorded,
    verdict: Option<Verdict>,
    taken: Vec<(usize, String)>,
}

/// What is sent and what is answered.
#[derive(Debug)]
pub(super) enum Recorded {
    Http(RecordedHttp),
    Radius(RecordedRadius),
}

#[derive(Debug)]
pub(super) struct RecordedHttp {
    request: Option<Request>,
    status: u16,
    headers: HeaderMap,
    body: String,
}

/// What an example of any kind says.
pub(super) struct Head {
    pub(super) name: String,
    pub(super) operation: raw::Text,
    pub(super) phase: Phase,
    pub(super) exchange: Option<Spanned<usize>>,
    pub(super) inputs: raw::Inputs,
    pub(super) given: BTreeMap<raw::Text, String>,
    pub(super) verdict: Option<Verdict>,
    pub(super) taken: BTreeMap<raw::Text, String>,
}

/// Made-up values: examples hold no secrets.
#[derive(Debug)]
struct OwnedInputs {
    user: String,
    code: String,
    pin: String,
    passcode: String,
    new_pin: String,
    new_pin_confirmation: String,
}

#[derive(Debug)]
struct Request {
    line: String,
    headers: Vec<(HeaderName, String)>,
    body: Option<String>,
}

/// How an example differs from what the target does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: example {name:?}: {message}")]
#[non_exhaustive]
pub struct ExampleError {
    /// File of the target.
    pub file: String,
    /// Name of the example.
    pub name: String,
    /// Wanted and found.
    pub message: String,
}

pub(super) fn examples(
    list: Vec<Spanned<raw::Example>>,
    target: &Target,
) -> Result<Vec<Example>, Fault> {
    list.into_iter().map(|raw| example(raw, target)).collect()
}

fn example(spanned: Spanned<raw::Example>, target: &Target) -> Result<Example, Fault> {
    let at = spanned.span().start;
    let raw = spanned.into_inner();
    let header = |name: &raw::Text| {
        HeaderName::from_bytes(name.get_ref().as_bytes()).map_err(|_| fault(name, "no header name"))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.answer.headers {
        let value = HeaderValue::from_str(value).map_err(|_| fault(name, "no header value"))?;
        headers.append(header(name)?, value);
    }
    let request = match raw.request {
        None => None,
        Some(request) => {
            let mut headers = Vec::new();
            for (name, value) in request.headers {
                headers.push((header(&name)?, value));
            }
            Some(Request { line: request.line, headers, body: request.body })
        }
    };
    if !(100..=599).contains(&raw.answer.status) {
        return Err((at, format!("{} is no HTTP status", raw.answer.status)));
    }
    let head = Head {
        name: raw.name,
        operation: raw.operation,
        phase: if raw.open { Phase::Open } else { Phase::Submit },
        exchange: raw.exchange,
        inputs: raw.inputs,
        given: raw.given,
        verdict: raw.verdict.as_ref().map(named).transpose()?,
        taken: raw.taken,
    };
    let raw::ExampleAnswer { status, headers: _, body } = raw.answer;
    Example::assemble(head, Recorded::Http(RecordedHttp { request, status, headers, body }), target)
}

impl Example {
    /// An example of any kind.
    pub(super) fn assemble(head: Head, recorded: Recorded, target: &Target) -> Result<Self, Fault> {
        let Head { name, operation: called, phase, exchange, inputs, given, verdict, taken } = head;
        let operation: Operation = named(&called)?;
        let exchanges = target.exchanges(operation, phase).len();
        let exchange = match exchange {
            Some(index) if *index.get_ref() < exchanges => index.into_inner(),
            Some(index) => {
                let message = format!("there are {exchanges} exchanges, counted from 0");
                return Err(fault(&index, message));
            }
            None => exchanges
                .checked_sub(1)
                .ok_or_else(|| fault(&called, "the target has no such exchange"))?,
        };
        let index_of = |name: &raw::Text| {
            let found = target.captures.iter().position(|capture| capture == name.get_ref());
            found.ok_or_else(|| fault(name, "the target takes no value of this name"))
        };
        let mut known = vec![None; target.captures.len()];
        for (name, value) in &given {
            known[index_of(name)?] = Some(value.as_bytes().into());
        }
        let taken = taken
            .into_iter()
            .map(|(name, value)| Ok((index_of(&name)?, value)))
            .collect::<Result<_, Fault>>()?;
        let raw::Inputs { user, code, pin, passcode, new_pin, new_pin_confirmation } = inputs;
        let inputs = OwnedInputs { user, code, pin, passcode, new_pin, new_pin_confirmation };
        Ok(Self {
            name,
            operation,
            phase,
            exchange,
            inputs,
            given: known,
            recorded,
            verdict,
            taken,
        })
    }
}

impl Target {
    /// Runs one of its examples.
    ///
    /// # Errors
    /// What was wanted and what was found.
    pub fn check(&self, example: &Example) -> Result<(), ExampleError> {
        self.compare(example).map_err(|message| ExampleError {
            file: self.source.file.clone(),
            name: example.name.clone(),
            message,
        })
    }

    fn compare(&self, example: &Example) -> Result<(), String> {
        let inputs = example.inputs.borrowed();
        let site = Site::default();
        let exchange = &self.exchanges(example.operation, example.phase)[example.exchange];
        let message;
        let answer = match (&example.recorded, &exchange.request) {
            (Recorded::Http(recorded), exchange::Request::Http(request)) => {
                if let Some(wanted) = &recorded.request {
                    self.compare_request(example, request, wanted, &inputs)?;
                }
                let RecordedHttp { status, headers, body, .. } = recorded;
                let page = request.constant_path().unwrap_or("/");
                Answer::new(*status, headers, body.as_bytes(), &site).on(page)
            }
            (Recorded::Radius(recorded), exchange::Request::Radius(request)) => {
                let draft = request.draft(self, &inputs, &example.given);
                recorded.compare(&draft.map_err(|error| error.to_string())?)?;
                let packet = recorded.packet()?;
                message = packet.text(dictionary::REPLY_MESSAGE);
                Answer::radius(packet, &message)
            }
            _ => return Err("the example is of another kind than the target".to_owned()),
        };
        let judged = self.judge(example.operation, example.phase, example.exchange, &answer);
        let (verdict, by) = match judged {
            Judged::GoOn => (None, String::new()),
            Judged::Over(verdict, matched) => (Some(verdict), self.describe(matched)),
        };
        if verdict != example.verdict {
            let name = |verdict: Option<Verdict>| verdict.map_or("none, go on", Verdict::name);
            return Err(format!(
                "verdict wanted: {}; found: {}{by}",
                name(example.verdict),
                name(verdict),
            ));
        }
        let mut captured = example.given.clone();
        self.take(exchange, judged, &answer, &inputs, &mut captured)?;
        for (index, wanted) in &example.taken {
            let found = captured[*index].as_deref().unwrap_or_default();
            if found != wanted.as_bytes() {
                return Err(format!(
                    "value wanted for {{{}}}: {wanted:?}; found: {:?}",
                    self.captures[*index],
                    String::from_utf8_lossy(found),
                ));
            }
        }
        Ok(())
    }

    fn compare_request(
        &self,
        example: &Example,
        exchange: &HttpRequest,
        wanted: &Request,
        inputs: &Inputs<'_>,
    ) -> Result<(), String> {
        let given = &example.given;
        let live = exchange.live(self, inputs, given).map_err(|error| error.to_string())?;
        let method = live.as_ref().and_then(|live| live.method.clone());
        let method = method.unwrap_or_else(|| exchange.method().clone());
        let mut line = format!("{method} ").into_bytes();
        let (mut headers, mut body) = (HeaderMap::new(), Vec::new());
        exchange.constant_headers(&mut headers);
        match live {
            Some(live) => {
                match live.path {
                    Some(path) => line.extend_from_slice(path.as_bytes()),
                    None => exchange
                        .render_path(self, inputs, given, &mut line)
                        .map_err(|error| error.to_string())?,
                }
                body = live.fields;
                Ok(())
            }
            None => exchange
                .render_path(self, inputs, given, &mut line)
                .and_then(|()| exchange.render_body(self, inputs, given, &mut body)),
        }
        .and_then(|()| {
            // Values of credentials are not the target's; any will do here.
            let any = |_: &str| Some(&b"credential"[..]);
            exchange.render_headers(self, inputs, given, any, &mut headers)
        })
        .map_err(|error| error.to_string())?;
        same("request line", &wanted.line, &line)?;
        for (name, value) in &wanted.headers {
            let found = headers.get(name).map_or(&b""[..], HeaderValue::as_bytes);
            same(&format!("header {name}"), value, found)?;
        }
        wanted.body.as_ref().map_or(Ok(()), |wanted| same("body", wanted, &body))
    }

    /// ` by rule at line N` and the like, for messages.
    fn describe(&self, matched: super::Matched) -> String {
        match matched {
            super::Matched::Rule(at) => format!(" (by the rule at line {})", self.line(at)),
            super::Matched::Otherwise => " (no rule matches: otherwise)".to_owned(),
            super::Matched::ServerFault => " (5xx, and no rule names the status)".to_owned(),
        }
    }
}

fn same(what: &str, wanted: &str, found: &[u8]) -> Result<(), String> {
    if wanted.as_bytes() == found {
        return Ok(());
    }
    Err(format!("{what} wanted: {wanted:?}; found: {:?}", String::from_utf8_lossy(found)))
}

impl OwnedInputs {
    fn borrowed(&self) -> Inputs<'_> {
        Inputs {
            user: &self.user,
            code: &self.code,
            pin: &self.pin,
            passcode: &self.passcode,
            new_pin: &self.new_pin,
            new_pin_confirmation: &self.new_pin_confirmation,
        }
    }
}
