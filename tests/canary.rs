//! Canaries: known seeds, keys, PINs and passphrases go through every command, in the ways that
//! succeed and the ways that fail, and are then looked for, raw and in every usual spelling, in all
//! that came out: standard output, standard error, every file that has no business with them, and
//! the command line and environment of the running processes. None may be found.

#[path = "canary/cage.rs"]
mod cage;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use cage::{Cage, PINS, hex};
use data_encoding::BASE64;

/// The files that hold secrets because they are for that.
const OWN: [&str; 5] = ["k", "pass", "radius", "pins.csv", "import.csv"];
const KEY: &str = "--transport-key-file k";

/// A search that finds nothing proves nothing: these are found.
#[test]
fn the_search_finds_what_is_there() {
    let cage = Cage::new();
    for format in ["privacyidea-csv", "otpauth-uri", "pam-oath --roster pins.csv"] {
        let text = cage.free(&format!("export batch.xml {KEY} --format {format} --out -"));
        assert!(cage.found(text.as_bytes()).is_some(), "{format}");
    }
    for own in ["k", "pass", "radius", "pins.csv"] {
        assert!(cage.found(cage.read(own).as_bytes()).is_some(), "{own}");
    }
    let json = cage.free(&format!("inspect batch.xml {KEY} --json --reveal-secrets"));
    assert!(cage.found(json.as_bytes()).is_some());
    cage.clean("nothing", b"T1, T2 and 123456");
}

#[test]
fn batches_and_their_keys() {
    let cage = Cage::new();
    for (code, line) in [
        (0, "inspect batch.xml --transport-key-file k"),
        (0, "inspect batch.xml --transport-key-file k --json"),
        (0, "inspect words.xml --passphrase-file pass --json"),
        (0, "inspect batch.xml"),
        (0, "code batch.xml --transport-key-file k --serial T1"),
        (0, "code words.xml --passphrase-file pass --serial P1 --at 2026-09-01T08:00:00Z"),
        (2, "code batch.xml --transport-key-file k --serial T9"),
        (2, "inspect batch.xml --passphrase-file pass"),
        (2, "inspect batch.xml --passphrase-file k"),
        (2, "inspect words.xml --transport-key-file k"),
        (2, "inspect words.xml --passphrase-file k"),
        (2, "inspect words.xml --transport-key-file pass"),
        (2, "inspect batch.xml --reveal-secrets"),
        (2, "inspect k --transport-key-file k"),
        (2, "inspect pass --passphrase-file pass"),
        (2, "mint --count 4 --transport-key-file pass --out new.xml"),
        (2, "mint --count 4 --transport-key-file k --out batch.xml"),
        (2, "mint --count 4 --new-transport-key k --out new.xml"),
        (5, "mint --count 4 --transport-key-file k --out none/new.xml"),
        (
            0,
            "export batch.xml --transport-key-file k --format pskc --out-passphrase-file pass --out again.xml",
        ),
        (
            2,
            "export batch.xml --transport-key-file k --format pskc --out-transport-key-file pass --out no.xml",
        ),
        (2, "export batch.xml --transport-key-file k --format entra-csv --out no.csv"),
        (2, "export words.xml --passphrase-file k --format otpauth-uri --out no.csv"),
        (0, "export batch.xml --transport-key-file k --format privacyidea-csv --out import.csv"),
    ] {
        cage.run(code, line);
    }

    // Keys that are nearly one.
    let key = cage.read("k");
    let key = key.trim();
    for (name, content) in [
        ("cut.k", key[1..].to_owned()),
        ("long.k", format!("{key}00")),
        ("typo.k", format!("{}g", &key[1..])),
        ("twice.k", format!("{key}\n{key}\n")),
        ("named.k", format!("key={key}")),
    ] {
        cage.write(name, content.as_bytes());
        cage.run(2, &format!("inspect batch.xml --transport-key-file {name}"));
        cage.run(2, &format!("mint --count 4 --transport-key-file {name} --out new.xml"));
        cage.run(2, &format!("transport-key split {name} --components 2 --out-prefix part"));
    }

    // Batches that are damaged, encrypted and in clear.
    let batch = cage.read("batch.xml");
    let text = cage.free(&format!("inspect batch.xml {KEY} --json --reveal-secrets"));
    let seed = serde_json::from_str::<serde_json::Value>(text.lines().next().unwrap()).unwrap();
    let seed = BASE64.encode(&hex(seed["secret"].as_str().unwrap()));
    let from = batch.find("<Secret>").unwrap() + "<Secret>".len();
    let to = batch.find("</Secret>").unwrap();
    let plain =
        |value: &str| format!("{}<PlainValue>{value}</PlainValue>{}", &batch[..from], &batch[to..]);
    for (name, text) in [
        ("half.xml", batch[..batch.len() / 2].to_owned()),
        ("flip.xml", batch.replacen("<ValueMAC>", "<ValueMAC>AAAA", 1)),
        ("clear.xml", plain(&seed)),
        ("signs.xml", plain(&format!("{seed}!"))),
        ("element.xml", plain(&format!("{seed}<b/>"))),
        ("entity.xml", plain(&format!("{seed}&xxe;"))),
        ("open.xml", plain(&seed).replace("</PlainValue>", "</Plain>")),
        ("serial.xml", batch.replacen("<SerialNo>T2<", "<SerialNo>T1<", 1)),
    ] {
        cage.write(name, text.as_bytes());
        for command in ["inspect", "export --format pam-oath --roster users.csv --out no.csv"] {
            // What is only a second key of the same serial, `inspect` tells as a warning.
            let code = if name == "serial.xml" && command == "inspect" { 0 } else { 2 };
            cage.run(code, &format!("{command} {name} {KEY}"));
        }
        let serve = format!("serve --keys {name} {KEY} --roster users.csv --listen 127.0.0.1:0");
        cage.run(2, &serve);
    }
    let own = ["clear.xml", "signs.xml", "element.xml", "entity.xml", "open.xml"];
    let nearly = ["cut.k", "long.k", "typo.k", "twice.k", "named.k"];
    let files = cage.clean_files(&[&OWN[..], &own, &nearly].concat());
    assert!(files >= 5, "{files}");
    assert!(!cage.path().join("no.csv").exists() && !cage.path().join("new.xml").exists());
}

