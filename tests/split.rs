//! Sets of files and summaries for programs, as their user sees them.

mod common;

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{names, ok, run};

fn refused(folder: &Path, arguments: &str, words: &[&str]) {
    let before = names(folder);
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments}");
    let said = String::from_utf8(output.stderr).unwrap();
    for word in words {
        assert!(said.contains(word), "{arguments}: no {word:?} in {said}");
    }
    assert_eq!(names(folder), before, "{arguments}: something was left");
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

const MINT: &str = "mint --count 2500 --serial-prefix S --new-transport-key k.hex";
const KEY: &str = "--transport-key-file k.hex";

fn serials(at: &Path, file: &str) -> Vec<String> {
    let text = ok(at, &format!("inspect {file} {KEY} --json"));
    text.lines().map(|line| json(line)["serial"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_minted_set_is_whole_listed_and_verified() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &format!("{MINT} --split-rows 1000 --out set/batch.pskcxml.gz --inventory i.sqlite"));
    let files = ["batch-0001.pskcxml.gz", "batch-0002.pskcxml.gz", "batch-0003.pskcxml.gz"];
    assert_eq!(names(&at.join("set")), [&files[..], &["manifest.json"]].concat());
    let manifest = json(&fs::read_to_string(at.join("set/manifest.json")).unwrap());
    assert_eq!((&manifest["keys"], &manifest["content"]), (&2500.into(), &"pskc".into()));
    let mut all = Vec::new();
    for (name, listed) in files.iter().zip(manifest["files"].as_array().unwrap()) {
        let these = serials(at, &format!("set/{name}"));
        assert_eq!(listed["keys"], these.len());
        assert_eq!(listed["first_serial"], these[0].as_str());
        assert_eq!(listed["last_serial"], these.last().unwrap().as_str());
        assert_eq!(listed["bytes"], fs::metadata(at.join("set").join(name)).unwrap().len());
        all.extend(these);
    }
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 2500);
    assert!(all.is_sorted() && all[0] == "S0001" && all[2499] == "S2500");
    // Digests as sha256sum computes them.
    let sums: String = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| format!("{}  {}\n", file["sha256"], file["name"]).replace('"', ""))
        .collect();
    fs::write(at.join("set/sums"), sums).unwrap();
    let check = Command::new("sha256sum")
        .args(["-c", "sums"])
        .current_dir(at.join("set"))
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    ok(at, "inventory verify set/batch-0002.pskcxml.gz --inventory i.sqlite");
    let shown = json(&ok(at, "inspect --manifest set/manifest.json --json"));
    assert_eq!((&shown["files"], &shown["keys"]), (&manifest["files"], &2500.into()));
    assert!(shown["signature"].is_null(), "{shown}");
    let said = ok(at, "inspect --manifest set/manifest.json");
    assert!(said.contains("3 files with 2500 keys (pskc), all as listed"), "{said}");
    assert!(said.contains("batch-0003.pskcxml.gz: 500 keys, S2001 to S2500"), "{said}");
    // Changed, exchanged and missing files are each named.
    let second = at.join("set/batch-0002.pskcxml.gz");
    let mut bytes = fs::read(&second).unwrap();
    bytes[100] ^= 1;
    fs::write(&second, bytes).unwrap();
    fs::remove_file(at.join("set/batch-0003.pskcxml.gz")).unwrap();
    refused(
        at,
        "inspect --manifest set/manifest.json",
        &[
            "set/manifest.json: 2 of 3 files are not as listed",
            "batch-0002.pskcxml.gz: changed",
            "batch-0003.pskcxml.gz: missing",
            "help: use none of the files",
        ],
    );
}

#[test]
fn no_file_has_more_bytes_than_asked_for_and_few_have_much_less() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("order.toml"), include_str!("../examples/order.toml")).unwrap();
    ok(at, "mint --spec order.toml --new-transport-key k.hex --split-bytes 100k --out a/b.xml");
    let check = |set: &str, keys: u64| {
        let manifest = json(&fs::read_to_string(at.join(set).join("manifest.json")).unwrap());
        let files = manifest["files"].as_array().unwrap();
        let sizes: Vec<u64> = files.iter().map(|file| file["bytes"].as_u64().unwrap()).collect();
        let (last, others) = sizes.split_last().unwrap();
        assert!(others.len() > 3, "{sizes:?}");
        assert!(others.iter().all(|size| (98_000..=100_000).contains(size)), "{sizes:?}");
        assert!(*last <= 100_000);
        assert_eq!(manifest["keys"], keys);
        let all: Vec<String> = files
            .iter()
            .flat_map(|file| serials(at, &format!("{set}/{}", file["name"].as_str().unwrap())))
            .collect();
        assert_eq!(all.len() as u64, keys);
        all
    };
    let minted = check("a", 1552);
    // The same from one file, re-encrypted under another key.
    ok(at, "mint --spec order.toml --transport-key-file k.hex --out one.xml");
    ok(
        at,
        &format!(
            "export one.xml {KEY} --format pskc --out-transport-key-file k.hex --split-bytes 100k --out e/b.xml"
        ),
    );
    assert_eq!(check("e", 1552), minted);
}

