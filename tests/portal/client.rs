//! A key in the hand, a clock that obeys, and a browser without a window.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use trousseau::clock::{Clock, ManualClock, SECOND};
use trousseau::otp::{Generator, step_start};
use trousseau::portal::{Defect, Portal, PortalConfig, RunningPortal};
use trousseau::secret::Secret;
use trousseau::serial::Serial;
use trousseau::token::Token;

/// Step at which the tests begin.
pub(crate) const START: u64 = 28_000_000;

/// A portal, its clock and its keys.
pub(crate) struct Bench {
    pub(crate) portal: RunningPortal,
    pub(crate) clock: Arc<ManualClock>,
    keys: Vec<Generator>,
}

impl Bench {
    pub(crate) fn new(users: usize) -> Self {
        Self::with(users, |_| {})
    }

    pub(crate) fn planted(users: usize, defect: Defect) -> Self {
        Self::with(users, |config| config.defect = Some(defect))
    }

    pub(crate) fn with(users: usize, adjust: impl FnOnce(&mut PortalConfig)) -> Self {
        let clock = Arc::new(ManualClock::at(step_start(START, 60) + SECOND));
        let tokens: Vec<_> = (0..users).map(|n| (user(n), token(n))).collect();
        let keys = tokens.iter().map(|(_, token)| token.generator()).collect();
        let mut config = PortalConfig::new(tokens, clock.clone());
        adjust(&mut config);
        Self { portal: Portal::start(config).unwrap(), clock, keys }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.portal.addr()
    }

    /// What key `n` shows `off` steps from now.
    pub(crate) fn code(&self, n: usize, off: i64) -> String {
        let step = trousseau::otp::time_step(self.clock.now(), 60);
        self.keys[n].code(step.checked_add_signed(off).unwrap()).to_string()
    }

    pub(crate) fn next_code(&self, n: usize) -> String {
        self.clock.advance(60);
        self.code(n, 0)
    }

    /// Takes user `n` through the three steps over JSON.
    pub(crate) fn initialise(&self, n: usize, pin: &str) {
        let addr = self.addr();
        let first = json(addr, "login", &[("user", &user(n)), ("passcode", &self.code(n, 0))]);
        assert_eq!(first.result(), (200, "new-pin"), "{}", first.body);
        let chosen = json(
            addr,
            "new-pin",
            &[("transaction", &first.field("transaction")), ("pin", pin), ("pin2", pin)],
        );
        assert_eq!(chosen.result(), (200, "confirm"), "{}", chosen.body);
        let passcode = format!("{pin}{}", self.next_code(n));
        let transaction = chosen.field("transaction");
        let done = json(addr, "confirm", &[("transaction", &transaction), ("passcode", &passcode)]);
        assert_eq!(done.result(), (200, "accepted"), "{}", done.body);
        self.clock.advance(60);
    }

    /// Status of a login over JSON.
    pub(crate) fn login(&self, n: usize, passcode: &str) -> u16 {
        json(self.addr(), "login", &[("user", &user(n)), ("passcode", passcode)]).status
    }
}

pub(crate) fn user(n: usize) -> String {
    format!("u{n:05}")
}

pub(crate) fn token(n: usize) -> Token {
    let seed = format!("a test seed of twenty octets{n}");
    Token::totp60(Serial::new(format!("TEST{n:08}")).unwrap(), Secret::from(seed.as_bytes()))
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn location(&self) -> (u16, &str) {
        (self.status, self.header("location").unwrap_or(""))
    }

    pub(crate) fn field(&self, name: &str) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        value[name].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn result(&self) -> (u16, &'static str) {
        let known = [
            "accepted",
            "new-pin",
            "next-code",
            "rejected",
            "confirm",
            "bad-pin",
            "out-of-order",
            "malformed",
            "logged-out",
            "unavailable",
        ];
        let found = self.field("result");
        (self.status, known.into_iter().find(|name| *name == found).unwrap_or("?"))
    }
}

/// Sends `request` as it is, closes, and reads the answer.
pub(crate) fn raw(addr: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request).unwrap();
    read(&mut stream)
}

pub(crate) fn read(stream: &mut TcpStream) -> Answer {
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    let text = String::from_utf8(octets).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.into(), body: body.into() }
}

pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

pub(crate) fn json_request(operation: &str, body: &str) -> Vec<u8> {
    request("POST", &format!("/api/v1/{operation}"), "Content-Type: application/json\r\n", body)
}

pub(crate) fn json(addr: SocketAddr, operation: &str, fields: &[(&str, &str)]) -> Answer {
    let body: serde_json::Map<_, _> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    raw(addr, &json_request(operation, &serde_json::Value::Object(body).to_string()))
}

/// A browser: one cookie, and the form token of the page it looks at.
pub(crate) struct Browser {
    addr: SocketAddr,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: String,
}

impl Browser {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self { addr, cookie: None, csrf: String::new() }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let answer = raw(self.addr, &request("GET", path, &self.headers(), ""));
        self.look(answer)
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = raw(self.addr, &self.form(path, fields));
        self.look(answer)
    }

    pub(crate) fn form(&self, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
        let mut body = format!("csrf={}", encode(&self.csrf));
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", encode(value)));
        }
        let headers =
            format!("{}Content-Type: application/x-www-form-urlencoded\r\n", self.headers());
        request("POST", path, &headers, &body)
    }

    fn headers(&self) -> String {
        let cookie = self.cookie.as_ref();
        cookie.map_or(String::new(), |id| format!("Cookie: a=b; trousseau_session={id}\r\n"))
    }

    fn look(&mut self, answer: Answer) -> Answer {
        if let Some(set) = answer.header("set-cookie") {
            let value = set.strip_prefix("trousseau_session=").unwrap();
            self.cookie = Some(value.split(';').next().unwrap().to_owned());
        }
        if let Some((_, rest)) = answer.body.split_once("name=\"csrf\" value=\"") {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
        answer
    }
}

fn encode(text: &str) -> String {
    text.bytes().map(|octet| format!("%{octet:02X}")).collect()
}