#[test]
fn signatures_details_and_keys_in_tokens() {
    let mut cage = Cage::new();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/signatures");
    for name in ["rsa.key", "rsa.crt", "ec.key", "ec.crt"] {
        cage.write(name, &fs::read(vectors.join(name)).unwrap());
    }
    cage.add_private_key(&cage.read("rsa.key"));
    assert!(cage.found(cage.read("rsa.key").as_bytes()).is_some());
    let rsa = "--sign-key-file rsa.key --sign-cert rsa.crt";
    for (code, line) in [
        (
            0,
            format!(
                "export batch.xml {KEY} --format pskc --out-passphrase-file pass {rsa} --out signed.xml"
            ),
        ),
        (0, format!("sign batch.xml {rsa} --detached")),
        (0, "inspect signed.xml --passphrase-file pass --require-signature rsa.crt --json".into()),
        (0, format!("inspect batch.xml {KEY} --detached-signature batch.xml.sig")),
        (2, "inspect signed.xml --passphrase-file pass --require-signature ec.crt".into()),
        (2, "inspect signed.xml --passphrase-file pass --require-signature rsa.key".into()),
        (2, "inspect signed.xml --passphrase-file pass --require-signature k".into()),
        (2, format!("inspect batch.xml {KEY} --detached-signature k")),
        (2, format!("inspect batch.xml {KEY} --detached-signature rsa.key")),
        (2, "sign batch.xml --sign-key-file ec.key --sign-cert rsa.crt --out no.xml".into()),
        (2, "sign batch.xml --sign-key-file rsa.crt --sign-cert rsa.key --out no.xml".into()),
        (2, "sign batch.xml --sign-key-file k --sign-cert rsa.crt --out no.xml".into()),
        (2, "sign batch.xml --sign-key-file pass --sign-cert pass --out no.xml".into()),
        (2, format!("sign k {rsa} --out no.xml")),
        (
            2,
            format!("mint --count 4 {KEY} --sign-key-file rsa.key --sign-cert ec.crt --out no.xml"),
        ),
        (2, format!("inspect batch.xml {KEY} --limit text=1")),
        (2, "inspect batch.xml --pkcs11-key pkcs11:token=T;object=O?pin-value=q7Zk9w".into()),
        (2, "inspect batch.xml --pkcs11-key pkcs11:token=T;object=O?pin-source=file:pass".into()),
    ] {
        cage.run(code, &line);
    }
    // What a vendor put beside the seed may be anything.
    let batch = cage.read("batch.xml");
    let text = cage.free(&format!("inspect batch.xml {KEY} --json --reveal-secrets"));
    let key = serde_json::from_str::<serde_json::Value>(text.lines().next().unwrap()).unwrap();
    let seed = key["secret"].as_str().unwrap();
    let beside = format!(
        "<Extensions><v:Copy xmlns:v=\"urn:v\" v:a=\"{seed}\">{seed}</v:Copy></Extensions>"
    );
    for (name, text) in [
        ("beside.xml", batch.replacen("</Key>", &format!("{beside}</Key>"), 1)),
        (
            "expiry.xml",
            batch.replacen(
                "</Key>",
                &format!("<Policy><ExpiryDate>{seed}</ExpiryDate></Policy></Key>"),
                1,
            ),
        ),
    ] {
        cage.write(name, text.as_bytes());
        let code = if name == "expiry.xml" { 2 } else { 0 };
        cage.run(code, &format!("inspect {name} {KEY}"));
        cage.run(code, &format!("inspect {name} {KEY} --json"));
        let refused = if name == "beside.xml" { 0 } else { 2 };
        cage.run(refused, &format!("code {name} {KEY} --serial T1"));
    }
    let own = ["beside.xml", "expiry.xml", "rsa.key"];
    assert!(cage.clean_files(&[&OWN[..], &own].concat()) >= 6);
    assert!(!cage.path().join("no.xml").exists());
}

