//! A server that does next to nothing, for measuring what the client costs: it speaks the JSON API
//! of the reference server, and says yes to everything without looking.
//!
//! `plain_server RATE ORIGIN [STALL EVERY]`: the clock that it shows; and, of every EVERY
//! milliseconds, the first STALL in which it answers nobody. Prints its address; ends with its
//! input.

use std::error::Error;
use std::io::ErrorKind;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::{TcpListener, TcpStream};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone, Copy)]
struct Line {
    rate: f64,
    origin: f64,
}

/// When it answers nobody.
#[derive(Clone, Copy)]
struct Stalls {
    since: Instant,
    stall: u64,
    every: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let mut number = || args.next().ok_or("usage: plain_server RATE ORIGIN [STALL EVERY]");
    let clock = Line { rate: number()?.parse()?, origin: number()?.parse()? };
    let stalls = match args.next() {
        None => None,
        Some(stall) => {
            let every = args.next().ok_or("STALL wants EVERY")?.parse::<u64>()?.max(1);
            Some(Stalls { since: Instant::now(), stall: stall.parse()?, every })
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    #[allow(clippy::print_stdout)]
    {
        println!("http://{}", listener.local_addr()?);
    }
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        #[allow(clippy::exit)]
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, clock, stalls));
    }
}

async fn serve(stream: TcpStream, clock: Line, stalls: Option<Stalls>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(2048);
    let mut chunk = [0; 2048];
    loop {
        let Some(length) = request_length(&buffer) else {
            stream.readable().await?;
            match stream.try_read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => buffer.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            continue;
        };
        if let Some(stalled) = stalls.and_then(Stalls::left) {
            tokio::time::sleep(stalled).await;
        }
        let body = answer(&buffer[..length], clock);
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.writable().await?;
        // Short enough for any socket's buffer.
        let _ = stream.try_write(head.as_bytes())?;
        buffer.drain(..length);
    }
}

impl Stalls {
    /// How long the stall that goes on will last.
    fn left(self) -> Option<Duration> {
        let into = self.since.elapsed().as_micros() as u64 % (self.every * 1000);
        (self.stall * 1000).checked_sub(into).map(Duration::from_micros)
    }
}

/// Length of the first request when it is complete.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(buffer).ok()?;
    let head = text.find("\r\n\r\n")? + 4;
    let lower = text[..head].to_ascii_lowercase();
    let body = lower.split("content-length:").nth(1).map_or(0, |rest| {
        rest.split("\r\n").next().and_then(|n| n.trim().parse().ok()).unwrap_or(0)
    });
    (buffer.len() >= head + body).then_some(head + body)
}

fn answer(request: &[u8], clock: Line) -> String {
    let text = String::from_utf8_lossy(request);
    let path = text.split(' ').nth(1).unwrap_or_default();
    if path.ends_with("/clock") {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let key = clock.origin + (now.as_secs_f64() - clock.origin) * clock.rate;
        return format!("{{\"key_time_us\":{:.0},\"rate\":{}}}", key * 1e6, clock.rate);
    }
    // A bare code of six digits is a first connection.
    let bare = text.split("\"passcode\":\"").nth(1).is_some_and(|rest| rest.find('"') == Some(6));
    if path.ends_with("/new-pin") {
        "{\"result\":\"confirm\",\"transaction\":\"00112233445566778899aabbccddeeff\"}".into()
    } else if path.ends_with("/login") && bare {
        "{\"result\":\"new-pin\",\"transaction\":\"00112233445566778899aabbccddeeff\"}".into()
    } else {
        "{\"result\":\"accepted\",\"session\":\"00112233445566778899aabbccddeeff\"}".into()
    }
}
