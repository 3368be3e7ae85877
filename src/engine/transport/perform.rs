//! Performing the exchanges of an operation, one after the other, each within its deadline.

use std::time::Instant;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, LOCATION};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri, Version};

use super::connection::{Broken, Connection, Sent};
use super::prepared::Draft;
use super::radius::Heard;
use super::trace::{Over, RawHop};
use super::{Performed, Session, Stage, Transport};
use crate::recorder::{Fault, Verdict};
use crate::target::{
    Answer, Exchange, HttpRequest, Inputs, Judged, Matched, Operation, Phase, Site,
    follow as follow_link,
};

/// Redirects followed in one exchange, at most.
const HOPS: usize = 10;

/// One whole answer.
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Path and query of the page, after all redirects.
    pub(super) page: Uri,
}

impl Whole {
    fn answer<'a>(&'a self, site: &'a Site) -> Answer<'a> {
        let page = self.page.path_and_query().map_or("/", |path| path.as_str());
        Answer::new(self.status.as_u16(), &self.headers, &self.body, site).on(page)
    }
}

/// An answer, whatever it came over.
pub(super) enum Came {
    Http(Whole),
    Radius(Heard),
}

/// How one exchange went.
pub(super) struct Arrived {
    pub(super) sent: Instant,
    pub(super) answered: Instant,
    /// Sendings of it before the last one: see [`Performed::resent`].
    pub(super) resent: u32,
    pub(super) came: Result<Came, Broken>,
}

impl Arrived {
    /// Nothing was sent.
    pub(super) fn never(broken: Broken) -> Self {
        let now = Instant::now();
        Self { sent: now, answered: now, resent: 0, came: Err(broken) }
    }
}

impl Transport {
    pub(super) async fn perform(
        &self,
        session: &mut Session,
        operation: Operation,
        phase: Phase,
        inputs: &Inputs<'_>,
    ) -> Performed {
        let exchanges = self.target.exchanges(operation, phase);
        let mut performed = Performed::nothing();
        if exchanges.is_empty() && phase == Phase::Submit {
            self.trouble(operation, inputs, || "the target has no such operation".to_owned());
            return performed.failed(Fault::Generator);
        }
        session.captured.resize(self.target.captures().len(), None);
        for (index, exchange) in exchanges.iter().enumerate() {
            let Arrived { sent, answered, resent, came } = match &self.radius {
                None => self.over_http(session, (operation, phase, index), inputs).await,
                Some(client) => self.over_radius(client, session, exchange, inputs).await,
            };
            if index == 0 {
                performed.sent = sent;
            }
            (performed.answered, performed.status) = (answered, 0);
            performed.resent += resent;
            let answer = match &came {
                Ok(Came::Http(whole)) => Ok(whole.answer(&self.endpoint.site)),
                Ok(Came::Radius(heard)) => heard.answer(),
                Err(broken) => Err(broken.clone()),
            };
            let over = |answer, judged, trouble| Over {
                place: (operation, phase, index),
                exchange,
                answer,
                judged,
                trouble,
                took: answered.saturating_duration_since(sent),
            };
            let answer = match answer {
                Ok(answer) => answer,
                Err(broken) => {
                    let why = || match &broken.beginning {
                        None => broken.message.clone(),
                        Some((status, read)) => {
                            let shown = self.target.excerpt(read, "", inputs, &session.captured);
                            format!("HTTP {status}, {}: {shown}", broken.message)
                        }
                    };
                    self.keep(|| over(None, None, Some(why())), &session.captured, inputs);
                    performed.reached |= broken.reached;
                    self.trouble(operation, inputs, why);
                    return performed.failed(broken.fault);
                }
            };
            (performed.status, performed.reached) = (answer.status, true);
            let judged = self.target.judge(operation, phase, index, &answer);
            // What was carried until now was sent, and stays a secret when it is taken anew.
            let mut secrets = session.captured.clone();
            let taken = self.target.take(exchange, judged, &answer, inputs, &mut session.captured);
            let missing = || taken.as_ref().err().cloned();
            secrets.extend_from_slice(&session.captured);
            self.keep(|| over(Some(&answer), Some(judged), missing()), &secrets, inputs);
            if let Err(message) = taken {
                self.trouble(operation, inputs, || message);
                return performed.failed(Fault::Answer);
            }
            if let Judged::Over(verdict, matched) = judged {
                performed.verdict = verdict;
                if verdict == Verdict::Error {
                    self.trouble(operation, inputs, || {
                        let reason = match matched {
                            Matched::Rule(at) => {
                                format!("an error by the rule at line {}", self.target.line(at))
                            }
                            Matched::Otherwise => "no rule of the target matches".to_owned(),
                            Matched::ServerFault => "the server failed".to_owned(),
                        };
                        let shown = self.target.beginning(&answer, inputs, &secrets);
                        format!("{answer}, {reason}: {shown}")
                    });
                    performed.fault = Some(match matched {
                        Matched::ServerFault => Fault::Server,
                        _ if performed.status >= 500 => Fault::Server,
                        _ => Fault::Answer,
                    });
                }
                return performed;
            }
        }
        performed
    }

