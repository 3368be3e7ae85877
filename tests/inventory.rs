//! `trousseau mint --inventory` and `trousseau inventory` as their users see them: no serial is
//! issued twice, whatever happens in between.

mod common;

use std::collections::HashSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::names;

use serde_json::Value;

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trousseau"));
    command.args(args).current_dir(folder);
    command
}

fn run(folder: &Path, args: &[&str]) -> Ran {
    let output = command(folder, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

fn ok(folder: &Path, args: &[&str]) -> Ran {
    let ran = run(folder, args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    ran
}

fn refused(folder: &Path, args: &[&str], code: i32, message: &str) -> Ran {
    let before = names(folder);
    let ran = run(folder, args);
    assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(message), "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(" help: "), "{args:?}: {}", ran.stderr);
    assert_eq!(names(folder), before, "{args:?} left something behind");
    ran
}

/// A folder with a transport key.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    ok(folder.path(), &["transport-key", "new", "--out", "key"]);
    folder
}

fn mint(count: &str, first: &str, out: &str) -> Vec<String> {
    let fixed = [
        "mint",
        "--inventory",
        "inv",
        "--transport-key-file",
        "key",
        "--serial-prefix",
        "ACME",
        "--serial-width",
        "8",
    ];
    let mut args: Vec<String> = fixed.map(str::to_owned).to_vec();
    for (name, value) in [("--count", count), ("--first-serial", first), ("--out", out)] {
        args.extend([name.to_owned(), value.to_owned()]);
    }
    args
}

fn args(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// What `inventory list --json` says.
fn batches(folder: &Path) -> Vec<Value> {
    let out = ok(folder, &["inventory", "list", "--inventory", "inv", "--json"]).stdout;
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn serials_in(folder: &Path, file: &str) -> Vec<String> {
    let out = ok(folder, &["inspect", file, "--transport-key-file", "key", "--json"]).stdout;
    let serial = |line: &str| {
        let key: Value = serde_json::from_str(line).unwrap();
        key["serial"].as_str().unwrap().to_owned()
    };
    out.lines().map(serial).collect()
}

#[test]
fn a_batch_is_remembered_verified_and_delivered() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &args(&mint("20", "1", "b.pskcxml")));
    let batch = &batches(folder)[0];
    assert_eq!(batch["batch"], "ACME00000001-ACME00000020");
    assert_eq!(batch["state"], "complete");
    assert_eq!(batch["keys"], 20);
    let kcv = &ok(folder, &["transport-key", "show-kcv", "key"]).stdout[..6];
    assert_eq!(batch["key_kcv"], kcv);
    assert_eq!(batch["files"][0]["name"], "b.pskcxml");
    let bytes = std::fs::metadata(folder.join("b.pskcxml")).unwrap().len();
    assert_eq!(batch["files"][0]["bytes"], bytes);
    assert!(batch["spec"].as_str().unwrap().contains("serial-prefix = \"ACME\"\n"));

    let verify = ["inventory", "verify", "b.pskcxml", "--inventory", "inv"];
    assert_eq!(ok(folder, &verify).stdout, "b.pskcxml: as made; batch ACME00000001-ACME00000020\n");
    let deliver = ["inventory", "deliver", "ACME00000001-ACME00000020", "--to", "Uni Ü"];
    ok(folder, &[&deliver[..], &["--inventory", "inv"]].concat());
    assert_eq!(batches(folder)[0]["deliveries"][0]["to"], "Uni Ü");
    let list = ok(folder, &["inventory", "list", "--inventory", "inv"]).stdout;
    assert!(list.starts_with("BATCH "), "{list}");
    assert!(list.contains("  complete  20    ACME00000001 to ACME00000020  "), "{list}");
    assert!(list.trim_end().ends_with("Uni Ü"), "{list}");
    let found = ok(folder, &["inventory", "find", "ACME00000007", "--inventory", "inv"]).stdout;
    assert!(found.contains("batch         ACME00000001-ACME00000020\n"), "{found}");
    assert!(found.contains("order         secret-bytes = 20\n"), "{found}");
    refused(
        folder,
        &["inventory", "find", "ACME00000021", "--inventory", "inv"],
        2,
        "no batch of this inventory has this serial",
    );
}

#[test]
fn no_secret_is_in_the_inventory() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &args(&mint("50", "1", "b.pskcxml")));
    let inventory = std::fs::read(folder.join("inv")).unwrap();
    let key = std::fs::read_to_string(folder.join("key")).unwrap();
    let reveal = ["--transport-key-file", "key", "--json", "--reveal-secrets"];
    let keys = ok(folder, &[&["inspect", "b.pskcxml"][..], &reveal].concat()).stdout;
    let mut secrets: Vec<String> = keys
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|key| key["secret"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(secrets.len(), 50);
    secrets.push(key.trim().to_owned());
    for secret in secrets {
        let bytes = data_encoding::HEXLOWER.decode(secret.as_bytes()).unwrap();
        for form in [
            bytes.clone(),
            secret.clone().into_bytes(),
            secret.to_uppercase().into_bytes(),
            data_encoding::BASE64.encode(&bytes).into_bytes(),
            data_encoding::BASE32.encode(&bytes).into_bytes(),
        ] {
            assert!(!inventory.windows(form.len()).any(|window| window == form));
        }
    }
}

#[test]
fn serials_and_identifiers_are_issued_once() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &args(&mint("20", "1", "b1")));
    let ran = refused(
        folder,
        &args(&mint("5", "20", "b2")),
        2,
        "serials from ACME00000020 to ACME00000024 were issued before: batch \
         ACME00000001-ACME00000020 has ACME00000001 to ACME00000020 (state: complete)",
    );
    assert!(ran.stderr.contains("the highest serial like these is ACME00000020"), "{}", ran.stderr);
    let mut named = mint("5", "21", "b2");
    named.extend(["--batch-id".to_owned(), "ACME00000001-ACME00000020".to_owned()]);
    refused(folder, &args(&named), 2, "was issued before, at ");
    assert_eq!(batches(folder).len(), 1);
    ok(folder, &args(&mint("5", "21", "b2")));
    // A slip is found before any serial is taken.
    refused(folder, &args(&mint("5", "26", "b2")), 2, "b2 exists already");
    let mut keyless = mint("5", "26", "b3");
    keyless[4] = "gone".into();
    refused(folder, &args(&keyless), 5, "cannot read gone");
    assert_eq!(batches(folder).len(), 2);
}

