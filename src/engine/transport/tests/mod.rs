//! The transport against small servers on loopback that misbehave in one way each.

mod answers;
mod connections;
mod forms;
mod tls;

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::definition::{Definition, Origin};

/// A target with one operation, `login`.
const TARGET: &str = r#"
[target]
name = "t"
title = "t"
kind = "http"
[policy]
window_back = 1
window_forward = 1
max_drift_steps = 0
monotonic = true
pin_min = 4
pin_max = 6
pin = "before"
[[operation.login.submit]]
method = "POST"
path = "/login"
form = { user = "{user}", passcode = "{passcode}" }
{changes}
[verdict]
otherwise = "error"
[[verdict.rule]]
verdict = "accepted"
status = 200
contains = "welcome"
[[verdict.rule]]
verdict = "rejected"
status = 401
"#;

/// That target, to whose exchange `changes` adds.
fn target(changes: &str) -> Arc<Target> {
    load(TARGET.replace("{changes}", changes))
}

pub(super) fn load(text: String) -> Arc<Target> {
    let (name, file, origin) = ("t".into(), "t.toml".into(), Origin::Embedded);
    Arc::new(Target::load(&Definition { name, file, text, origin }).unwrap())
}

const INPUTS: Inputs<'static> = Inputs {
    user: "dupont",
    code: "159753",
    pin: "ab12",
    passcode: "ab12159753",
    new_pin: "",
    new_pin_confirmation: "",
};

const WELCOME: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome";

/// A server on a port of its own that runs `serve` for every connection, numbered from 0.
async fn server<F, S>(serve: S) -> String
where
    F: Future<Output = ()> + 'static,
    S: Fn(usize, TcpStream) -> F + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::task::spawn_local(async move {
        let count = Rc::new(Cell::new(0));
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let number = count.replace(count.get() + 1);
            tokio::task::spawn_local(serve(number, tcp));
        }
    });
    format!("http://{address}")
}

/// A server that answers every request on every connection with the same bytes.
async fn answering(answer: impl Into<Vec<u8>>) -> String {
    let answer: Rc<[u8]> = answer.into().into();
    server(move |_, mut tcp| {
        let answer = answer.clone();
        async move {
            while request(&mut tcp).await.is_some() {
                tcp.write_all(&answer).await.unwrap();
            }
        }
    })
    .await
}

/// Reads one request with a `Content-Length` body, or `None` at the end.
async fn request(io: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut byte = [0; 1];
        if io.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
        if text.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let head = String::from_utf8(text).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    io.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

fn transport_with(target: Arc<Target>, url: &str, options: EndpointOptions) -> Transport {
    let endpoint = Endpoint::resolve(url, options).unwrap();
    Transport::new(target, Arc::new(endpoint), 4)
}

fn transport(target: Arc<Target>, url: &str) -> Transport {
    let options = EndpointOptions { timeout: Duration::from_secs(10), ..Default::default() };
    transport_with(target, url, options)
}

async fn login(transport: &Transport) -> Performed {
    transport.submit(&mut Session::default(), Operation::Login, &INPUTS).await
}

/// One login against a server that answers with `answer`: what came of it, and the only trouble.
async fn outcome(changes: &str, answer: impl Into<Vec<u8>>) -> (Performed, String) {
    let transport = transport(target(changes), &answering(answer).await);
    let performed = login(&transport).await;
    assert_eq!(performed.fault.is_some(), performed.verdict == Verdict::Error);
    assert!(performed.sent <= performed.answered);
    (performed, transport.endpoint.troubles().join("\n"))
}

/// Runs a test as a worker thread would: one thread, tasks of its own.
fn local(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}
