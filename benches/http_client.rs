//! What a target costs over a bare request: client CPU per request on loopback, closed loop.
//!
//! `cargo bench --bench http_client [-- SECONDS]`. Each variant runs on a thread of its own
//! against a server on another; CPU is that of the client's thread alone (schedstat), so a busy
//! machine disturbs the figures little. Variants take turns: a pair is compared within each round, and
//! the median of the rounds is shown.

#![allow(missing_docs, clippy::print_stdout)]

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use trousseau::definition::{Definition, Origin};
use trousseau::engine::transport::{Endpoint, EndpointOptions, Session, Transport};
use trousseau::target::{Inputs, Operation, TARGETS, Target, Verdict};

const CONNECTIONS: usize = 50;
const ROUNDS: usize = 7;

/// The login of a target whose page is read as its tree has it: by CSS selector, or its form whole.
const BY_TREE: &str = r#"
[target]
name = "tree"
title = "read by a tree"
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
TAKE
[[operation.login.submit]]
SUBMIT
[verdict]
otherwise = "rejected"
[[verdict.rule]]
verdict = "accepted"
status = 303
location = "/portal"
"#;

/// Name, requests per count, and how to run it.
type Variant<'a> = (&'a str, usize, Box<dyn Fn() -> (u64, Duration) + 'a>);

fn main() {
    let seconds = std::env::args().filter_map(|argument| argument.parse().ok()).next();
    let length = Duration::from_secs_f64(seconds.unwrap_or(2.0));
    let address = server();
    let (html, json) = (target("portal-html"), target("portal-json"));
    let css = by_tree(
        "take.csrf = { css = 'form[method=post] input[name=csrf]' }",
        "method = 'POST'\npath = '/login'\n\
         form = { user = '{user}', passcode = '{passcode}', csrf = '{csrf}' }",
    );
    let form = by_tree(
        "take.page = { form = 'form[method=post]' }",
        "form_from = 'page'\nform = { user = '{user}', passcode = '{passcode}' }",
    );
    let page = || Box::new(|| bare(&address, &["/login?page", "/login"], length));
    let variants: [Variant<'_>; 10] = [
        ("bare hyper: POST", 1, Box::new(|| bare(&address, &["/login"], length))),
        ("target, rules on status and Location: POST", 1, {
            Box::new(|| targeted(&address, &html, false, length))
        }),
        ("bare hyper: GET page, POST", 2, page()),
        ("portal-html login: GET, token from the form, cookie, POST, rules", 2, {
            Box::new(|| targeted(&address, &html, true, length))
        }),
        ("bare hyper: POST JSON", 1, Box::new(|| bare(&address, &["/api/v1/login"], length))),
        ("portal-json login: POST, JSON rules, session taken", 1, {
            Box::new(|| targeted(&address, &json, false, length))
        }),
        ("bare hyper: GET page, POST", 2, page()),
        ("by CSS: GET, token by selector, cookie, POST, rules", 2, {
            Box::new(|| targeted(&address, &css, true, length))
        }),
        ("bare hyper: GET page, POST", 2, page()),
        ("form_from: GET, the form whole, sent back, rules", 2, {
            Box::new(|| targeted(&address, &form, true, length))
        }),
    ];
    let mut rounds = vec![Vec::new(); variants.len()];
    for _ in 0..ROUNDS {
        for (round, (_, requests, run)) in rounds.iter_mut().zip(&variants) {
            let (count, cpu) = run();
            round.push(cpu.as_secs_f64() * 1e6 / (count as f64 * *requests as f64));
        }
    }
    println!("client CPU per request, µs (median of {ROUNDS}, {CONNECTIONS} connections):");
    for ((name, ..), round) in variants.iter().zip(&rounds) {
        println!("{:8.2}  {name}", median(round.clone()));
    }
    println!("times the CPU of bare hyper (median of {ROUNDS}):");
    for (pair, names) in rounds.chunks_exact(2).zip(variants.chunks_exact(2)) {
        let ratios = pair[1].iter().zip(&pair[0]).map(|(target, bare)| target / bare).collect();
        println!("{:8.2}  {}", median(ratios), names[1].0);
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn by_tree(take: &str, submit: &str) -> Arc<Target> {
    let text = BY_TREE.replace("TAKE", take).replace("SUBMIT", submit);
    let (name, file) = ("tree".to_owned(), "tree.toml".to_owned());
    let definition = Definition { name, file, text, origin: Origin::Embedded };
    Arc::new(Target::load(&definition).unwrap())
}

fn target(name: &str) -> Arc<Target> {
    Arc::new(Target::load(&TARGETS.find(name).unwrap()).unwrap())
}

/// Logins in a closed loop through a target; how many, and the CPU they took.
fn targeted(address: &str, target: &Arc<Target>, open: bool, length: Duration) -> (u64, Duration) {
    let url = format!("http://{address}");
    let endpoint = Arc::new(Endpoint::resolve(&url, EndpointOptions::default()).unwrap());
    let transport = Rc::new(Transport::new(target.clone(), endpoint, CONNECTIONS));
    measured(length, |until, counted| {
        let transport = transport.clone();
        async move {
            let mut session = Session::default();
            // One page, for the token; where pages are not measured, the only one.
            transport.open(&mut session, Operation::Login).await;
            while Instant::now() < until {
                if open {
                    let opened = transport.open(&mut session, Operation::Login).await;
                    assert_eq!(opened.verdict, Verdict::Accepted);
                }
                let inputs = Inputs { user: "u00001", passcode: "ab12159753", ..Inputs::default() };
                let done = transport.submit(&mut session, Operation::Login, &inputs).await;
                assert_eq!(done.verdict, Verdict::Accepted);
                counted.set(counted.get() + 1);
            }
        }
    })
}

/// The same requests with nothing but hyper: one connection per task, its driver beside it.
fn bare(address: &str, paths: &'static [&'static str], length: Duration) -> (u64, Duration) {
    measured(length, |until, counted| {
        let address = address.to_owned();
        async move {
            let tcp = TcpStream::connect(&address).await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.unwrap();
            let driver = tokio::task::spawn_local(connection);
            while Instant::now() < until {
                for path in paths {
                    let post = *path != "/login?page";
                    let body = if post { Bytes::from_static(FORM) } else { Bytes::new() };
                    // The same bytes as a target sends.
                    let mut request = Request::builder()
                        .method(if post { Method::POST } else { Method::GET })
                        .uri(*path)
                        .header(HOST, &address)
                        .header(USER_AGENT, concat!("trousseau/", env!("CARGO_PKG_VERSION")))
                        .header(ACCEPT, "*/*")
                        .header(ACCEPT_ENCODING, "identity");
                    if post {
                        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                    }
                    if !path.starts_with("/api") {
                        request = request.header(COOKIE, "sid=0123456789abcdef");
                    }
                    let request = request.body(Full::new(body)).unwrap();
                    sender.ready().await.unwrap();
                    let answer = sender.send_request(request).await.unwrap();
                    answer.into_body().collect().await.unwrap().to_bytes();
                }
                counted.set(counted.get() + 1);
            }
            driver.abort();
        }
    })
}

const FORM: &[u8] = b"csrf=0123456789abcdef0123456789abcdef&passcode=ab12159753&user=u00001";

/// Runs one task per connection on this thread; how much was counted, and this thread's CPU.
fn measured<F: Future<Output = ()> + 'static>(
    length: Duration,
    task: impl Fn(Instant, Rc<Cell<u64>>) -> F,
) -> (u64, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let counted = Rc::new(Cell::new(0));
    let before = cpu();
    let until = Instant::now() + length;
    LocalSet::new().block_on(&runtime, async {
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|_| tokio::task::spawn_local(task(until, counted.clone())))
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    (counted.get(), cpu() - before)
}

/// CPU time of this thread, as the scheduler counts it.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// A server on a thread of its own that says yes to everything, in the portal's words.
fn server() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(serve(tcp));
            }
        });
    });
    address
}