#[test]
fn changed_and_unknown_files_are_told_apart() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &args(&mint("5", "1", "b1")));
    let content = std::fs::read(folder.join("b1")).unwrap();
    std::fs::write(folder.join("copy"), &content).unwrap();
    std::fs::write(folder.join("b1"), &content[..content.len() - 1]).unwrap();
    std::fs::write(folder.join("other"), "x").unwrap();
    let ran = refused(
        folder,
        &["inventory", "verify", "copy", "b1", "other", "--inventory", "inv"],
        2,
        "2 of 3 files are not as the inventory knows them",
    );
    assert!(ran.stdout.contains("copy: as made; batch ACME00000001-ACME00000005\n"));
    assert!(ran.stdout.contains("b1: CHANGED; batch ACME00000001-ACME00000005"), "{}", ran.stdout);
    assert!(ran.stdout.contains("other: UNKNOWN"), "{}", ran.stdout);
    let json = ["inventory", "verify", "b1", "--inventory", "inv", "--json"];
    let verdict: Value = serde_json::from_str(&run(folder, &json).stdout).unwrap();
    assert_eq!(verdict["verdict"], "changed");
}

#[test]
fn an_interrupted_batch_is_abandoned_and_its_serials_stay_taken() {
    let folder = folder();
    let folder = folder.path();
    // To a pipe that nobody reads, so that it is surely at work when the signal comes.
    let mut child = command(folder, &args(&mint("1000000", "1", "-")))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_reservation(folder, &mut child);
    let pid = i32::try_from(child.id()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("the serials ACME00000001 to ACME01000000 stay taken"), "{stderr}");
    let batch = &batches(folder)[0];
    assert_eq!(batch["state"], "abandoned");
    assert!(batch["note"].as_str().unwrap().starts_with("interrupted after "), "{batch}");
    refused(folder, &args(&mint("5", "1000000", "b")), 2, "(state: abandoned)");
    let deliver = ["inventory", "deliver", "ACME00000001-ACME01000000", "--to", "x"];
    refused(
        folder,
        &[&deliver[..], &["--inventory", "inv"]].concat(),
        2,
        "is abandoned, so it cannot be delivered",
    );
}

