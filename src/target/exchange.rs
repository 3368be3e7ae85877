//! One request and what to make of its answer, compiled.

use hyper::Method;
use hyper::header::HeaderName;

use super::live::Back;
use super::radius::RadiusRequest;
use super::rule::Rule;
use super::take::Take;
use super::template::Template;

/// One request of an operation, and what to make of its answer.
#[derive(Debug)]
pub struct Exchange {
    pub(super) request: Request,
    pub(super) takes: Vec<Take>,
    /// Tried before the operation's rules; one that matches ends the operation.
    pub(super) rules: Vec<Rule>,
}

/// A request, as the kind of the target has it.
#[derive(Debug)]
pub(super) enum Request {
    Http(HttpRequest),
    Radius(RadiusRequest),
}

/// One HTTP request.
#[derive(Debug)]
pub struct HttpRequest {
    pub(super) method: Method,
    pub(super) path: Template,
    pub(super) headers: Vec<(HeaderName, Template)>,
    /// Content type (unless a header gives it) and template.
    pub(super) body: Option<(Option<&'static str>, Template)>,
    pub(super) auth: Option<Auth>,
    pub(super) follow: bool,
    /// The form of an earlier page that it sends back.
    pub(super) back: Option<Back>,
}

/// How the request is authenticated, beside its content.
#[derive(Debug)]
pub(super) enum Auth {
    /// HTTP Basic with the credential of this name: `user:password`.
    Basic(String),
    /// Bearer token: the credential of this name.
    Bearer(String),
    /// HTTP Basic with what the person typed.
    Person {
        /// User id.
        user: Template,
        /// Password.
        password: Template,
    },
}

impl Exchange {
    /// The HTTP request, when the target is spoken to over HTTP.
    #[must_use]
    pub fn http(&self) -> Option<&HttpRequest> {
        match &self.request {
            Request::Http(request) => Some(request),
            Request::Radius(_) => None,
        }
    }

    /// The Access-Request, when the target is spoken to over RADIUS.
    #[must_use]
    pub fn radius(&self) -> Option<&RadiusRequest> {
        match &self.request {
            Request::Radius(request) => Some(request),
            Request::Http(_) => None,
        }
    }

    /// Name of the credential that the request needs.
    #[must_use]
    pub fn credential(&self) -> Option<&str> {
        match self.http()?.auth.as_ref()? {
            Auth::Basic(name) | Auth::Bearer(name) => Some(name),
            Auth::Person { .. } => None,
        }
    }

    pub(super) fn templates(&self) -> Box<dyn Iterator<Item = &Template> + '_> {
        match &self.request {
            Request::Http(request) => Box::new(request.templates()),
            Request::Radius(request) => Box::new(request.templates()),
        }
    }
}

impl HttpRequest {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Whether redirects are followed (never to another host).
    #[must_use]
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// The path, when it is the same in every request.
    #[must_use]
    pub fn constant_path(&self) -> Option<&str> {
        if self.back.is_some() {
            return None;
        }
        self.path.constant().and_then(|path| std::str::from_utf8(path).ok())
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let person = match &self.auth {
            Some(Auth::Person { user, password }) => [Some(user), Some(password)],
            _ => [None, None],
        };
        let headers = self.headers.iter().map(|(_, template)| template);
        let body = self.body.iter().map(|(_, template)| template);
        let back = self.back.iter().flat_map(|back| {
            std::iter::once(&back.placeholder).chain(back.fields.iter().map(|(_, typed)| typed))
        });
        let headers = headers.chain(back);
        std::iter::once(&self.path).chain(headers).chain(body).chain(person.into_iter().flatten())
    }
}
