//! `trousseau simulate`, as its user meets it: against a running `trousseau serve`, and in every
//! way it can go wrong.

mod common;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{PROGRAM, Server, describe, text};

/// A batch of 60 keys with its transport key and roster, in a folder of its own.
struct Batch {
    folder: tempfile::TempDir,
}

impl Batch {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let minted = Command::new(PROGRAM)
            .current_dir(folder.path())
            .args(["mint", "--count", "60", "--serial-prefix", "T", "--serial-width", "4"])
            .args(["--new-transport-key", "transport.key", "--out", "batch.pskcxml"])
            .output()
            .unwrap();
        assert!(minted.status.success(), "{}", text(&minted.stderr));
        let rows = (1..=60).map(|n| format!("user{n},T{n:04}\n")).collect::<String>();
        std::fs::write(folder.path().join("users.csv"), format!("user,serial\n{rows}")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// `simulate` with what every run here needs; a small morning: all come within four minutes.
    fn simulate(&self, url: &str, more: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(self.path())
            .args(["simulate", "--scenario", "rentree", "--target", "portal-json", "--url", url])
            .args(["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
            .args(["--roster", "users.csv", "--timeout", "5"])
            .args(["--set", "thresholds.lateness_p99=10s"])
            .args(["--set", "arrivals.curve.1.at=1m", "--set", "arrivals.curve.2.at=2m"])
            .args(["--set", "arrivals.curve.3.at=3m", "--set", "arrivals.curve.4.at=4m"])
            .args(["--set", "logins.gap.lognormal.median=1m", "--set", "people.impatient=0.5"])
            .args(["--set", "logins.gap.lognormal.max=3m", "--set", "people.double_click=0.1"])
            .args(more);
        command
    }
}

fn report(batch: &Batch, run: &str) -> serde_json::Value {
    let file = batch.path().join(run).join("report.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

#[test]
fn a_correct_server_is_not_contradicted() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    // The second run takes other people: the keys of the first are initialised by then.
    for (target, run, people) in
        [("portal-json", "run-json", 1..=30), ("portal-html", "run-html", 31..=60)]
    {
        let rows = people.map(|n| format!("user{n},T{n:04}\n")).collect::<String>();
        std::fs::write(batch.path().join("users.csv"), format!("user,serial\n{rows}")).unwrap();
        let command = batch.simulate(&server.url, &server.clock());
        let output = replace(&command, &["--out", run, "--target", target]).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(0), "{target}: {}", describe(&output));
        let report = report(&batch, run);
        assert_eq!(report["outcome"], "ok", "{report}");
        assert!(text(&output.stdout).contains("replays"), "{}", describe(&output));
        let attempts =
            std::fs::read_to_string(batch.path().join(run).join("attempts.csv")).unwrap();
        for (word, least) in [(",login,", 30), (",confirm,", 30), ("impatient", 5), ("double", 2)] {
            let found = attempts.lines().filter(|line| line.contains(word)).count();
            assert!(found >= least, "{target}: {found} lines with {word}");
        }
    }
}

#[test]
fn a_second_rehearsal_goes_straight_to_the_logins_with_the_pins_of_the_first() {
    use std::os::unix::fs::PermissionsExt;
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    let run = |more: &[&str]| {
        let command = batch.simulate(&server.url, &server.clock());
        replace(&command, more).output().unwrap()
    };
    let attempts =
        |run: &str| std::fs::read_to_string(batch.path().join(run).join("attempts.csv")).unwrap();
    let first = run(&["--out", "monday", "--save-pins", "pins.csv"]);
    assert_eq!(first.status.code(), Some(0), "{}", describe(&first));
    assert!(
        text(&first.stderr).contains("pins.csv: the PINs of 60 people"),
        "{}",
        describe(&first)
    );
    let pins = std::fs::read_to_string(batch.path().join("pins.csv")).unwrap();
    let mode = batch.path().join("pins.csv").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(pins.starts_with("user,serial,pin\nuser1,T0001,"), "{pins}");

    let second = run(&["--out", "tuesday", "--roster", "pins.csv", "--save-pins", "again.csv"]);
    assert_eq!(second.status.code(), Some(0), "{}", describe(&second));
    let report = report(&batch, "tuesday");
    assert_eq!(report["outcome"], "ok", "{report}");
    assert_eq!(report["people"]["logged_in"], 60, "{report}");
    assert_eq!(std::fs::read_to_string(batch.path().join("again.csv")).unwrap(), pins);
    let second_record = attempts("tuesday");
    assert!(!second_record.contains(",first-code,") && !second_record.contains(",new-pin,"));

    // Without the PINs, nothing is proven, and the server is not accused.
    let third = run(&["--out", "wednesday"]);
    assert_eq!(third.status.code(), Some(1), "{}", describe(&third));
    let words = text(&third.stderr);
    for part in ["given up early", "initialised these keys already", "--save-pins"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    let report = self::report(&batch, "wednesday");
    assert_eq!(
        (&report["outcome"], report["attempts"]["contradictions"].as_u64()),
        (&"threshold-missed".into(), Some(0)),
        "{report}"
    );
    // A double click by one of them proves nothing for another reason.
    let reasons = report["undetermined"].as_array().unwrap();
    let strangers = reasons.iter().find(|reason| reason["name"] == "strangers").unwrap();
    assert!(strangers["count"].as_u64().unwrap() >= 20, "{report}");

    // The PINs are in that file and nowhere else.
    let pins: Vec<_> = pins.lines().skip(1).map(|line| line.rsplit(',').next().unwrap()).collect();
    let mut told = describe(&first) + &describe(&second);
    for name in ["attempts.csv", "run.json", "report.json", "report.txt", "report.html"] {
        told += &std::fs::read_to_string(batch.path().join("monday").join(name)).unwrap();
    }
    let words: std::collections::HashSet<&str> =
        told.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    // One of digits alone may be any number.
    let telling = |pin: &&&str| pin.bytes().any(|byte| byte.is_ascii_alphabetic());
    assert!(pins.iter().filter(telling).count() > 30);
    for pin in pins.iter().filter(telling) {
        assert!(!words.contains(pin), "the PIN {pin} is told");
    }

    // Refused before anybody comes.
    let taken = run(&["--out", "thursday", "--save-pins", "pins.csv"]);
    assert_eq!(taken.status.code(), Some(2), "{}", describe(&taken));
    assert!(text(&taken.stderr).contains("pins.csv exists already"), "{}", describe(&taken));
    assert!(!batch.path().join("thursday").exists());
}

#[test]
fn keys_that_drifted_over_the_summer_get_in_by_their_next_code() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    for (target, run, people) in
        [("portal-json", "run-json", 1..=30), ("portal-html", "run-html", 31..=60)]
    {
        let rows = people.map(|n| format!("user{n},T{n:04}\n")).collect::<String>();
        std::fs::write(batch.path().join("users.csv"), format!("user,serial\n{rows}")).unwrap();
        let output = Command::new(PROGRAM)
            .current_dir(batch.path())
            .args(["simulate", "--scenario", "summer", "--target", target, "--url", &server.url])
            .args(["--keys", "batch.pskcxml", "--transport-key-file", "transport.key"])
            .args(["--roster", "users.csv", "--timeout", "5", "--out", run])
            .args(["--set", "thresholds.lateness_p99=10s", "--set", "arrivals.curve.1.at=1m"])
            .args(["--set", "arrivals.curve.2.at=2m", "--set", "logins.gap.lognormal.median=1m"])
            .args(["--set", "logins.gap.lognormal.max=2m"])
            .args(server.clock())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{target}: {}", describe(&output));
        let report = report(&batch, run);
        let figure = |pointer: &str| report.pointer(pointer).and_then(|v| v.as_u64()).unwrap();
        assert!(figure("/people/resynchronised") >= 8, "{target}: {}", describe(&output));
        assert!(figure("/people/initialised") >= 27, "{target}: {}", describe(&output));
        assert!(figure("/replays/sent") > 0, "{target}: {}", describe(&output));
        assert!(text(&output.stdout).contains("resynchronised by the next code"));
        let html = std::fs::read_to_string(batch.path().join(run).join("report.html")).unwrap();
        assert!(html.contains("Keys resynchronised"));
    }
}

#[test]
fn a_server_that_forgets_used_codes_is_found_out() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &["--defect", "replay-none"]);
    let output = batch.simulate(&server.url, &server.clock()).args(["--out", "run"]).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", describe(&output));
    assert!(text(&output.stdout).contains("replayed-code"), "{}", describe(&output));
    assert_eq!(report(&batch, "run")["outcome"], "contradiction");
}

#[test]
fn an_interruption_leaves_a_complete_report() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let run = format!("run-{signal}");
        let mut child = batch
            .simulate(&server.url, &server.clock())
            .args(["--out", &run])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // In the middle: some attempts are in the record.
        let record = batch.path().join(&run).join("attempts.csv");
        let began = Instant::now();
        while std::fs::read_to_string(&record).map_or(0, |text| text.lines().count()) < 10 {
            assert!(began.elapsed() < Duration::from_secs(60), "no attempt was recorded");
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            std::thread::sleep(Duration::from_millis(20));
        }
        let killed = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", describe(&output));
        assert!(text(&output.stdout).to_lowercase().contains("interrupt"), "{}", describe(&output));
        let report = report(&batch, &run);
        let lines = std::fs::read_to_string(&record).unwrap().lines().count() - 1;
        assert_eq!(report["attempts"]["total"], lines, "{report}");
        let head = std::fs::read_to_string(batch.path().join(&run).join("run.json")).unwrap();
        assert!(head.contains("\"finished\": \"20"), "{head}");
    }
}

