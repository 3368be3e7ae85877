//! One HTTP/1.1 connection. Its protocol driver is polled inside the exchange that uses it, so a
//! request costs no second task and no channel wake-up; an idle connection is polled by nobody,
//! and looked at once before it is used again.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::endpoint::Endpoint;
use super::{Stage, TlsFault};
use crate::recorder::Fault;

/// Longest answer that is read.
pub(super) const BODY_CAP: usize = 1024 * 1024;

/// Of an answer that is not read to its end, the bytes that are shown to somebody who looks for the
/// reason, at most.
const BEGINNING: usize = 4096;

/// Why an exchange had no usable answer.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    pub(super) fault: Fault,
    pub(super) message: String,
    /// Whether something was sent, so that the server may have acted.
    pub(super) reached: bool,
    /// What was wrong with TLS, when that was it.
    pub(super) tls: Option<Box<TlsFault>>,
    /// Status of an answer of which only this beginning was read.
    pub(super) beginning: Option<(u16, Bytes)>,
}

impl Broken {
    /// The same, of a request that could not even be made.
    pub(super) fn unsent(mut self) -> Self {
        self.reached = false;
        self
    }

    pub(super) fn new(fault: Fault, message: impl Into<String>) -> Self {
        let reached = !matches!(fault, Fault::Connect | Fault::Tls | Fault::Generator);
        Self { fault, message: message.into(), reached, tls: None, beginning: None }
    }

    fn of_tls(fault: Fault, what: &str, tls: TlsFault) -> Self {
        Self { tls: Some(Box::new(tls.clone())), ..Self::new(fault, format!("{what}: {tls}")) }
    }
}

/// A connection with no request under way.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// What becomes of a request.
pub(super) enum Sent {
    /// Head of the answer.
    Answered(Response<Incoming>),
    /// No byte of it left this program: it may be sent again elsewhere.
    Unsent(Request<Full<Bytes>>),
    /// It left, and no answer came.
    Broken(Broken),
}

impl Connection {
    /// Connects, over TLS when the endpoint says so; `stage` follows how far it is.
    pub(super) async fn open(endpoint: &Endpoint, stage: &Stage) -> Result<Box<Self>, Broken> {
        stage.connecting();
        let tcp = connect(endpoint).await?;
        let io = match &endpoint.tls {
            None => Io::Plain(tcp),
            Some(tls) => {
                stage.securing();
                let shaken = tls.connect(tcp).await;
                let shaken = shaken.map_err(|tls| Broken::of_tls(Fault::Tls, "TLS failed", tls))?;
                Io::Tls(Box::new(shaken))
            }
        };
        let (sender, driver) = http1::handshake(TokioIo::new(io))
            .await
            .map_err(|error| Broken::new(Fault::Connect, error.to_string()))?;
        Ok(Box::new(Self { sender, driver: Driver { connection: driver, over: false } }))
    }

    /// Whether the connection, idle until now, can take a request. Sees a close that has arrived.
    pub(super) async fn is_usable(&mut self) -> bool {
        poll_fn(|cx| {
            self.driver.poll(cx);
            Poll::Ready(())
        })
        .await;
        !self.driver.over && self.sender.is_ready()
    }

    /// Sends one request and waits for the head of its answer.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Sent {
        let Self { sender, driver } = self;
        let mut answer = pin!(sender.try_send_request(request));
        let result = poll_fn(|cx| {
            driver.poll(cx);
            answer.as_mut().poll(cx)
        })
        .await;
        match result {
            Ok(answer) => Sent::Answered(answer),
            Err(mut error) => match error.take_message() {
                Some(request) => Sent::Unsent(request),
                None => Sent::Broken(broken(&error.into_error())),
            },
        }
    }

    /// Reads the body of an answer, up to [`BODY_CAP`]; what is wrong comes with its beginning.
    pub(super) async fn body(&mut self, status: u16, mut body: Incoming) -> Result<Bytes, Broken> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        // Nearly always one frame: kept as it is, copied only when a second one comes.
        let mut first = Bytes::new();
        let mut rest: Vec<u8> = Vec::new();
        let broken_off = |mut broken: Broken, first: &Bytes, rest: &[u8]| {
            let read = first.iter().chain(rest).take(BEGINNING).copied().collect();
            broken.beginning = Some((status, read));
            Err(broken)
        };
        loop {
            let frame = poll_fn(|cx| {
                // The driver reads on only when the body has been asked for, and the body has
                // something only when the driver has read: hence twice.
                if let Poll::Ready(frame) = Pin::new(&mut body).poll_frame(cx) {
                    return Poll::Ready(frame);
                }
                self.driver.poll(cx);
                Pin::new(&mut body).poll_frame(cx)
            })
            .await;
            match frame {
                None => break,
                Some(Err(error)) => return broken_off(broken(&error), &first, &rest),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if first.len() + rest.len() + data.len() > BODY_CAP {
                        let message =
                            "the answer is longer than 1 MiB: it is no login page; reading stopped";
                        let first = if first.is_empty() { &data } else { &first };
                        return broken_off(Broken::new(Fault::Answer, message), first, &rest);
                    }
                    if first.is_empty() {
                        first = data;
                    } else {
                        rest.extend_from_slice(&data);
                    }
                }
            }
        }
        if rest.is_empty() {
            return Ok(first);
        }
        rest.splice(0..0, first.iter().copied());
        Ok(rest.into())
    }
}

/// Connects to the first pinned address that takes it.
pub(super) async fn connect(endpoint: &Endpoint) -> Result<TcpStream, Broken> {
    let mut last = Broken::new(Fault::Connect, "no address");
    for (index, address) in endpoint.addresses() {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                endpoint.answered(index);
                // Requests are written whole; waiting for more would only add latency.
                let _ = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => {
                let fault = if is_ours(&error) { Fault::Generator } else { Fault::Connect };
                last = Broken::new(fault, format!("cannot connect: {error}"));
                if fault == Fault::Generator {
                    break;
                }
            }
        }
    }
    Err(last)
}

/// Whether this machine, not the server, is short of something.
fn is_ours(error: &io::Error) -> bool {
    use rustix::io::Errno;
    Errno::from_io_error(error).is_some_and(|errno| {
        [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM]
            .contains(&errno)
    })
}

fn broken(error: &hyper::Error) -> Broken {
    if error.is_parse() {
        let message = if error.is_parse_too_large() {
            "the head of the answer is too long".to_owned()
        } else {
            format!("the answer is no HTTP: {error}")
        };
        return Broken::new(Fault::Answer, message);
    }
    // In TLS 1.3 a server refuses our certificate, or the want of one, when we are done already.
    if let Some(tls) = TlsFault::of(error, &[]) {
        return Broken::of_tls(
            Fault::Reset,
            "the connection broke before the answer was whole",
            tls,
        );
    }
    let cause =
        std::error::Error::source(error).map_or(String::new(), |cause| format!(": {cause}"));
    Broken::new(
        Fault::Reset,
        format!("the connection broke before the answer was whole: {error}{cause}"),
    )
}

/// Polls the protocol until it is over, and never again.
struct Driver {
    connection: http1::Connection<TokioIo<Io>, Full<Bytes>>,
    over: bool,
}

impl Driver {
    /// Errors reach the request and the body by themselves.
    fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.over {
            self.over = Pin::new(&mut self.connection).poll(cx).is_ready();
        }
    }
}

/// Plain or over TLS.
enum Io {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            Self::Tls(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            Self::Tls(io) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(io) => io.is_write_vectored(),
            Self::Tls(io) => io.is_write_vectored(),
        }
    }
}