    /// One HTTP exchange, its redirects included.
    async fn over_http(
        &self,
        session: &mut Session,
        (operation, phase, index): (Operation, Phase, usize),
        inputs: &Inputs<'_>,
    ) -> Arrived {
        let request = self.target.exchanges(operation, phase).get(index).and_then(Exchange::http);
        let place = (operation, phase, index);
        let draft = match request {
            Some(request) => self
                .prepared
                .draft(&self.target, &self.endpoint, (place, request), session, inputs)
                .map_err(|error| Broken::new(Fault::Answer, error.to_string()).unsent()),
            None => Err(Broken::new(Fault::Generator, "the target is not spoken to over HTTP")),
        };
        let draft = match draft {
            Ok(draft) => draft,
            Err(broken) => return Arrived::never(broken),
        };
        let follows = request.is_some_and(HttpRequest::follows);
        let permit = self.pool.wait().await;
        let sent = Instant::now();
        let stage = Stage::default();
        let whole = self.exchange(session, draft, follows, &stage).await;
        drop(permit);
        let (answered, resent) = (Instant::now(), stage.resent());
        Arrived { sent, answered, resent, came: whole.map(Came::Http) }
    }

    /// One exchange with its redirects, within the deadline.
    pub(super) async fn exchange(
        &self,
        session: &mut Session,
        draft: Draft,
        follow: bool,
        stage: &Stage,
    ) -> Result<Whole, Broken> {
        let hops = self.hops(session, draft, follow, stage);
        match tokio::time::timeout(self.endpoint.timeout, hops).await {
            Ok(result) => result,
            Err(_) => Err(stage.timed_out(self.endpoint.timeout)),
        }
        .map_err(|broken| stage.blame(broken))
    }

    async fn hops(
        &self,
        session: &mut Session,
        mut draft: Draft,
        follow: bool,
        stage: &Stage,
    ) -> Result<Whole, Broken> {
        for _ in 0..=HOPS {
            if let Some(watched) = &self.watched {
                watched.hops.borrow_mut().push(RawHop::new(&draft, session));
            }
            let whole = self.once(session, &draft, stage).await?;
            if let Some(watched) = &self.watched
                && let Some(hop) = watched.hops.borrow_mut().last_mut()
            {
                hop.answered(&whole);
            }
            stage.answered();
            session.jar.store(&whole.headers, draft.uri.path());
            let location = match whole.headers.get(LOCATION) {
                Some(location) if follow && whole.status.is_redirection() => location,
                _ => return Ok(whole),
            };
            let own = draft.uri.path_and_query().map_or("/", |path| path.as_str());
            let next = follow_link(&self.endpoint.site, own, location.as_bytes())
                .map_err(|message| Broken::new(Fault::Answer, message))?;
            if !draft.redirect(whole.status, &next) {
                return Err(Broken::new(Fault::Answer, "redirected to what is no address"));
            }
        }
        Err(Broken::new(
            Fault::Answer,
            format!("redirected more than {} times: the server sends us in a circle", HOPS),
        ))
    }

