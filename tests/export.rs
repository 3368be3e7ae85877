//! `trousseau export` and `trousseau formats`, as their user sees them: arguments, output, exit
//! codes, and what is on the disk afterwards.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Two keys of RFC 4226's seed, in clear: serial, user-less, TOTP 60 s and HOTP.
const BATCH: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0">
  <KeyPackage>
    <DeviceInfo><SerialNo>ACME0001</SerialNo></DeviceInfo>
    <Key Id="ACME0001" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">
      <AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>
        <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>
        <TimeInterval><PlainValue>60</PlainValue></TimeInterval>
      </Data>
    </Key>
  </KeyPackage>
  <KeyPackage>
    <DeviceInfo><SerialNo>ACME0002</SerialNo></DeviceInfo>
    <Key Id="ACME0002" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
      <AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>
      <Data>
        <Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>
        <Counter><PlainValue>5</PlainValue></Counter>
      </Data>
    </Key>
  </KeyPackage>
</KeyContainer>
"#;

const SEED: &str = "3132333435363738393031323334353637383930";

/// A folder with a batch and a roster in it.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        bench.put("batch.pskcxml", BATCH);
        bench.put("users.csv", "user,serial,pin\nalice,ACME0001,1234\nbob,ACME0002,\n");
        bench
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trousseau"));
        command.args(arguments.split(' ')).current_dir(self.path()).stdin(Stdio::null());
        // A definition in the developer's own folder must not stand in for ours.
        command.env("XDG_CONFIG_HOME", self.path());
        command
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs `arguments`, which must fail with `exit`, show every one of `words` and no seed on
    /// standard error, print nothing, and leave no file.
    fn refuses(&self, arguments: &str, exit: i32, words: &[&str]) {
        let before = self.names();
        let output = self.run(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(exit), "{arguments}: {stderr}");
        for word in words {
            assert!(stderr.contains(word), "{arguments}: no {word:?} in {stderr}");
        }
        assert!(!stderr.contains(SEED) && !stderr.contains("GEZDGNBV"), "{stderr}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert_eq!(self.names(), before, "{arguments}");
    }
}