async fn serve(mut tcp: TcpStream) {
    tcp.set_nodelay(true).unwrap();
    let filler = "<p>Attendez que le code de votre cle change.</p>\n".repeat(40);
    let page = |turn: u64| {
        let page = format!(
            "<!doctype html><html><body><form method=\"post\"><input type=\"hidden\" name=\"csrf\" \
             value=\"{turn:032x}\"><input name=\"user\"><input name=\"passcode\"></form>{filler}"
        );
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nSet-Cookie: sid=0123456789abcdef; Path=/; \
             HttpOnly\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        )
    };
    let seen = "HTTP/1.1 303 See Other\r\nLocation: /portal\r\nContent-Length: 0\r\n\r\n";
    let json = r#"{"result":"accepted","session":"0123456789abcdef0123456789abcdef"}"#;
    let json = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    );
    // Requests here are never split: each is far smaller than a loopback segment.
    let mut request = vec![0; 8192];
    let mut turn = 0;
    while let Ok(read @ 1..) = tcp.read(&mut request).await {
        let answer = match &request[..read] {
            request if request.starts_with(b"GET") => {
                // As servers do, a token of its own for each page.
                turn += 1;
                page(turn).into()
            }
            request if request.starts_with(b"POST /api") => Cow::Borrowed(json.as_str()),
            _ => seen.into(),
        };
        if tcp.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
