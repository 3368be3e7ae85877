//! The exchanges of an operation as they went over the wire, for a person to read: whatever is
//! secret is masked before it gets here. Only made when somebody watches.

use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use hyper::{Method, Response, StatusCode, Uri};

use super::perform::Whole;
use super::prepared::Draft;
use super::radius::Counters;
use super::{Session, Transport};
use crate::target::{Answer, Exchange, Inputs, Judged, Operation, Phase, Taken, Target, Tried};

/// One exchange: what was sent, what came, and how it was read.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// What the person was about.
    pub operation: Operation,
    /// Whether the person opened the page or had typed.
    pub phase: Phase,
    /// Which exchange of that phase, from 0.
    pub index: usize,
    /// Request and answer, and again for each redirect that was followed and each request that was
    /// sent a second time.
    pub hops: Vec<Hop>,
    /// Over RADIUS, the datagrams of it by kind: those sent again, and those dropped before the
    /// answer came.
    pub datagrams: Option<Counters>,
    /// From the first byte sent to the last answered.
    pub took: Duration,
    /// The rules tried on the last answer; the last one matched when its `misses` are empty.
    pub tried: Vec<Tried>,
    /// What the answer means; `None` when none came.
    pub judged: Option<Judged>,
    /// Values taken.
    pub taken: Vec<Taken>,
    /// Why there was no usable answer, or which value was missing.
    pub trouble: Option<String>,
}

/// One request and its answer, secrets masked.
#[derive(Debug, Clone, Default)]
pub struct Hop {
    /// Request line, headers, an empty line and the body.
    pub request: String,
    /// The same of the answer; empty when none came. Of a long body, the beginning.
    pub answer: String,
}

/// Characters of a body that are shown.
const BODY: usize = 1200;

/// A hop before it is masked. Has no `Debug`: it holds secrets.
pub(super) struct RawHop {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    sent: Bytes,
    answer: Option<(u16, HeaderMap, Bytes)>,
}

impl RawHop {
    /// What is about to be sent.
    pub(super) fn new(draft: &Draft, session: &Session) -> Self {
        let (request, sent) = (draft.request(session), draft.body());
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            sent,
            answer: None,
        }
    }

    /// What came.
    pub(super) fn answered(&mut self, whole: &Whole) {
        self.answer = Some((whole.status.as_u16(), whole.headers.clone(), whole.body.clone()));
    }

    fn masked(&self, target: &Target, inputs: &Inputs<'_>, captured: &[Option<Box<[u8]>>]) -> Hop {
        let line = |text: &[u8]| target.masked_line(text, inputs, captured);
        let part = |first: String, headers: &HeaderMap, body: &[u8]| {
            let mut out = first + "\n";
            for (name, value) in headers {
                let value = match secret_header(name.as_str(), value) {
                    Some(shown) => shown,
                    None => line(value.as_bytes()),
                };
                out.push_str(&format!("{name}: {value}\n"));
            }
            if !body.is_empty() {
                out.push('\n');
                out.push_str(&target.masked_text(body, inputs, captured, BODY));
                out.push('\n');
            }
            out
        };
        let first = format!("{} {} HTTP/1.1", self.method, line(self.uri.to_string().as_bytes()));
        let answer = self
            .answer
            .as_ref()
            .map(|(status, headers, body)| part(format!("HTTP/1.1 {status}"), headers, body));
        Hop { request: part(first, &self.headers, &self.sent), answer: answer.unwrap_or_default() }
    }
}

/// Headers that are secrets whatever they hold: names are shown, values not.
fn secret_header(name: &str, value: &HeaderValue) -> Option<String> {
    let text = String::from_utf8_lossy(value.as_bytes());
    if name == AUTHORIZATION.as_str() || name == "proxy-authorization" {
        let scheme = text.split(' ').next().unwrap_or_default();
        return Some(format!("{scheme} ***"));
    }
    let hidden = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        format!("{}=***", name.trim())
    };
    if name == COOKIE.as_str() {
        return Some(text.split(';').map(hidden).collect::<Vec<_>>().join("; "));
    }
    if name == SET_COOKIE.as_str() {
        let (pair, attributes) = text.split_once(';').map_or((&*text, None), |(a, b)| (a, Some(b)));
        let attributes = attributes.map_or_else(String::new, |text| format!(";{text}"));
        return Some(hidden(pair) + &attributes);
    }
    None
}

/// What is known of an exchange when it is over.
pub(super) struct Over<'a> {
    pub(super) place: (Operation, Phase, usize),
    pub(super) exchange: &'a Exchange,
    pub(super) answer: Option<&'a Answer<'a>>,
    pub(super) judged: Option<Judged>,
    pub(super) trouble: Option<String>,
    pub(super) took: Duration,
}