#[test]
fn an_import_file_is_split_with_its_head_in_each_part() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ok(at, &format!("{MINT} --out b.xml"));
    let rows: String = (1..=450).map(|n| format!("u{n}@x.fr,S{n:04}\n")).collect();
    fs::write(at.join("users.csv"), format!("user,serial\n{rows}")).unwrap();
    let export = format!(
        "export b.xml {KEY} --format entra-csv --roster users.csv --assigned-only \
         --set manufacturer=ACME --set model=T1"
    );
    ok(at, &format!("{export} --out whole.csv"));
    ok(at, &format!("{export} --split-rows 200 --out set/keys.csv"));
    let whole = fs::read_to_string(at.join("whole.csv")).unwrap();
    let (head, _) = whole.split_once('\n').unwrap();
    let mut together = format!("{head}\n");
    for (name, rows) in [("keys-0001.csv", 200), ("keys-0002.csv", 200), ("keys-0003.csv", 50)] {
        let text = fs::read_to_string(at.join("set").join(name)).unwrap();
        let rest = text.strip_prefix(&format!("{head}\n")).unwrap();
        assert_eq!(rest.lines().count(), rows, "{name}");
        together.push_str(rest);
    }
    assert_eq!(together, whole);
    ok(at, "inspect --manifest set/manifest.json");
    // Both limits at once: the smaller one rules.
    ok(at, &format!("{export} --split-rows 200 --split-bytes 1k --out small/keys.csv"));
    let small = fs::read_dir(at.join("small")).unwrap().map(|entry| entry.unwrap());
    let mut files = 0;
    for file in small.filter(|file| file.file_name() != "manifest.json") {
        assert!(file.metadata().unwrap().len() <= 1000);
        files += 1;
    }
    assert!(files >= 25, "{files}");
}

#[test]
fn what_cannot_be_a_set_is_refused_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let set = |out: &str| format!("{MINT} --split-rows 10 --out {out}");
    refused(at, &set("batch.xml"), &["a set of files goes into a new folder", "FOLDER/NAME.EXT"]);
    refused(at, &set("-"), &["a set of files and --out -"]);
    fs::create_dir(at.join("there")).unwrap();
    refused(at, &set("there/batch.xml"), &["there exists already"]);
    refused(
        at,
        &format!("{MINT} --split-bytes 1k --out s/b.xml"),
        &["S0001: a file of this key alone", "raise --split-bytes"],
    );
    refused(at, &format!("{MINT} --split-bytes 10MB --out s/b.xml"), &["as 500k, 10M or 10Mi"]);
    refused(at, &format!("{MINT} --split-rows 0 --out s/b.xml"), &["--split-rows"]);
    let many = MINT.replace("2500", "20000");
    refused(at, &format!("{many} --split-rows 1 --out s/b.xml"), &["20000 files", "at most 9999"]);
    ok(at, &format!("{MINT} --out b.xml"));
    refused(
        at,
        &format!("export b.xml {KEY} --format privacyidea-csv --split-bytes 20 --out s/b.csv"),
        &["S0001: the key alone makes a file of"],
    );
    // A fault in the last part: no part at all.
    fs::write(at.join("users.csv"), "user,serial\na,S0001\nb,S9999\n").unwrap();
    refused(
        at,
        &format!(
            "export b.xml {KEY} --format privacyidea-csv --roster users.csv --split-rows 1 --out s/b.csv"
        ),
        &["S9999"],
    );
    refused(at, "inspect", &["<FILE>"]);
    refused(
        at,
        "inspect --manifest b.xml",
        &["b.xml: no manifest", "help: give the manifest.json"],
    );
}

#[test]
fn summaries_are_json_and_hold_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let text = ok(at, &format!("{MINT} --out b.xml --json"));
    let summary = json(&text);
    assert_eq!((&summary["keys"], &summary["out"]), (&2500.into(), &"b.xml".into()));
    assert_eq!(summary["lots"][0]["last_serial"], "S2500");
    assert_eq!(summary["files"][0]["bytes"], fs::metadata(at.join("b.xml")).unwrap().len());
    assert_eq!(summary["files"][0]["keys"], 2500);
    assert_eq!(summary["transport_key_file"], "k.hex");
    let key = fs::read_to_string(at.join("k.hex")).unwrap();
    assert!(!text.contains(key.trim()));
    let text = ok(at, &format!("export b.xml {KEY} --format privacyidea-csv --out a.csv --json"));
    let summary = json(&text);
    assert_eq!((&summary["keys"], &summary["encrypted"]), (&2500.into(), &false.into()));
    assert_eq!(summary["files"][0]["last_serial"], "S2500");
    assert_eq!(summary["files"][0]["sha256"].as_str().unwrap().len(), 64);
    refused(
        at,
        "mint --count 1 --new-transport-key l.hex --out - --json",
        &["--json and --out -: standard output is taken"],
    );
}
