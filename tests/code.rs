//! `trousseau code`, as its user sees it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

/// RFC 4226's seed as a TOTP key of 60 s, and as an HOTP key at counter 1.
const BATCH: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0">
  <KeyPackage>
    <DeviceInfo><SerialNo>TIME</SerialNo><ExpiryDate>2030-01-01T00:00:00Z</ExpiryDate></DeviceInfo>
    <Key Id="TIME" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
      <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>
        <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>
        <TimeInterval><PlainValue>60</PlainValue></TimeInterval>
      </Data>
    </Key>
  </KeyPackage>
  <KeyPackage>
    <DeviceInfo><SerialNo>EVENT</SerialNo></DeviceInfo>
    <Key Id="EVENT" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
      <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>
        <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>
        <Counter><PlainValue>1</PlainValue></Counter>
      </Data>
    </Key>
  </KeyPackage>
</KeyContainer>
"#;

fn command(arguments: &str) -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("batch"), BATCH).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trousseau"));
    command.arg("code").args(arguments.split(' ')).current_dir(folder.path()).stdin(Stdio::null());
    (folder, command)
}

fn run(arguments: &str) -> Output {
    let (_folder, mut command) = command(arguments);
    command.output().unwrap()
}

fn shown(arguments: &str) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn code_and_countdown_as_on_the_key() {
    // RFC 4226 appendix D: counters 1 and 2, which are the minutes 1 and 2.
    assert_eq!(shown("batch --serial TIME --at 60"), "287 082  ▮▮▮▮▮  60 s\n");
    assert_eq!(shown("batch --serial TIME --at 1970-01-01T00:01:32Z"), "287 082  ▮▮▮▯▯  28 s\n");
    assert_eq!(shown("batch --serial TIME --at 119"), "287 082  ▮▯▯▯▯   1 s\n");
    assert_eq!(shown("batch --serial TIME --at 120"), "359 152  ▮▮▮▮▮  60 s\n");
}

#[test]
fn an_event_key_shows_its_counter() {
    assert_eq!(shown("batch --serial EVENT"), "287 082  counter 1\n");
    assert_eq!(shown("batch --serial EVENT --counter 9"), "520 489  counter 9\n");
}

#[test]
fn watching_into_a_pipe_prints_each_new_code_once() {
    // A minute of the key passes in 20 ms.
    let (_folder, mut command) = command("batch --serial TIME --watch --clock-rate 3000");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines: Vec<String> =
        BufReader::new(child.stdout.take().unwrap()).lines().take(4).map(Result::unwrap).collect();
    // The pipe is closed by now: that ends the program, without complaint.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for line in &lines {
        assert!(line.ends_with(" s") && line.contains('▮') && !line.contains('\x1b'), "{line}");
    }
    let codes: std::collections::BTreeSet<&str> = lines.iter().map(|line| &line[..7]).collect();
    assert_eq!(codes.len(), 4, "{lines:?}");
}

#[test]
fn an_expired_key_is_shown_with_a_warning() {
    let output = run("batch --serial TIME --at 2031-01-01T00:00:00Z");
    assert_eq!(output.status.code(), Some(0));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "warning: the key TIME: it expired on 2030-01-01T00:00:00Z\n");
}

#[test]
fn what_cannot_be_shown_is_refused() {
    for (arguments, words) in [
        ("batch --serial NONE", "batch: it holds 2 keys, and none has the serial NONE"),
        ("batch --serial EVENT --watch", "changes at a press, not with time"),
        ("batch --serial TIME --counter 3", "the key TIME counts time"),
        ("batch --serial TIME --at yesterday", "--at \"yesterday\" is no moment since 1970"),
        ("batch --serial TIME --clock-rate 0", "a rate is a number above 0"),
    ] {
        let output = run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {stderr}");
        assert!(stderr.contains(words), "{arguments}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments}");
    }
    let output = run("nowhere --serial TIME");
    assert_eq!(output.status.code(), Some(5));
}

#[test]
fn a_full_disk_is_said() {
    let (_folder, mut command) = command("batch --serial TIME");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8(output.stderr).unwrap().contains("No space left"));
}
