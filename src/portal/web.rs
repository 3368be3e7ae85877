//! The pages over HTTP: which of them may come next, cookies, form tokens, headers.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, FromRequestParts, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::api;
use super::lang::{Lang, Notice, Words};
use super::pages::Pages;
use super::service::{Choice, Confirmation, Login, NextCode, Service};
use super::session::{SessionId, Stage};
use crate::clock::SECOND;
use crate::secret::Secret;

const COOKIE: &str = "trousseau_session";
/// Longest body of a request, in octets.
const LONGEST_BODY: usize = 16 * 1024;

/// What the handlers share.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) service: Arc<Service>,
    pages: Pages,
    security_policy: HeaderValue,
    secure_cookies: bool,
}

/// All routes; `secure_cookies` marks cookies `Secure`.
pub(super) fn router(service: Arc<Service>, secure_cookies: bool) -> Router {
    let security_policy = HeaderValue::try_from(Pages::security_policy()).expect("ASCII");
    let site = Arc::new(Site { service, pages: Pages::new(), security_policy, secure_cookies });
    Router::new()
        .route(
            "/",
            get(|| async { Redirect::to("/login") }).post(|| async { Redirect::to("/login") }),
        )
        .route("/login", get(login_page).post(login))
        .route("/new-pin", get(new_pin_page).post(new_pin))
        .route("/confirm", get(confirm_page).post(confirm))
        .route("/next-code", get(next_code_page).post(next_code))
        .route("/portal", get(portal_page))
        .route("/logout", post(logout))
        .merge(api::routes())
        .fallback(not_found)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(site.clone(), headers))
        .with_state(site)
}

/// Key time as the date of every answer, so that a client can measure how far its own is off; and
/// what keeps pages from being cached, framed or scripted.
async fn headers(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let map = response.headers_mut();
    map.insert(header::DATE, http_date(site.service.now()));
    map.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    map.insert(header::CONTENT_SECURITY_POLICY, site.security_policy.clone());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        map.insert(name, HeaderValue::from_static(value));
    }
    if site.secure_cookies
        && let Some(cookie) = map.get(header::SET_COOKIE)
        && let Ok(secure) = HeaderValue::try_from([cookie.as_bytes(), b"; Secure"].concat())
    {
        map.insert(header::SET_COOKIE, secure);
    }
    response
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
fn http_date(now: crate::clock::UnixMicros) -> HeaderValue {
    let second = i64::try_from(now / SECOND).ok();
    second
        .and_then(|second| jiff::Timestamp::from_second(second).ok())
        .map(|date| date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        .and_then(|text| HeaderValue::try_from(text).ok())
        .unwrap_or_else(|| HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// Who asks: the name in the cookie, and the language.
#[derive(Debug)]
struct Visitor {
    id: Option<SessionId>,
    lang: Lang,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let text =
            |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        Ok(Self {
            id: cookie(&parts.headers),
            lang: Lang::negotiate(text(header::ACCEPT_LANGUAGE)),
        })
    }
}

impl Visitor {
    fn words(&self) -> &'static Words {
        self.lang.words()
    }

    /// The visitor's name if the form was made for it.
    fn vouched(&self, site: &Site, csrf: &str) -> Option<SessionId> {
        self.id.filter(|id| site.service.form_token_fits(*id, csrf))
    }

    fn stage(&self, site: &Site) -> Option<(SessionId, Stage)> {
        self.id.and_then(|id| site.service.stage(id).map(|(_, stage)| (id, stage)))
    }

    fn notice(&self, site: &Site, status: StatusCode, notice: &Notice) -> Response {
        (status, Html(site.pages.notice(self.lang, notice))).into_response()
    }

    fn forged(&self, site: &Site) -> Response {
        self.notice(site, StatusCode::FORBIDDEN, &self.words().forged)
    }

    fn out_of_order(&self, site: &Site) -> Response {
        self.notice(site, StatusCode::CONFLICT, &self.words().out_of_order)
    }

    fn unavailable(&self, site: &Site) -> Response {
        self.notice(site, StatusCode::SERVICE_UNAVAILABLE, &self.words().unavailable)
    }

    fn unreadable(&self, site: &Site, rejection: &FormRejection) -> Response {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            self.notice(site, StatusCode::PAYLOAD_TOO_LARGE, &self.words().too_large)
        } else {
            self.notice(site, StatusCode::BAD_REQUEST, &self.words().malformed)
        }
    }
}

fn cookie(headers: &HeaderMap) -> Option<SessionId> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| if name == COOKIE { SessionId::parse(value) } else { None })
}

/// `303 See Other` to `path` under a new name.
fn onward(path: &str, id: SessionId) -> Response {
    ([(header::SET_COOKIE, set_cookie(id))], Redirect::to(path)).into_response()
}

fn set_cookie(id: SessionId) -> String {
    format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax", id.text())
}

#[derive(Deserialize)]
struct LoginForm {
    user: String,
    passcode: String,
    csrf: String,
}

#[derive(Deserialize)]
struct NewPinForm {
    pin: String,
    pin2: String,
    csrf: String,
}

#[derive(Deserialize)]
struct ConfirmForm {
    passcode: String,
    csrf: String,
}

#[derive(Deserialize)]
struct NextCodeForm {
    code: String,
    csrf: String,
}

#[derive(Deserialize)]
struct LogoutForm {
    csrf: String,
}

type Fields<T> = Result<Form<T>, FormRejection>;