/// Files of keys given where something else is wanted: messages quote the file, but not its keys.
#[test]
fn the_wrong_file_in_the_wrong_place() {
    let cage = Cage::new();
    for (name, format) in [
        ("import.csv", "privacyidea-csv"),
        ("uri.txt", "otpauth-uri"),
        ("oath.users", "pam-oath --roster pins.csv"),
        ("entra.csv", "entra-csv --roster upn.csv --set manufacturer=A --set model=B"),
    ] {
        cage.free(&format!("export batch.xml {KEY} --format {format} --out {name}"));
    }
    let files = ["import.csv", "uri.txt", "oath.users", "entra.csv", "k", "pins.csv", "radius"];
    for file in files {
        for line in [
            format!("formats check ./{file}"),
            format!("targets check ./{file}"),
            format!("scenarios check ./{file}"),
            format!("export batch.xml {KEY} --format ./{file} --out no"),
            format!("inspect {file}"),
            format!("inventory list --inventory {file}"),
            format!("transport-key combine {file} {file} --out no"),
            format!("transport-key unwrap {file} --private-key-file {file} --out no"),
            format!("transport-key wrap k --recipient {file} --out no"),
        ] {
            cage.run(2, &line);
        }
        cage.run(5, &format!("report {file}"));
        if file != "pins.csv" {
            cage.run(
                2,
                &format!("export batch.xml {KEY} --format pam-oath --roster {file} --out no"),
            );
        }
        for from in ["privacyidea-csv", "privacyidea-csv-users", "entra-csv", "pam-oath"] {
            // It may be of that format after all: what is written then has a right to its seeds.
            let line = format!("export {file} --from {from} --format pam-oath --out {file}.again");
            let right = cage.path().join(format!("{file}.again"));
            let output = cage.command(&line).output().unwrap();
            cage.clean(&line, &output.stdout);
            cage.clean(&line, &output.stderr);
            assert_eq!(output.status.code(), Some(if right.exists() { 0 } else { 2 }), "{line}");
            let _ = fs::remove_file(right);
        }
    }
    // A roster whose columns are mistaken for one another.
    let import = cage.read("import.csv");
    let swapped: String = import
        .lines()
        .map(|line| line.split(',').take(2).collect::<Vec<_>>().join(","))
        .map(|line| format!("{line}\n"))
        .collect();
    cage.write("swapped.csv", format!("user,serial\n{swapped}").as_bytes());
    cage.run(2, &format!("serve --keys batch.xml {KEY} --roster swapped.csv --listen 127.0.0.1:0"));
    cage.run(2, &format!("export batch.xml {KEY} --format pam-oath --roster swapped.csv --out no"));
    // An import file with a fault in every place of a line.
    let line = import.lines().next().unwrap();
    for at in 0..line.len() {
        for sign in if at % 8 == 0 { &["!", ",", "\"", "\u{1}", "é"][..] } else { &["!"] } {
            cage.write("bad.csv", format!("{}{sign}{}\n", &line[..at], &line[at..]).as_bytes());
            let command = "export bad.csv --from privacyidea-csv --format otpauth-uri --out good";
            let output = cage.command(command).output().unwrap();
            cage.clean(command, &output.stdout);
            cage.clean(command, &output.stderr);
            let _ = fs::remove_file(cage.path().join("good"));
        }
    }
    // A definition that fails on the value itself.
    let definition = cage.free("formats show otpauth-uri");
    for (right, wrong) in [
        ("secret|base32_nopad", "secret|int"),
        ("secret|base32_nopad", "secret.x.y"),
        ("secret|base32_nopad", "secret|no_such_filter"),
        ("secret|base32_nopad", "secret + 1"),
        ("secret|base32_nopad", "[secret][5].x"),
    ] {
        cage.write("mine.toml", definition.replacen(right, wrong, 1).as_bytes());
        for command in [
            "formats check ./mine.toml".to_owned(),
            format!("export batch.xml {KEY} --format ./mine.toml --out no"),
        ] {
            let output = cage.command(&command).output().unwrap();
            assert_ne!(output.status.code(), Some(101), "{command}");
            cage.clean(&format!("{wrong}: {command}"), &output.stdout);
            cage.clean(&format!("{wrong}: {command}"), &output.stderr);
            let _ = fs::remove_file(cage.path().join("no"));
        }
    }
}

