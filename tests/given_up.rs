//! A server that gives up kept connections by 408 although it had the request: what it says is
//! believed, as RFC 9110 §15.5.9 allows, and the request sent again; but counted, and never held
//! against the server, which had spent the code.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Server, describe, ok, run, text};

const GIVEN_UP: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Head and body of a message; `None` at the end of the connection.
fn message(from: &mut impl BufRead) -> Option<Vec<u8>> {
    let (mut whole, mut length) = (Vec::new(), 0);
    loop {
        let at = whole.len();
        if from.read_until(b'\n', &mut whole).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&whole[at..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let at = whole.len();
    whole.resize(at + length, 0);
    from.read_exact(&mut whole[at..]).ok()?;
    Some(whole)
}

/// Passes one connection on to `server`; every fifth POST that is not the first request of its
/// connection is passed on too, but answered by 408.
fn pass_on(client: TcpStream, server: &str, swallowed: &AtomicU64) -> Option<()> {
    let mut client = BufReader::new(client);
    let mut server = BufReader::new(TcpStream::connect(server).ok()?);
    for number in 0.. {
        let request = message(&mut client)?;
        server.get_mut().write_all(&request).ok()?;
        let answer = message(&mut server)?;
        if number > 0 && number % 5 == 0 && request.starts_with(b"POST") {
            swallowed.fetch_add(1, Ordering::Relaxed);
            client.get_mut().write_all(GIVEN_UP).ok()?;
            return None;
        }
        client.get_mut().write_all(&answer).ok()?;
    }
    None
}

#[test]
fn what_was_sent_twice_is_counted_and_accuses_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    ok(
        path,
        "mint --count 40 --serial-prefix T --serial-width 4 \
         --new-transport-key transport.key --out batch.pskcxml",
    );
    let rows: String = (1..=40).map(|n| format!("user{n},T{n:04}\n")).collect();
    std::fs::write(path.join("users.csv"), format!("user,serial\n{rows}")).unwrap();
    let server = Server::start(path, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let swallowed = Arc::new(AtomicU64::new(0));
    let (behind, count) = (server.url.trim_start_matches("http://").to_owned(), swallowed.clone());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (behind, count) = (behind.clone(), count.clone());
            std::thread::spawn(move || pass_on(client, &behind, &count));
        }
    });

    let output = run(
        path,
        &format!(
            "simulate --scenario rentree --target portal-json --url {url} --keys batch.pskcxml \
             --transport-key-file transport.key --roster users.csv --out run --timeout 5 \
             --set thresholds.lateness_p99=10s --set arrivals.curve.1.at=1m \
             --set arrivals.curve.2.at=2m --set arrivals.curve.3.at=3m \
             --set arrivals.curve.4.at=4m --set logins.gap.lognormal.median=1m \
             --set logins.gap.lognormal.max=3m --set people.impatient=0.5 \
             --set people.double_click=0.2 {}",
            server.clock().join(" ")
        ),
    );
    let told = describe(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let read = |name: &str| std::fs::read_to_string(path.join("run").join(name)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    let swallowed = swallowed.load(Ordering::Relaxed);
    assert!(swallowed >= 10, "{swallowed}: {told}");
    assert_eq!(report["runs"][0]["generator"]["resent"], swallowed, "{report}");
    assert_eq!(report["attempts"]["contradictions"], 0, "{told}");
    // Refused the second time, since the first had spent the code: told, and no evidence.
    let unknown = |verdict: &str| {
        let table = report["table"].as_array().unwrap();
        table.iter().any(|row| {
            row["expected"] == "unknown"
                && row["reason"] == "lost-answer"
                && row["verdict"] == verdict
        })
    };
    assert!(unknown("rejected"), "{told}");
    let warning = format!("The run sent {swallowed} requests again: ");
    assert!(text(&output.stdout).contains(&warning), "{told}");
    assert!(read("report.html").contains(&warning), "{told}");
}