async fn login_page(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    let page = |id| Html(site.pages.login(visitor.lang, &site.service.form_token(id), false));
    match (visitor.id, SessionId::random()) {
        (Some(id), _) => page(id).into_response(),
        (None, Ok(id)) => ([(header::SET_COOKIE, set_cookie(id))], page(id)).into_response(),
        (None, Err(_)) => visitor.unavailable(&site),
    }
}

async fn login(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    form: Fields<LoginForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return visitor.unreadable(&site, &rejection),
    };
    let Some(id) = visitor.vouched(&site, &form.csrf) else { return visitor.forged(&site) };
    match site.service.login(&form.user, Secret::new(form.passcode.into_bytes())).await {
        Ok(Login::Accepted(new)) => passed(&site, id, "/portal", new),
        Ok(Login::NewPin(new)) => passed(&site, id, "/new-pin", new),
        Ok(Login::NextCode(new)) => passed(&site, id, "/next-code", new),
        // The cookie stays: a second click must not take away what the first one opened.
        Ok(Login::Rejected) => {
            (StatusCode::UNAUTHORIZED, Html(site.pages.login(visitor.lang, &form.csrf, true)))
                .into_response()
        }
        Err(_) => visitor.unavailable(&site),
    }
}

/// Onward, and the old name is nobody's.
fn passed(site: &Site, old: SessionId, path: &str, new: SessionId) -> Response {
    site.service.logout(old);
    onward(path, new)
}

async fn next_code_page(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    match visitor.stage(&site) {
        Some((id, Stage::Next(_))) => {
            Html(site.pages.next_code(visitor.lang, &site.service.form_token(id), false))
                .into_response()
        }
        _ => Redirect::to("/login").into_response(),
    }
}

async fn next_code(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    form: Fields<NextCodeForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return visitor.unreadable(&site, &rejection),
    };
    let Some(id) = visitor.vouched(&site, &form.csrf) else { return visitor.forged(&site) };
    match site.service.next_code(id, Secret::new(form.code.into_bytes())).await {
        Ok(NextCode::Taken(Login::Accepted(new))) => onward("/portal", new),
        Ok(NextCode::Taken(Login::NewPin(new))) => onward("/new-pin", new),
        Ok(NextCode::OutOfOrder) => visitor.out_of_order(&site),
        Ok(NextCode::Rejected | NextCode::Taken(_)) => {
            let page = site.pages.next_code(visitor.lang, &form.csrf, true);
            (StatusCode::UNAUTHORIZED, Html(page)).into_response()
        }
        Err(_) => visitor.unavailable(&site),
    }
}

async fn new_pin_page(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    match visitor.stage(&site) {
        Some((id, Stage::Choose)) => {
            Html(site.pages.new_pin(visitor.lang, &site.service.form_token(id), None))
                .into_response()
        }
        _ => Redirect::to("/login").into_response(),
    }
}

async fn new_pin(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    form: Fields<NewPinForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return visitor.unreadable(&site, &rejection),
    };
    let Some(id) = visitor.vouched(&site, &form.csrf) else { return visitor.forged(&site) };
    match site.service.new_pin(id, Zeroizing::new(form.pin), &Zeroizing::new(form.pin2)) {
        Ok(Choice::Confirm(new)) => onward("/confirm", new),
        Ok(Choice::Bad(fault)) => {
            let error = visitor.words().pin_fault(fault);
            let page = site.pages.new_pin(visitor.lang, &form.csrf, Some(error));
            (StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response()
        }
        Ok(Choice::OutOfOrder) => visitor.out_of_order(&site),
        Err(_) => visitor.unavailable(&site),
    }
}

async fn confirm_page(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    match visitor.stage(&site) {
        Some((id, Stage::Confirm(_))) => {
            Html(site.pages.confirm(visitor.lang, &site.service.form_token(id), false))
                .into_response()
        }
        _ => Redirect::to("/login").into_response(),
    }
}

async fn confirm(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    form: Fields<ConfirmForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return visitor.unreadable(&site, &rejection),
    };
    let Some(id) = visitor.vouched(&site, &form.csrf) else { return visitor.forged(&site) };
    match site.service.confirm(id, Secret::new(form.passcode.into_bytes())).await {
        Ok(Confirmation::Accepted(new)) => onward("/portal", new),
        Ok(Confirmation::Rejected) => {
            (StatusCode::UNAUTHORIZED, Html(site.pages.confirm(visitor.lang, &form.csrf, true)))
                .into_response()
        }
        Ok(Confirmation::OutOfOrder) => visitor.out_of_order(&site),
        Err(_) => visitor.unavailable(&site),
    }
}

async fn portal_page(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    match visitor.id.and_then(|id| site.service.stage(id).map(|found| (id, found))) {
        Some((id, (user, Stage::In))) => {
            Html(site.pages.portal(visitor.lang, &site.service.form_token(id), user))
                .into_response()
        }
        _ => Redirect::to("/login").into_response(),
    }
}

async fn logout(
    State(site): State<Arc<Site>>,
    visitor: Visitor,
    form: Fields<LogoutForm>,
) -> Response {
    let Form(form) = match form {
        Ok(form) => form,
        Err(rejection) => return visitor.unreadable(&site, &rejection),
    };
    let Some(id) = visitor.vouched(&site, &form.csrf) else { return visitor.forged(&site) };
    if !site.service.logout(id) {
        return visitor.out_of_order(&site);
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    ([(header::SET_COOKIE, gone)], Redirect::to("/login")).into_response()
}

async fn not_found(State(site): State<Arc<Site>>, visitor: Visitor) -> Response {
    visitor.notice(&site, StatusCode::NOT_FOUND, &visitor.words().not_found)
}