#[test]
fn every_text_format_is_written_privately() {
    let bench = Bench::new();
    for (format, expected) in [
        (
            "privacyidea-csv",
            format!(
                "# version: 2\nalice,defresolver,defrealm,ACME0001,{SEED},TOTP,6,60\n\
                 bob,defresolver,defrealm,ACME0002,{SEED},HOTP,8,5\n"
            ),
        ),
        ("pam-oath", format!("HOTP/T60/6\talice\t1234\t{SEED}\nHOTP/E/8\tbob\t-\t{SEED}\t5\n")),
        (
            "otpauth-uri",
            "otpauth://totp/alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1&digits=6\
             &period=60\notpauth://hotp/bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA1\
             &digits=8&counter=5\n"
                .to_owned(),
        ),
    ] {
        let arguments =
            format!("export batch.pskcxml --format {format} --roster users.csv --out {format}.out");
        let output = bench.run(&arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert!(stderr.contains("holds the seeds in plain text"), "{stderr}");
        let name = format!("{format}.out");
        assert_eq!(bench.read(&name), expected);
        let mode = bench.path().join(&name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{format}");
        let piped = bench.run(&arguments.replace(&format!("--out {name}"), "--out -"));
        assert_eq!(String::from_utf8(piped.stdout).unwrap(), expected);
    }
}

#[test]
fn a_definition_of_ones_own_is_named_by_its_path() {
    let bench = Bench::new();
    bench.put(
        "mine.toml",
        "title = 'mine'\n[limits]\nalgorithms = ['hotp', 'totp']\n[template]\nescape = 'xml'\n\
         head = \"<keys>\\n\"\nfoot = \"</keys>\\n\"\n\
         record = \"<key {{ serial }} {{ secret|hex }} {{ algorithm }} {{ hash }} {{ digits }} \
         {{ period }} {{ counter }}/>\\n\"\n\
         [[example]]\nabout = 'one'\noutput = \"<keys>\\n<key A 00 totp sha1 6 30 0/>\\n</keys>\\n\"\n\
         [[example.key]]\nserial = 'A'\nsecret_hex = '00'\nalgorithm = 'totp'\n",
    );
    let output = bench.run("export batch.pskcxml --format ./mine.toml --out -");
    let expected = format!(
        "<keys>\n<key ACME0001 {SEED} totp sha1 6 60 0/>\n<key ACME0002 {SEED} hotp sha1 8 30 5/>\n\
         </keys>\n"
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let check = bench.run("formats check mine.toml");
    assert_eq!(String::from_utf8(check.stdout).unwrap(), "mine.toml: its example holds\n");
}

#[test]
fn what_was_exported_can_be_exported_again() {
    let bench = Bench::new();
    bench.run("export batch.pskcxml --format privacyidea-csv --out first.csv");
    let again =
        bench.run("export first.csv --from privacyidea-csv --format privacyidea-csv --out -");
    assert_eq!(String::from_utf8(again.stdout).unwrap(), bench.read("first.csv"));
}

#[test]
fn a_batch_goes_under_another_key_with_its_users() {
    let bench = Bench::new();
    let output = bench.run(
        "export batch.pskcxml --format pskc --roster users.csv --out-new-transport-key new.key \
         --out new.pskcxml",
    );
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let shown =
        bench.run("inspect new.pskcxml --transport-key-file new.key --json --reveal-secrets");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(shown.lines().count(), 2, "{shown}");
    for (line, user) in shown.lines().zip(["alice", "bob"]) {
        let key: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((key["user"].as_str(), key["secret"].as_str()), (Some(user), Some(SEED)));
    }
    assert!(!bench.read("new.pskcxml").contains("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="));
}

#[test]
fn without_a_key_there_is_no_reencryption() {
    let bench = Bench::new();
    bench.refuses(
        "export batch.pskcxml --format pskc --out x",
        2,
        &["no key was given", "--out-new-transport-key"],
    );
    // A new key's file is not left behind when the batch fails.
    bench.put("users.csv", "user,serial\neve,ACME9999\n");
    bench.refuses(
        "export batch.pskcxml --format pskc --roster users.csv --out-new-transport-key k --out x",
        2,
        &["users.csv:2: the serial ACME9999 of eve is not in the batch"],
    );
    bench.refuses(
        "export batch.pskcxml --format pam-oath --out-new-transport-key k --out x",
        2,
        &["the format pam-oath is not encrypted"],
    );
}

#[test]
fn a_roster_that_names_an_unknown_serial_is_refused_with_its_line() {
    let bench = Bench::new();
    bench.put("users.csv", "user,serial\nalice,ACME0001\n\ncarol,ACME0003\n");
    bench.refuses(
        "export batch.pskcxml --format privacyidea-csv --roster users.csv --out x",
        2,
        &["users.csv:4: the serial ACME0003 of carol is not in the batch", "help: "],
    );
}

#[test]
fn what_a_server_cannot_take_is_listed_key_by_key() {
    let bench = Bench::new();
    bench.refuses(
        "export batch.pskcxml --format entra-csv --set manufacturer=M --set model=T --out x",
        2,
        &[
            "entra-csv: 4 faults; nothing was written",
            "ACME0001: the key has no roster.upn or user",
            "ACME0002: algorithm hotp is not among what the server takes: totp",
            "ACME0002: digits 8 is not among what the server takes: 6",
            "--assigned-only",
        ],
    );
    bench.refuses(
        "export batch.pskcxml --format entra-csv --set colour=red --out x",
        2,
        &["no setting \"colour\"; known: manufacturer, model", "formats show"],
    );
}

#[test]
fn keys_that_nobody_holds_can_be_left_out() {
    let bench = Bench::new();
    bench.put("users.csv", "user,serial\nbob,ACME0002\n");
    let output = bench
        .run("export batch.pskcxml --format pam-oath --roster users.csv --assigned-only --out -");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("HOTP/E/8\tbob\t-\t{SEED}\t5\n"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("left out 1 key that"));
}

#[test]
fn a_loss_is_refused_unless_allowed() {
    let bench = Bench::new();
    bench.put(
        "paste.toml",
        "title = 'a paste box'\n[limits]\nhashes = ['sha1']\n[assumed]\nperiod = 30\ncounter = 0\n\
         algorithm = 'totp'\ndigits = 6\n[csv]\ndelimiter = ','\n[[csv.column]]\nfield = 'serial'\n\
         [[csv.column]]\nfield = 'secret'\nencoding = 'hex'\n\
         [[example]]\nabout = 'one'\noutput = \"A,00\\n\"\n\
         [[example.key]]\nserial = 'A'\nsecret_hex = '00'\nalgorithm = 'totp'\n",
    );
    bench.refuses(
        "export batch.pskcxml --format paste.toml --out x",
        2,
        &[
            "ACME0001: the file does not carry the period: the server will take 30, but the key has 60",
            "ACME0002: the file does not carry the counter",
            "--allow-loss",
        ],
    );
    let output = bench.run("export batch.pskcxml --format paste.toml --allow-loss --out -");
    let expected = format!("ACME0001,{SEED}\nACME0002,{SEED}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert!(String::from_utf8(output.stderr).unwrap().contains("lost, as allowed"));
}

#[test]
fn nothing_is_overwritten() {
    let bench = Bench::new();
    bench.put("there", "precious");
    bench.refuses(
        "export batch.pskcxml --format privacyidea-csv --out there",
        2,
        &["there exists already; nothing was written", "choose another name"],
    );
    assert_eq!(bench.read("there"), "precious");
}

#[test]
fn a_full_disk_is_said() {
    let bench = Bench::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = bench
        .command("export batch.pskcxml --format privacyidea-csv --out -")
        .stdout(full)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("cannot write to standard output: No space left"), "{stderr}");
    assert!(stderr.contains("help: free some space"), "{stderr}");
}

#[test]
fn a_missing_folder_or_batch_is_said() {
    let bench = Bench::new();
    bench.refuses(
        "export batch.pskcxml --format privacyidea-csv --out no/where",
        5,
        &["no/where", "check that the folder exists"],
    );
    bench.refuses("export none --format privacyidea-csv --out x", 5, &["cannot read none"]);
    bench.refuses(
        "export batch.pskcxml --format privacyidea-csv --roster none --out x",
        5,
        &["cannot read the roster none", "--roster"],
    );
}

#[test]
fn a_fault_in_a_definition_is_shown_in_its_place() {
    let bench = Bench::new();
    bench.put("mine.toml", "title = 'x'\n[limits]\n  colours = ['red']\n");
    bench.refuses(
        "export batch.pskcxml --format mine.toml --out x",
        2,
        &["mine.toml:3:3: unknown field `colours`", "    3 |   colours = ['red']\n      |   ^"],
    );
    bench.put("mine.toml", "title = 'x'\n[template]\nescape = 'none'\nrecord = '{{ colour }}'\n");
    bench.refuses(
        "formats check mine.toml",
        2,
        &["mine.toml: template.record: there is no field \"colour\"; known: serial"],
    );
    bench.put("mine.toml", "title = 'x'\n[template]\nescape = 'none'\nrecord = '{{ serial }}'\n");
    bench.refuses(
        "formats check mine.toml",
        2,
        &["nothing says how the algorithm reaches the server"],
    );
    bench.refuses(
        "export batch.pskcxml --format nonesuch --out x",
        2,
        &["there is no format \"nonesuch\"; known: csv, "],
    );
}

#[test]
fn an_example_that_does_not_hold_shows_both_lines() {
    let bench = Bench::new();
    let shown = bench.run("formats show privacyidea-csv");
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("[[csv.column]]"));
    bench.put("mine.toml", &text.replace("HOTP,8,5", "HOTP,8,6"));
    let output = bench.run("formats check mine.toml");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    for words in ["mine.toml: example[0] (", "line 2 differs", "HOTP,8,6", "HOTP,8,5"] {
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
}

#[test]
fn an_import_file_with_a_fault_is_refused_with_its_place() {
    let bench = Bench::new();
    let read = "export in.csv --from privacyidea-csv --format otpauth-uri --out x";
    bench.put("in.csv", &format!("# made by hand\nA1,{SEED},totp,6,60\nA2,{SEED}0,totp,6,60\n"));
    bench.refuses(read, 2, &["in.csv:3:4: A2: column 2 (secret): the secret is not hex"]);
    bench.put("in.csv", &format!("A1,{SEED},ocra,6,60\n"));
    bench.refuses(
        read,
        2,
        &["in.csv:1:45: A1: column 3 (algorithm): \"ocra\" is no known algorithm"],
    );
    bench.put("in.csv", "A1\n");
    bench.refuses(read, 2, &["in.csv:1:3: the line ends before column 2 (secret)"]);
    bench.put("in.csv", &format!("A1,{SEED},totp,6,60,x\n"));
    bench.refuses(read, 2, &["in.csv:1:55: the line has 6 cells, the format 5"]);
    bench.refuses(
        &read.replace("in.csv --from privacyidea-csv", "in.csv --from otpauth-uri"),
        2,
        &["files of the format otpauth-uri cannot be read back"],
    );
}

#[test]
fn a_file_for_each_key_makes_a_folder_or_nothing() {
    let bench = Bench::new();
    bench.put(
        "mine.toml",
        "title = 'pam'\n[limits]\nalgorithms = ['hotp', 'totp']\n[template]\nescape = 'none'\n\
         file = '{{ user }}.otp'\n\
         record = '{{ secret|base32 }} {{ algorithm }} {{ hash }} {{ digits }} {{ period }} \
         {{ counter }}'\n\
         [[example]]\nabout = 'one'\noutput = \"--- a.otp\\nAA====== totp sha1 6 30 0\"\n\
         [[example.key]]\nserial = 'A'\nsecret_hex = '00'\nalgorithm = 'totp'\nuser = 'a'\n",
    );
    let check = bench.run("formats check mine.toml");
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
    let export = "export batch.pskcxml --format mine.toml --roster users.csv --out";
    let output = bench.run(&format!("{export} keys"));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bench.read("keys/alice.otp"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ totp sha1 6 60 0");
    assert!(bench.read("keys/bob.otp").ends_with(" hotp sha1 8 30 5"));
    for (name, wanted) in [("keys", 0o700), ("keys/bob.otp", 0o600)] {
        let mode = bench.path().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, wanted, "{name}");
    }
    bench.refuses(&format!("{export} keys"), 2, &["keys exists already; nothing was written"]);
    bench.refuses(&format!("{export} -"), 2, &["a file for each key", "--out FOLDER"]);
    bench.refuses(
        &format!("{export} x --compress zstd"),
        2,
        &["a file for each key, and compresses none", "leave out --compress"],
    );
    bench.put("users.csv", "user,serial\n../eve,ACME0001\nbob,ACME0002\n");
    bench.refuses(&format!("{export} more"), 2, &["ACME0001: template.file: \"../eve.otp\""]);
}