/// Until the child has its serials, as the newest of `batches`, or has ended.
fn wait_for_serials(folder: &Path, child: &mut Child, batches: usize) {
    let list = ["inventory", "list", "--inventory", "inv", "--json"];
    while child.try_wait().unwrap().is_none() {
        // While the inventory is being made, there is none to list.
        if run(folder, &list).stdout.lines().count() == batches {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The same; the child is stopped then by the full pipe of its output.
fn wait_for_reservation(folder: &Path, child: &mut Child) {
    wait_for_serials(folder, child, 1);
    assert!(child.try_wait().unwrap().is_none(), "it ended before it was to be stopped");
    assert_eq!(batches(folder)[0]["state"], "reserved");
}

#[test]
fn killed_between_the_reservation_and_the_file_the_serials_stay_taken() {
    let folder = folder();
    let folder = folder.path();
    let mut child = command(folder, &args(&mint("1000000", "1", "-")))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_reservation(folder, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(batches(folder)[0]["state"], "reserved");
    refused(folder, &args(&mint("5", "1000000", "b")), 2, "(state: reserved)");
    ok(folder, &args(&mint("5", "1000001", "b")));
    let list = ok(folder, &["inventory", "list", "--inventory", "inv"]);
    assert!(list.stderr.contains("1 reserved without a file"), "{}", list.stderr);
}

/// Killed at whatever point comes: every file is whole and known, no serial is in two files.
#[test]
fn killed_at_any_point_no_serial_is_used_twice_and_none_is_forgotten() {
    let folder = folder();
    let folder = folder.path();
    let begin = std::time::Instant::now();
    ok(folder, &args(&mint("2000", "1", "b")));
    // Spread over the time that a whole run takes here, and some more.
    let slice = begin.elapsed() / 25;
    let mut next = 2001;
    let mut known = 1;
    for round in 0u32..30 {
        // Now and then as soon as the serials are reserved: while the file is being written, or where
        // it surely is not whole yet, as nobody reads it from the pipe.
        let (at_once, pipe) = (round % 5 == 0, round % 10 == 0);
        let (first, out) = (next.to_string(), format!("b{round}"));
        let out = if pipe { "-" } else { &*out };
        let mut child = command(folder, &args(&mint("2000", &first, out)))
            .stdout(if pipe { Stdio::piped() } else { Stdio::null() })
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if at_once {
            wait_for_serials(folder, &mut child, known + 1);
        } else {
            std::thread::sleep(slice * round);
        }
        let _ = child.kill();
        child.wait().unwrap();
        // The next order begins behind what the inventory knows, and nowhere else.
        known = batches(folder).len();
        next = 1 + 2000 * known;
    }
    ok(folder, &args(&mint("2000", &next.to_string(), "last")));
    let known = batches(folder);
    let mut seen = HashSet::new();
    for name in names(folder).iter().filter(|name| name.starts_with('b') || *name == "last") {
        ok(folder, &["inventory", "verify", name, "--inventory", "inv"]);
        let serials = serials_in(folder, name);
        assert_eq!(serials.len(), 2000, "{name} is not whole");
        for serial in serials {
            assert!(seen.insert(serial.clone()), "{serial} was used twice");
        }
    }
    let kept = batches(folder).iter().filter(|batch| batch["state"] == "complete").count();
    assert_eq!(seen.len(), kept * 2000, "a file is there that is not complete, or the other way");
    assert!((2..=known.len()).contains(&kept));
    let states: Vec<&str> = known.iter().map(|batch| batch["state"].as_str().unwrap()).collect();
    assert!(states.contains(&"reserved"), "no round was killed at work: {states:?}");
}

#[test]
fn of_processes_that_race_for_the_same_serials_exactly_one_wins() {
    let folder = folder();
    let folder = folder.path();
    for round in 0u32..5 {
        let racers: Vec<Child> = (0..4)
            .map(|racer| {
                let (first, out) = ((1 + round * 100).to_string(), format!("r{round}-{racer}"));
                command(folder, &args(&mint("100", &first, &out)))
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            let output = racer.wait_with_output().unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            match output.status.code() {
                Some(0) => won += 1,
                Some(2) => assert!(stderr.contains("issued before"), "{stderr}"),
                other => panic!("{other:?}: {stderr}"),
            }
        }
        assert_eq!(won, 1);
        let prefix = format!("r{round}-");
        assert_eq!(names(folder).iter().filter(|name| name.starts_with(&prefix)).count(), 1);
    }
    let batches = batches(folder);
    assert_eq!(batches.len(), 5);
    assert!(batches.iter().all(|batch| batch["state"] == "complete"));
}

#[test]
fn what_is_no_sound_inventory_is_refused_before_any_key_is_made() {
    let folder = folder();
    let folder = folder.path();
    let batch = mint("5", "1", "b");
    std::fs::write(folder.join("inv"), "serial;seed\n").unwrap();
    refused(folder, &args(&batch), 2, "inv is no inventory: it is no SQLite file");

    std::fs::remove_file(folder.join("inv")).unwrap();
    ok(folder, &args(&mint("5", "1", "b1")));
    let sound = std::fs::read(folder.join("inv")).unwrap();
    let batch = mint("5", "6", "b2");
    for (offset, value, code, message) in [
        (63, 9, 2, "the inventory inv has version 9, and this program knows version 1"),
        (71, 0, 2, "inv is no inventory: it is another program's database"),
        (18, 3, 5, "the inventory inv can only be read, and a change was to be recorded"),
        (4096, 0xff, 2, "the inventory inv is damaged: "),
    ] {
        let mut bytes = sound.clone();
        bytes[offset] = value;
        std::fs::write(folder.join("inv"), bytes).unwrap();
        refused(folder, &args(&batch), code, message);
    }
    std::fs::write(folder.join("inv"), &sound[..5000]).unwrap();
    refused(folder, &args(&batch), 2, "the inventory inv is damaged: ");
    std::fs::write(folder.join("inv"), sound).unwrap();
    ok(folder, &args(&batch));
}

#[test]
fn an_inventory_that_can_only_be_read_still_answers() {
    let folder = folder();
    let folder = folder.path();
    ok(folder, &args(&mint("5", "1", "b1")));
    let mut bytes = std::fs::read(folder.join("inv")).unwrap();
    bytes[18] = 3;
    std::fs::write(folder.join("inv"), bytes).unwrap();
    assert_eq!(batches(folder).len(), 1);
    ok(folder, &["inventory", "verify", "b1", "--inventory", "inv"]);
    let id = "ACME00000001-ACME00000005";
    let deliver = ["inventory", "deliver", id, "--to", "x", "--inventory", "inv"];
    refused(folder, &deliver, 5, "the inventory inv can only be read");
}

#[test]
fn questions_about_nothing_are_answered_plainly() {
    let folder = folder();
    let folder = folder.path();
    let list = ["inventory", "list", "--inventory", "gone"];
    refused(folder, &list, 5, "cannot open the inventory gone: No such file");
    refused(folder, &["inventory", "list"], 2, "no inventory was named");
    ok(folder, &args(&mint("5", "1", "b1")));
    refused(
        folder,
        &["inventory", "show", "nothing", "--inventory", "inv"],
        2,
        "the inventory inv has no batch nothing",
    );
    refused(
        folder,
        &["inventory", "verify", "gone", "--inventory", "inv"],
        5,
        "cannot read gone: No such file",
    );
    let mut named = mint("5", "6", "b2");
    named.extend(["--batch-id".to_owned(), "two words".to_owned()]);
    refused(folder, &args(&named), 2, "\"two words\" is no batch identifier");
}