impl Transport {
    /// From now on every exchange is kept for [`Transport::exchanged`].
    pub fn watch(&mut self) {
        self.watched = Some(Watched::default());
    }

    /// The exchanges since the last call, oldest first; none unless [`Transport::watch`] was called.
    #[must_use]
    pub fn exchanged(&self) -> Vec<Exchanged> {
        let Some(watched) = &self.watched else { return Vec::new() };
        // What comes between two operations belongs to neither.
        watched.counted.set(self.counted());
        watched.exchanges.take()
    }

    /// Keeps an exchange, masked, when somebody watches.
    pub(super) fn keep<'o>(
        &self,
        over: impl FnOnce() -> Over<'o>,
        captured: &[Option<Box<[u8]>>],
        inputs: &Inputs<'_>,
    ) {
        let Some(watched) = &self.watched else { return };
        let over = over();
        let (operation, phase, index) = over.place;
        let hops = watched.hops.take();
        let mut hops: Vec<Hop> =
            hops.iter().map(|hop| hop.masked(&self.target, inputs, captured)).collect();
        let now = self.counted();
        let datagrams = Some(now - watched.counted.replace(now)).filter(|one| one.requests > 0);
        if datagrams.is_some() {
            hops.extend(self.radius_hop(over.exchange, over.answer, inputs, captured));
        }
        let tried = over.answer.map(|answer| self.target.explain(operation, phase, index, answer));
        let taken = match (over.answer, over.judged) {
            (Some(answer), Some(judged)) => self.target.taken(over.exchange, judged, answer),
            _ => Vec::new(),
        };
        watched.exchanges.borrow_mut().push(Exchanged {
            operation,
            phase,
            index,
            hops,
            datagrams,
            took: over.took,
            tried: tried.unwrap_or_default(),
            judged: over.judged,
            taken,
            trouble: over.trouble,
        });
    }

    /// An Access-Request and its answer in words; the password is never among them. `captured` is
    /// what was filled in.
    fn radius_hop(
        &self,
        exchange: &Exchange,
        answer: Option<&Answer<'_>>,
        inputs: &Inputs<'_>,
        captured: &[Option<Box<[u8]>>],
    ) -> Option<Hop> {
        let mask = |text: &[u8]| self.target.masked_line(text, inputs, captured);
        let draft = exchange.radius()?.draft(&self.target, inputs, captured).ok()?;
        let request = format!("Access-Request\n{}", draft.describe(mask));
        let answer = answer.map(|answer| {
            let attributes = answer.attributes().into_iter();
            let lines =
                attributes.map(|(name, value)| format!("{name}: {}\n", mask(value.as_bytes())));
            format!("{answer}\n{}", lines.collect::<String>())
        });
        Some(Hop { request, answer: answer.unwrap_or_default() })
    }

    fn counted(&self) -> Counters {
        self.radius.as_ref().map(super::radius::Client::counters).unwrap_or_default()
    }
}

/// What is kept while somebody watches.
#[derive(Default)]
pub(super) struct Watched {
    pub(super) hops: std::cell::RefCell<Vec<RawHop>>,
    exchanges: std::cell::RefCell<Vec<Exchanged>>,
    /// Datagrams of the exchanges that are over.
    counted: std::cell::Cell<Counters>,
}

impl Watched {
    /// The last answer broke off, or was not read any further, after `read`.
    pub(super) fn broken_off(&self, status: StatusCode, headers: &HeaderMap, read: &Bytes) {
        if let Some(hop) = self.hops.borrow_mut().last_mut() {
            hop.answer = Some((status.as_u16(), headers.clone(), read.clone()));
        }
    }

    /// The last request was answered by a 408 that gave up its connection, and is sent `again`.
    pub(super) fn given_up(&self, again: RawHop, answer: &Response<Incoming>) {
        let mut hops = self.hops.borrow_mut();
        if let Some(hop) = hops.last_mut() {
            hop.answer = Some((answer.status().as_u16(), answer.headers().clone(), Bytes::new()));
        }
        hops.push(again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_and_credentials_keep_their_names_alone() {
        for (name, value, shown) in [
            ("authorization", "Basic ZHVwb250OmFi", "Basic ***"),
            ("cookie", "sid=7; a=b=c", "sid=***; a=***"),
            ("set-cookie", "sid=7; Path=/; HttpOnly", "sid=***; Path=/; HttpOnly"),
            ("set-cookie", "sid=7", "sid=***"),
        ] {
            let value = HeaderValue::from_static(value);
            assert_eq!(secret_header(name, &value).as_deref(), Some(shown));
        }
        assert_eq!(secret_header("accept", &HeaderValue::from_static("*/*")), None);
    }
}