#[test]
fn a_server_that_says_nothing_does_not_hold_up_ctrl_c() {
    let batch = Batch::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let command = batch.simulate(&url, &["--out", "run"]);
        let mut command = replace(&command, &["--timeout", "600"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It has asked its first question, and waits.
        let (silent, _) = listener.accept().unwrap();
        let killed = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        drop(silent);
        assert_eq!(output.status.code(), Some(code), "{}", describe(&output));
        let words = text(&output.stderr);
        assert!(words.contains("stopped while waiting for the server's first answer"), "{words}");
        assert!(words.contains(" help: ") && words.contains("trousseau doctor"), "{words}");
        assert!(output.stdout.is_empty() && !batch.path().join("run").exists());
    }
}

#[test]
fn a_refused_connection_is_named_and_nothing_is_left() {
    let batch = Batch::new();
    // Bound and dropped: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let output = batch.simulate(&url, &["--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", describe(&output));
    let words = text(&output.stderr);
    assert!(words.contains(&format!("127.0.0.1:{port}")), "{words}");
    assert!(words.contains("refused") && words.contains(" help: "), "{words}");
    assert!(output.stdout.is_empty() && !batch.path().join("run").exists());
}

#[test]
fn a_clock_that_does_not_agree_is_refused() {
    let batch = Batch::new();
    let server = Server::start(batch.path(), &[]);
    let output = batch.simulate(&server.url, &["--out", "run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", describe(&output));
    assert!(text(&output.stderr).contains("--clock-rate 120"), "{}", describe(&output));
    assert!(!batch.path().join("run").exists());
}

#[test]
fn bad_input_is_refused_before_anything_is_sent() {
    let batch = Batch::new();
    // A server that counts who calls: nobody must.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::fs::write(batch.path().join("unknown.csv"), "user,serial\nzoe,T9999\n").unwrap();
    std::fs::create_dir(batch.path().join("full")).unwrap();
    std::fs::write(batch.path().join("full/notes"), "mine").unwrap();
    let twice = ["--roster", "unknown.csv"];
    for (more, parts) in [
        (
            &["--set", "logins.per_person.uniform.1=200"][..],
            &["an initialisation and 200 logins takes 202 codes", "12060 s", "--set"][..],
        ),
        (&["--users", "61"], &["61 users", "only 60 have a key", "--users 60"]),
        (&["--users", "0"], &["nobody to simulate"]),
        (&["--set", "people.tipo=1"], &["people.tipo", "unknown field"]),
        (&["--set", "people.typo=lots"], &["people.typo", "not a number"]),
        (&["--out", "full"], &["full is there already", "--out"]),
        (&["--scenario", "holidays"], &["no scenario \"holidays\"", "rentree"]),
        (&["--target", "mainframe"], &["no target \"mainframe\"", "portal-json"]),
        (&twice, &["unknown.csv:2", "T9999"]),
        (&["--timeout", "never"], &["--timeout"]),
    ] {
        let mut command = batch.simulate(&url, &[]);
        if !more.contains(&"--out") {
            command.args(["--out", "run"]);
        }
        // Options given twice are refused by the parser: replace instead of repeat.
        let output = replace(&command, more).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", describe(&output));
        let words = text(&output.stderr);
        for part in parts {
            assert!(words.contains(part), "{more:?}: {part:?} is not in: {words}");
        }
        assert!(output.stdout.is_empty(), "{more:?}");
        assert!(!batch.path().join("run").exists(), "{more:?}");
    }
    assert!(listener.accept().is_err(), "somebody called");
    assert_eq!(std::fs::read_dir(batch.path().join("full")).unwrap().count(), 1);
}

/// The same command with the values of single options replaced.
fn replace(command: &Command, more: &[&str]) -> Command {
    let mut args: Vec<String> =
        command.get_args().map(|arg| arg.to_string_lossy().into_owned()).collect();
    for pair in more.chunks(2) {
        match args.iter().position(|arg| arg == pair[0] && pair[0] != "--set") {
            Some(at) => args[at + 1] = pair[1].into(),
            None => args.extend(pair.iter().map(|part| (*part).into())),
        }
    }
    let mut replaced = Command::new(PROGRAM);
    replaced.current_dir(command.get_current_dir().unwrap()).args(args);
    replaced
}

#[test]
fn scenarios_are_listed_shown_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        Command::new(PROGRAM)
            .current_dir(folder.path())
            .arg("scenarios")
            .args(args)
            .output()
            .unwrap()
    };
    let list = text(&run(&["list"]).stdout);
    for name in ["probe ", "rentree ", "summer "] {
        assert!(list.lines().any(|line| line.starts_with(name)), "{list}");
    }
    let shown = run(&["show", "rentree"]);
    std::fs::write(folder.path().join("mine.toml"), &shown.stdout).unwrap();
    let good = run(&["check", "./mine.toml"]);
    assert!(text(&good.stdout).contains("mine.toml: good"), "{}", describe(&good));

    let wrong = text(&shown.stdout).replace("impatient = 0.05", "impatient = 0.05\nlazy = 1");
    std::fs::write(folder.path().join("wrong.toml"), wrong).unwrap();
    let bad = run(&["check", "wrong.toml"]);
    assert_eq!(bad.status.code(), Some(2));
    let words = text(&bad.stderr);
    assert!(words.contains("wrong.toml:") && words.contains("unknown field `lazy`"), "{words}");

    let bad = run(&["check", "rentree", "--set", "people.impatient=0.9"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(text(&bad.stderr).contains("example.impatient"), "{}", describe(&bad));
}

#[test]
fn help_has_examples() {
    let output = Command::new(PROGRAM).args(["simulate", "--help"]).output().unwrap();
    let out = text(&output.stdout);
    assert!(out.contains("Examples:") && out.contains("--scenario rentree"), "{out}");
}