#[test]
fn custody_and_inventory() {
    let cage = Cage::new();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/custody");
    let vector = |name: &str| vectors.join(name).display().to_string();
    let (certificate, private, other) =
        (vector("recipient.crt"), vector("recipient.key"), vector("other.key"));
    for (code, line) in [
        (0, "transport-key show-kcv k".to_owned()),
        (0, "transport-key split k --components 3 --out-prefix officer".into()),
        (0, "transport-key split k --threshold 2 --shares 3 --out-prefix share".into()),
        (2, "transport-key split k --components 3 --out-prefix officer".into()),
        (0, "transport-key show-kcv k officer-1.part share-2.part".into()),
        (2, "transport-key combine officer-1.part officer-2.part --out no".into()),
        (2, "transport-key combine officer-1.part share-2.part --out no".into()),
        (2, "transport-key combine share-1.part --out no".into()),
        (2, "transport-key combine k officer-1.part --out no".into()),
        (0, format!("transport-key wrap k --recipient {certificate} --out envelope")),
        (2, format!("transport-key unwrap envelope --private-key-file {other} --out no")),
        (2, "transport-key unwrap envelope --private-key-file k --out no".into()),
        (0, format!("transport-key unwrap envelope --private-key-file {private} --out opened")),
        (0, "transport-key combine share-1.part share-3.part --out combined".into()),
        (2, "transport-key wrap pass --recipient k --out no".into()),
        (0, format!("mint --count 5 --serial-prefix I --inventory inv --out i.xml {KEY}")),
        (2, format!("mint --count 5 --serial-prefix I --inventory inv --out j.xml {KEY}")),
        (0, "inventory list --inventory inv --json".into()),
        (0, "inventory verify i.xml --inventory inv".into()),
        (2, "inventory verify k --inventory inv".into()),
        (2, "inventory show none --inventory inv".into()),
        (0, "inventory find I3 --inventory inv".into()),
    ] {
        cage.run(code, &line);
    }
    // A part with a wrong digit.
    let part = cage.read("share-1.part");
    let at = part.find("data").unwrap() + 8;
    let digit = if &part[at..=at] == "0" { "1" } else { "0" };
    cage.write("wrong.part", format!("{}{digit}{}", &part[..at], &part[at + 1..]).as_bytes());
    cage.run(2, "transport-key combine wrong.part share-2.part --out no");
    cage.run(2, "transport-key show-kcv wrong.part");
    assert_eq!(cage.read("opened"), cage.read("k"));
    cage.clean_files(&[&OWN[..], &["opened", "combined"]].concat());
}

/// A running process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// What others on the machine may see of it.
    fn seen_from_outside(&self, cage: &Cage, what: &str) {
        for file in ["cmdline", "environ"] {
            match fs::read(format!("/proc/{}/{file}", self.0.id())) {
                Ok(content) => {
                    assert!(file == "environ" || !content.is_empty(), "{what}: no {file}");
                    cage.clean(&format!("{file} of {what}"), &content);
                }
                // Closed even to its own user, as it is not dumpable: so much the better.
                Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
            }
        }
    }
}

