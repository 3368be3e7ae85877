//! Requests: what never changes is made once per worker, what differs is filled in per exchange.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue,
    USER_AGENT,
};
use hyper::{Method, Request, StatusCode, Uri};

use super::Session;
use super::endpoint::Endpoint;
use crate::target::{Exchange, HttpRequest, Inputs, Operation, Phase, RequestError, Target};

/// The constant parts of every exchange of a target.
pub(super) struct Prepared {
    /// By operation and phase, in the order of the exchanges.
    slots: Vec<[Vec<Constant>; 2]>,
    /// The headers of any request.
    any: HeaderMap,
}

struct Constant {
    /// `None` when the path holds placeholders.
    uri: Option<Uri>,
    headers: HeaderMap,
}

/// One request, ready to be sent and, where redirects are followed, to be changed and sent again.
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Prepared {
    pub(super) fn new(target: &Target, endpoint: &Endpoint) -> Self {
        let mut any = HeaderMap::new();
        // An endpoint's host was parsed as part of a URL, so it fits a header.
        if let Ok(host) = HeaderValue::from_str(&endpoint.host) {
            any.insert(HOST, host);
        }
        let agent = concat!("trousseau/", env!("CARGO_PKG_VERSION"));
        any.insert(USER_AGENT, HeaderValue::from_static(agent));
        any.insert(ACCEPT, HeaderValue::from_static("*/*"));
        // Decompression would cost more than it tells.
        any.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let constant = |exchange: &Exchange| {
            let request = exchange.http()?;
            let mut headers = any.clone();
            request.constant_headers(&mut headers);
            let uri = request
                .constant_path()
                .and_then(|path| format!("{}{path}", endpoint.site.base).parse().ok());
            Some(Constant { uri, headers })
        };
        let slots = Operation::ALL
            .iter()
            .map(|operation| {
                [Phase::Open, Phase::Submit].map(|phase| {
                    target.exchanges(*operation, phase).iter().filter_map(constant).collect()
                })
            })
            .collect();
        Self { slots, any }
    }

    /// Fills in exchange `index` of `phase` of `operation`.
    pub(super) fn draft(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        ((operation, phase, index), exchange): ((Operation, Phase, usize), &HttpRequest),
        session: &Session,
        inputs: &Inputs<'_>,
    ) -> Result<Draft, RequestError> {
        let constant = &self.slots[operation as usize][phase as usize][index];
        let captured = &session.captured;
        let unfit = |_| RequestError::Unfit { place: "the path".to_owned() };
        let live = exchange.live(target, inputs, captured)?;
        let method = live.as_ref().and_then(|live| live.method.clone());
        let method = method.unwrap_or_else(|| exchange.method().clone());
        let form_path = live.as_ref().and_then(|live| live.path.as_deref());
        let mut uri: Uri = match (&constant.uri, form_path) {
            (_, Some(path)) => path.parse().map_err(unfit)?,
            (Some(uri), None) => uri.clone(),
            (None, None) => {
                let mut path = endpoint.site.base.clone().into_bytes();
                exchange.render_path(target, inputs, captured, &mut path)?;
                Uri::from_maybe_shared(Bytes::from(path))
                    .map_err(|_| RequestError::Unfit { place: "the path".to_owned() })?
            }
        };
        let mut headers = constant.headers.clone();
        let credential =
            |name: &str| endpoint.credentials.get(name).map(crate::secret::Secret::expose);
        exchange.render_headers(target, inputs, captured, credential, &mut headers)?;
        let mut body = Vec::with_capacity(128);
        match live {
            None => exchange.render_body(target, inputs, captured, &mut body)?,
            // HTML: the fields of a GET form take the place of the query.
            Some(live) if method == Method::GET => {
                let fields = String::from_utf8_lossy(&live.fields);
                uri = format!("{}?{fields}", uri.path()).parse().map_err(unfit)?;
            }
            Some(live) => {
                let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
                headers.insert(CONTENT_TYPE, kind);
                body = live.fields;
            }
        }
        Ok(Draft { method, uri, headers, body: body.into() })
    }

    /// A plain GET of `path` under the endpoint's base.
    pub(super) fn get(&self, endpoint: &Endpoint, path: &str) -> Option<Draft> {
        let uri = format!("{}{path}", endpoint.site.base).parse().ok()?;
        Some(Draft { method: Method::GET, uri, headers: self.any.clone(), body: Bytes::new() })
    }
}

impl Draft {
    /// The request, with the cookies for its path.
    pub(super) fn request(&self, session: &Session) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(cookies) = session.jar.header(self.uri.path()) {
            request.headers_mut().insert(COOKIE, cookies);
        }
        request
    }

    /// The body, as it will be sent.
    pub(super) fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Turns to where a redirect leads, as browsers do: 307 and 308 repeat the request, the others
    /// become a GET. Whether `path` is one.
    pub(super) fn redirect(&mut self, status: StatusCode, path: &str) -> bool {
        let Ok(uri) = path.parse() else { return false };
        self.uri = uri;
        let repeats =
            matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if !repeats && self.method != Method::HEAD {
            self.method = Method::GET;
            self.body = Bytes::new();
            self.headers.remove(CONTENT_TYPE);
            self.headers.remove(CONTENT_LENGTH);
        }
        true
    }
}