    /// One request and its whole answer; on a fresh connection when an idle one turns out to have
    /// been closed before the request was sent, or is given up by the server unread: see [`unread`].
    async fn once(&self, session: &Session, draft: &Draft, stage: &Stage) -> Result<Whole, Broken> {
        let (mut connection, answer) = match self.pool.idle().await {
            None => self.anew(draft.request(session), stage).await?,
            Some(mut connection) => {
                stage.waiting();
                match connection.send(draft.request(session)).await {
                    Sent::Answered(answer) if unread(&answer) => {
                        stage.resending();
                        self.pool.count_resent();
                        if let Some(watched) = &self.watched {
                            watched.given_up(RawHop::new(draft, session), &answer);
                        }
                        self.anew(draft.request(session), stage).await?
                    }
                    Sent::Answered(answer) => (connection, answer),
                    Sent::Broken(broken) => return Err(broken),
                    Sent::Unsent(request) => self.anew(request, stage).await?,
                }
            }
        };
        let (head, body) = answer.into_parts();
        let body = connection.body(head.status.as_u16(), body).await.inspect_err(|broken| {
            if let (Some(watched), Some((_, read))) = (&self.watched, &broken.beginning) {
                watched.broken_off(head.status, &head.headers, read);
            }
        })?;
        self.pool.give_back(connection);
        Ok(Whole { status: head.status, headers: head.headers, body, page: draft.uri.clone() })
    }

    /// One request on a fresh connection, and the head of its answer.
    async fn anew(
        &self,
        request: Request<Full<Bytes>>,
        stage: &Stage,
    ) -> Result<(Box<Connection>, Response<Incoming>), Broken> {
        let mut connection = self.connect(stage).await?;
        stage.waiting();
        match connection.send(request).await {
            Sent::Answered(answer) => Ok((connection, answer)),
            Sent::Broken(broken) => Err(broken),
            Sent::Unsent(_) => {
                Err(Broken::new(Fault::Connect, "the server closes every connection at once"))
            }
        }
    }

    async fn connect(&self, stage: &Stage) -> Result<Box<Connection>, Broken> {
        let connection = Connection::open(&self.endpoint, stage).await?;
        self.pool.count_opened();
        Ok(connection)
    }

    /// Keeps what went wrong, when it is among the first.
    fn trouble(&self, operation: Operation, inputs: &Inputs<'_>, message: impl FnOnce() -> String) {
        self.endpoint.trouble(|| {
            let who = if inputs.user.is_empty() { "(page)" } else { inputs.user };
            format!("{who}, {operation}: {}", message())
        });
    }
}

/// Whether an answer on a connection that was idle until now says that the server gave up waiting
/// before it had the request. Then 408 allows it to be repeated, whatever the method (RFC 9110
/// §15.5.9), which is otherwise forbidden (RFC 9112 §9.3.1); and the connection must end, since
/// nobody knows any more where a request begins in it. A 408 that keeps the connection was given
/// by somebody who read the request, and so was one on a fresh connection: these are the answer.
fn unread(answer: &Response<Incoming>) -> bool {
    let closes = answer.version() < Version::HTTP_11
        || answer.headers().get_all(CONNECTION).iter().any(|value| {
            let mut options = value.as_bytes().split(|byte| *byte == b',');
            options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
        });
    answer.status() == StatusCode::REQUEST_TIMEOUT && closes
}

impl Performed {
    /// Nothing done yet: what opening no page is.
    fn nothing() -> Self {
        let now = Instant::now();
        Self {
            verdict: Verdict::Accepted,
            status: 0,
            fault: None,
            reached: false,
            resent: 0,
            sent: now,
            answered: now,
        }
    }

    fn failed(mut self, fault: Fault) -> Self {
        self.verdict = Verdict::Error;
        self.fault = Some(fault);
        self
    }
}