#[test]
fn servers_and_populations() {
    let cage = Cage::new();
    let serve = format!(
        "serve --keys batch.xml {KEY} --roster users.csv --listen 127.0.0.1:0 --store store.sqlite \
         --radius 127.0.0.1:0 --radius-secret-file radius --clock-rate 120 --clock-origin 1767225600"
    );
    let mut child = cage.command(&serve).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let server = Running(child);
    let mut words = String::new();
    stderr.read_line(&mut words).unwrap();
    let url = words.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let url = url.trim_end_matches('/').to_owned();
    server.seen_from_outside(&cage, "serve");

    // Somebody tries a PIN, as a passcode and as a user; and sends what is no request.
    let addr = url.trim_start_matches("http://");
    for request in [
        post(&format!("{{\"user\":\"u4\",\"passcode\":\"{}123456\"}}", PINS[3])),
        post(&format!("{{\"user\":\"{0}\",\"passcode\":\"{0}\"}}", PINS[0])),
        post(&format!("{{\"user\":\"u4\",\"passcode\":\"{}\"", PINS[3])),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", PINS[3]),
        format!("{} / nonsense\r\n\r\n", PINS[3]),
    ] {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        cage.clean("an answer of serve", &answer);
    }

    let simulate = |more: &str| {
        format!(
            "simulate --scenario rentree --target portal-json --keys batch.xml {KEY} \
             --clock-rate 120 --clock-origin 1767225600 --ignore-clock --set arrivals.window=2m \
             --set scenario.duration=8m --set logins.gap.lognormal.median=1m \
             --set logins.gap.lognormal.max=2m --set thresholds.lateness_p99=10s {more}"
        )
    };
    let run = simulate(&format!("--url {url} --roster pins.csv --out run"));
    let child = cage.command(&run).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut population = Running(child);
    while !cage.path().join("run/attempts.csv").exists() {
        assert_eq!(population.0.try_wait().unwrap(), None, "it ended by itself");
        std::thread::yield_now();
    }
    population.seen_from_outside(&cage, "simulate");
    let (mut out, mut err) = (Vec::new(), Vec::new());
    population.0.stdout.take().unwrap().read_to_end(&mut out).unwrap();
    population.0.stderr.take().unwrap().read_to_end(&mut err).unwrap();
    let status = population.0.wait().unwrap();
    cage.clean("standard output of simulate", &out);
    cage.clean("standard error of simulate", &err);
    assert!(
        matches!(status.code(), Some(0 | 1 | 3)),
        "{status}: {}\n{}",
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(&err)
    );

    for (code, line) in [
        (6, simulate("--url http://127.0.0.1:9 --roster pins.csv --out no")),
        (2, simulate(&format!("--url {url} --roster pins.csv --out run"))),
        (2, simulate(&format!("--url {url} --roster radius --out no"))),
        (2, simulate(&format!("--url {url} --roster pins.csv --users 9 --out no"))),
        (2, simulate(&format!("--url {url} --roster pins.csv --credential radius --out no"))),
        (2, "report run --format none".to_owned()),
        (5, "report k".to_owned()),
    ] {
        cage.run(code, &line);
    }
    for format in ["text", "json", "html", "hlog", "hgrm"] {
        let code = status.code().unwrap();
        cage.run(code, &format!("report run --format {format}"));
    }
    assert!(cage.path().join("run/attempts.csv").metadata().unwrap().len() > 500);

    // The store while it is open, with its log; and after.
    assert!(cage.path().join("store.sqlite-wal").exists());
    cage.clean_files(&OWN);
    let told = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status();
    assert!(told.unwrap().success());
    stderr.read_to_string(&mut words).unwrap();
    cage.clean("standard error of serve", words.as_bytes());
    assert!(words.contains("stopped: "), "{words}");
    let files = cage.clean_files(&OWN);
    assert!(files > 10, "{files}");
}

fn post(body: &str) -> String {
    format!(
        "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn the_demo_and_what_it_leaves() {
    let mut cage = Cage::new();
    let line = "demo --users 40 --clock-rate 300 --defect replay-none --out first";
    let output = cage.command(line).output().unwrap();
    // At this pace the generator may be late, too; here the question is only what is said.
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3 | 4)), "{words}");
    // Its keys are known only now.
    cage.add("key of the demo", &hex(&cage.read("first/transport.key")));
    let line = "inspect first/batch.pskcxml --transport-key-file first/transport.key --json";
    for line in cage.free(&format!("{line} --reveal-secrets")).lines() {
        let key: serde_json::Value = serde_json::from_str(line).unwrap();
        cage.add("seed of the demo", &hex(key["secret"].as_str().unwrap()));
    }
    cage.clean("standard output of demo", &output.stdout);
    cage.clean("standard error of demo", &output.stderr);
    let files =
        cage.clean_files(&[&OWN[..], &["first/transport.key", "first/import.csv"]].concat());
    assert!(files >= 10, "{files}");
}
