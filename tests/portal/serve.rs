//! `trousseau serve` as its user meets it: messages, exit codes, signals, kill -9.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use trousseau::clock::system_micros;
use trousseau::otp::time_step;

use super::client::{json, json_request, token, user};

const USERS: usize = 200;

struct Folder(tempfile::TempDir);

impl Folder {
    /// A batch in clear and its roster.
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        let package = |n: usize| {
            let (token, base64) = (token(n), &data_encoding::BASE64);
            format!(
                "<KeyPackage><DeviceInfo><Manufacturer>oath.TEST</Manufacturer><SerialNo>{0}\
                 </SerialNo></DeviceInfo><Key Id=\"{0}\" \
                 Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\"><AlgorithmParameters>\
                 <ResponseFormat Encoding=\"DECIMAL\" Length=\"6\"/></AlgorithmParameters><Data>\
                 <Secret><PlainValue>{1}</PlainValue></Secret><Time><PlainValue>0</PlainValue>\
                 </Time><TimeInterval><PlainValue>60</PlainValue></TimeInterval></Data></Key>\
                 </KeyPackage>",
                token.serial,
                base64.encode(token.secret.expose())
            )
        };
        let packages: String = (0..USERS).map(package).collect();
        let batch = format!(
            "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\">\
             {packages}</KeyContainer>"
        );
        let rows: String =
            (0..USERS).map(|n| format!("{},{}\n", user(n), token(n).serial)).collect();
        std::fs::write(folder.path("batch.xml"), batch).unwrap();
        std::fs::write(folder.path("users.csv"), format!("user,serial\n{rows}")).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn serve(&self, roster: &str, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trousseau"));
        command.arg("serve").arg("--keys").arg(self.path("batch.xml"));
        command.arg("--roster").arg(self.path(roster)).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    addr: SocketAddr,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let addr = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line}"));
        let addr = addr.split('/').next().unwrap().parse().unwrap();
        Self { child, stderr, addr }
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").arg(name).arg(self.child.id().to_string()).status();
        assert!(kill.unwrap().success());
    }

    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

fn code(n: usize) -> String {
    token(n).generator().code(time_step(system_micros(), 60)).to_string()
}

fn login(addr: SocketAddr, n: usize, code: &str) -> u16 {
    json(addr, "login", &[("user", &user(n)), ("passcode", code)]).status
}

fn fails(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn serves_until_a_signal_and_says_what_it_did() {
    let folder = Folder::new();
    for (signal, options) in [("-INT", ["--clock-rate", "1"]), ("-TERM", ["--lock-seconds", "60"])]
    {
        let options = [&["--listen", "127.0.0.1:0"][..], &options].concat();
        let server = Server::start(&mut folder.serve("users.csv", &options));
        let code = code(3);
        assert_eq!([login(server.addr, 3, &code), login(server.addr, 3, &code)], [200, 401]);
        server.signal(signal);
        let (exit, words) = server.end();
        assert_eq!(exit, Some(0), "{words}");
        assert!(words.contains("1 first codes, 0 PINs chosen, 1 refused"), "{words}");
        assert!(words.contains("store: none"), "{words}");
        assert!(!words.contains(&code), "{words}");
    }
}

#[test]
fn a_faster_clock_is_announced_exactly() {
    let folder = Folder::new();
    let options = ["--listen", "127.0.0.1:0", "--clock-rate", "60", "--defect", "replay-none"];
    let server = Server::start(&mut folder.serve("users.csv", &options));
    server.signal("-TERM");
    let (_, words) = server.end();
    let origin = words.split("--clock-rate 60 --clock-origin ").nth(1).expect(&words);
    let origin: u64 = origin.split_whitespace().next().unwrap().parse().unwrap();
    assert!(origin.abs_diff(system_micros() / 1_000_000) < 600, "{origin}");
    assert!(words.contains("the fault replay-none is planted"), "{words}");
}

#[test]
fn kill_9_takes_back_no_answer() {
    let folder = Folder::new();
    let store = folder.path("portal.db").display().to_string();
    let options = ["--listen", "127.0.0.1:0", "--store", &store];
    let mut server = Server::start(&mut folder.serve("users.csv", &options));
    let codes: Vec<_> = (0..USERS).map(code).collect();

    // Eight people at a time; killed in the middle, when sixty have been let in.
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let next = AtomicUsize::new(0);
    let addr = server.addr;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= USERS - 1 || !tried(addr, n, &codes[n], &accepted) {
                        break;
                    }
                }
            });
        }
        while accepted.lock().unwrap().len() < 60 {
            std::thread::yield_now();
        }
        server.child.kill().unwrap();
    });
    let accepted = accepted.lock().unwrap().clone();
    assert!(accepted.len() >= 60);
    server.child.wait().unwrap();

    let server = Server::start(&mut folder.serve("users.csv", &options));
    for n in &accepted {
        assert_eq!(login(server.addr, *n, &codes[*n]), 401, "user {n} was let in twice");
    }
    let untouched = USERS - 1;
    assert_eq!(login(server.addr, untouched, &code(untouched)), 200, "and it still lets in");
    server.signal("-TERM");
    assert_eq!(server.end().0, Some(0));
}

/// Whether an answer came at all; a 200 is noted.
fn tried(addr: SocketAddr, n: usize, code: &str, accepted: &Mutex<Vec<usize>>) -> bool {
    use std::io::Write;
    let body = serde_json::json!({ "user": user(n), "passcode": code }).to_string();
    let Ok(mut stream) = std::net::TcpStream::connect(addr) else { return false };
    let mut answer = Vec::new();
    if stream.write_all(&json_request("login", &body)).is_err()
        || stream.read_to_end(&mut answer).is_err()
    {
        return false;
    }
    if answer.starts_with(b"HTTP/1.1 200") {
        accepted.lock().unwrap().push(n);
    }
    !answer.is_empty()
}

#[test]
fn a_roster_with_unknown_keys_is_refused_with_every_place() {
    let folder = Folder::new();
    std::fs::write(
        folder.path("bad.csv"),
        "user,serial\nu00000,TEST00000000\nalice,NONE0001\nbob,NONE0002\n",
    )
    .unwrap();
    let store = folder.path("portal.db").display().to_string();
    let (exit, words) = fails(&mut folder.serve("bad.csv", &["--store", &store]));
    assert_eq!(exit, Some(2), "{words}");
    for part in ["bad.csv:3: user alice holds key NONE0001", "bad.csv:4: ", "batch.xml", "help: "] {
        assert!(words.contains(part), "{part} in {words}");
    }
    assert!(!Path::new(&store).exists(), "nothing was made");

    let (exit, words) = fails(&mut folder.serve("none.csv", &[]));
    assert_eq!(exit, Some(5), "{words}");
    assert!(words.contains("none.csv"), "{words}");
}

#[test]
fn a_taken_address_leaves_the_store_alone() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let store = folder.path("portal.db").display().to_string();
    let options = ["--listen", &addr, "--store", &store];
    let (exit, words) = fails(&mut folder.serve("users.csv", &options));
    assert_eq!(exit, Some(5), "{words}");
    assert!(words.contains(&format!("cannot listen on {addr}")), "{words}");
    assert!(words.contains("choose another port with --listen"), "{words}");
    assert!(!Path::new(&store).exists(), "nothing was made");
}

#[test]
fn a_roster_that_hands_keys_on_is_taken_only_when_that_is_said() {
    let folder = Folder::new();
    let store = folder.path("portal.db").display().to_string();
    let options = ["--listen", "localhost:0", "--store", &store];
    let server = Server::start(&mut folder.serve("users.csv", &options));
    assert!(server.addr.ip().is_loopback());
    let addr = server.addr;
    let first = json(addr, "login", &[("user", &user(0)), ("passcode", &code(0))]);
    let fields = [("transaction", &*first.field("transaction")), ("pin", "ab12"), ("pin2", "ab12")];
    let chosen = json(addr, "new-pin", &fields);
    // The next step's code is within the window.
    let next = token(0).generator().code(time_step(system_micros(), 60) + 1);
    let passcode = format!("ab12{next}");
    let fields = [("transaction", &*chosen.field("transaction")), ("passcode", &*passcode)];
    assert_eq!(json(addr, "confirm", &fields).status, 200);
    server.signal("-TERM");
    assert_eq!(server.end().0, Some(0));

    let roster = format!("user,serial\nzoe,{}\nyann,{}\n", token(0).serial, token(1).serial);
    std::fs::write(folder.path("others.csv"), roster).unwrap();
    let (exit, words) = fails(&mut folder.serve("others.csv", &options));
    assert_eq!(exit, Some(2), "{words}");
    let told = "hands 1 initialised key to other people";
    assert!(words.contains(told) && words.contains("is to be zoe's"), "{words}");
    assert!(words.contains("help: ") && words.contains("--reassign"), "{words}");
    assert!(!words.contains("ab12"), "{words}");

    let options = [&options[..], &["--reassign"]].concat();
    let server = Server::start(&mut folder.serve("others.csv", &options));
    server.signal("-TERM");
    let (exit, words) = server.end();
    assert_eq!(exit, Some(0), "{words}");
    assert!(words.contains("2 keys go to other people"), "{words}");
    assert!(words.contains("1 PIN is forgotten, used codes stay used"), "{words}");

    // Without a store there is nobody to take them from.
    let (exit, words) = fails(&mut folder.serve("users.csv", &["--reassign"]));
    assert_eq!(exit, Some(2), "{words}");
    assert!(words.contains("--store"), "{words}");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let folder = Folder::new();
    for (options, part) in [
        (["--defect", "replay"], "replay-none"),
        (["--clock-rate", "0"], "from 0.001 to 10000"),
        (["--clock-rate", "NaN"], "from 0.001 to 10000"),
        (["--listen", "localhost"], "such as 127.0.0.1:8080 or localhost:8080"),
        (["--listen", "no-such-name.invalid:80"], "this name cannot be looked up"),
        (["--clock-origin", "yesterday"], "2026-09-01T08:00:00Z"),
    ] {
        let (exit, words) = fails(&mut folder.serve("users.csv", &options));
        assert_eq!(exit, Some(2), "{words}");
        assert!(words.contains(part), "{part} in {words}");
    }
}

/// Seeds are in the memory of a server: it must never become a file.
#[test]
fn a_crash_leaves_no_core() {
    use std::os::unix::process::ExitStatusExt;
    let folder = Folder::new();
    let mut server = Server::start(&mut folder.serve("users.csv", &["--listen", "127.0.0.1:0"]));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
    server.signal("-ABRT");
    let status = server.child.wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status}");
    assert!(!status.core_dumped());
}
